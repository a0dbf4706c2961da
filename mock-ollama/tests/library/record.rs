//! The recorder, in front of a mock server as its upstream, or of plain sockets.

mod sturdy;
mod util;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use mock_ollama::catalog::Matching;
use mock_ollama::recording::End;
use mock_ollama::schedule::Pace;
use mock_ollama::script::Script;
use mock_ollama::{Builder, MockOllama};

use util::{CHAT, exchange, recorder, recordings, request};

/// Longer than anything here takes on a busy host.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// An upstream that says a secret in three pieces.
fn upstream(pace: &str) -> MockOllama {
    let script = Script::says("tiny", ["my key is s", "k-xy", "z9, ", "é <b>"]).unwrap();
    MockOllama::builder().scripts([script]).pace(pace.parse().unwrap()).lenient().start().unwrap()
}

#[test]
fn an_exchange_becomes_one_recording_with_the_chunks_that_the_client_got() {
    let folder = tempfile::tempdir().unwrap();
    let server = upstream("instant");
    let recorder = recorder(&server.url(), folder.path(), &[]);
    let answer = exchange(recorder.addr(), &request("/api/chat", "Authorization: Bearer x\r\nCookie: y\r\n", CHAT));
    recorder.finish();
    let all = recordings(folder.path());
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].name.as_str(), all[0].model.name.as_str()), ("0001-api-chat-tiny", "tiny:latest"));
    let exchange = &all[0].exchanges[0];
    assert_eq!((exchange.chunks.len(), exchange.end, exchange.response.status), (5, End::Clean, 200));
    let encoded = answer.split_once("\r\n\r\n").unwrap().1;
    for chunk in &exchange.chunks {
        assert!(encoded.contains(std::str::from_utf8(&chunk.bytes).unwrap()));
    }
    let text = std::fs::read_to_string(folder.path().join("0001-api-chat-tiny.jsonl")).unwrap();
    assert!(!text.contains("Bearer") && !text.contains("Cookie") && !text.contains("Date"), "{text}");
    server.finish().unwrap();
}

#[test]
fn numbers_go_on_after_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let server = upstream("instant");
    for _ in 0..2 {
        let recorder = recorder(&server.url(), folder.path(), &[]);
        exchange(recorder.addr(), &request("/api/chat", "", CHAT));
        recorder.finish();
    }
    let names: Vec<String> = recordings(folder.path()).into_iter().map(|recording| recording.name).collect();
    assert_eq!(names, ["0001-api-chat-tiny", "0002-api-chat-tiny"]);
}

fn serve(folder: &Path) -> Builder {
    MockOllama::builder().recordings(recordings(folder)).pace(Pace::instant())
}

#[test]
fn what_was_recorded_is_served_byte_for_byte_by_exact_matching() {
    let folder = tempfile::tempdir().unwrap();
    let server = upstream("instant");
    let recorder = recorder(&server.url(), folder.path(), &[]);
    let all = [
        ("/api/chat", CHAT),
        ("/v1/chat/completions", r#"{"model":"tiny","messages":[{"role":"user","content":"x"}],"stream":true}"#),
        ("/api/show", r#"{"model":"tiny"}"#),
        ("/api/chat", "{"),
    ];
    let real: Vec<String> =
        all.iter().map(|(path, body)| exchange(recorder.addr(), &request(path, "", body))).collect();
    recorder.finish();
    let replayed = serve(folder.path()).start().unwrap();
    for ((path, body), real) in all.iter().zip(&real) {
        let close = "Connection: close\r\n";
        let answer = exchange(replayed.addr(), &request(path, close, body));
        let without_date = |text: &str| -> String {
            text.split_inclusive("\r\n").filter(|line| !line.starts_with("Date: ")).collect()
        };
        assert_eq!(without_date(&answer), without_date(real), "{path}");
    }
    replayed.finish().unwrap();
}

#[test]
fn a_secret_in_several_tokens_reaches_neither_the_disk_nor_breaks_the_match() {
    let folder = tempfile::tempdir().unwrap();
    let server = upstream("instant");
    let recorder = recorder(&server.url(), folder.path(), &["sk-[a-z0-9]+"]);
    let answer = exchange(recorder.addr(), &request("/api/chat", "", CHAT));
    assert!(answer.contains("k-xy"), "the client gets it as it is");
    recorder.finish();
    let text = std::fs::read_to_string(folder.path().join("0001-api-chat-tiny.jsonl")).unwrap();
    // None of them can stand in a digest.
    for secret in ["sk-xyz9", "k-xy", "z9"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains(r#""scrub":["sk-[a-z0-9]+"]"#), "{text}");
    let replayed = serve(folder.path()).matching(Matching::Exact).start().unwrap();
    let again = exchange(replayed.addr(), &request("/api/chat", "Connection: close\r\n", CHAT));
    assert!(again.starts_with("HTTP/1.1 200 OK\r\n"), "{again}");
    replayed.finish().unwrap();
}

#[test]
fn a_request_with_a_secret_in_its_path_or_model_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = upstream("instant");
    let recorder = recorder(&server.url(), folder.path(), &["qz-[0-9]+"]);
    let all = [
        ("/v1/models/qz-12", ""),
        ("/v1/models/q%7A-345", ""),
        ("/api/chat", r#"{"model":"qz-1","messages":[{"role":"user","content":"x"}]}"#),
        ("/api/chat", r#"{"model":"tiny","messages":[{"role":"user","content":"qz-678"}],"stream":false}"#),
    ];
    let sent = |path: &str, fields: &str, body: &str| match body {
        "" => format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"),
        body => request(path, fields, body),
    };
    let answers = all.map(|(path, body)| exchange(recorder.addr(), &sent(path, "", body)));
    recorder.finish();
    for path in folder.path().read_dir().unwrap() {
        let path = path.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap().replace(r#""scrub":["qz-[0-9]+"]"#, "");
        assert!(!path.to_string_lossy().contains("qz-") && !text.contains("qz-"), "{text}");
    }
    let replayed = serve(folder.path()).matching(Matching::Exact).start().unwrap();
    for ((path, body), answer) in all.into_iter().zip(answers) {
        let again = exchange(replayed.addr(), &sent(path, "Connection: close\r\n", body));
        let status = |answer: &str| answer.lines().next().map(str::to_owned);
        assert_eq!(status(&again), status(&answer), "{path} {body}");
    }
    let said = replayed.finish().unwrap().entries.into_iter().map(|entry| entry.answer);
    let missed = said.filter(|answer| !matches!(answer, mock_ollama::journal::Answer::Matched { .. }));
    assert_eq!(missed.count(), 0);
}

#[test]
fn an_upstream_that_cannot_be_reached_is_said_to_the_client_and_the_next_one_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let gone = upstream("instant");
    let url = gone.url();
    gone.finish().unwrap();
    let recorder = recorder(&url, folder.path(), &[]);
    for _ in 0..2 {
        let answer = exchange(recorder.addr(), &request("/api/chat", "", CHAT));
        assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
        assert!(answer.contains(&format!("cannot reach {url}")), "{answer}");
    }
    recorder.finish();
    assert!(recordings(folder.path()).is_empty());
}

#[test]
fn a_client_that_leaves_ends_the_upstream_exchange_and_the_recording_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::says("tiny", ["a", "b", "c"]).unwrap();
    let server = MockOllama::builder().scripts([script]).pace(Pace::stepped()).start().unwrap();
    let recorder = recorder(&server.url(), folder.path(), &[]);
    let mut client = TcpStream::connect(recorder.addr()).unwrap();
    client.write_all(request("/api/chat", "", CHAT).as_bytes()).unwrap();
    server.in_flight(1).within(PATIENCE).wait().unwrap();
    server.release(1);
    let mut first = [0; 1];
    client.read_exact(&mut first).unwrap();
    drop(client);
    server.in_flight(0).within(PATIENCE).wait().unwrap();
    recorder.finish();
    let all = recordings(folder.path());
    assert_eq!((all[0].exchanges[0].end, all[0].exchanges[0].chunks.len()), (End::ClientClosed, 1));
}

#[test]
fn a_recorder_that_is_stopped_in_mid_stream_leaves_only_whole_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::says("tiny", ["a", "b", "c"]).unwrap();
    let server = MockOllama::builder().scripts([script]).pace(Pace::stepped()).start().unwrap();
    let recorder = recorder(&server.url(), folder.path(), &[]);
    let mut client = TcpStream::connect(recorder.addr()).unwrap();
    client.write_all(request("/api/chat", "", CHAT).as_bytes()).unwrap();
    server.in_flight(1).within(PATIENCE).wait().unwrap();
    server.release(2);
    client.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing is written before the end");
    recorder.finish();
    for recording in recordings(folder.path()) {
        assert_eq!(recording.exchanges[0].end, End::ClientClosed);
    }
}

#[test]
fn a_recorder_that_is_killed_in_mid_stream_leaves_no_part_of_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script::says("tiny", ["a", "b", "c"]).unwrap();
    let server = MockOllama::builder().scripts([script]).pace(Pace::stepped()).start().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_mock-ollama"))
        .args(["record", "--listen", "127.0.0.1:0", "--upstream", &server.url(), "--out"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(program.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    let addr = said.trim().rsplit_once("http://").unwrap().1;
    let mut client = TcpStream::connect(addr).unwrap();
    client.write_all(request("/api/chat", "", CHAT).as_bytes()).unwrap();
    server.in_flight(1).within(PATIENCE).wait().unwrap();
    server.release(2);
    client.read_exact(&mut [0; 1]).unwrap();
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

mod wall_clock {
    //! Real time is the subject here: a recording's times are those of the upstream.

    use std::time::Duration;

    use super::util::{CHAT, exchange, recorder, recordings, request};
    use super::{End, upstream};

    /// How far a recorded time may be from the stated one; the recorder and both sockets lie between them.
    const MOST: Duration = Duration::from_millis(20);

    const TRIES: usize = 3;

    #[test]
    fn chunks_are_recorded_at_the_times_at_which_the_upstream_sent_them() {
        let mut best = Duration::MAX;
        for _ in 0..TRIES {
            let folder = tempfile::tempdir().unwrap();
            let server = upstream("recorded");
            let recorder = recorder(&server.url(), folder.path(), &[]);
            exchange(recorder.addr(), &request("/api/chat", "", CHAT));
            recorder.finish();
            let all = recordings(folder.path());
            let got = &all[0].exchanges[0];
            assert_eq!((got.chunks.len(), got.end), (5, End::Clean));
            let off = got
                .chunks
                .iter()
                .zip([100, 120, 140, 160, 180])
                .map(|(chunk, stated)| Duration::from_micros(chunk.at_us).abs_diff(Duration::from_millis(stated)));
            best = best.min(off.max().unwrap());
            if best <= MOST {
                return;
            }
        }
        // A host that is away for that long three times cannot tell; a recorder that delays would be off by gaps.
        assert!(best < Duration::from_millis(100), "times are off by {best:?}");
        println!("inconclusive: the host was too busy ({best:?})");
    }
}
