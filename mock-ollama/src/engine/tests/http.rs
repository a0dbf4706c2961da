//! What the engine makes of bytes that are requests, and of bytes that are not.

use proptest::prelude::*;
use rstest::rstest;

use super::{TestEngine, ask, generate, post};
use crate::engine::LINGER;
use crate::http::{MAX_BODY_BYTES, MAX_HEAD_BYTES};
use crate::journal::Answer;

fn bench() -> TestEngine {
    TestEngine::new(vec![generate("hi", "tiny", "Say hi", &["Hi", "!"])], |_| {})
}

/// Everything the server says to these bytes, in one piece.
fn answer(bytes: impl AsRef<[u8]>) -> String {
    bench().send(bytes).run().output()
}

#[test]
fn the_root_says_that_ollama_is_running_with_the_fields_of_the_real_server() {
    insta::assert_snapshot!(answer("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").replace("\r\n", "\n"), @r"
    HTTP/1.1 200 OK
    Content-Type: text/plain; charset=utf-8
    Date: Sat, 01 Aug 2026 10:00:00 GMT
    Content-Length: 17

    Ollama is running
    ");
}

#[test]
fn head_has_the_length_of_get_and_no_body() {
    let head = answer("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(head.contains("\r\nContent-Length: 17\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn a_long_listing_is_chunked_and_its_head_states_no_length() {
    let many = (0..20).map(|n| generate(&format!("r{n}"), &format!("model-number-{n}"), "p", &["x"])).collect();
    let mut bench = TestEngine::new(many, |_| {});
    bench.send("GET /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n").run();
    assert_eq!(super::chunks_of(&bench.output()).len(), 1);
    bench.written.clear();
    bench.send("HEAD /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n").run();
    let head = bench.output();
    assert!(!head.contains("Length") && !head.contains("Transfer"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
}

#[rstest]
#[case::no_host("GET / HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header")]
#[case::bad_host("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 Bad Request: malformed Host header")]
#[case::bad_name("GET / HTTP/1.1\r\nHost: a\r\na b: c\r\n\r\n", "400 Bad Request: invalid header name")]
#[case::two_hosts("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request")]
#[case::nonsense("what is this\r\n\r\n", "400 Bad Request")]
#[case::tls("\u{16}\u{3}\u{1}\n\n", "400 Bad Request")]
#[case::bad_length("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "400 Bad Request")]
#[case::two_lengths("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400 Bad Request")]
#[case::coding("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "Unsupported transfer encoding")]
#[case::version("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported: unsupported protocol version")]
fn a_request_that_cannot_be_read_is_refused_and_the_connection_closed(#[case] bytes: &str, #[case] body: &str) {
    let mut bench = bench();
    bench.send(bytes);
    let output = bench.output();
    assert!(output.ends_with(&format!("Connection: close\r\n\r\n{body}")), "{output}");
    assert_eq!(bench.told, [(bench.now, "shutdown")]);
    let shut = bench.now;
    bench.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").run();
    assert_eq!(bench.output(), output, "nothing is answered any more");
    assert_eq!(bench.told.last(), Some(&(shut.saturating_add(LINGER), "close")));
    assert_eq!(bench.engine.journal().entries[0].answer, Answer::Rejected);
}

/// The status line of the answer and what follows its head.
fn line_and_body(bytes: impl AsRef<[u8]>) -> (String, String) {
    let output = answer(bytes);
    let (head, body) = output.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().replacen("HTTP/1.1 ", "", 1), body.to_owned())
}

#[rstest]
#[case::bad_escape("GET /api/%zz HTTP/1.1", "400 Bad Request", "400 Bad Request")]
#[case::relative("GET api/tags HTTP/1.1", "400 Bad Request", "400 Bad Request")]
#[case::backslashes("GET \\api\\tags HTTP/1.1", "400 Bad Request", "400 Bad Request")]
#[case::space("GET /api/t ags HTTP/1.1", "400 Bad Request", "400 Bad Request")]
#[case::expectation("GET / HTTP/1.1\r\nExpect: 200-ok", "417 Expectation Failed", "")]
#[case::scheme_in_capitals("GET HTTP://localhost/ HTTP/1.1", "200 OK", "Ollama is running")]
#[case::everything("GET * HTTP/1.1", "400 Bad Request", "")]
#[case::preface("PRI * HTTP/2.0", "400 Bad Request", "")]
#[case::tunnel("CONNECT a:80 HTTP/1.1", "404 Not Found", "404 page not found\n")]
#[case::later_minor("GET / HTTP/1.7", "200 OK", "Ollama is running")]
#[case::folded("GET / HTTP/1.1\r\nX: a\r\n b", "200 OK", "Ollama is running")]
#[case::query_with_a_bad_escape("GET /?%zz HTTP/1.1", "200 OK", "Ollama is running")]
fn a_request_is_answered_as_go_does(#[case] head: &str, #[case] line: &str, #[case] body: &str) {
    let request = format!("{head}\r\nHost: localhost\r\n\r\n");
    assert_eq!(line_and_body(request), (line.to_owned(), body.to_owned()));
}

#[test]
fn any_number_of_fields_is_read() {
    let fields = (0..1000).map(|n| format!("X{n}: a\r\n")).collect::<Vec<_>>().concat();
    assert_eq!(line_and_body(format!("GET / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")).0, "200 OK");
}

#[test]
fn an_expectation_that_is_not_met_is_refused_before_the_body_comes() {
    let request = "POST /api/chat HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\n";
    insta::assert_snapshot!(answer(request).replace("\r\n", "\n"), @r"
    HTTP/1.1 417 Expectation Failed
    Connection: close
    Date: Sat, 01 Aug 2026 10:00:00 GMT
    Content-Length: 0

    ");
}

#[rstest]
#[case::blank_before_the_size("/api/generate", " 2\r\n{}\r\n0\r\n\r\n", "{\"error\":\"invalid byte in chunk length\"}")]
#[case::too_many_digits(
    "/v1/completions",
    "00000000000000002\r\n{}\r\n0\r\n\r\n",
    "{\"error\":{\"message\":\"http chunk length too large\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}"
)]
#[case::in_the_middle("/api/show", "1\r\n{\r\nzz\r\n", "{\"error\":\"invalid byte in chunk length\"}")]
fn a_chunked_body_that_breaks_the_coding_is_refused_in_gos_words(
    #[case] path: &str,
    #[case] coded: &str,
    #[case] body: &str,
) {
    let request = format!("POST {path} HTTP/1.1\r\nHost: a.local\r\nTransfer-Encoding: chunked\r\n\r\n{coded}");
    let mut bench = bench();
    bench.send(&request).run();
    assert_eq!(line_and_body(&request), ("400 Bad Request".to_owned(), body.to_owned()));
    assert!(bench.output().contains("\r\nConnection: close\r\n"), "{}", bench.output());
    assert_eq!(bench.told[0].1, "shutdown");
}

#[test]
fn what_breaks_after_the_json_of_a_chunked_body_only_ends_the_connection() {
    let request = "POST /api/show HTTP/1.1\r\nHost: a.local\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"model\":\"tiny\"}\r\nzz\r\n";
    let output = answer(request);
    assert!(output.starts_with("HTTP/1.1 200 OK\r\n") && output.contains("\r\nConnection: close\r\n"), "{output}");
}

#[test]
fn a_head_over_its_limit_is_431_however_it_is_cut() {
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(MAX_HEAD_BYTES));
    let whole = answer(&long);
    assert!(whole.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{whole}");
    let mut cut = bench();
    for piece in long.as_bytes().chunks(997) {
        cut.send(piece);
    }
    assert_eq!(cut.run().output(), whole);
}

#[test]
fn a_body_over_its_limit_is_413_before_any_of_it_came() {
    let head = format!("POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", MAX_BODY_BYTES + 1);
    assert!(answer(head).starts_with("HTTP/1.1 413 Request Entity Too Large\r\n"));
}

#[test]
fn a_client_that_expects_it_is_told_to_go_on() {
    let request = ask("tiny", "Say hi").replace("Content-Length", "Expect: 100-continue\r\nContent-Length");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut bench = bench();
    bench.send(format!("{head}\r\n\r\n"));
    assert_eq!(bench.output(), "HTTP/1.1 100 Continue\r\n\r\n");
    bench.send(body).run();
    assert!(bench.output().contains("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn a_chunked_request_body_is_read() {
    let body = "a\r\n{\"model\":\"\r\n1a;x=y\r\ntiny\",\"prompt\":\"Say hi\"}  \r\n0\r\nTrailer: 1\r\n\r\n";
    let request = format!("POST /api/generate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    assert!(answer(request).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn pipelined_requests_are_answered_in_order_one_after_the_other() {
    let version = "GET /api/version HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut bench = bench();
    bench.send(format!("{}{version}{version}", ask("tiny", "Say hi"))).run();
    let output = bench.output();
    let answers: Vec<&str> = output.split("HTTP/1.1 200 OK\r\n").skip(1).collect();
    assert_eq!(answers.len(), 3);
    assert!(answers[0].ends_with("0\r\n\r\n"));
    assert!(answers[1].ends_with("{\"version\":\"0.33.0\"}"));
    assert_eq!(answers[1], answers[2]);
}

#[test]
fn a_client_that_wants_to_close_is_told_so_and_the_connection_ends() {
    let mut bench = bench();
    bench.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(bench.output().contains("\r\nConnection: close\r\n"));
    assert_eq!(bench.told, [(bench.now, "shutdown")]);
}

#[test]
fn http_1_0_gets_a_body_without_chunks_that_ends_with_the_connection() {
    let body = "{\"model\":\"tiny\",\"prompt\":\"Say hi\"}";
    let mut bench = bench();
    bench.send(format!("POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    bench.run();
    let output = bench.output();
    let (head, body) = output.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n") && !head.contains("Transfer") && !head.contains("Length"));
    assert_eq!(body.lines().count(), 3);
    assert_eq!(bench.told[0].1, "shutdown");
}

#[test]
fn http_1_0_with_a_known_length_may_keep_the_connection() {
    let request = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let mut bench = bench();
    bench.send(request).send(request);
    assert_eq!(bench.output().matches("Connection: keep-alive").count(), 2);
    assert_eq!(bench.told, []);
}

#[test]
fn no_answer_names_its_server_and_all_field_names_are_in_canonical_case() {
    let requests = ["GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), ask("tiny", "Say hi"), ask("nope", "x")];
    let output = bench().send(requests.concat()).run().output();
    for head in output.split("HTTP/1.1 ").skip(1).map(|answer| answer.split("\r\n\r\n").next().unwrap()) {
        for field in head.lines().skip(1) {
            let name = field.split(':').next().unwrap();
            assert!(name.split('-').all(|word| word.starts_with(|c: char| c.is_ascii_uppercase())), "{field}");
            assert_ne!(name, "Server");
        }
    }
}

#[rstest]
#[case::root("GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned())]
#[case::stream(ask("tiny", "Say hi"))]
#[case::miss(ask("tiny", "Say something else"))]
#[case::pipelined(format!("{}{}", ask("tiny", "Say hi"), "GET /api/ps HTTP/1.1\r\nHost: a\r\n\r\n"))]
#[case::asks_to_go_on(
    "POST /api/show HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 16\r\n\r\n{\"model\":\"tiny\"}".to_owned())]
#[case::chunked("POST /api/show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"model\":\"tiny\"}\r\n0\r\n\r\n".to_owned())]
#[case::bad("GET / HTTP/1.1\r\nHost: a\r\nbad field\r\n\r\n".to_owned())]
#[case::folded("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n".to_owned())]
#[case::expectation("POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 3\r\n\r\nabc".to_owned())]
#[case::broken("POST /api/show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n2\r\nabc\r\n".to_owned())]
fn the_same_bytes_cut_at_every_place_give_the_same_answer(#[case] request: String) {
    let whole = bench().send(&request).run().output();
    for at in 1..request.len() {
        let mut cut = bench();
        cut.send(&request[..at]).send(&request[at..]);
        assert_eq!(cut.run().output(), whole, "cut at byte {at}");
    }
    let mut bytewise = bench();
    for byte in request.as_bytes() {
        bytewise.send([*byte]);
    }
    assert_eq!(bytewise.run().output(), whole, "a byte at a time");
}

proptest! {
    #[test]
    fn any_bytes_in_any_cuts_are_answered_alike_and_never_panic(
        words in prop::collection::vec(prop_oneof![
            Just("GET "), Just("POST "), Just("/ "), Just("/api/chat "), Just("HTTP/1.1\r\n"), Just("Host: a\r\n"),
            Just("Content-Length: 3\r\n"), Just("Transfer-Encoding: chunked\r\n"), Just("\r\n"), Just("{}x"),
            Just("3\r\nabc\r\n0\r\n\r\n"), Just("Expect: 100-continue\r\n"), Just("\u{0}"), Just("é"),
        ], 0..14),
        cut in 1_usize..12,
    ) {
        let bytes = words.concat();
        let whole = bench().send(&bytes).run().output();
        let mut pieces = bench();
        for piece in bytes.as_bytes().chunks(cut) {
            pieces.send(piece);
        }
        prop_assert_eq!(pieces.run().output(), whole);
    }
}

#[test]
fn a_body_cut_in_two_while_a_miss_is_spelled_out_is_journalled_once() {
    let request = post("/api/generate", "{\"model\":\"tiny\",\"prompt\":\"x\"}", "");
    let mut bench = bench();
    bench.send(&request[..40]).send(&request[40..]);
    assert_eq!(bench.engine.journal().entries.len(), 1);
}

#[test]
fn credentials_of_a_request_do_not_reach_the_journal() {
    let mut bench = bench();
    for key in ["sk-1", "sk-2", "sk-1"] {
        bench.send(format!("GET /api/tags?key={key} HTTP/1.1\r\nHost: a\r\nauthorization: Bearer {key}\r\n\r\n")).run();
    }
    let journal = bench.engine.journal();
    let seen = journal.entries.iter().map(|entry| (entry.request.target.as_str(), entry.request.headers[1].1.as_str()));
    let expected = [1, 3, 1].map(|number| (format!("/api/tags?key=[redacted {number}]"), number + 1));
    let expected = expected.map(|(target, number)| (target, format!("[redacted {number}]")));
    assert_eq!(seen.collect::<Vec<_>>(), expected.iter().map(|(t, v)| (t.as_str(), v.as_str())).collect::<Vec<_>>());
    assert!(!serde_json::to_string(journal).unwrap().contains("sk-"));
}
