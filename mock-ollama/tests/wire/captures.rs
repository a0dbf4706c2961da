//! Every capture of the real server's HTTP layer against the scripted models.
//!
//! The captures stay where they are: the test reads them beside the project, and skips itself where they are not.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use mock_ollama::seed::Seed;
use rand::seq::SliceRandom as _;
use serde_json::Value;

use crate::bench::{Answer, Bench, Body};
use crate::mask::mask;

/// The groups that do not depend on the order of requests.
const FREE: &[&str] = &[
    "anthropic",
    "chat",
    "cors",
    "embeddings",
    "generate",
    "host",
    "load-unload",
    "openai-chat",
    "openai-completions",
    "request-errors",
    "responses",
    "router",
    "validation",
];

/// The group that is a sequence.
const SEQUENCE: &str = "manage";

/// How many there are.
const COUNT: usize = 326;

/// The folder of captures; `None` where it is absent and may be.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/wire-captures");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("REQUIRE_SHARED").as_deref() != Ok("1"), "{} is not there", folder.display());
    println!("skipped: {} is not there", folder.display());
    None
}

fn read(folder: &Path, group: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(format!("{group}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn bytes(text: &Value) -> Vec<u8> {
    match text {
        Value::String(text) => text.clone().into_bytes(),
        Value::Object(object) => {
            base64::engine::general_purpose::STANDARD.decode(object["b64"].as_str().unwrap()).unwrap()
        }
        _ => Vec::new(),
    }
}

/// A captured request as it stood on the wire.
fn request(capture: &Value) -> Vec<u8> {
    let request = &capture["request"];
    let text = |key: &str| request[key].as_str().unwrap();
    let mut head = format!("{} {} HTTP/{}\r\n", text("method"), text("path"), text("version"));
    for field in request["headers"].as_array().unwrap() {
        write!(head, "{}: {}\r\n", field[0].as_str().unwrap(), field[1].as_str().unwrap()).unwrap();
    }
    head.push_str("\r\n");
    [head.into_bytes(), bytes(&request["body"])].concat()
}

/// What is compared: everything but what is masked. The length of a body follows from it, so of `Content-Length`
/// only the presence is compared, and that it is true.
fn shown(status_line: &str, headers: &[(String, String)], body: &[Vec<u8>], end: &str) -> String {
    let mut out = format!("{status_line}\n");
    for (name, value) in headers {
        let value = if name == "Content-Length" && !body.is_empty() { "(true)" } else { value };
        writeln!(out, "{name}: {value}").unwrap();
    }
    for piece in body {
        let text = sorted(&mask(&String::from_utf8_lossy(piece)));
        writeln!(out, "| {text}").unwrap();
    }
    writeln!(out, "{end}").unwrap();
    out
}

/// Listings sort by a time of one-second resolution: their order is arbitrary.
fn sorted(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    let (key, name) = if value.get("models").is_some() { ("models", "name") } else { ("data", "id") };
    if value[key].as_array().is_none_or(|entries| entries.iter().any(|entry| entry[name].is_null())) {
        return text.to_owned();
    }
    if let Some(entries) = value[key].as_array_mut() {
        entries.sort_by_key(|entry| entry[name].to_string());
    }
    value.to_string()
}

fn captured(capture: &Value) -> String {
    let response = &capture["response"];
    let headers: Vec<(String, String)> = response["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (field[0].as_str().unwrap().to_owned(), field[1].as_str().unwrap().to_owned()))
        .collect();
    let (body, end) = match response.get("chunks") {
        Some(chunks) => (chunks.as_array().unwrap().iter().map(bytes).collect(), response["end"].as_str().unwrap()),
        None => (vec![bytes(&response["body"])], "plain"),
    };
    shown(response["status_line"].as_str().unwrap(), &headers, &without_empty(body), end)
}

fn without_empty(body: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    body.into_iter().filter(|piece| !piece.is_empty()).collect()
}

fn ours(answer: &Answer, method: &str) -> String {
    let (body, end) = match &answer.body {
        Body::Chunks { chunks, clean: true } => (chunks.clone(), "clean"),
        Body::Chunks { chunks, clean: false } => (chunks.clone(), "cut"),
        Body::Plain(body) => (vec![body.clone()], "plain"),
    };
    if let (Some(length), "plain") = (answer.header("Content-Length"), end)
        && method != "HEAD"
    {
        assert_eq!(length, body[0].len().to_string(), "Content-Length of {answer:?}");
    }
    shown(&answer.status_line, &answer.headers, &without_empty(body), end)
}

/// Replays captures and lists those that differ.
fn differing(bench: &mut Bench, captures: &[Value]) -> Vec<String> {
    let mut out = Vec::new();
    for capture in captures {
        let answer = bench.raw(request(capture));
        let method = capture["request"]["method"].as_str().unwrap();
        let (ours, theirs) = (ours(&answer, method), captured(capture));
        if ours != theirs {
            out.push(format!("## {}\n--- real\n{theirs}--- ours\n{ours}", capture["id"].as_str().unwrap()));
        }
    }
    out
}

#[test]
fn every_capture_is_answered_as_the_real_server_did_in_any_order() {
    let Some(folder) = folder() else { return };
    let mut free: Vec<Value> = FREE.iter().flat_map(|group| read(&folder, group)).collect();
    let sequence = read(&folder, SEQUENCE);
    let count = free.len() + sequence.len();
    assert!(count >= COUNT, "only {count} captures were found");
    for seed in 0..5 {
        if seed > 0 {
            free.shuffle(&mut Seed(seed).rng());
        }
        let mut bench = Bench::scripted();
        let (before, after) = free.split_at(free.len() * usize::try_from(seed).unwrap() / 4);
        let all = [before, &sequence, after].concat();
        let differing = differing(&mut bench, &all);
        assert!(differing.is_empty(), "order {seed}: {} of {count} differ:\n{}", differing.len(), differing.join("\n"));
    }
    println!("{count} captures compared in five orders");
}
