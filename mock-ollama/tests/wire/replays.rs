//! Every exchange that we recorded with a complete server, and every body of other projects, answers its own request
//! again, byte for byte: streams, listings, pulls, embeddings and errors alike.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use bytes::Bytes;
use mock_ollama::catalog::{Catalog, builtin};
use mock_ollama::import::{ImportOptions, Input, import};
use mock_ollama::recording::{Chunk, End, Exchange, Method, Recording, Request, Response};

use crate::bench::{Bench, Body};

/// A folder of shared data; `None` where it is absent and may be.
fn shared(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("REQUIRE_SHARED").as_deref() != Ok("1"), "{} is not there", folder.display());
    println!("skipped: {} is not there", folder.display());
    None
}

fn files(folder: &Path, kinds: &[&str]) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path, kinds));
        } else if path.extension().is_some_and(|kind| kinds.iter().any(|known| kind == *known)) {
            out.push(path);
        }
    }
    out.sort();
    out
}

fn read(path: &Path, options: ImportOptions) -> Option<Recording> {
    let bytes = std::fs::read(path).unwrap();
    let options = ImportOptions { name: "x".to_owned(), model: options.model.or(Some("m".to_owned())), ..options };
    import(&[Input { label: &path.display().to_string(), bytes: &bytes }], &options).ok().map(|made| made.recording)
}

/// Why the first exchange of a recording is not answered as it was recorded.
fn differs(recording: &Recording) -> Option<String> {
    let exchange = &recording.exchanges[0];
    let request = exchange.request.as_ref()?;
    let body = request.body.as_ref().map_or_else(String::new, |body| body.text().into_owned());
    let catalog = Arc::new(Catalog::new([recording.clone()]));
    let mut bench = Bench::with(|config| config.catalog = catalog);
    let answer = bench.ask(request.method.as_str(), &request.path, &body);
    let got = match &answer.body {
        Body::Chunks { chunks, .. } => chunks.concat(),
        Body::Plain(bytes) => bytes.clone(),
    };
    let expected = if request.method.as_str() == "HEAD" { Vec::new() } else { exchange.body() };
    (answer.status != exchange.response.status || got != expected).then(|| {
        let text = String::from_utf8_lossy(&got);
        format!("{} {} {body:.200}\n  got {} {text:.200}", request.method.as_str(), request.path, answer.status)
    })
}

#[test]
fn every_exchange_with_a_complete_server_is_answered_again_as_it_was() {
    let Some(folder) = shared("own-recordings") else { return };
    let (mut replayed, mut routes, mut wrong) = (0, std::collections::BTreeSet::new(), Vec::new());
    for path in files(&folder, &["jsonl"]) {
        let Some(recording) = read(&path, ImportOptions::default()) else { continue };
        if recording.exchanges[0].end != End::Clean {
            continue;
        }
        replayed += 1;
        routes.extend(recording.exchanges[0].request.as_ref().map(|request| request.path.clone()));
        wrong.extend(differs(&recording).map(|why| format!("{}: {why}", path.display())));
    }
    println!("{replayed} exchanges of {} routes replayed", routes.len());
    assert!(wrong.is_empty(), "{} of {replayed} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(replayed >= 380, "only {replayed} exchanges were replayed");
    assert!(routes.len() >= 15, "only these routes: {routes:?}");
}

/// A body that was kept without its request: the request is made up, the bytes are as they are.
fn kept(path: &Path, route: &str) -> Recording {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let body = Bytes::from(std::fs::read(path).unwrap());
    let target = match route {
        "v1-chat-completions" => "/v1/chat/completions".to_owned(),
        route => format!("/{}", route.replacen('-', "/", 1)),
    };
    let is_get = ["api-ps", "api-tags", "api-version"].contains(&route);
    let messages = json!([{ "role": "user", "content": name }]);
    let stream = path.extension().is_none_or(|kind| kind != "json");
    let request = json!({ "model": "m", "prompt": name, "input": name, "messages": messages, "stream": stream });
    let kind = match path.extension().and_then(|kind| kind.to_str()) {
        Some("sse") => "text/event-stream",
        Some("ndjson") => "application/x-ndjson",
        _ => "application/json",
    };
    let lines: Vec<Bytes> = match kind {
        "application/x-ndjson" => {
            body.split_inclusive(|byte| *byte == b'\n').map(|line| body.slice_ref(line)).collect()
        }
        _ => vec![body],
    };
    let request = if is_get { Request::new(Method::Get, target, None) } else { Request::post(target, request) };
    let chunks = lines.into_iter().map(|bytes| Chunk::new(0, bytes)).collect();
    let mut recording = builtin::recording("tiny-short").unwrap().unwrap();
    recording.exchanges = vec![Exchange::new(Some(request), Response::new(200, [("Content-Type", kind)]), chunks)];
    recording
}

#[test]
fn every_body_of_other_projects_is_served_as_it_was_kept() {
    let Some(folder) = shared("recordings") else { return };
    let (mut replayed, mut wrong) = (0, Vec::new());
    for path in files(&folder, &["ndjson", "sse", "json"]) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // project.route.model.number.kind
        let Some(route) = name.split('.').find(|part| part.starts_with("v1-") || part.starts_with("api-")) else {
            continue;
        };
        let recording = kept(&path, route);
        if recording.exchanges[0].body().is_empty() {
            continue;
        }
        replayed += 1;
        wrong.extend(differs(&recording).map(|why| format!("{name}: {why}")));
    }
    println!("{replayed} bodies replayed");
    assert!(wrong.is_empty(), "{} of {replayed} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(replayed >= 230, "only {replayed} bodies were replayed");
}
