use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use crate::import::{ImportError, ImportOptions, Input, Tags, import};
use crate::recording::{End, Method, Origin, Recording, RequestBody};

fn options() -> ImportOptions {
    ImportOptions { name: "t".to_owned(), ..ImportOptions::default() }
}

fn import_text(text: &str, options: &ImportOptions) -> Result<Recording, ImportError> {
    import(&[Input { label: "body.ndjson", bytes: text.as_bytes() }], options).map(|made| made.recording)
}

fn times(recording: &Recording) -> Vec<u64> {
    recording.exchanges[0].chunks.iter().map(|chunk| chunk.at_us).collect()
}

const BODY: &str = concat!(
    "{\"model\":\"m\",\"created_at\":\"2026-11-20T22:58:34.100Z\",\"response\":\"a\",\"done\":false}\n",
    "{\"model\":\"m\",\"created_at\":\"2026-11-21T00:58:34.1302509+02:00\",\"response\":\"b\",\"done\":false}\n",
    "{\"model\":\"m\",\"created_at\":\"2026-11-20T22:58:34.150Z\",\"response\":\"\",\"done\":true,\"total_duration\":80000000}\n",
);

#[test]
fn a_body_is_placed_so_that_it_ends_at_its_total_duration() {
    let recording = import_text(BODY, &options()).unwrap();
    assert_eq!(times(&recording), [30_000, 60_250, 80_000]);
    assert_eq!(recording.origin, Origin::Imported);
    assert_eq!(recording.model.name, "m:latest");
    assert_eq!(recording.model.capabilities, ["completion"]);
    let exchange = &recording.exchanges[0];
    assert_eq!(exchange.request.as_ref().unwrap().path, "/api/generate");
    assert_eq!(exchange.response.header("content-type"), Some("application/x-ndjson"));
}

#[test]
fn a_body_that_took_longer_than_its_total_duration_starts_at_zero() {
    let recording = import_text(&BODY.replace("80000000", "40000000"), &options()).unwrap();
    assert_eq!(times(&recording), [0, 30_250, 50_000]);
}

#[test]
fn a_given_gap_comes_before_the_timestamps() {
    let gap = |gap| ImportOptions { gap: Some(gap), ..options() };
    assert_eq!(times(&import_text(BODY, &gap(Duration::from_millis(20))).unwrap()), [0, 20_000, 40_000]);
    assert_eq!(times(&import_text(BODY, &gap(Duration::ZERO)).unwrap()), [0, 0, 0]);
}

#[test]
fn a_body_that_was_asked_for_unstreamed_is_plain_json() {
    let request = Some(json!({"model": "m", "stream": false}));
    let recording = import_text(BODY.lines().last().unwrap(), &ImportOptions { request, ..options() }).unwrap();
    let content_type = recording.exchanges[0].response.header("content-type");
    assert_eq!(content_type, Some("application/json; charset=utf-8"));
}

#[test]
fn thinking_and_tool_calls_show_capabilities() {
    let text = concat!(
        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"}}\n",
        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{}}]}}\n",
    );
    let recording = import_text(text, &ImportOptions { gap: Some(Duration::ZERO), ..options() }).unwrap();
    assert_eq!(recording.model.capabilities, ["completion", "tools", "thinking"]);
    assert_eq!(recording.exchanges[0].request.as_ref().unwrap().path, "/api/chat");
}

#[test]
fn each_fault_of_a_body_is_named_with_its_line_and_a_way_out() {
    let errors: Vec<String> = [
        BODY.replacen("\"created_at\":\"2026-11-20T22:58:34.150Z\",", "", 1),
        BODY.replacen("2026-11-20T22:58:34.150Z", "noon", 1),
        BODY.replacen("2026-11-20T22:58:34.150Z", "2026-11-20T22:58:34.110Z", 1),
        BODY.replace("\"model\":\"m\",", ""),
        BODY.replace("\"response\"", "\"reply\""),
        BODY.replacen("{\"model\"", "data: {\"model\"", 1),
        "\n \n".to_owned(),
        "{\"recording\":1}\n".to_owned(),
    ]
    .iter()
    .map(|text| import_text(text, &options()).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
}

proptest! {
    #[test]
    fn the_bytes_of_a_body_are_kept_verbatim(
        lines in prop::collection::vec(("[ \r\n]{0,3}", ".{0,5}", "[ \r]{0,2}\n[\r\n]{0,3}"), 1..6), cut in any::<bool>(),
    ) {
        let mut text = String::new();
        for (before, word, after) in lines {
            let object = json!({"model": "m", "response": word});
            text = format!("{text}{before}{object}{after}");
        }
        if cut {
            text.truncate(text.trim_end().len());
        }
        let recording = import_text(&text, &ImportOptions { gap: Some(Duration::ZERO), ..options() }).unwrap();
        prop_assert_eq!(recording.exchanges[0].body(), text.into_bytes());
    }

    #[test]
    fn arbitrary_input_never_panics(text in ".{0,80}", captured in any::<bool>()) {
        let head = if captured { "{\"format\":\"raw-capture/1\"}\n" } else { "" };
        let _ = import_text(&format!("{head}{text}"), &options());
    }
}

const CAPTURE: &str = concat!(
    r#"{"format":"raw-capture/1","server":"ollama 0.33.0, CPU","model":"m","request":{"method":"POST","path":"/api/chat","#,
    r#""headers":[["Host","x"]],"body":{"model":"m"}},"response":{"status":200,"status_line":"HTTP/1.1 200 OK","#,
    r#""headers":[["Content-Type","application/x-ndjson"],["Date","today"],["Transfer-Encoding","chunked"]],"head_us":9},"#,
    r#""machine":{"cores":2},"sent_us":44}"#,
    "\n[9,\"{}\\n\"]\n[12,{\"b64\":\"/w==\"}]\n",
    r#"{"end":{"how":"client-closed","chunks":2,"bytes":4,"us":12}}"#,
    "\n",
);

#[test]
fn a_capture_keeps_its_times_its_request_and_its_end() {
    let recording = import_text(CAPTURE, &options()).unwrap();
    assert_eq!((recording.origin, recording.server.as_deref()), (Origin::Recorded, Some("ollama 0.33.0")));
    let exchange = &recording.exchanges[0];
    let request = exchange.request.as_ref().unwrap();
    assert_eq!((request.method, request.path.as_str(), exchange.sent_us), (Method::Post, "/api/chat", Some(44)));
    assert_eq!(request.body, Some(RequestBody::Json(json!({"model": "m"}))));
    assert_eq!(exchange.response.headers, [("Content-Type".to_owned(), "application/x-ndjson".to_owned())]);
    assert_eq!(
        (times(&recording), exchange.body(), exchange.end),
        (vec![9, 12], b"{}\n\xFF".to_vec(), End::ClientClosed)
    );
}

#[test]
fn a_capture_of_a_malformed_request_keeps_its_text() {
    let recording = import_text(&CAPTURE.replace(r#"{"model":"m"}"#, r#""{\"model\" x}""#), &options()).unwrap();
    let body = recording.exchanges[0].request.as_ref().unwrap().body.clone();
    assert_eq!(body, Some(RequestBody::Text("{\"model\" x}".to_owned())));
}

#[test]
fn each_fault_of_a_capture_is_named_with_its_line() {
    let mut errors: Vec<String> = [
        CAPTURE.replace("\"chunks\":2", "\"chunks\":3"),
        CAPTURE.replace("\"status\":200", "\"status\":null"),
        CAPTURE.replace("/w==", "/w"),
        CAPTURE.replace("[12,", "[8,"),
        CAPTURE.replace("\"model\":\"m\",\"request\"", "\"request\""),
        CAPTURE.split_inclusive('\n').take(2).collect(),
        format!("{CAPTURE}{CAPTURE}"),
    ]
    .iter()
    .map(|text| import_text(text, &options()).unwrap_err().to_string())
    .collect();
    let gap = ImportOptions { gap: Some(Duration::ZERO), ..options() };
    errors.push(import_text(CAPTURE, &gap).unwrap_err().to_string());
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn several_captures_become_one_conversation_if_they_agree() {
    let input = |bytes| Input { label: "turn.jsonl", bytes };
    let both = import(&[input(CAPTURE.as_bytes()), input(CAPTURE.as_bytes())], &options()).unwrap().recording;
    assert_eq!(both.exchanges.len(), 2);
    let other = CAPTURE.replace("0.33.0", "0.13.0");
    let error = import(&[input(CAPTURE.as_bytes()), input(other.as_bytes())], &options()).unwrap_err();
    insta::assert_snapshot!(error, @r#"turn.jsonl: the server is "ollama 0.13.0", but "ollama 0.33.0" before it; a recording has one; name a folder as OUT to get a recording of each exchange"#);
}

#[test]
fn the_facts_of_a_model_come_from_the_tags_without_paths_of_a_machine() {
    let listing = json!({"models": [{
        "name": "m:latest", "model": "m:latest", "size": 5, "capabilities": ["completion", "insert"],
        "details": {"parent_model": "/models/blobs/sha256-1", "format": "gguf", "families": ["llama"]},
    }]})
    .to_string();
    let tags = Tags::read(&Input { label: "tags.json", bytes: listing.as_bytes() }).unwrap();
    let recording = import_text(BODY, &ImportOptions { tags: Some(tags.clone()), ..options() }).unwrap();
    assert_eq!(recording.model.capabilities, ["completion", "insert"]);
    assert_eq!(recording.model.size, Some(5));
    assert_eq!(recording.model.details.unwrap().parent_model, "");
    let missing = import_text(BODY, &ImportOptions { tags: Some(tags), model: Some("n:7b".to_owned()), ..options() });
    insta::assert_snapshot!(missing.unwrap_err(), @r#"tags.json: no model "n:7b" is listed; listed are m:latest"#);
}
