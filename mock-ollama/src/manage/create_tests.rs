//! Creating models: checks, statuses, and what comes out.

use rstest::rstest;
use serde_json::{Value, json};

use super::create;
use crate::http::Reply;
use crate::manage::{CreateRequest, DEFAULT_SPEED, Progress};
use crate::models::{Card, ModelName, Store, sha256};

fn base() -> Card {
    Card {
        template: Some("{{ .Prompt }}".to_owned()),
        licences: vec!["L1".to_owned()],
        parameters: vec![("stop".to_owned(), json!("<end>"))],
        weights: "ab".repeat(32),
        size: 100_000,
        ..Card::named(ModelName::parse("base").unwrap())
    }
}

fn store() -> Store {
    let away = Card { installed: false, name: ModelName::parse("away").unwrap(), ..base() };
    let mut store = Store::new([base(), away]);
    store.put_blob(&sha256(b"weights"), 7);
    store
}

fn request(body: &Value) -> CreateRequest {
    CreateRequest::decode(body.to_string().as_bytes()).unwrap()
}

fn run(ask: &Value) -> Progress {
    create(&request(ask), &store(), DEFAULT_SPEED).unwrap()
}

fn refused(ask: &Value) -> Reply {
    let refusal = create(&request(ask), &store(), DEFAULT_SPEED).unwrap_err();
    Reply::error(refusal.status, &refusal.text)
}

fn statuses(progress: &Progress) -> Vec<String> {
    let values = progress.lines.iter().map(|(_, line)| serde_json::from_str::<Value>(line).unwrap());
    values.map(|value| value["status"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[case::root("z", "/abs", "x", "file path must be relative")]
#[case::up("z", "a/../b", "x", "file path must be relative")]
#[case::digest("z", "m.gguf", "", "invalid digest format")]
#[case::no_name("", "m.gguf", "x", "invalid model name")]
#[case::bad_name("bad name!", "m.gguf", "x", "invalid model name")]
fn a_request_is_refused_before_anything_begins(
    #[case] model: &str,
    #[case] path: &str,
    #[case] digest: &str,
    #[case] text: &str,
) {
    let reply = refused(&json!({ "model": model, "files": { path: digest } }));
    assert_eq!((reply.status, reply.body), (400, format!("{{\"error\":\"{text}\"}}").into_bytes()));
    assert_eq!(reply.fields[0].1, "application/json; charset=utf-8");
}

#[rstest]
#[case::nothing(json!({}), 400, "neither 'from' or 'files' was specified")]
#[case::bad_source(json!({ "from": "bad name!" }), 400, "invalid model name")]
#[case::no_type(json!({ "files": { "m.bin": sha256(b"weights") } }), 400, "unknown type")]
#[case::template(
    json!({ "from": "base", "template": "a\n{{ .Prompt" }),
    400,
    "template error: template: :2: unclosed action"
)]
#[case::quantization(
    json!({ "from": "base", "quantize": "bogus" }),
    500,
    "unsupported quantization type BOGUS - supported types are F32, F16, Q4_K_S, Q4_K_M, Q8_0"
)]
fn a_request_fails_through_the_stream_with_its_status(#[case] mut ask: Value, #[case] status: u16, #[case] text: &str) {
    ask["model"] = json!("z");
    let streamed = run(&ask).streamed();
    assert_eq!((streamed.status, streamed.fields[0].1.as_str()), (status, "application/json"));
    assert_eq!(streamed.chunks[0].1, format!("{{\"error\":\"{text}\"}}"));
}

#[test]
fn a_model_from_another_one_uses_its_layers_and_makes_those_that_change() {
    let parameters = json!({ "temperature": 0.3 });
    let ask = json!({ "model": "new", "from": "Base", "system": "be nice", "parameters": parameters });
    let progress = run(&ask);
    let existing = |digest: &str| format!("using existing layer {digest}");
    let made = |text: &str| format!("creating new layer {}", sha256(text.as_bytes()));
    let expected = [
        existing(&format!("sha256:{}", "ab".repeat(32))),
        existing(&sha256(b"{{ .Prompt }}")),
        existing(&sha256(b"L1")),
        made("be nice"),
        made(r#"{"stop":["<end>"],"temperature":0.3}"#),
        "writing manifest".to_owned(),
        "success".to_owned(),
    ];
    assert_eq!(statuses(&progress), expected);
    let card = progress.outcome.unwrap();
    assert_eq!((card.name.as_str(), card.details.parent_model.as_str()), ("new:latest", "base:latest"));
    assert_eq!(card.weights, base().weights);
    assert_eq!(card.system.as_deref(), Some("be nice"));
    assert_ne!(card.digest, base().digest);
    assert_eq!(card.size, card.layers().iter().map(|layer| layer.size).sum::<u64>());
}

#[test]
fn what_a_request_sets_replaces_what_the_source_had_but_licences_add_up() {
    let parameters = json!({ "stop": ["a", "b"] });
    let card = run(&json!({ "model": "new", "from": "base", "parameters": parameters, "license": ["L2"] }));
    let card = card.outcome.unwrap();
    assert_eq!(card.licences, ["L1", "L2"]);
    let stop = |text: &str| ("stop".to_owned(), json!(text));
    assert_eq!(card.parameters, [stop("a"), stop("b")]);
}

#[test]
fn a_source_that_is_not_installed_is_pulled_first() {
    let statuses = statuses(&run(&json!({ "model": "new", "from": "away" })));
    assert_eq!(statuses[0], "pulling manifest");
    assert_eq!(statuses.iter().filter(|status| *status == "success").count(), 1);
    assert_eq!(statuses.last().unwrap(), "success");
}

#[test]
fn a_source_that_nobody_knows_fails_like_its_pull() {
    let streamed = run(&json!({ "model": "new", "from": "nope" })).streamed();
    assert_eq!(streamed.status, 200);
    assert_eq!(streamed.chunks[1].1, "{\"error\":\"pull model manifest: file does not exist\"}\n");
}

#[test]
fn a_model_from_a_file_uses_the_file_as_its_weights() {
    let digest = sha256(b"weights");
    let ask = json!({ "model": "new", "files": { "m.gguf": digest } });
    let progress = run(&ask);
    let expected = ["parsing GGUF".to_owned(), format!("using existing layer {digest}"), "writing manifest".to_owned()];
    assert_eq!(statuses(&progress)[..3], expected);
    assert_eq!(format!("sha256:{}", progress.outcome.unwrap().weights), digest);
}

#[test]
fn a_file_that_was_not_uploaded_is_missing() {
    let digest = sha256(b"other");
    let ask = json!({ "model": "new", "files": { "m.gguf": digest } });
    let failure = run(&ask).failure.unwrap();
    let file = digest.replace(':', "-");
    assert_eq!(failure.text, format!("open /models/blobs/{file}: no such file or directory"));
}

#[test]
fn weights_are_brought_to_another_type() {
    let digest = sha256(b"weights");
    let ask = json!({ "model": "new", "files": { "m.gguf": digest }, "quantize": "q4_k_m" });
    let progress = run(&ask);
    assert!(statuses(&progress).contains(&"quantizing F16 model to Q4_K_M".to_owned()));
    assert_eq!(progress.outcome.unwrap().details.quantization_level, "Q4_K_M");
}

#[test]
fn weights_that_were_brought_to_a_small_type_stay_as_they_are() {
    let small = Card { name: ModelName::parse("small").unwrap(), ..base() };
    let details = crate::recording::Details { quantization_level: "Q4_0".to_owned(), ..small.details.clone() };
    let store = Store::new([Card { details, ..small }]);
    let ask = request(&json!({ "model": "new", "from": "small", "quantize": "q8_0" }));
    let failure = create(&ask, &store, DEFAULT_SPEED).unwrap().failure.unwrap();
    assert_eq!((failure.status, failure.text.as_str()), (500, "quantization is only supported for F16 and F32 models"));
}
