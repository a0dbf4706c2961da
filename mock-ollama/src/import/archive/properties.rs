use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Import, ImportOptions};
use super::tests::{ASKED, cassette, first, import_with, options};
use crate::recording::{RequestBody, to_string};

/// Returns an entry of a HAR file, and an interaction of a cassette, with this body.
fn kept_as(form: usize, status: u16, body: &[u8]) -> String {
    let base64 = STANDARD.encode(body);
    let url = "http://localhost:11434/api/chat";
    match form {
        0 => json!({"log": {"entries": [{
            "request": {"method": "POST", "url": url, "postData": {"text": ASKED}},
            "response": {"status": status, "content": {"text": base64, "encoding": "base64"}},
        }]}})
        .to_string(),
        1 => cassette(json!({}), json!({"status": status, "body": {"base64_string": base64}})),
        2 => format!(
            "interactions:\n- request: {{method: POST, uri: '{url}', body: '{ASKED}'}}\n  response:\n    status: {{code: {status}}}\n    \
             body:\n      string: !!binary |\n        {base64}\n"
        ),
        _ => format!(
            "when:\n  path: /api/chat\n  method: POST\n  body: '{ASKED}'\nthen:\n  status: {status}\n  body_base64: '{base64}'\n"
        ),
    }
}

fn body_bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        &b"{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"a\"},\"done\":false}\n"[..],
        b"{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true}\n",
        b"{\"error\":\"no\"}\n",
        b"{\n  \"model\": \"m\"\n}\n",
        b"data: {\"object\":\"chat.completion.chunk\",\"choices\":[]}\n\n",
        b"data: [DONE]\n\n",
        b"event: ping\n",
        b": comment\r\n",
        b"\n",
        b"\r",
        b"{",
        b"\xFF\xFE",
        b"\x00",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(any::<u8>(), 0..60),
    ]
}

/// Keys that archives have.
const KEYS: &[&str] = &[
    "log",
    "entries",
    "interactions",
    "http_interactions",
    "when",
    "then",
    "request",
    "response",
    "method",
    "uri",
    "url",
    "path",
    "body",
    "string",
    "base64_string",
    "status",
    "code",
    "headers",
    "header",
    "name",
    "value",
    "content",
    "text",
    "encoding",
    "size",
    "postData",
    "timings",
    "wait",
    "receive",
    "delay",
    "startedDateTime",
    "recorded_at",
    "json_body",
    "parsed_body",
];

/// Texts that archives have, and some at the edge of what they may have.
const TEXTS: &[&str] = &[
    "POST",
    "http://h/api/chat",
    "/api/chat",
    "<B>/chat/completions",
    "200",
    "base64",
    "{}",
    "H4sIAAAA",
    "-1",
    "é",
    "1e999",
    "2026-03-01T10:00:00Z",
    "Sun, 01 Mar 2026 10:00:00 GMT",
    "-262143-01-01T00:00:00Z",
    "",
];

/// Returns a value with keys of archives in it, in any arrangement.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(TEXTS).prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    let object = |members: Vec<(&str, Value)>| {
        Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(KEYS), inner), 0..6).prop_map(object),
        ]
    })
}

/// Returns an archive with such a value in a place where it is looked at.
fn archive_like() -> impl Strategy<Value = Value> {
    (tree(), 0..4_usize).prop_map(|(tree, place)| match place {
        0 => json!({"log": {"entries": [tree]}}),
        1 => json!({"interactions": [tree]}),
        2 => json!({"interactions": [{
            "request": {"method": "POST", "uri": "/api/chat", "body": tree}, "response": {"status": 200, "headers": tree, "body": tree},
        }]}),
        _ => json!({"when": {"path": "/api/chat", "body": tree}, "then": tree}),
    })
}

proptest! {
    #[test]
    fn the_bytes_of_a_body_are_kept_verbatim_in_every_form(
        body in body_bytes(), form in 0..4_usize, status in prop::sample::select(vec![200_u16, 404, 500]),
    ) {
        let exchange = first(&kept_as(form, status, &body));
        prop_assert_eq!(exchange.body(), body);
        prop_assert_eq!(exchange.response.status, status);
        prop_assert_eq!(exchange.request.unwrap().body, Some(RequestBody::Json(serde_json::from_str(ASKED).unwrap())));
    }

    #[test]
    fn arbitrary_archives_never_panic(value in archive_like()) {
        let as_json = import_with(&value.to_string(), &options()).map(|import| import.recording.exchanges);
        // Its members in lines of their own are YAML.
        let lines: Vec<String> = value.as_object().unwrap().iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let as_yaml = import_with(&lines.join("\n"), &options()).map(|import| import.recording.exchanges);
        prop_assert_eq!(as_json.is_ok(), as_yaml.is_ok());
    }

    #[test]
    fn credentials_of_an_archive_reach_no_recording(
        secret in "[A-Za-z0-9]{24}", form in 0..3_usize,
        field in prop::sample::select(vec!["Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "api-key", "X-Goog-Api-Key", "X-Any"]),
    ) {
        let url = format!("https://{secret}:{secret}@h/v1/messages?key={secret}#{secret}");
        let text = match form {
            0 => json!({"log": {"entries": [{
                "request": {
                    "method": "POST", "url": url, "headers": [{"name": field, "value": secret}],
                    "queryString": [{"name": "key", "value": secret}], "cookies": [{"name": "s", "value": secret}],
                },
                "response": {
                    "status": 200, "headers": [{"name": field, "value": secret}], "cookies": [{"name": "s", "value": secret}],
                    "content": {"text": "{}"},
                },
            }]}}).to_string(),
            1 => cassette(json!({"uri": url, "headers": {field: [secret]}}), json!({"headers": {field: [secret]}, "body": "{}"})),
            _ => format!(
                "when:\n  path: /v1/messages\n  header: [{{name: {field}, value: {secret}}}]\n  cookie: [{{name: s, value: {secret}}}]\n\
                 then:\n  header: [{{name: {field}, value: {secret}}}]\n  body: '{{}}'\n"
            ),
        };
        let named = ImportOptions { model: Some("m".to_owned()), ..options() };
        let Import { recording, notes } = import_with(&text, &named).unwrap();
        prop_assert!(!to_string(&recording).unwrap().contains(&secret));
        prop_assert!(!notes.concat().contains(&secret));
    }
}
