//! `/api/create`: what is asked for, its checks, and its statuses (`server/create.go`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::derive::{derived, imported, requantize};
use super::files::canonical;
use super::modelfile::BLOBS;
use super::progress::{Progress, STEP};
use super::pull::pull;
use crate::http::Reply;
use crate::models::{Card, Layer, LayerKind, ModelName, Store};

/// The types that weights can be brought to, as the error text names them.
const QUANTIZATIONS: [&str; 6] = ["F32", "F16", "Q4_K_S", "Q4_K_M", "Q8_0", ""];

/// What a create asks for, decoded; texts are empty and lists are empty where the request has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewModel<'a> {
    /// The name of the new model (`model`, or the older `name`).
    pub model: &'a str,
    /// The model that it is made from.
    pub from: &'a str,
    /// Uploaded files: name and digest; `None` where the field is absent.
    pub files: Option<BTreeMap<String, String>>,
    /// Uploaded adapters: name and digest.
    pub adapters: BTreeMap<String, String>,
    /// The Go template.
    pub template: &'a str,
    /// The system text.
    pub system: &'a str,
    /// The licences.
    pub licences: Vec<String>,
    /// The parameters.
    pub parameters: Map<String, Value>,
    /// The messages that every conversation begins with: role and content.
    pub messages: Vec<(String, String)>,
    /// What to bring the weights to (`quantize`, or the older `quantization`).
    pub quantize: &'a str,
    /// The built-in renderer.
    pub renderer: &'a str,
    /// The built-in parser.
    pub parser: &'a str,
    /// The server version that it needs.
    pub requires: &'a str,
}

/// Where a new model comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Another model.
    Model(Box<Card>),
    /// Uploaded files: name and canonical digest, in the order of their names.
    Files(Vec<(String, String)>),
}

/// Creates a model. Its new card is the outcome; `speed` is that of a pull that may be needed, in bytes per second.
///
/// # Errors
/// The plain answer of a request that is refused before anything begins.
pub fn create(request: &NewModel<'_>, store: &Store, speed: u64) -> Result<Progress, Reply> {
    let files = request.files.iter().flatten().chain(&request.adapters);
    for (path, digest) in files {
        if !is_relative(path) {
            return Err(Reply::error(400, "file path must be relative"));
        }
        if digest.is_empty() {
            return Err(Reply::error(400, "invalid digest format"));
        }
    }
    let Some(name) = ModelName::parse(request.model) else {
        return Err(Reply::error(400, "invalid model name"));
    };
    let (mut progress, source) = match find_source(request, store, speed) {
        Ok(found) => found,
        Err(failed) => return Ok(failed),
    };
    if let Err((status, text)) = check(request, store) {
        progress.fail(status, &text);
        return Ok(progress);
    }
    let mut card = match &source {
        Source::Model(from) => derived(request, name, from),
        Source::Files(files) => imported(request, name, files, store),
    };
    if let Err(text) = quantize(&mut progress, request.quantize, &mut card) {
        progress.fail(500, text);
        return Ok(progress);
    }
    say_layers(&mut progress, &source, &card, store);
    for status in ["writing manifest", "success"] {
        progress.say(status);
        progress.wait(STEP);
    }
    progress.outcome = Some(Box::new(card));
    Ok(progress)
}

/// The source, and the statuses of finding it; `Err` where it fails.
fn find_source(request: &NewModel<'_>, store: &Store, speed: u64) -> Result<(Progress, Source), Progress> {
    if !request.from.is_empty() {
        let Some(from) = ModelName::parse(request.from) else {
            return Err(Progress::failed(400, "invalid model name"));
        };
        if let Some(card) = store.find(&from) {
            return Ok((Progress::default(), Source::Model(Box::new(card.clone()))));
        }
        let mut pulled = pull(store.pullable(&from), |digest| store.has_blob(digest), speed);
        return match pulled.outcome.take() {
            Some(card) => {
                // The success is that of the create, which is still to come.
                pulled.lines.pop();
                Ok((pulled, Source::Model(card)))
            }
            None => Err(pulled),
        };
    }
    let Some(files) = &request.files else {
        return Err(Progress::failed(400, "neither 'from' or 'files' was specified"));
    };
    read_files(files, store)
}

fn read_files(files: &BTreeMap<String, String>, store: &Store) -> Result<(Progress, Source), Progress> {
    let ends = |path: &str, end: &str| path.rsplit_once('.').is_some_and(|(_, found)| found.eq_ignore_ascii_case(end));
    let status = if files.keys().any(|path| ends(path, "safetensors")) {
        "converting model"
    } else if files.keys().any(|path| ends(path, "gguf")) {
        "parsing GGUF"
    } else {
        return Err(Progress::failed(400, "unknown type"));
    };
    let mut progress = Progress::default();
    let mut found = Vec::new();
    for (path, digest) in files {
        progress.say(status);
        progress.wait(STEP);
        let Some(known) = canonical(digest) else {
            progress.fail(500, "invalid digest format");
            return Err(progress);
        };
        if !store.has_blob(&known) {
            let file = known.replace(':', "-");
            progress.fail(500, &format!("open {BLOBS}/{file}: no such file or directory"));
            return Err(progress);
        }
        found.push((path.clone(), known));
    }
    Ok((progress, Source::Files(found)))
}

/// What can be wrong once the source is there.
fn check(request: &NewModel<'_>, store: &Store) -> Result<(), (u16, String)> {
    if !QUANTIZATIONS.contains(&request.quantize.to_uppercase().as_str()) {
        let known = QUANTIZATIONS[..5].join(", ");
        let wanted = request.quantize.to_uppercase();
        return Err((500, format!("unsupported quantization type {wanted} - supported types are {known}")));
    }
    if let Some(why) = template_error(request.template) {
        return Err((400, format!("template error: {why}")));
    }
    let unknown = |digest: &&String| !canonical(digest).is_some_and(|known| store.has_blob(&known));
    match request.adapters.values().find(unknown) {
        Some(digest) => Err((500, format!("open {BLOBS}/{}: no such file or directory", digest.replace(':', "-")))),
        None => Ok(()),
    }
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
fn quantize(progress: &mut Progress, wanted: &str, card: &mut Card) -> Result<(), &'static str> {
    let wanted = wanted.to_uppercase();
    let now = card.details.quantization_level.clone();
    // What is not known is taken for what converters write.
    let now = if now.is_empty() { "F16" } else { &now };
    if wanted.is_empty() || wanted == now {
        return Ok(());
    }
    if !matches!(now, "F16" | "F32") {
        return Err("quantization is only supported for F16 and F32 models");
    }
    let status = format!("quantizing {now} model to {wanted}");
    progress.transferred(&status, "0000000000000000000", card.size, card.size);
    progress.wait(STEP);
    progress.say("verifying conversion");
    progress.wait(STEP);
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
        progress.say(&format!("{verb} layer {}", layer.digest));
        progress.wait(STEP);
    }
}

/// A path without a root and without a way up (`io/fs`, `ValidPath`).
pub(super) fn is_relative(path: &str) -> bool {
    path == "." || path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
#[path = "create_tests.rs"]
mod tests;
