//! A journal read as a conversation: what was asked, what was answered, and what must not be seen.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use mock_ollama::conversation::JournalFile;
use mock_ollama::{Builder, Fate, Journal, Matching, MockOllama, Pace, Recording, RequestBody, StreamId, builtin};
use rstest::rstest;
use serde_json::{Value, json};

/// Longer than anything here takes on a busy host.
const PATIENCE: Duration = Duration::from_secs(20);

fn instant() -> Builder {
    MockOllama::builder().pace(Pace::instant())
}

/// Sends a request with these header fields; it is answered on the socket that is returned.
fn send(server: &MockOllama, target: &str, fields: &str, body: &Value) -> TcpStream {
    let body = body.to_string();
    let mut client = TcpStream::connect(server.addr()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(client, "POST {target} HTTP/1.0\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    client
}

fn ask(server: &MockOllama, target: &str, fields: &str, body: &Value) {
    send(server, target, fields, body).read_to_end(&mut Vec::new()).unwrap();
}

fn recording(name: &str) -> Recording {
    builtin::recording(name).unwrap().unwrap()
}

/// Asks what was asked when a recording was made.
fn ask_as_recorded(server: &MockOllama, name: &str) {
    let request = recording(name).exchanges[0].request.clone().unwrap();
    let Some(RequestBody::Json(body)) = request.body else { panic!("its request is JSON") };
    ask(server, &request.path, "", &body);
}

/// The conversation of most tests: a call, its result, and a question that nothing answers.
fn weather() -> Journal {
    let server = instant().builtin("tools-call").builtin("tools-result").lenient().start().unwrap();
    ask_as_recorded(&server, "tools-call");
    ask_as_recorded(&server, "tools-result");
    ask(&server, "/api/generate", "", &json!({"model": "quill-tools", "prompt": "and in Rome?\n".repeat(9)}));
    server.finish().unwrap()
}

#[rstest]
#[case::generate("/api/generate", json!({"prompt": "Say hi"}))]
#[case::chat("/api/chat", json!({"messages": [{"role": "user", "content": "Say hi"}]}))]
#[case::openai("/v1/chat/completions", json!({"messages": [{"role": "user", "content": "Say hi"}]}))]
#[case::completions("/v1/completions", json!({"prompt": "Say hi"}))]
#[case::responses("/v1/responses", json!({"input": "Say hi"}))]
#[case::messages("/v1/messages", json!({"max_tokens": 9, "messages": [{"role": "user", "content": "Say hi"}]}))]
fn an_entry_says_the_same_in_every_dialect(
    #[case] path: &str,
    #[case] mut body: Value,
    #[values(true, false)] stream: bool,
) {
    let server = instant().says("tiny", ["Hé", "llo"]).start().unwrap();
    (body["model"], body["stream"]) = ("tiny".into(), stream.into());
    ask(&server, path, "", &body);
    let journal = server.finish().unwrap();
    let entry = &journal[0];
    assert_eq!((entry.prompt().as_deref(), entry.text().as_str()), (Some("Say hi"), "Héllo"));
    assert_eq!(entry.messages().last().unwrap()["content"], "Say hi");
    assert_eq!((entry.error(), entry.fate), (None, Fate::Complete));
}

#[test]
fn the_body_of_a_replayed_answer_is_what_was_recorded() {
    for name in builtin::names() {
        let server = instant().builtin(name).start().unwrap();
        ask_as_recorded(&server, name);
        let journal = server.finish().unwrap();
        assert!(journal[0].body() == recording(name).exchanges[0].body(), "{name}");
    }
}

#[test]
fn a_replayed_answer_tells_its_thinking_and_its_calls() {
    let journal = weather();
    let (call, result) = (&journal[0], &journal[1]);
    assert_eq!(
        (call.prompt().as_deref(), call.tools()),
        (Some("What is the weather in Zürich?"), vec!["get_weather".to_owned()])
    );
    let calls = call.calls();
    assert_eq!((calls[0].name.as_str(), &calls[0].arguments), ("get_weather", &json!({"city": "Athens"})));
    assert_eq!((call.text(), result.calls()), (String::new(), vec![]));
    let server = instant().builtin("think-default").start().unwrap();
    ask_as_recorded(&server, "think-default");
    let thinking = server.finish().unwrap()[0].thinking();
    assert!(!thinking.is_empty());
}

#[test]
fn an_answer_that_was_cut_says_what_was_written_of_it() {
    let server = MockOllama::builder().says("tiny", ["one", " two", " three"]).pace(Pace::stepped()).start().unwrap();
    let mut client = send(&server, "/api/generate", "X-Mock-Caller: a\r\n", &json!({"model": "tiny", "prompt": "x"}));
    server.release_on(&StreamId::of("a", 0), 2);
    let (mut seen, mut buffer) = (Vec::new(), [0; 1024]);
    while !String::from_utf8_lossy(&seen).contains("two") {
        let read = client.read(&mut buffer).unwrap();
        seen.extend_from_slice(&buffer[..read]);
    }
    drop(client);
    server.idle().within(PATIENCE).wait().unwrap();
    let journal = server.finish().unwrap();
    assert_eq!((journal[0].text().as_str(), journal[0].fate), ("one two", Fate::Aborted { after_chunk: 2 }));
}

#[test]
fn a_line_that_was_cut_in_two_counts_when_it_is_whole() {
    let mut cut = recording("tiny-short");
    let exchange = &mut cut.exchanges[0];
    exchange.end = mock_ollama::End::Eof;
    exchange.chunks.truncate(3);
    let half = exchange.chunks[2].bytes.slice(..20);
    exchange.chunks[2].bytes = half;
    let whole = exchange.chunks[..2].iter().map(|chunk| serde_json::from_slice::<Value>(&chunk.bytes).unwrap());
    let text: String = whole.map(|line| line["response"].as_str().unwrap().to_owned()).collect();
    let server = instant().recordings([cut]).start().unwrap();
    ask_as_recorded(&server, "tiny-short");
    let journal = server.finish().unwrap();
    assert_eq!((journal[0].text(), journal[0].fate), (text, Fate::Truncated));
}

#[test]
fn a_journal_is_shown_as_a_line_a_request() {
    insta::assert_snapshot!(weather());
}

#[test]
fn a_transcript_is_what_was_asked_and_answered() {
    insta::assert_snapshot!(weather().transcript());
}

#[test]
fn a_transcript_is_the_same_in_every_run() {
    assert_eq!(weather().transcript(), weather().transcript());
}

#[test]
fn the_file_of_a_journal_says_in_short_what_was_answered() {
    let server = instant().says("tiny", ["x".repeat(9_000)]).builtin("tools-call").start().unwrap();
    ask_as_recorded(&server, "tools-call");
    ask(&server, "/api/chat", "", &json!({"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}));
    let journal = server.finish().unwrap();
    let file = serde_json::to_value(JournalFile::new(&journal)).unwrap();
    assert_eq!(file["entries"][0]["answered"], json!({"calls": ["get_weather {\"city\":\"Athens\"}"]}));
    let text = file["entries"][1]["answered"]["text"].as_str().unwrap();
    assert!(text.ends_with("x…") && text.len() < 2_048, "{} bytes", text.len());
    let read: Journal = serde_json::from_value(file).unwrap();
    assert_eq!(read.len(), 2);
}

#[test]
fn a_body_of_another_type_is_named_in_the_error() {
    let server = instant().lenient().start().unwrap();
    ask(&server, "/api/generate", "", &json!({"model": "m", "prompt": "hi"}));
    let journal = server.finish().unwrap();
    let error = journal[0].json::<Vec<u8>>().unwrap_err();
    let expected =
        "the body of POST /api/generate is not the JSON that was asked for: {\"model\":\"m\",\"prompt\":\"hi\"}";
    assert_eq!(error.to_string(), expected);
}

/// What must be seen nowhere.
const PLANTED: &str = "PLANTED4242";

#[test]
fn a_credential_is_in_no_file_no_transcript_and_no_error() {
    // A server that repeats the key it was given, as OpenAI's does.
    let mut refusing = recording("tiny-short");
    let exchange = &mut refusing.exchanges[0];
    exchange.response.status = 401;
    let body = json!({"error": format!("Incorrect API key provided: {PLANTED}")}).to_string();
    exchange.chunks.truncate(1);
    exchange.chunks[0].bytes = body.into();
    let server = instant().recordings([refusing]).start().unwrap();
    let places = [
        ("", format!("Authorization: Bearer {PLANTED}\r\n")),
        ("", format!("x-api-key: {PLANTED}\r\n")),
        ("", format!("Cookie: a=b; session={PLANTED}\r\n")),
        ("?key=PLANTED4242", String::new()),
    ];
    let request = recording("tiny-short").exchanges[0].request.clone().unwrap();
    let Some(RequestBody::Json(recorded)) = request.body else { panic!("its request is JSON") };
    for (query, fields) in &places {
        ask(&server, &format!("{}{query}", request.path), fields, &recorded);
        // A miss names the prompt.
        ask(&server, &format!("/api/generate{query}"), fields, &json!({"model": "quill-tiny", "prompt": PLANTED}));
    }
    let waited = server.in_flight(1).within(Duration::ZERO).wait().unwrap_err();
    let journal = server.journal();
    assert_eq!(journal[0].error().unwrap(), "Incorrect API key provided: [redacted 1]");
    let finished = server.finish().unwrap_err();
    let shown = [
        serde_json::to_string(&JournalFile::new(&journal)).unwrap(),
        journal.transcript(),
        journal.to_string(),
        format!("{journal:?}"),
        waited.to_string(),
        finished.to_string(),
    ];
    for text in shown {
        assert!(!text.contains(PLANTED), "{text}");
        assert!(text.contains("[redacted 1]"), "{text}");
    }
}

#[test]
fn a_journal_is_indexed_counted_and_iterated() {
    let journal = weather();
    assert_eq!((journal.len(), journal.is_empty()), (3, false));
    assert_eq!(journal[2].status, 404);
    assert_eq!(journal.iter().chain(&journal).count(), 6);
}

#[test]
fn what_asks_for_no_answer_says_nothing() {
    let server = instant().matching(Matching::Any).start().unwrap();
    ask(&server, "/api/show?x=1", "", &json!({"model": "m"}));
    let entry = &server.finish().unwrap()[0];
    assert_eq!((entry.prompt(), entry.text(), entry.messages()), (None, String::new(), vec![]));
}
