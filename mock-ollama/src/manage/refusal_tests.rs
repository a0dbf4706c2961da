//! Refused requests of every route: against the captures, and by rule.

use std::path::Path;

use rstest::rstest;
use serde_json::{Value, json};

use super::{CreateRequest, NameRequest, ShowRequest, copy, create, delete};
use crate::dialect::{self, EmbedRequest, check};
use crate::generation::{Refusal, RefusedBy};
use crate::models::{Card, ModelName, Store};

fn card(name: &str) -> Option<Card> {
    let known: &[&str] = match name.split(':').next()? {
        "llama" => &["completion", "tools"],
        "think" => &["completion", "thinking"],
        "plain" => &["completion"],
        "insert" => &["completion", "insert"],
        "native" | "q3" | "hm" => &["completion", "tools", "thinking"],
        "embedder" => &["embedding"],
        _ => return None,
    };
    let mut card = Card::named(ModelName::parse(name)?);
    card.capabilities = known.iter().map(|&known| known.to_owned()).collect();
    Some(card)
}

/// What the request is refused with; `None` where it is not, or where only the catalog could tell.
fn refusal(path: &str, body: &[u8]) -> Option<Refusal> {
    let done = |refused: Result<(), Refusal>| refused.err();
    if let Some(format) = dialect::at(path) {
        let ask = match dialect::decode(format, path, body) {
            Ok(ask) => ask,
            Err(refusal) => return Some(refusal),
        };
        return done(check(format, &ask, &card(ask.name.as_str())?));
    }
    let mut store = Store::new([]);
    done(match path {
        "/api/embed" => EmbedRequest::decode_native(body).map(drop),
        "/v1/embeddings" => EmbedRequest::decode_openai(body).map(drop),
        "/api/embeddings" => EmbedRequest::decode_legacy(body).map(drop),
        "/api/show" => ShowRequest::decode(body).map(drop),
        "/api/pull" => NameRequest::pull(body).map(drop),
        "/api/push" => NameRequest::push(body).map(drop),
        "/api/delete" => delete(&mut store, body).map(drop),
        "/api/copy" => copy(&mut store, body, "").map(drop),
        "/api/create" => CreateRequest::decode(body).and_then(|ask| create(&ask, &store, 1)).map(drop),
        _ => Ok(()),
    })
}

/// Status, text and whether the text came from a `/v1` wrapper that adds a newline.
fn refused_by_capture(response: &Value) -> Option<(u64, String, bool)> {
    let status = response["status"].as_u64().filter(|status| *status >= 400)?;
    let body = response["body"].as_str().or_else(|| response["chunks"][0].as_str())?;
    let error = &serde_json::from_str::<Value>(body).ok()?["error"];
    let text = error.as_str().or_else(|| error["message"].as_str())?;
    // The catalog and the script refuse these.
    let elsewhere = ["boom", "runner", "exceeds", "neither 'from'", "digest mismatch", "not found"]
        .iter()
        .any(|part| text.contains(part));
    let elsewhere = elsewhere && text != "model '' not found";
    (!elsewhere).then(|| (status, text.to_owned(), body.ends_with('\n')))
}

fn bytes(body: &Value) -> Vec<u8> {
    use base64::Engine;
    match body {
        Value::String(text) => text.clone().into_bytes(),
        Value::Object(fields) if fields.keys().eq(["b64"]) => {
            let text = fields["b64"].as_str().unwrap_or_default();
            base64::engine::general_purpose::STANDARD.decode(text).unwrap()
        }
        Value::Null => Vec::new(),
        other => other.to_string().into_bytes(),
    }
}

#[rstest]
#[case("request-errors", 100)]
#[case("validation", 40)]
#[case("generate", 20)]
#[case("chat", 15)]
#[case("openai-chat", 15)]
#[case("openai-completions", 4)]
#[case("responses", 8)]
#[case("anthropic", 8)]
#[case("embeddings", 8)]
#[case("manage", 10)]
#[case("load-unload", 4)]
fn a_request_is_refused_as_in_the_captures(#[case] group: &str, #[case] least: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../shared/wire-captures/{group}.jsonl"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var_os("REQUIRE_SHARED").is_none(), "no {}", path.display());
        eprintln!("skipped: no {}", path.display());
        return;
    };
    let captures: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(captures.len() >= least, "{} captures", captures.len());
    let mut wrong = Vec::new();
    for capture in &captures {
        let (request, response) = (&capture["request"], &capture["response"]);
        let expected = refused_by_capture(response);
        if expected.is_none() && response["status"].as_u64() >= Some(400) {
            continue;
        }
        let path = request["path"].as_str().unwrap();
        if path.starts_with("/api/blobs/") {
            continue;
        }
        let actual = refusal(path, &bytes(&request["body"]));
        let wrapped = path.starts_with("/v1/");
        let actual = actual.map(|refusal| {
            let newline = wrapped && matches!(refusal.by, RefusedBy::Handler | RefusedBy::Runner);
            (u64::from(refusal.status), refusal.text, newline)
        });
        // A bad source is refused in the stream of create.
        if actual != expected && !(path == "/api/create" && actual.is_none()) {
            wrong.push(format!("{}: {actual:?} instead of {expected:?}", capture["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[rstest]
#[case("/api/chat", json!({"model": "x", "messages": [{"tool_calls": [{"function": {"arguments": "{}"}}]}]}), 400,
    "Value looks like object, but can't find closing '}' symbol", RefusedBy::Handler)]
#[case("/api/chat", json!({"model": "x", "think": "x"}), 400,
    r#"invalid think value: "x" (must be "high", "medium", "low", "max", true, or false)"#, RefusedBy::Handler)]
#[case("/api/chat", json!({"model": "plain", "format": 5, "messages": [{}]}), 500,
    r#"invalid format: "5"; expected "json" or a valid JSON Schema object"#, RefusedBy::Runner)]
#[case("/api/generate", json!({"model": "plain", "prompt": "x", "raw": true, "system": "s"}), 400,
    "raw mode does not support template, system, or context", RefusedBy::Handler)]
#[case("/api/generate", json!({"model": "x:cloud"}), 403,
    "ollama cloud is disabled: remote model is unavailable", RefusedBy::Cloud)]
#[case("/v1/messages", json!({"model": "x:cloud"}), 403,
    "ollama cloud is disabled: remote model is unavailable", RefusedBy::Cloud)]
#[case("/api/show", json!({"model": "x:cloud"}), 403,
    "ollama cloud is disabled: remote model details are unavailable", RefusedBy::Cloud)]
#[case("/v1/chat/completions", json!({"messages": [{"role": "user"}]}), 400,
    "invalid message content type: <nil>", RefusedBy::Parser)]
#[case("/v1/chat/completions", json!({"messages": [{"content": [{"type": "image_url", "image_url": "https://x"}]}]}),
    400, "image URLs are not currently supported, please use base64 encoded data instead", RefusedBy::Parser)]
#[case("/v1/chat/completions", json!({"messages": [{"content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}),
    400, "invalid image input", RefusedBy::Parser)]
#[case("/v1/chat/completions", json!({"messages": [{"content": ["x"]}]}), 400,
    "invalid message format", RefusedBy::Parser)]
#[case("/v1/chat/completions", json!({"messages": [{"tool_calls": [{"function": {"arguments": "x"}}]}]}), 400,
    "invalid tool call arguments", RefusedBy::Parser)]
#[case("/v1/chat/completions", json!({"model": "llama", "messages": [{"content": "x"}], "top_logprobs": 21}), 400,
    "top_logprobs must be between 0 and 20", RefusedBy::Handler)]
#[case("/v1/completions", json!({"stop": [5]}), 400, "invalid type for 'stop' field: float64", RefusedBy::Parser)]
#[case("/v1/messages", json!({"model": "x", "max_tokens": 1}), 400, "messages is required", RefusedBy::Parser)]
#[case("/v1/responses", json!({"input": 5}), 400,
    "input must be a string or array: json: cannot unmarshal number into Go value of type []json.RawMessage",
    RefusedBy::Parser)]
#[case("/v1/responses", json!({"input": [{}]}), 400,
    "input[0]: input item missing required 'type' field", RefusedBy::Parser)]
#[case("/v1/embeddings", json!({"model": "x", "input": "x", "encoding_format": "zzz"}), 400,
    "Invalid value for 'encoding_format' = zzz. Supported values: ['float', 'base64'].", RefusedBy::Parser)]
#[case("/api/embed", json!({"input": 5}), 400, "invalid input type", RefusedBy::Handler)]
#[case("/api/create", json!({"model": "z", "files": {"../m": ""}}), 400,
    "file path must be relative", RefusedBy::Handler)]
fn a_request_is_refused_by_rule(
    #[case] path: &str,
    #[case] body: Value,
    #[case] status: u16,
    #[case] text: &str,
    #[case] by: RefusedBy,
) {
    let expected = Refusal { status, text: text.to_owned(), by };
    assert_eq!(refusal(path, body.to_string().as_bytes()), Some(expected));
}
