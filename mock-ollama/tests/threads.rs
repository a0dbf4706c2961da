//! A server of two threads over real sockets: to clients it is one server.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::time::Duration;

use mock_ollama::backend::{Limits, Settings};
use mock_ollama::clock::{Clock, Instant};
use mock_ollama::driver::{Monotonic, NoObserver, Service, TimeSource};
use mock_ollama::journal::Journal;
use mock_ollama::schedule::Pace;
use mock_ollama::{Builder, MAX_THREADS, MockOllama};
use rstest::rstest;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// With so many connections, that all are dealt to one of two threads has a chance of one in 2^63.
const CLIENTS: usize = 64;

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// Two threads, and a model that says two words.
fn two() -> Builder {
    MockOllama::builder().says("m", ["Hel", "lo"]).pace(Pace::instant()).threads(threads(2))
}

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn send(mut client: &TcpStream, path: &str, body: &str, fields: &str) {
    let length = body.len();
    write!(client, "POST {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
        .unwrap();
}

/// Asks for an answer of a model and keeps the connection.
fn ask(client: &TcpStream, model: &str, agent: &str) {
    let fields = format!("x-mock-caller: {agent}\r\n");
    send(client, "/api/generate", &format!("{{\"model\":\"{model}\",\"prompt\":\"hi\"}}"), &fields);
}

/// Reads up to the end of a chunked body.
fn read_whole(client: &TcpStream) -> String {
    let (mut reader, mut answer) = (BufReader::new(client), String::new());
    while !answer.ends_with("\r\n0\r\n\r\n") {
        assert_ne!(reader.read_line(&mut answer).unwrap(), 0, "{answer}");
    }
    answer
}

/// So many connections were dealt to both of two threads. Only Linux promises that; elsewhere who comes first takes all.
fn were_dealt(journal: &Journal, connections: usize) {
    let conns: BTreeSet<u64> = journal.entries.iter().map(|entry| entry.conn.0).collect();
    let [one, other] = [1, 0].map(|rest| conns.iter().filter(|conn| *conn % 2 == rest).count());
    assert_eq!(one + other, connections);
    assert!(!cfg!(target_os = "linux") || (one > 0 && other > 0), "{one} and {other}");
}

#[test]
fn connections_are_dealt_to_both_threads_and_every_one_is_answered() {
    let server = two().start().unwrap();
    let clients: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(server.addr())).collect();
    clients.iter().enumerate().for_each(|(number, client)| ask(client, "m", &number.to_string()));
    for client in &clients {
        assert!(read_whole(client).contains("\"done\":true"));
    }
    assert!(server.wait_requests(CLIENTS, PATIENCE) && server.wait_in_flight(0, PATIENCE));
    assert_eq!(server.journal().requests(), CLIENTS);
    let journal = server.finish().unwrap();
    assert!(journal.entries.is_sorted_by_key(|entry| entry.received), "one journal, in one order");
    were_dealt(&journal, CLIENTS);
}

#[rstest]
#[case::a_slot(Settings { parallel: NonZeroUsize::new(1), ..Settings::default() })]
#[case::a_load(Settings {
    loads: Some(Limits { load_time: Duration::from_millis(1), loaded: NonZeroUsize::new(1), ..Limits::default() }),
    ..Settings::default()
})]
fn who_waits_on_one_thread_for_what_the_other_has_gets_it(#[case] machine: Settings) {
    let server = two().says("n", ["Ho"]).backend(machine).start().unwrap();
    let clients: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(server.addr())).collect();
    for (number, client) in clients.iter().enumerate() {
        ask(client, if number % 2 == 0 { "m" } else { "n" }, &number.to_string());
    }
    for client in &clients {
        assert!(read_whole(client).contains("\"done\":true"));
    }
    were_dealt(&server.finish().unwrap(), CLIENTS);
}

#[test]
fn with_one_slot_no_two_answers_overlap_whichever_threads_they_are_on() {
    let machine = Settings { parallel: NonZeroUsize::new(1), ..Settings::default() };
    let server = two().backend(machine).pace(Pace::recorded().faster(20.0)).start().unwrap();
    let clients: Vec<TcpStream> = (0..16).map(|_| connect(server.addr())).collect();
    clients.iter().enumerate().for_each(|(number, client)| ask(client, "m", &number.to_string()));
    for client in &clients {
        read_whole(client);
    }
    let journal = server.finish().unwrap();
    let mut spans: Vec<(Instant, Instant)> =
        journal.entries.iter().map(|entry| (entry.chunks[0].due, entry.chunks.last().unwrap().due)).collect();
    spans.sort_unstable();
    // 100 ms to the first chunk, at twenty times the speed; the rest is room for what leaves late.
    let apart = |pair: &[(Instant, Instant)]| pair[1].0.saturating_since(pair[0].1) >= Duration::from_millis(4);
    assert!(spans.windows(2).all(apart), "{spans:?}");
}

#[test]
fn an_agent_may_come_on_any_connection_and_a_new_model_is_there_for_all() {
    let server = two().start().unwrap();
    let copier = connect(server.addr());
    send(&copier, "/api/copy", r#"{"source":"m","destination":"copied"}"#, "Connection: close\r\n");
    let mut answer = String::new();
    (&copier).read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    for _ in 0..CLIENTS {
        let client = connect(server.addr());
        ask(&client, "copied", "same");
        assert!(read_whole(&client).contains("\"done\":true"));
    }
    let journal = server.finish().unwrap();
    let asked = journal.entries.iter().filter(|entry| entry.request.target == "/api/generate");
    let exchanges: Vec<u32> = asked.map(|entry| entry.stream.exchange).collect();
    assert_eq!(exchanges, (0..u32::try_from(CLIENTS).unwrap()).collect::<Vec<_>>());
}

#[test]
fn a_release_reaches_the_streams_of_both_threads() {
    let server = two().pace(Pace::stepped()).start().unwrap();
    let clients: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(server.addr())).collect();
    clients.iter().enumerate().for_each(|(number, client)| ask(client, "m", &number.to_string()));
    assert!(server.wait_in_flight(CLIENTS, PATIENCE));
    server.release(3);
    assert!(server.wait_in_flight(0, PATIENCE));
    assert_eq!(server.finish().unwrap().max_in_flight, CLIENTS);
}

#[test]
fn the_limit_of_connections_is_that_of_all_threads_together() {
    let server = two().service(Service { connections: Some(8), ..Service::default() }).start().unwrap();
    let held: Vec<TcpStream> = (0..8).map(|_| connect(server.addr())).collect();
    for client in &held {
        // Each of them is known to be served before another one comes.
        ask(client, "m", "held");
        read_whole(client);
    }
    for _ in 0..CLIENTS {
        let mut client = connect(server.addr());
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable"), "{answer}");
    }
    drop(held);
    server.finish().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn of_several_servers_each_thread_serves_all() {
    let server = two().servers(2).start().unwrap();
    for addr in server.addrs() {
        for _ in 0..CLIENTS {
            let client = connect(*addr);
            ask(&client, "m", "a");
            read_whole(&client);
        }
    }
    let journal = server.finish().unwrap();
    let seen: BTreeSet<(u32, u64)> =
        journal.entries.iter().map(|entry| (entry.server.0, (entry.conn.0 - 1) % 4)).collect();
    assert_eq!(seen, BTreeSet::from([(0, 0), (1, 1), (0, 2), (1, 3)]), "a number says server and thread");
}

#[cfg(target_os = "linux")]
#[test]
fn a_dropped_server_ends_all_its_threads() {
    let count = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let before = count();
    let server = MockOllama::builder().threads(threads(4)).start().unwrap();
    assert_eq!(count(), before + 4);
    drop(server);
    assert_eq!(count(), before);
}

#[test]
fn more_threads_than_the_limit_are_one_clear_error() {
    let error = MockOllama::builder().threads(threads(MAX_THREADS + 1)).start().unwrap_err();
    assert_eq!(error.to_string(), "257 threads are more than the limit of 256");
}

#[derive(Debug)]
struct Own;

impl Clock for Own {
    fn now(&self) -> Instant {
        Monotonic.now()
    }
}

impl TimeSource for Own {}

#[test]
fn a_time_source_or_an_observer_is_for_one_thread() {
    for builder in [two().time_source(Own), two().observer(NoObserver)] {
        let error = builder.start().unwrap_err();
        assert_eq!(error.to_string(), "a time source or an observer of one's own is for one thread, not for 2");
    }
    assert!(MockOllama::builder().time_source(Own).observer(NoObserver).threads(threads(1)).start().is_ok());
}
