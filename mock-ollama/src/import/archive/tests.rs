use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::{Value, json};

use crate::import::{Import, ImportError, ImportOptions, Input, InputProblem, import};
use crate::recording::{Exchange, Method, RequestBody, to_string};

pub(super) fn options() -> ImportOptions {
    ImportOptions { name: "t".to_owned(), ..ImportOptions::default() }
}

pub(super) fn import_with(text: &str, options: &ImportOptions) -> Result<Import, ImportError> {
    import(&[Input { label: "kept", bytes: text.as_bytes() }], options)
}

fn imported(text: &str) -> Import {
    import_with(text, &options()).unwrap()
}

pub(super) fn first(text: &str) -> Exchange {
    imported(text).recording.exchanges.swap_remove(0)
}

fn times(exchange: &Exchange) -> Vec<u64> {
    exchange.chunks.iter().map(|chunk| chunk.at_us).collect()
}

const NDJSON: &str = concat!(
    "{\"model\":\"m\",\"created_at\":\"2026-03-01T10:00:00Z\",\"message\":{\"role\":\"assistant\",\"content\":\"It \"},\"done\":false}\n",
    "{\"model\":\"m\",\"created_at\":\"2026-03-01T10:00:00.02Z\",\"message\":{\"role\":\"assistant\",\"content\":\"rains.\"},\"done\":false}\n",
    "{\"model\":\"m\",\"created_at\":\"2026-03-01T10:00:00.05Z\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true}\n",
);

const EVENTS: &str = concat!(
    "data: {\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Ah\"}}]}\n\n",
    "data: {\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[]}\n\n",
    "data: [DONE]\n\n",
);

/// A cassette as `PyYAML` writes it: long texts are folded, and a newline of the body is a blank line.
const VCRPY: &str = r#"interactions:
- request:
    body: '{"model": "m", "messages": [{"role": "user", "content": "How is the
      weather?"}]}'
    headers:
      authorization:
      - Bearer abcdef
    method: POST
    uri: http://127.0.0.1:11434/api/chat
  response:
    body:
      string: '{"model":"m","created_at":"2026-03-01T10:00:00Z","message":{"role":"assistant","content":"It "},"done":false}

        {"model":"m","created_at":"2026-03-01T10:00:00.02Z","message":{"role":"assistant","content":"rains."},"done":false}

        {"model":"m","created_at":"2026-03-01T10:00:00.05Z","message":{"role":"assistant","content":""},"done":true}

        '
    headers:
      Content-Type:
      - application/x-ndjson
      Date:
      - Sun, 01 Mar 2026 10:00:00 GMT
      Set-Cookie:
      - session=abcdef
      Transfer-Encoding:
      - chunked
    status:
      code: 200
      message: OK
version: 1
"#;

fn vcr_ruby() -> String {
    format!(
        r#"---
http_interactions:
- request:
    method: post
    uri: "<API_BASE>/chat/completions"
    body:
      encoding: UTF-8
      string: '{{"model":"m","messages":[{{"role":"user","content":"How is the weather?"}}]}}'
    headers:
      Authorization:
      - Bearer abcdef
  response:
    status:
      code: 200
      message: OK
    headers:
      Content-Type:
      - text/event-stream
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        {}
  recorded_at: Sun, 01 Mar 2026 10:00:00 GMT
recorded_with: VCR 6.3.1
"#,
        STANDARD.encode(EVENTS)
    )
}

fn httpmock() -> String {
    let body: String = EVENTS.split_inclusive('\n').flat_map(|line| ["    ", line]).collect();
    format!(
        r#"when:
  path: /v1/chat/completions
  method: POST
  header:
  - name: authorization
    value: Bearer abcdef
  body: '{{"model":"m","messages":[{{"role":"user","content":"How is the weather?"}}]}}'
then:
  status: 200
  header:
  - name: content-type
    value: text/event-stream
  body: |+
{body}"#
    )
}

fn har() -> String {
    json!({"log": {"version": "1.2", "entries": [{
        "startedDateTime": "2026-03-01T10:00:00.500Z",
        "request": {
            "method": "POST", "url": "http://localhost:11434/api/chat",
            "headers": [{"name": "Authorization", "value": "Bearer abcdef"}], "cookies": [{"name": "a", "value": "abcdef"}],
            "postData": {"mimeType": "application/json", "text": ASKED},
        },
        "response": {
            "status": 200,
            "headers": [{"name": "Content-Type", "value": "application/x-ndjson"}, {"name": "Content-Encoding", "value": "gzip"}],
            "content": {"size": NDJSON.len(), "text": NDJSON},
        },
        "timings": {"blocked": -1, "send": 2, "wait": 80.5, "receive": 10},
    }]}})
    .to_string()
}

pub(super) const ASKED: &str = r#"{"model":"m","messages":[{"role":"user","content":"How is the weather?"}]}"#;

#[rstest]
#[case::vcrpy(VCRPY.to_owned(), "/api/chat", NDJSON, "application/x-ndjson")]
#[case::vcr(vcr_ruby(), "/v1/chat/completions", EVENTS, "text/event-stream")]
#[case::httpmock(httpmock(), "/v1/chat/completions", EVENTS, "text/event-stream")]
#[case::har(har(), "/api/chat", NDJSON, "application/x-ndjson")]
fn each_form_is_read_with_request_head_and_body(
    #[case] text: String,
    #[case] path: &str,
    #[case] body: &str,
    #[case] content_type: &str,
) {
    let Import { recording, notes } = imported(&text);
    let exchange = &recording.exchanges[0];
    let request = exchange.request.as_ref().unwrap();
    assert_eq!((request.method, request.path.as_str()), (Method::Post, path));
    assert_eq!(request.body, Some(RequestBody::Json(serde_json::from_str(ASKED).unwrap())));
    assert_eq!((exchange.response.status, exchange.response.headers.len()), (200, 1));
    assert_eq!(exchange.response.header("content-type"), Some(content_type));
    assert_eq!((exchange.chunks.len(), String::from_utf8(exchange.body()).unwrap().as_str()), (3, body));
    assert_eq!((recording.model.name.as_str(), notes), ("m:latest", Vec::new()));
    let written = to_string(&recording).unwrap();
    assert!(!written.contains("abcdef"), "credentials are kept: {written}");
}

#[test]
fn a_file_is_told_by_its_keys_whatever_stands_before_them() {
    let exchange = first(VCRPY);
    let in_other_order =
        VCRPY.replace("version: 1\n", "").replacen("interactions:", "# mine\nversion: 1\ninteractions:", 1);
    assert_eq!(first(&in_other_order), exchange);
    assert_eq!(first(&format!("\u{FEFF}{VCRPY}")), exchange);
    assert_eq!(first(&VCRPY.replace('\n', "\r\n")), exchange);
}

/// Returns a cassette of vcrpy as JSON, with these parts of request and response.
pub(super) fn cassette(request: Value, response: Value) -> String {
    let whole = |mut base: Value, parts: Value| {
        let parts = if let Value::Object(parts) = parts { parts } else { serde_json::Map::new() };
        base.as_object_mut().unwrap().extend(parts);
        base
    };
    let request = whole(json!({"method": "POST", "uri": "http://localhost:11434/api/chat", "body": ASKED}), request);
    let response = whole(json!({"status": {"code": 200, "message": "OK"}, "headers": {}}), response);
    json!({"version": 1, "interactions": [{"request": request, "response": response}]}).to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[rstest]
#[case::text(json!({"body": {"string": NDJSON}}))]
#[case::text_of_ruby(json!({"body": {"encoding": "UTF-8", "string": NDJSON}}))]
#[case::bare_text(json!({"body": NDJSON}))]
#[case::list_of_texts(json!({"body": {"string": NDJSON.split_inclusive(',').collect::<Vec<_>>()}}))]
#[case::base64(json!({"body": {"base64_string": STANDARD.encode(NDJSON)}}))]
#[case::base64_in_lines(json!({"body": {"base64_string": STANDARD.encode(NDJSON).replace("ey", "e\ny")}}))]
#[case::gzip(json!({"body": {"base64_string": STANDARD.encode(gzip(NDJSON.as_bytes()))}, "headers": {"content-encoding": ["gzip"]}}))]
#[case::gzip_that_is_not_said(json!({"body": {"base64_string": STANDARD.encode(gzip(NDJSON.as_bytes()))}}))]
#[case::deflate(json!({"body": {"base64_string": STANDARD.encode(zlib(NDJSON.as_bytes()))}, "headers": {"Content-Encoding": "deflate"}}))]
#[case::coding_that_was_undone(json!({"body": {"string": NDJSON}, "headers": {"Content-Encoding": ["br"]}}))]
#[case::httpx(json!({"content": NDJSON, "status_code": 200, "status": null}))]
#[case::status_as_a_number(json!({"body": {"string": NDJSON}, "status": 200}))]
#[case::status_with_its_reason(json!({"body": NDJSON, "status": "200 OK", "code": 200}))]
fn a_body_is_read_whatever_it_was_kept_in(#[case] response: Value) {
    let exchange = first(&cassette(json!({}), response));
    assert_eq!((exchange.response.status, exchange.chunks.len()), (200, 3));
    assert_eq!(String::from_utf8(exchange.body()).unwrap(), NDJSON);
    assert_eq!(exchange.response.header("content-encoding"), None);
}

#[rstest]
#[case::text(json!({"body": ASKED}))]
#[case::map(json!({"body": {"encoding": "UTF-8", "string": ASKED}}))]
#[case::value(json!({"body": null, "parsed_body": serde_json::from_str::<Value>(ASKED).unwrap()}))]
#[case::gzip(json!({"body": {"base64_string": STANDARD.encode(gzip(ASKED.as_bytes()))}}))]
fn a_request_is_read_whatever_it_was_kept_in(#[case] request: Value) {
    let exchange = first(&cassette(request, json!({"body": NDJSON})));
    let body = exchange.request.unwrap().body;
    assert_eq!(body, Some(RequestBody::Json(serde_json::from_str(ASKED).unwrap())));
}

#[test]
fn a_body_that_was_kept_as_a_value_is_its_json() {
    let answer = json!({"model": "m", "message": {"role": "assistant", "content": "1.5"}, "done": true});
    let exchange =
        first(&cassette(json!({}), json!({"parsed_body": answer, "headers": {"content-type": "application/json"}})));
    assert_eq!(String::from_utf8(exchange.body()).unwrap(), answer.to_string());
}

#[test]
fn ruby_keeps_json_as_well() {
    let interaction = json!({
        "request": {"method": "get", "uri": "http://localhost:11434/api/version", "body": {"encoding": "US-ASCII", "string": ""}},
        "response": {"status": {"code": 200}, "headers": {"Content-Type": ["application/json"]}, "body": {"encoding": "UTF-8", "string": "{\"version\":\"0.33.0\"}"}},
        "recorded_at": "2026-03-01T10:00:00",
    });
    let exchange = first(&json!({"http_interactions": [interaction], "recorded_with": "betamax/0.9"}).to_string());
    let request = exchange.request.as_ref().unwrap();
    assert_eq!((request.method, request.path.as_str(), &request.body), (Method::Get, "/api/version", &None));
    assert_eq!(exchange.body(), b"{\"version\":\"0.33.0\"}");
}

#[rstest]
#[case::text("body: '{\"a\": 1}'", "{\"a\": 1}")]
#[case::base64("body_base64: eyJhIjogMX0=", "{\"a\": 1}")]
#[case::text_of_json("json_body: '{\"a\": 1}'", "{\"a\":1}")]
#[case::json("json_body:\n    a: 1", "{\"a\":1}")]
#[case::nothing("status: 200", "")]
fn httpmock_answers_by_text_by_bytes_or_by_json(#[case] then: &str, #[case] body: &str) {
    let text = format!("when:\n  path: /api/show\n  method: POST\n  json_body:\n    model: m\nthen:\n  {then}\n");
    let exchange = first(&text);
    assert_eq!(exchange.body(), body.as_bytes());
    assert_eq!(exchange.request.unwrap().body, Some(RequestBody::Json(json!({"model": "m"}))));
}

#[test]
fn each_document_of_httpmock_is_an_exchange() {
    let text = format!("{}---\n{}", httpmock(), httpmock().replace("How is", "Why is"));
    let Import { recording, notes } = imported(&text);
    assert_eq!((recording.exchanges.len(), notes), (2, Vec::new()));
}

#[test]
fn objects_keep_their_own_distances_behind_the_wait_of_a_har_entry() {
    let exchange = first(&har());
    assert_eq!(times(&exchange), [80_500, 100_500, 130_500]);
    // 2026-03-01T10:00:00.5Z and two milliseconds of sending.
    assert_eq!(exchange.sent_us, Some(1_772_359_200_502_000));
}

#[test]
fn total_duration_of_a_body_goes_before_the_wait_of_a_har_entry() {
    let stated = NDJSON.replace("\"done\":true", "\"done\":true,\"total_duration\":70000000");
    let text = har().replace(&escaped(NDJSON), &escaped(&stated));
    assert_eq!(times(&first(&text)), [20_000, 40_000, 70_000]);
}

fn escaped(text: &str) -> String {
    Value::from(text).to_string()
}

#[test]
fn events_are_spread_between_the_first_and_the_last_byte_of_a_har_entry() {
    let text = har().replace(&escaped(NDJSON), &escaped(EVENTS));
    assert_eq!(times(&first(&text)), [80_500, 85_500, 90_500]);
    let gap = ImportOptions { gap: Some(Duration::from_millis(7)), ..options() };
    assert_eq!(times(&import_with(&text, &gap).unwrap().recording.exchanges[0]), [0, 7_000, 14_000]);
}

#[test]
fn one_object_comes_with_the_last_byte_of_a_har_entry() {
    let text = har()
        .replace(&escaped(NDJSON), &escaped("{\"error\":\"model 'm' not found\"}"))
        .replace("\"status\":200", "\"status\":404");
    let exchange = first(&text);
    assert_eq!((exchange.response.status, times(&exchange)), (404, vec![90_500]));
}

#[test]
fn the_delay_of_httpmock_comes_before_its_body() {
    let exchange = first(&httpmock().replace("  status: 200\n", "  status: 200\n  delay: 250\n"));
    assert_eq!(times(&exchange), [250_000, 250_000, 250_000]);
}

#[test]
fn ruby_says_when_an_exchange_was_kept() {
    assert_eq!(first(&vcr_ruby()).sent_us, Some(1_772_359_200_000_000));
}

#[test]
fn objects_without_times_come_at_once() {
    let exchange = first(&cassette(json!({}), json!({"body": NDJSON.replace("created_at", "made_at")})));
    assert_eq!(times(&exchange), [0, 0, 0]);
}

#[rstest]
#[case::html("<html>502 Bad Gateway</html>")]
#[case::half_an_object("{\"model\":")]
#[case::a_har_within("{\"log\":{\"entries\":[]}}")]
#[case::a_recording_within("{\"recording\":1}")]
fn a_body_in_no_known_form_is_kept_to_the_byte(#[case] body: &str) {
    let exchange = first(&cassette(json!({}), json!({"body": body, "status": 502})));
    assert_eq!((exchange.body(), exchange.response.status), (body.as_bytes().to_vec(), 502));
}

#[test]
fn exchanges_of_other_routes_are_named_and_counted() {
    let entry = |method: &str, url: &str, status: u16| json!({"request": {"method": method, "url": url}, "response": {"status": status, "content": {"size": 9}}});
    let mut whole: Value = serde_json::from_str(&har()).unwrap();
    let entries = whole["log"]["entries"].as_array_mut().unwrap();
    entries.insert(0, entry("GET", "https://user:pw@example.com/app.js?key=abcdef", 200));
    entries.push(entry("OPTIONS", "http://localhost:11434/api/chat", 204));
    entries.push(entry("POST", "http://localhost:11434/api/chat", 0));
    let Import { recording, notes } = imported(&whole.to_string());
    assert_eq!(recording.exchanges.len(), 1);
    insta::assert_snapshot!(notes.join("\n"));
}

#[test]
fn a_query_is_left_out_and_said() {
    let asked = json!({"uri": "https://api.example.com/v1/messages?beta=true&key=abcdef"});
    let Import { recording, notes } = imported(&cassette(asked, json!({"body": "{}"})));
    assert_eq!(recording.exchanges[0].request.as_ref().unwrap().path, "/v1/messages");
    insta::assert_snapshot!(notes.join("\n"), @"kept: interaction 1 of this vcrpy cassette: the query of its URL is not kept; a recording has none");
}

#[test]
fn fields_of_the_framing_and_of_credentials_are_not_kept() {
    let fields = json!({
        "Content-Type": ["application/json"], "retry-after": ["3"], "Content-Length": ["2"], "Date": ["now"], "Server": ["x"],
        "Set-Cookie": ["a=b"], "X-Api-Key": ["c"], "Connection": ["close"],
    });
    let exchange = first(&cassette(json!({}), json!({"body": "{}", "status": 429, "headers": fields})));
    let names: Vec<&str> = exchange.response.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Content-Type", "Retry-After"]);
}

#[test]
fn each_fault_of_an_archive_is_named_with_its_exchange_and_a_way_out() {
    let second = |interaction: Value| {
        let mut whole: Value = serde_json::from_str(&cassette(json!({}), json!({"body": NDJSON}))).unwrap();
        whole["interactions"].as_array_mut().unwrap().push(interaction);
        whole.to_string()
    };
    let asked = json!({"method": "POST", "uri": "http://localhost:11434/api/chat"});
    let har_with = |entry: Value| json!({"log": {"entries": [entry]}}).to_string();
    let entry = json!({"method": "POST", "url": "http://localhost:11434/api/chat"});
    let errors: Vec<String> = [
        second(json!({"response": {}})),
        second(json!({"request": {"method": "POST"}})),
        second(json!({"request": {"uri": "/api/chat"}})),
        second(json!({"request": asked})),
        second(json!({"request": asked, "response": {"body": "x"}})),
        second(json!({"request": asked, "response": {"status": 99, "body": "x"}})),
        second(json!({"request": asked, "response": {"status": 200}})),
        second(json!({"request": asked, "response": {"status": 200, "body": {"string": {"a": 1}}}})),
        second(json!({"request": asked, "response": {"status": 200, "body": {"base64_string": "#"}}})),
        second(json!({"request": asked, "response": {"status": 200, "body": {"base64_string": "H4sIAAAA"}}})),
        second(json!({"request": asked, "response": {"status": 200, "body": {"base64_string": "/w=="}, "headers": {"Content-Encoding": "br"}}})),
        second(json!({"request": {"method": "POST", "uri": "/api/chat", "body": {"base64_string": "/w=="}}, "response": {"status": 200, "body": "x"}})),
        har_with(json!({"response": {}})),
        har_with(json!({"request": entry})),
        har_with(json!({"request": entry, "response": {"status": 200, "content": {"size": 70}}})),
        har_with(json!({"request": entry, "response": {"status": 200, "content": {"text": "x", "encoding": "rot13"}}})),
        har_with(json!({"request": {"method": "GET", "url": "https://example.com/"}, "response": {"status": 200}})),
        har()[..200].to_owned(),
        json!({"interactions": []}).to_string(),
        "when:\n  path_contains: [chat]\nthen:\n  status: 200\n".to_owned(),
        "when:\n  path: /api/tags\nthen:\n  body_from_file: tags.json\n".to_owned(),
        "interactions:\n- request: {\n".to_owned(),
        "interactions:\n- request: \u{1}\n".to_owned(),
    ]
    .iter()
    .map(|text| import_with(text, &options()).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[rstest]
#[case::path(ImportOptions { path: Some("/api/chat".to_owned()), ..options() })]
#[case::request(ImportOptions { request: Some(json!({})), ..options() })]
#[case::status(ImportOptions { status: Some(200), ..options() })]
fn what_an_archive_states_itself_is_not_given(#[case] options: ImportOptions) {
    assert!(matches!(
        import_with(VCRPY, &options),
        Err(ImportError::Input { problem: InputProblem::OptionOfBody(_), .. })
    ));
}

#[test]
fn bytes_that_are_no_utf8_are_refused_with_their_line() {
    let mut bytes = b"interactions:\n- request: \xFF\n".to_vec();
    bytes.extend_from_slice(VCRPY.as_bytes());
    let error = import(&[Input { label: "kept", bytes: &bytes }], &options()).unwrap_err();
    insta::assert_snapshot!(error, @"kept:2: this vcrpy cassette cannot be read: the text is not UTF-8");
}

/// Two bodies of 40 MB each, which deflate to 40 kB.
#[test]
fn bodies_that_are_too_large_together_are_refused() {
    let body = STANDARD.encode(gzip(&vec![b' '; 40_000_000]));
    let interaction = json!({
        "request": {"method": "POST", "uri": "/api/chat"}, "response": {"status": 200, "body": {"base64_string": body}},
    });
    let text = json!({"interactions": [interaction, interaction]}).to_string();
    let error = import_with(&text, &options()).unwrap_err().to_string();
    let expected = "kept: interaction 2 of this vcrpy cassette: with it, all bodies are more than 67108864 bytes";
    assert!(error.starts_with(expected), "{error}");
}
