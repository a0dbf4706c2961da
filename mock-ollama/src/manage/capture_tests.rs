//! Managing models, in the order in which it was captured, against the answers of the real server.

use std::path::Path;

use serde_json::Value;

use super::{CreateRequest, DEFAULT_SPEED, blob_head, blob_put, copy, create, delete, push};
use crate::generation::Refusal;
use crate::http::{Framing, Reply, ResponseHead, Version};
use crate::models::{Card, ModelName, Store};

/// The captures of these groups; none where they are absent and may be.
fn captures(groups: &[&str]) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/wire-captures");
    if !folder.is_dir() {
        assert!(std::env::var("REQUIRE_SHARED").as_deref() != Ok("1"), "{} is not there", folder.display());
        println!("skipped: {} is not there", folder.display());
        return Vec::new();
    }
    let read = |group: &&str| std::fs::read_to_string(folder.join(format!("{group}.jsonl"))).unwrap();
    let text: String = groups.iter().map(read).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a reply looks like on the wire, to a client that closes.
fn on_the_wire(method: &str, reply: Reply) -> String {
    let framing = match Framing::of_whole(Version::Http11, method, reply.status, reply.body.len() as u64) {
        _ if reply.flushed => Framing::Chunked,
        framing => framing,
    };
    let head = ResponseHead {
        version: Version::Http11,
        status: reply.status,
        fields: reply.fields,
        date_unix_s: None,
        framing,
        connection: Some("close"),
    };
    let body = if method == "HEAD" { Vec::new() } else { reply.body };
    String::from_utf8([head.encode(), body].concat()).unwrap()
}

/// The captured response, with its chunks joined.
fn captured(response: &Value) -> String {
    let pairs = response["headers"].as_array().unwrap().iter();
    let lines: Vec<String> =
        pairs.map(|pair| format!("{}: {}\r\n", pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
    let chunks = response["chunks"].as_array().into_iter().flatten();
    let joined: String = chunks.map(|chunk| chunk.as_str().unwrap()).collect();
    let body = response["body"].as_str().unwrap_or(&joined);
    format!("{}\r\n{}\r\n{body}", response["status_line"].as_str().unwrap(), lines.concat())
}

/// Streams are compared as one flushed body.
fn streamed(progress: &super::Progress) -> Reply {
    let streamed = progress.streamed();
    let body: String = streamed.chunks.into_iter().map(|(_, chunk)| chunk).collect();
    Reply { status: streamed.status, fields: streamed.fields, body: body.into_bytes(), flushed: true }
}

/// Our answer; `None` for what the functions here do not decide.
fn answer(store: &mut Store, request: &Value) -> Option<Reply> {
    let (method, path) = (request["method"].as_str()?, request["path"].as_str()?);
    let body = request["body"].as_str().unwrap_or_default();
    if let Some(digest) = path.strip_prefix("/api/blobs/") {
        return Some(if method == "HEAD" {
            blob_head(store, digest)
        } else {
            blob_put(store, digest, body.as_bytes())
        });
    }
    let json: Value = serde_json::from_str(body).ok().filter(Value::is_object)?;
    let refused = |refusal: Refusal| Reply::error(refusal.status, &refusal.text);
    let text = |name: &str| json[name].as_str().unwrap_or_default();
    let model = if text("model").is_empty() { text("name") } else { text("model") };
    if json.get("model").is_some_and(|model| !model.is_string()) {
        return None;
    }
    match path {
        "/api/copy" => Some(copy(store, body.as_bytes(), "2026-08-01T10:00:00Z").unwrap_or_else(refused)),
        "/api/delete" => Some(delete(store, body.as_bytes()).unwrap_or_else(refused)),
        "/api/push" if !model.is_empty() => Some(streamed(&push(None, model, DEFAULT_SPEED))),
        "/api/create" => {
            let made = CreateRequest::decode(body.as_bytes()).and_then(|ask| create(&ask, store, DEFAULT_SPEED));
            Some(made.map_or_else(refused, |progress| streamed(&progress)))
        }
        _ => None,
    }
}

#[test]
fn models_are_managed_as_on_the_real_server() {
    let mut store = Store::new([Card::named(ModelName::parse("llama").unwrap())]);
    for capture in captures(&["manage", "request-errors"]) {
        let Some(reply) = answer(&mut store, &capture["request"]) else { continue };
        let method = capture["request"]["method"].as_str().unwrap();
        assert_eq!(on_the_wire(method, reply), captured(&capture["response"]), "{}", capture["id"]);
    }
}
