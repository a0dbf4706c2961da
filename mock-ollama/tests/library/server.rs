//! A server over real sockets, talked to with plain blocking sockets and no runtime.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use mock_ollama::catalog::Matching;
use mock_ollama::journal::{Answer, Fate, StreamId};
use mock_ollama::recording::Recording;
use mock_ollama::schedule::Pace;
use mock_ollama::{FinishError, MockOllama};

/// Longer than anything here takes on a busy host.
const PATIENCE: Duration = Duration::from_secs(20);

fn builtin(name: &str) -> Recording {
    mock_ollama::catalog::builtin::recording(name).unwrap().unwrap()
}

/// The recorded request of a recording's first exchange, as a client sends it.
fn request_of(recording: &Recording, fields: &str) -> String {
    let request = recording.exchanges[0].request.as_ref().unwrap();
    let Some(mock_ollama::recording::RequestBody::Json(body)) = &request.body else { panic!("no JSON body") };
    post(&request.path, &body.to_string(), fields)
}

fn post(path: &str, body: &str, fields: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn connect(server: &MockOllama) -> TcpStream {
    let stream = TcpStream::connect(server.addr()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads one chunked response and returns the body, chunk by chunk.
fn read_chunks(reader: &mut impl std::io::BufRead) -> Vec<Vec<u8>> {
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    let mut chunks = Vec::new();
    while let Some(chunk) = read_chunk(reader) {
        chunks.push(chunk);
    }
    chunks
}

fn read_chunk(reader: &mut impl std::io::BufRead) -> Option<Vec<u8>> {
    let mut size = String::new();
    reader.read_line(&mut size).unwrap();
    let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
    let mut chunk = vec![0; size + 2];
    reader.read_exact(&mut chunk).unwrap();
    chunk.truncate(size);
    (size > 0).then_some(chunk)
}

#[test]
fn a_recording_comes_back_byte_for_byte_and_chunk_for_chunk() {
    for name in ["tiny-emoji", "small-multibyte", "think-default", "tools-call", "small-html"] {
        let recording = builtin(name);
        let server = MockOllama::builder().builtin(name).pace(Pace::instant()).start().unwrap();
        let mut client = connect(&server);
        client.write_all(request_of(&recording, "").as_bytes()).unwrap();
        let chunks = read_chunks(&mut BufReader::new(client));
        let recorded: Vec<&[u8]> = recording.exchanges[0].chunks.iter().map(|chunk| &*chunk.bytes).collect();
        assert_eq!(chunks, recorded, "{name}");
        let journal = server.finish().unwrap();
        assert_eq!(journal.entries[0].fate, Fate::Complete, "{name}");
    }
}

#[test]
fn one_connection_serves_many_requests() {
    let recording = builtin("tiny-short");
    let server = MockOllama::builder().builtin("tiny-short").pace(Pace::instant()).start().unwrap();
    let client = connect(&server);
    let mut reader = BufReader::new(client.try_clone().unwrap());
    for _ in 0..3 {
        (&client).write_all(request_of(&recording, "").as_bytes()).unwrap();
        assert_eq!(read_chunks(&mut reader).len(), recording.exchanges[0].chunks.len());
    }
    let journal = server.finish().unwrap();
    assert_eq!(journal.entries.len(), 3);
    assert!(journal.entries.iter().all(|entry| entry.conn == journal.entries[0].conn));
}

#[test]
fn a_stepped_chunk_leaves_only_when_released() {
    let recording = builtin("tiny-short");
    let server = MockOllama::builder().builtin("tiny-short").pace(Pace::stepped()).start().unwrap();
    let (one, other) = (connect(&server), connect(&server));
    for (agent, client) in [("one", &one), ("other", &other)] {
        let mut client = client;
        client.write_all(request_of(&recording, &format!("x-mock-caller: {agent}\r\n")).as_bytes()).unwrap();
    }
    server.in_flight(2).within(PATIENCE).wait().unwrap();
    server.release_on(&StreamId::of("other", 0), 1);
    let mut reader = BufReader::new(other);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    assert_eq!(read_chunk(&mut reader).as_deref(), Some(&*recording.exchanges[0].chunks[0].bytes));
    let journal = server.journal();
    assert_eq!(journal.stream(&StreamId::of("other", 0)).unwrap().chunks.len(), 1);
    assert_eq!(journal.stream(&StreamId::of("one", 0)).unwrap().chunks.len(), 0);
    server.release(recording.exchanges[0].chunks.len() as u64);
    assert_eq!(read_chunks(&mut BufReader::new(one)).len(), recording.exchanges[0].chunks.len());
    server.in_flight(0).within(PATIENCE).wait().unwrap();
    assert_eq!(server.finish().unwrap().max_in_flight, 2);
}

#[test]
fn a_miss_fails_the_finish_unless_it_was_allowed() {
    let ask = |server: &MockOllama| {
        let mut client = connect(server);
        let body = r#"{"model":"nope","prompt":"x"}"#;
        client.write_all(post("/api/generate", body, "Connection: close\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    };
    let server = MockOllama::builder().builtin("tiny-short").start().unwrap();
    ask(&server);
    let error = server.finish().unwrap_err();
    insta::assert_snapshot!(error);
    let FinishError::Unverified(journal) = error else { panic!("{error}") };
    assert!(matches!(journal.entries[0].answer, Answer::Unexpected { .. }));
    let server = MockOllama::builder().builtin("tiny-short").lenient().start().unwrap();
    ask(&server);
    assert_eq!(server.finish().unwrap().unexpected().count(), 1);
}

#[test]
fn any_rule_answers_a_client_that_knows_nothing_of_the_recordings() {
    let server =
        MockOllama::builder().builtin("tiny-short").matching(Matching::Any).pace(Pace::instant()).start().unwrap();
    let mut client = connect(&server);
    client.write_all(post("/api/generate", r#"{"model":"llama3","prompt":"hello"}"#, "").as_bytes()).unwrap();
    assert_eq!(read_chunks(&mut BufReader::new(client)).len(), builtin("tiny-short").exchanges[0].chunks.len());
    server.finish().unwrap();
}

#[test]
fn a_client_that_hangs_up_is_told_of_by_chunk() {
    let recording = builtin("tiny-short");
    let server = MockOllama::builder().builtin("tiny-short").pace(Pace::stepped()).start().unwrap();
    let client = connect(&server);
    (&client).write_all(request_of(&recording, "").as_bytes()).unwrap();
    server.in_flight(1).within(PATIENCE).wait().unwrap();
    server.release(3);
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    for _ in 0..3 {
        read_chunk(&mut reader).unwrap();
    }
    client.shutdown(Shutdown::Both).unwrap();
    server.in_flight(0).within(PATIENCE).wait().unwrap();
    assert_eq!(server.finish().unwrap().entries[0].fate, Fate::Aborted { after_chunk: 3 });
}

#[test]
fn a_stream_that_is_open_at_the_end_is_no_hang_up_of_the_client() {
    let server = MockOllama::builder().builtin("tiny-short").pace(Pace::stepped()).start().unwrap();
    let client = connect(&server);
    (&client).write_all(request_of(&builtin("tiny-short"), "").as_bytes()).unwrap();
    server.in_flight(1).within(PATIENCE).wait().unwrap();
    assert_eq!(server.finish().unwrap().entries[0].fate, Fate::Stopped);
}

#[test]
fn an_answer_that_ends_in_a_reset_is_journalled_so() {
    let mut recording = builtin("tiny-short");
    recording.exchanges[0].end = mock_ollama::End::Reset;
    let request = request_of(&recording, "");
    let server = MockOllama::builder().recordings([recording]).pace(Pace::instant()).start().unwrap();
    let mut client = connect(&server);
    client.write_all(request.as_bytes()).unwrap();
    let error = client.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(server.finish().unwrap().entries[0].fate, Fate::Reset);
}

#[test]
fn an_answer_that_is_due_still_reaches_a_client_that_closed_its_half() {
    let server = MockOllama::builder().start().unwrap();
    let mut client = connect(&server);
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("Ollama is running"), "{answer}");
}

#[test]
fn the_sockets_on_both_sides_send_small_writes_at_once() {
    let server = MockOllama::builder().start().unwrap();
    let client = connect(&server);
    assert!(client.nodelay().unwrap());
    let names = |url: &str| url.starts_with("http://127.0.0.1:") && !url.ends_with(":0");
    assert!(names(&server.url()), "{}", server.url());
}

#[test]
fn a_request_body_of_many_megabytes_is_taken() {
    let server = MockOllama::builder().builtin("tiny-short").lenient().start().unwrap();
    let mut client = connect(&server);
    let body = format!("{{\"model\":\"quill-tiny\",\"prompt\":\"{}\"}}", "x".repeat(8 << 20));
    client.write_all(post("/api/generate", &body, "Connection: close\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{}", &answer[..40]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_dropped_server_leaves_no_descriptor_and_no_thread() {
    let count = |of: &str| std::fs::read_dir(format!("/proc/self/{of}")).unwrap().count();
    let recording = builtin("base-greedy");
    let before = (count("fd"), count("task"));
    let server = MockOllama::builder().builtin("base-greedy").pace(Pace::stepped()).start().unwrap();
    let mut clients: Vec<TcpStream> = (0..20).map(|_| connect(&server)).collect();
    for client in &mut clients {
        client.write_all(request_of(&recording, "").as_bytes()).unwrap();
    }
    server.in_flight(20).within(PATIENCE).wait().unwrap();
    let addr = server.addr();
    drop(server);
    assert!(TcpStream::connect(addr).is_err(), "the port is closed");
    for client in &mut clients {
        assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)), "its socket is closed");
    }
    drop(clients);
    assert_eq!((count("fd"), count("task")), before);
}

#[test]
fn a_later_server_never_gets_the_port_of_an_earlier_one() {
    let ports: Vec<u16> = (0..50).map(|_| MockOllama::builder().start().unwrap().addr().port()).collect();
    let distinct: std::collections::BTreeSet<&u16> = ports.iter().collect();
    assert_eq!(distinct.len(), 50);
}

/// What a server answers to one request.
fn answer(addr: SocketAddr, request: &str) -> String {
    let mut client = TcpStream::connect(addr).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn each_of_several_servers_answers_on_its_own_port_and_has_its_own_loaded_models() {
    let machine = MockOllama::builder().says("m", ["Hello"]).pace(Pace::instant()).servers(2).start().unwrap();
    let &[one, other] = machine.addrs() else { panic!("{:?}", machine.addrs()) };
    assert_eq!((one, machine.urls()), (machine.addr(), vec![machine.url(), format!("http://{other}")]));
    let ask = post("/api/generate", r#"{"model":"m","prompt":"hi"}"#, "Connection: close\r\n");
    let ps = "GET /api/ps HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(answer(other, &ask).contains("Hello"));
    assert!(answer(other, ps).contains("m:latest"));
    assert!(answer(one, ps).ends_with(r#"{"models":[]}"#));
    assert!(answer(one, &ask).contains("Hello"));
    let seen: Vec<(u32, u64)> =
        machine.finish().unwrap().entries.iter().map(|entry| (entry.server.0, entry.conn.0)).collect();
    // The connections of a server are numbered by it alone, whatever the other one accepts in between.
    assert_eq!(seen, [(1, 2), (1, 4), (0, 1), (0, 3)]);
}

#[test]
fn more_servers_than_the_limit_are_one_clear_error() {
    let error = MockOllama::builder().servers(mock_ollama::server::MAX_SERVERS + 1).start().unwrap_err();
    assert_eq!(error.to_string(), "257 servers are more than the limit of 256");
}

#[test]
fn a_port_in_use_is_one_clear_error() {
    let first = MockOllama::builder().start().unwrap();
    let error = MockOllama::builder().listen(first.addr()).start().unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {}", first.addr()));
}

#[test]
fn a_server_on_loopback_believes_its_own_hosts_name_and_no_other() {
    let server = MockOllama::builder().lenient().start().unwrap();
    let status = |host: &str| {
        let mut client = TcpStream::connect(server.addr()).unwrap();
        client.write_all(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status("localhost"), "200");
    assert_eq!(status("ollama.example.com"), "403");
    if let Ok(name) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        assert_eq!(status(name.trim()), "200");
    }
}
