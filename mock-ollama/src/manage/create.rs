//! `/api/create`: what is asked for, its checks, and its statuses (`server/create.go`).

use super::derive::{derived, imported, requantize};
use super::files::canonical;
use super::modelfile::BLOBS;
use super::progress::{Progress, STEP};
use super::pull::fetch;
use super::request::CreateRequest;
use crate::generation::Refusal;
use crate::models::{Card, Layer, LayerKind, ModelName, Store};

/// The types that weights can be brought to, as the error text names them.
const QUANTIZATIONS: [&str; 6] = ["F32", "F16", "Q4_K_S", "Q4_K_M", "Q8_0", ""];

/// Where a new model comes from.
enum Source {
    /// Another model.
    Model(Box<Card>),
    /// The canonical digests of uploaded files, in the order of their names.
    Files(Vec<String>),
}

/// Creates a model. Its new card is the outcome; `speed` is that of a pull that may be needed, in bytes per second.
///
/// # Errors
/// The refusal of a request before anything begins.
pub fn create(request: &CreateRequest, store: &Store, speed: u64) -> Result<Progress, Refusal> {
    let refused = |text: &str| Refusal::by_handler(400, text);
    let name = ModelName::parse(&request.model).ok_or_else(|| refused("invalid model name"))?;
    let files = request.files.iter().map(|(path, digest)| (path, canonical(digest).is_some()));
    // The digest of an adapter is read when its file is looked for.
    let adapters = request.adapters.iter().map(|(path, digest)| (path, !digest.is_empty()));
    for (path, has_digest) in files.chain(adapters) {
        if !is_relative(path) {
            return Err(refused("file path must be relative"));
        }
        if !has_digest {
            return Err(refused("invalid digest format"));
        }
    }
    Ok(Progress::of(|progress| make(progress, request, name, store, speed).map(Some)))
}

fn make(
    progress: &mut Progress,
    request: &CreateRequest,
    name: ModelName,
    store: &Store,
    speed: u64,
) -> Result<Box<Card>, Refusal> {
    let source = find_source(progress, request, store, speed)?;
    check(request, store)?;
    let mut card = match &source {
        Source::Model(from) => derived(request, name, from),
        Source::Files(files) => imported(request, name, files, store),
    };
    quantize(progress, &request.quantize, &mut card)?;
    say_layers(progress, &source, &card, store);
    for status in ["writing manifest", "success"] {
        progress.step(status);
    }
    Ok(Box::new(card))
}

/// The source, with the statuses of finding it.
fn find_source(progress: &mut Progress, request: &CreateRequest, store: &Store, speed: u64) -> Result<Source, Refusal> {
    if request.from.is_empty() {
        return read_files(progress, request, store);
    }
    let from = ModelName::parse(&request.from).ok_or_else(|| Refusal::by_handler(400, "invalid model name"))?;
    if let Some(card) = store.find(&from) {
        return Ok(Source::Model(Box::new(card.clone())));
    }
    let card = fetch(progress, store.pullable(&from), |digest| store.has_blob(digest), speed)?;
    // The success is that of the create, which is still to come.
    progress.lines.pop();
    Ok(Source::Model(card))
}

fn read_files(progress: &mut Progress, request: &CreateRequest, store: &Store) -> Result<Source, Refusal> {
    let files = &request.files;
    if files.is_empty() {
        return Err(Refusal::by_handler(400, "neither 'from' or 'files' was specified"));
    }
    let ends = |path: &str, end: &str| path.rsplit_once('.').is_some_and(|(_, found)| found.eq_ignore_ascii_case(end));
    let status = if files.keys().any(|path| ends(path, "safetensors")) {
        "converting model"
    } else if files.keys().any(|path| ends(path, "gguf")) {
        "parsing GGUF"
    } else {
        return Err(Refusal::by_handler(400, "unknown type"));
    };
    let digests = files.values().filter_map(|digest| canonical(digest)).map(|digest| {
        progress.step(status);
        if store.has_blob(&digest) { Ok(digest) } else { Err(missing(&digest)) }
    });
    Ok(Source::Files(digests.collect::<Result<_, _>>()?))
}

fn missing(digest: &str) -> Refusal {
    let file = digest.replace(':', "-");
    Refusal::by_handler(500, format!("open {BLOBS}/{file}: no such file or directory"))
}

/// What can be wrong once the source is there.
fn check(request: &CreateRequest, store: &Store) -> Result<(), Refusal> {
    let wanted = request.quantize.to_uppercase();
    if !QUANTIZATIONS.contains(&wanted.as_str()) {
        let known = QUANTIZATIONS[..5].join(", ");
        let text = format!("unsupported quantization type {wanted} - supported types are {known}");
        return Err(Refusal::by_handler(500, text));
    }
    if let Some(why) = template_error(&request.template) {
        return Err(Refusal::by_handler(400, format!("template error: {why}")));
    }
    let unknown = |digest: &&String| !canonical(digest).is_some_and(|known| store.has_blob(&known));
    request.adapters.values().find(unknown).map_or(Ok(()), |digest| Err(missing(digest)))
}

/// The one mistake in a Go template that is looked for: an action that is not closed.
fn template_error(template: &str) -> Option<String> {
    let mut rest = template;
    let mut line = 1;
    while let Some((before, action)) = rest.split_once("{{") {
        line += before.matches('\n').count();
        let Some((inside, after)) = action.split_once("}}") else {
            return Some(format!("template: :{line}: unclosed action"));
        };
        line += inside.matches('\n').count();
        rest = after;
    }
    None
}

/// Brings the weights to another type, where one is asked for and they have another one.
fn quantize(progress: &mut Progress, wanted: &str, card: &mut Card) -> Result<(), Refusal> {
    let wanted = wanted.to_uppercase();
    let now = card.details.quantization_level.clone();
    // What is not known is taken for what converters write.
    let now = if now.is_empty() { "F16" } else { &now };
    if wanted.is_empty() || wanted == now {
        return Ok(());
    }
    if !matches!(now, "F16" | "F32") {
        return Err(Refusal::by_handler(500, "quantization is only supported for F16 and F32 models"));
    }
    let status = format!("quantizing {now} model to {wanted}");
    progress.transferred(&status, "0000000000000000000", card.size, card.size);
    progress.wait(STEP);
    progress.step("verifying conversion");
    requantize(card, &wanted);
    Ok(())
}

/// The layers that stay, then those that are made: each is new unless its file is there.
fn say_layers(progress: &mut Progress, source: &Source, card: &Card, store: &Store) {
    let old: Vec<Layer> = match source {
        Source::Model(from) => from.layers(),
        Source::Files(_) => Vec::new(),
    };
    // Parameters are always written anew, and so come after what stays (`setParameters`).
    let stays = |layer: &Layer| old.contains(layer) && layer.kind != LayerKind::Parameters;
    let layers: Vec<Layer> = card.layers().into_iter().filter(|layer| layer.kind != LayerKind::Config).collect();
    let (staying, made): (Vec<Layer>, Vec<Layer>) = layers.into_iter().partition(stays);
    for layer in staying.iter().chain(&made) {
        let known = old.contains(layer) || store.has_blob(&layer.digest);
        let verb = if known { "using existing" } else { "creating new" };
        progress.step(&format!("{verb} layer {}", layer.digest));
    }
}

/// A path without a root and without a way up (`io/fs`, `ValidPath`).
fn is_relative(path: &str) -> bool {
    path == "." || path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
#[path = "create_tests.rs"]
mod tests;
