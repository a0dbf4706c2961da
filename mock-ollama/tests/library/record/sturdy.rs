//! Whatever upstreams and clients do, the recorder passes on what it gets, says what it could not record, and ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use mock_ollama::MockOllama;
use mock_ollama::catalog::Matching;
use mock_ollama::record::MAX_ANSWER_BYTES;
use mock_ollama::recording::End;
use mock_ollama::recording::limits::MAX_CHUNKS;
use proptest::prelude::*;
use rstest::rstest;

use super::util::{
    CHAT, chunked, client, exchange, plain_upstream, read_request, recorder, recordings, request, saying, was_said,
};

/// More than the sockets between two processes hold.
const MORE_THAN_SOCKETS_HOLD: usize = 16_000_000;

const PATIENCE: Duration = Duration::from_secs(20);

/// All that a client gets.
fn all_of(mut client: TcpStream) -> Vec<u8> {
    let mut got = Vec::new();
    client.read_to_end(&mut got).unwrap();
    got
}

#[rstest]
#[case::a_rebound_name("Host: evil.example", "403")]
#[case::a_foreign_page("Host: localhost\r\nOrigin: http://evil.example", "403")]
#[case::a_near_page("Host: localhost\r\nOrigin: http://localhost:3000", "200")]
#[case::an_address("Host: 127.0.0.1", "200")]
fn host_and_origin_are_checked_as_by_the_server(#[case] fields: &str, #[case] status: &str) {
    let folder = tempfile::tempdir().unwrap();
    let server = MockOllama::builder().start().unwrap();
    let recorder = recorder(&server.url(), folder.path(), &[]);
    let answer = exchange(recorder.addr(), &format!("GET /api/tags HTTP/1.1\r\n{fields}\r\n\r\n"));
    assert_eq!(&answer[9..12], status);
    recorder.finish();
    assert_eq!(recordings(folder.path()).len(), usize::from(status == "200"));
    server.finish().unwrap();
}

#[test]
fn a_batch_of_embeddings_in_one_chunk_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let chunk = [b"[", "0.12345678,".repeat(400_000).as_bytes(), b"0]"].concat();
    let recorder = recorder(&saying(chunked(std::slice::from_ref(&chunk))), folder.path(), &[]);
    exchange(recorder.addr(), &request("/api/embed", "", CHAT));
    assert_eq!(recorder.finish(), 0);
    let exchange = &recordings(folder.path())[0].exchanges[0];
    assert_eq!((exchange.chunks.len(), exchange.end), (1, End::Clean));
    assert!(exchange.chunks[0].bytes == chunk);
}

#[test]
fn an_image_of_several_megabytes_is_recorded_and_answered_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = MockOllama::builder().scripts([mock_ollama::script::Script::says("m", ["x"]).unwrap()]);
    let server = server.start().unwrap();
    let first = recorder(&server.url(), folder.path(), &[]);
    let image = "iVBO".repeat(500_000);
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"?","images":["{image}"]}}]}}"#);
    let asked = request("/api/chat", "Connection: close\r\n", &body);
    let answer = exchange(first.addr(), &asked);
    assert_eq!(first.finish(), 0);
    assert_eq!(recordings(folder.path())[0].exchanges[0].request.as_ref().unwrap().body.as_ref().unwrap().text(), body);
    let replayed = MockOllama::builder().recordings(recordings(folder.path())).matching(Matching::Exact);
    let replayed = replayed.start().unwrap();
    assert_eq!(&exchange(replayed.addr(), &asked)[..12], &answer[..12]);
    replayed.finish().unwrap();
    server.finish().unwrap();
}

#[rstest]
#[case::query("/v1/models?limit=2", "/v1/models")]
#[case::encoded("/v1/models/m%3A1", "/v1/models/m%3A1")]
#[case::not_ascii("/v1/models/é", "/v1/models/%C3%A9")]
#[case::absolute("http://localhost/api/tags", "/api/tags")]
fn any_path_is_recorded_and_answered_again(#[case] target: &str, #[case] path: &str) {
    let folder = tempfile::tempdir().unwrap();
    let upstream = saying("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nmine");
    let recorder = recorder(&upstream, folder.path(), &[]);
    let asked = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    exchange(recorder.addr(), &asked);
    recorder.finish();
    let all = recordings(folder.path());
    assert_eq!(all[0].exchanges[0].request.as_ref().unwrap().path, path);
    assert!(!target.contains('?') || was_said(&["recorded without its query: GET /v1/models "]));
    let replayed = MockOllama::builder().recordings(all).matching(Matching::Exact).start().unwrap();
    let answer = exchange(replayed.addr(), &asked);
    assert!(answer.ends_with("mine"), "{answer}");
    replayed.finish().unwrap();
}

#[rstest]
#[case("a\\u0000b")]
#[case("..")]
#[case("模型")]
#[case(" ")]
#[case("hf.co/user/MODEL:Q4_K_M")]
fn any_model_is_recorded(#[case] model: &str) {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&saying(chunked(&[b"{}\n".to_vec()])), folder.path(), &[]);
    exchange(recorder.addr(), &request("/api/chat", "", &format!(r#"{{"model":"{model}"}}"#)));
    exchange(recorder.addr(), &request("/api/chat", "", &format!(r#"{{"model":"{}"}}"#, model.repeat(500))));
    assert_eq!((recorder.finish(), recordings(folder.path()).len()), (0, 2));
}

#[rstest]
#[case::number(r#"{"model":"m","seed":1e400}"#)]
#[case::digits(r#"{"model":"m","seed":12345678901234567890123,"t":1.00}"#)]
#[case::equal_keys(r#"{"model":"l","model":"m","n":1.0}"#)]
fn a_request_stays_as_it_was_sent_and_is_answered_again(#[case] body: &str) {
    let folder = tempfile::tempdir().unwrap();
    let upstream = saying("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nmine");
    let recorder = recorder(&upstream, folder.path(), &["qz-[a-z]+"]);
    exchange(recorder.addr(), &request("/api/show", "", body));
    recorder.finish();
    let text = std::fs::read_to_string(folder.path().join("0001-api-show-m.jsonl")).unwrap();
    assert!(text.contains(&format!(r#""body":{body}"#)), "{text}");
    let replayed = MockOllama::builder().recordings(recordings(folder.path())).matching(Matching::Exact);
    let replayed = replayed.start().unwrap();
    let answer = exchange(replayed.addr(), &request("/api/show", "Connection: close\r\n", body));
    assert!(answer.ends_with("mine"), "{answer}");
    replayed.finish().unwrap();
}

#[test]
fn an_answer_that_comes_before_the_body_was_read_reaches_the_client() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = plain_upstream(|mut stream| {
        let mut some = [0; 1000];
        let _ = stream.read(&mut some).unwrap();
        // What has not been read makes this end a reset.
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig").unwrap();
    });
    let recorder = recorder(&upstream, folder.path(), &[]);
    let answer = exchange(recorder.addr(), &request("/api/chat", "", &"x".repeat(MORE_THAN_SOCKETS_HOLD)));
    assert!(answer.starts_with("HTTP/1.1 413 Too Large\r\n") && answer.ends_with("\r\n\r\nbig"), "{answer}");
    recorder.finish();
    let exchange = &recordings(folder.path())[0].exchanges[0];
    assert_eq!((exchange.response.status, exchange.end, exchange.body()), (413, End::Clean, b"big".to_vec()));
}

#[test]
fn no_answer_reaches_the_client_as_such_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&saying(""), folder.path(), &[]);
    assert_eq!(exchange(recorder.addr(), &request("/api/none", "", "{}")), "");
    assert_eq!(recorder.finish(), 0);
    assert!(was_said(&["not recorded: POST /api/none: ", "closed the connection without an answer"]));
    assert!(recordings(folder.path()).is_empty());
}

#[test]
fn an_answer_that_is_no_http_is_passed_on_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&saying("220 ready\r\n\r\n"), folder.path(), &[]);
    assert_eq!(exchange(recorder.addr(), &request("/api/smtp", "", "{}")), "220 ready\r\n\r\n");
    recorder.finish();
    assert!(was_said(&["POST /api/smtp: ", "malformed response head"]));
}

#[test]
fn a_chunk_that_was_cut_off_is_recorded_as_far_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let answer = chunked(&[b"one".to_vec(), b"three".to_vec()]);
    let cut = answer.len() - "ee\r\n0\r\n\r\n".len();
    let recorder = recorder(&saying(&answer[..cut]), folder.path(), &[]);
    assert!(exchange(recorder.addr(), &request("/api/chat", "", CHAT)).ends_with("5\r\nthr"));
    recorder.finish();
    let exchange = &recordings(folder.path())[0].exchanges[0];
    assert_eq!((exchange.body(), exchange.chunks.len(), exchange.end), (b"onethr".to_vec(), 2, End::Eof));
}

#[test]
fn an_answer_larger_than_any_recording_is_passed_on_and_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let answer = chunked(&[vec![b'x'; MAX_ANSWER_BYTES + 1]]);
    let recorder = recorder(&saying(answer.clone()), folder.path(), &[]);
    let got = all_of(client(recorder.addr(), &request("/api/large", "", CHAT)));
    assert!(got == answer, "{} of {} bytes", got.len(), answer.len());
    assert_eq!((recorder.finish(), recordings(folder.path()).len()), (1, 0));
    assert!(was_said(&["POST /api/large: ", "more than 67108864 bytes"]));
}

#[test]
fn an_answer_in_more_chunks_than_a_recording_has_is_passed_on_and_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let answer = chunked(&vec![b"x".to_vec(); MAX_CHUNKS + 1]);
    let recorder = recorder(&saying(answer.clone()), folder.path(), &[]);
    let got = all_of(client(recorder.addr(), &request("/api/many", "", CHAT)));
    assert!(got == answer, "{} of {} bytes", got.len(), answer.len());
    assert_eq!((recorder.finish(), recordings(folder.path()).len()), (1, 0));
    assert!(was_said(&["POST /api/many: ", "more than 100000 chunks"]));
}

#[test]
fn what_cannot_be_written_is_said_with_file_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let recorder = recorder(&saying(chunked(&[b"{}".to_vec()])), &out, &[]);
    std::fs::remove_dir(&out).unwrap();
    exchange(recorder.addr(), &request("/api/gone", "", CHAT));
    assert_eq!(recorder.finish(), 1);
    assert!(was_said(&["POST /api/gone: ", "0001-api-gone-tiny.jsonl: ", "os error"]));
}

#[cfg(unix)]
#[test]
fn a_program_that_could_not_write_ends_with_five() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut program = Command::new(env!("CARGO_BIN_EXE_mock-ollama"))
        .args(["record", "--upstream", &saying(chunked(&[b"{}".to_vec()])), "--out", out.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(program.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    let addr = said.trim().rsplit_once("http://").unwrap().1.parse().unwrap();
    std::fs::remove_dir(&out).unwrap();
    exchange(addr, &request("/api/chat", "", CHAT));
    Command::new("kill").args(["-TERM", &program.id().to_string()]).status().unwrap();
    let ended = program.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(5), "{said}");
    assert!(said.contains("os error") && said.ends_with("error: 1 answer(s) could not be recorded\n"), "{said}");
}

#[test]
fn two_recorders_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = saying(chunked(&[b"{}".to_vec()]));
    let both = [(); 2].map(|()| recorder(&upstream, folder.path(), &[]));
    for _ in 0..5 {
        for recorder in &both {
            exchange(recorder.addr(), &request("/api/chat", "", CHAT));
        }
    }
    let lost: Vec<usize> = both.into_iter().map(mock_ollama::record::Recorder::finish).collect();
    assert_eq!((lost, recordings(folder.path()).len()), (vec![0, 0], 10));
}

/// What an upstream does with a request.
#[derive(Clone, Copy, Debug)]
enum Does {
    NeverReads,
    NeverAnswers,
    Streams,
}

/// An upstream of one connection, which does so.
struct Slow {
    url: String,
    /// It has its connection, and has done what it does.
    begun: mpsc::Receiver<()>,
    /// Lets it read to the end of the connection.
    go: mpsc::Sender<()>,
    /// It has got there.
    ended: mpsc::Receiver<()>,
}

impl Slow {
    fn start(does: Does) -> Self {
        let ((at_work, begun), (go, gone), (over, ended)) = (mpsc::channel(), mpsc::channel(), mpsc::channel());
        let url = plain_upstream(move |mut stream| {
            if !matches!(does, Does::NeverReads) {
                read_request(&mut stream);
            }
            if matches!(does, Does::Streams) {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").unwrap();
            }
            at_work.send(()).unwrap();
            // The test may be over.
            let _ = gone.recv();
            let _ = stream.read_to_end(&mut Vec::new());
            let _ = over.send(());
        });
        Self { url, begun, go, ended }
    }
}

/// A request for such an upstream: of one that never reads, a request that no socket holds.
fn request_for(does: Does) -> String {
    let length = if matches!(does, Does::NeverReads) { MORE_THAN_SOCKETS_HOLD } else { 1 };
    request("/api/chat", "", &format!(r#"{{"x":"{}"}}"#, "x".repeat(length)))
}

#[rstest]
#[case::while_the_request_is_sent_on(Does::NeverReads)]
#[case::while_it_waits(Does::NeverAnswers)]
#[case::while_it_gets_the_answer(Does::Streams)]
fn a_client_that_hangs_up_ends_the_upstream_connection(#[case] does: Does) {
    let folder = tempfile::tempdir().unwrap();
    let slow = Slow::start(does);
    let recorder = recorder(&slow.url, folder.path(), &[]);
    let mut client = client(recorder.addr(), &request_for(does));
    slow.begun.recv_timeout(PATIENCE).unwrap();
    if matches!(does, Does::Streams) {
        client.read_exact(&mut [0; 1]).unwrap();
    }
    client.shutdown(Shutdown::Write).unwrap();
    // The recorder closes as well.
    let _ = client.read_to_end(&mut Vec::new());
    slow.go.send(()).unwrap();
    slow.ended.recv_timeout(PATIENCE).expect("the upstream connection was ended");
    recorder.finish();
    let ends: Vec<End> = recordings(folder.path()).iter().map(|recording| recording.exchanges[0].end).collect();
    assert_eq!(ends, if matches!(does, Does::Streams) { vec![End::ClientClosed] } else { vec![] });
}

#[test]
fn a_hang_up_before_the_answer_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let slow = Slow::start(Does::NeverAnswers);
    let recorder = recorder(&slow.url, folder.path(), &[]);
    let client = client(recorder.addr(), &request("/api/left", "", "{}"));
    slow.begun.recv_timeout(PATIENCE).unwrap();
    drop(client);
    slow.go.send(()).unwrap();
    slow.ended.recv_timeout(PATIENCE).unwrap();
    assert_eq!(recorder.finish(), 0);
    assert!(was_said(&["not recorded: POST /api/left: it was cut off before the answer began"]));
}

#[test]
fn a_name_without_an_address_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = mock_ollama::record::RecorderConfig {
        upstream: "http://no-such-name.invalid".parse().unwrap(),
        out: folder.path().to_owned(),
        listen: ([127, 0, 0, 1], 0).into(),
        origins: mock_ollama::http::Origins::default(),
        scrub: mock_ollama::scrub::Scrub::default(),
        complain: |_| {},
    };
    let error = mock_ollama::record::Recorder::start(config).unwrap_err();
    assert_eq!(error.to_string(), "cannot find the address of http://no-such-name.invalid:11434");
}

#[test]
fn answers_nested_a_hundred_thousand_levels_deep_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let recorder = recorder(&saying(chunked(std::slice::from_ref(&deep))), folder.path(), &[]);
    exchange(recorder.addr(), &request("/api/chat", "", std::str::from_utf8(&deep).unwrap()));
    recorder.finish();
    assert_eq!(recordings(folder.path())[0].exchanges[0].body(), deep);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_client_gets_the_bytes_of_the_upstream_and_the_recording_its_chunks(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..3000), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        end in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let whole = chunked(&chunks);
        let sent = whole[..end.map_or(whole.len(), |end| end.index(whole.len()))].to_vec();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(sent.len() + 1)).chain([0, sent.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<Vec<u8>> = cuts.windows(2).map(|pair| sent[pair[0]..pair[1]].to_vec()).collect();
        let upstream = plain_upstream(move |mut stream| {
            stream.set_nodelay(true).unwrap();
            read_request(&mut stream);
            for piece in &pieces {
                stream.write_all(piece).unwrap();
            }
        });
        let recorder = recorder(&upstream, folder.path(), &[]);
        let got = all_of(client(recorder.addr(), &request("/api/chat", "", CHAT)));
        prop_assert_eq!(&got, &sent);
        recorder.finish();
        let head = whole.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let all = recordings(folder.path());
        if sent.len() < head {
            prop_assert!(all.is_empty());
        } else if sent.len() == whole.len() {
            let recorded: Vec<Vec<u8>> = all[0].exchanges[0].chunks.iter().map(|chunk| chunk.bytes.to_vec()).collect();
            prop_assert_eq!(recorded, chunks);
            prop_assert_eq!(all[0].exchanges[0].end, End::Clean);
        } else {
            prop_assert!(chunks.concat().starts_with(&all[0].exchanges[0].body()));
            prop_assert_eq!(all[0].exchanges[0].end, End::Eof);
        }
    }
}

mod wall_clock {
    //! Real time is the subject here: how soon a recorder ends.

    use std::net::{SocketAddr, TcpStream};
    use std::time::{Duration, Instant};

    use mock_ollama::record::Recorder;
    use rstest::rstest;
    use socket2::{Domain, Socket, Type};

    use super::super::util::{client, recorder, request};
    use super::{Does, PATIENCE, Slow, request_for};

    /// How soon a recorder ends.
    const SOON: Duration = Duration::from_secs(1);

    fn ends_soon(recorder: Recorder) {
        let began = Instant::now();
        recorder.finish();
        assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    }

    #[rstest]
    #[case(Does::NeverReads)]
    #[case(Does::NeverAnswers)]
    #[case(Does::Streams)]
    fn it_ends_soon_whatever_the_upstream_does(#[case] does: Does) {
        let folder = tempfile::tempdir().unwrap();
        let slow = Slow::start(does);
        let recorder = recorder(&slow.url, folder.path(), &[]);
        let _client = client(recorder.addr(), &request_for(does));
        slow.begun.recv_timeout(PATIENCE).unwrap();
        ends_soon(recorder);
    }

    #[test]
    fn it_ends_soon_while_a_connection_is_being_made() {
        let folder = tempfile::tempdir().unwrap();
        // A listener that accepts nothing, and whose queue is full: further connections hang.
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let addr = listener.local_addr().unwrap().as_socket().unwrap();
        let fill = || TcpStream::connect_timeout(&addr, Duration::from_millis(200));
        let _full: Vec<TcpStream> = std::iter::from_fn(|| fill().ok()).take(16).collect();
        let recorder = recorder(&format!("http://{addr}"), folder.path(), &[]);
        let _client = client(recorder.addr(), &request("/api/chat", "", "{}"));
        ends_soon(recorder);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::half_a_head("POST /api/chat HT")]
    #[case::half_a_body("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")]
    fn it_ends_soon_whatever_its_client_does(#[case] sent: &str) {
        let folder = tempfile::tempdir().unwrap();
        let recorder = recorder("http://127.0.0.1:1", folder.path(), &[]);
        let _client = client(recorder.addr(), sent);
        ends_soon(recorder);
    }
}
