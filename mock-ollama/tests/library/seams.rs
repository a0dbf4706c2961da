//! The driver's parameters: where its time comes from, and who is told what moves.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mock_ollama::MockOllama;
use mock_ollama::catalog::builtin;
use mock_ollama::clock::{Clock, Instant};
use mock_ollama::driver::{CloseReason, LoopWaker, Observer, SocketOptions, TimeSource};
use mock_ollama::engine::Engine;
use mock_ollama::journal::ConnId;
use mock_ollama::recording::{Recording, RequestBody};

const PATIENCE: Duration = Duration::from_secs(20);

/// A clock that moves only when a test moves it.
#[derive(Clone, Default)]
struct ByHand(Arc<Hand>);

#[derive(Default)]
struct Hand {
    now: AtomicU64,
    waker: OnceLock<LoopWaker>,
}

impl ByHand {
    fn move_to(&self, micros: u64) {
        self.0.now.store(micros * 1_000, Ordering::Release);
        self.0.waker.get().expect("the loop has attached its waker").wake();
    }
}

impl Clock for ByHand {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.now.load(Ordering::Acquire))
    }
}

impl TimeSource for ByHand {
    fn attach(&self, waker: LoopWaker) {
        self.0.waker.set(waker).expect("there is one loop");
    }

    fn timeout(&self, engine: &Engine) -> Option<Duration> {
        // Real time means nothing here: either it is due, or somebody moves the clock.
        engine.poll_due().filter(|next| *next <= self.now()).map(|_| Duration::ZERO)
    }
}

/// What moved.
#[derive(Debug, PartialEq, Eq)]
enum Moved {
    Read(usize),
    Wrote(usize, Instant),
    Closed(CloseReason),
}

struct Tell(Sender<Moved>);

impl Observer for Tell {
    fn read(&mut self, _conn: ConnId, bytes: usize, _now: Instant) {
        let _ = self.0.send(Moved::Read(bytes));
    }

    fn wrote(&mut self, _conn: ConnId, bytes: usize, now: Instant) {
        let _ = self.0.send(Moved::Wrote(bytes, now));
    }

    fn closed(&mut self, _conn: ConnId, reason: CloseReason, _now: Instant) {
        let _ = self.0.send(Moved::Closed(reason));
    }
}

fn recording() -> Recording {
    builtin::recording("tiny-short").unwrap().unwrap()
}

fn ask(server: &MockOllama) -> (TcpStream, usize) {
    let recording = recording();
    let request = recording.exchanges[0].request.as_ref().unwrap();
    let Some(RequestBody::Json(body)) = &request.body else { panic!("no JSON body") };
    let body = body.to_string();
    let head = format!("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", request.path, body.len());
    let mut client = TcpStream::connect(server.addr()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all((head.clone() + &body).as_bytes()).unwrap();
    (client, head.len() + body.len())
}

#[test]
fn a_chunk_leaves_when_the_clock_that_was_plugged_in_says_so() {
    let clock = ByHand::default();
    let server = MockOllama::builder().builtin("tiny-short").time_source(clock.clone()).start().unwrap();
    let (client, _) = ask(&server);
    server.in_flight(1).within(PATIENCE).wait().unwrap();
    let recording = recording();
    let chunks = &recording.exchanges[0].chunks;
    let mut reader = BufReader::new(client);
    let mut line = String::new();
    for (k, chunk) in chunks.iter().take(3).enumerate() {
        assert_eq!(server.journal().entries[0].chunks.len(), k, "nothing leaves before its time");
        clock.move_to(chunk.at_us);
        while !line.starts_with("{\"model\"") {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        assert_eq!(line.as_bytes(), &chunk.bytes[..]);
        line.clear();
    }
    let due: Vec<u64> = server.journal().entries[0].chunks.iter().map(|sent| sent.due.as_nanos() / 1_000).collect();
    assert_eq!(due, chunks[..3].iter().map(|chunk| chunk.at_us).collect::<Vec<_>>());
}

#[test]
fn an_observer_is_told_of_every_read_write_and_close() {
    let (tell, told) = mpsc::channel();
    let server = MockOllama::builder()
        .builtin("tiny-short")
        .pace(mock_ollama::schedule::Pace::instant())
        .observer(Tell(tell))
        .start()
        .unwrap();
    let (mut client, sent) = ask(&server);
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    server.finish().unwrap();
    let told: Vec<Moved> = told.iter().collect();
    let read: usize = told.iter().map(|moved| if let Moved::Read(bytes) = moved { *bytes } else { 0 }).sum();
    let wrote: usize = told.iter().map(|moved| if let Moved::Wrote(bytes, _) = moved { *bytes } else { 0 }).sum();
    assert_eq!((read, wrote), (sent, answer.len()));
    assert_eq!(told.last(), Some(&Moved::Closed(CloseReason::Eof)));
}

/// How many writes an answer leaves in when its chunks are all due at once.
fn writes(options: SocketOptions) -> (usize, usize) {
    let (tell, told) = mpsc::channel();
    let clock = ByHand::default();
    let server = MockOllama::builder().builtin("tiny-short").time_source(clock.clone()).observer(Tell(tell));
    let server = server.sockets(options).start().unwrap();
    let (client, _) = ask(&server);
    server.in_flight(1).within(PATIENCE).wait().unwrap();
    clock.move_to(60_000_000);
    let mut lines = BufReader::new(client).lines();
    assert!(lines.by_ref().map(Result::unwrap).any(|line| line == "0"), "the body ends");
    let journal = server.finish().unwrap();
    (told.iter().filter(|moved| matches!(moved, Moved::Wrote(..))).count(), journal.entries[0].chunks.len())
}

#[test]
fn what_is_overdue_leaves_in_one_write_and_with_flush_every_chunk_in_its_own() {
    let (together, chunks) = writes(SocketOptions::default());
    assert_eq!((together, chunks), (1, recording().exchanges[0].chunks.len()));
    let (each, chunks) = writes(SocketOptions { flush: true, ..SocketOptions::default() });
    assert_eq!(each, chunks + 1, "and what ends the body");
}
