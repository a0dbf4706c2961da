//! The least client there is: a socket an agent and one epoll, on one thread.
//!
//! It sends the requests that the variants send, reads what comes, stamps it, and looks at nothing but the last bytes, which say
//! that the body has ended. What a variant costs beyond that is executor, HTTP client, parser and log.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use mock_ollama::clock::{Clock, Instant};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use crate::clients::{AgentRequest, Endpoint};
use crate::transcript::{AgentLog, ExchangeLog, Introspection, PieceArrival, Transcript};
use crate::workload::{AgentPlan, Job};

/// How a body ends whose length was not announced: the last chunk of RFC 9112 §7.1, without trailers. A line of NDJSON cannot
/// contain it, since a line feed ends it.
const LAST_CHUNK: [u8; 5] = *b"0\r\n\r\n";

/// How much one call reads at most.
const MAX_READ_BYTES: usize = 64 * 1024;

/// The most events that one wait returns.
const MAX_EVENTS: usize = 256;

/// The connections that are opened before those that are open are served again.
const CONNECT_BATCH: usize = 16;

/// The longest wait for bytes: an answer that takes longer from one chunk to the next is given up.
const READ_TIMEOUT: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };

/// One connection and what came on it.
struct Reader {
    stream: TcpStream,
    sent: Instant,
    /// Every read: when, and how many bytes, head and framing included.
    pieces: Vec<PieceArrival>,
    tail: [u8; 5],
    ended: Option<Instant>,
}

/// Sends each agent's first request and reads until every body has ended.
///
/// The pieces of the transcript count bytes as they came, with head and framing; bodies and lines stay empty.
pub(super) fn run(job: &Job, pieces: usize, clock: &dyn Clock) -> io::Result<Transcript> {
    let to: Endpoint = job.url.parse().map_err(io::Error::other)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut readers: Vec<Reader> = Vec::with_capacity(job.agents.len());
    let mut events = Vec::with_capacity(MAX_EVENTS);
    let mut buffer = vec![0; MAX_READ_BYTES];
    let started = clock.now();
    let mut left = job.agents.len();
    for batch in job.agents.chunks(CONNECT_BATCH) {
        for plan in batch {
            let reader = Reader::open(to.addr(), plan, pieces, clock)?;
            let token = epoll::EventData::new_u64(readers.len() as u64);
            epoll::add(&epoll, &reader.stream, token, epoll::EventFlags::IN)?;
            readers.push(reader);
        }
        left -= turn(&epoll, &mut events, &mut readers, &mut buffer, Timespec { tv_sec: 0, tv_nsec: 0 }, clock)?;
    }
    while left > 0 {
        left -= turn(&epoll, &mut events, &mut readers, &mut buffer, READ_TIMEOUT, clock)?;
        if events.is_empty() {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
    Ok(transcript(started, job, readers))
}

/// Waits for events and reads what they announce; returns how many bodies have ended.
fn turn(
    epoll: &impl std::os::fd::AsFd,
    events: &mut Vec<epoll::Event>,
    readers: &mut [Reader],
    buffer: &mut [u8],
    patience: Timespec,
    clock: &dyn Clock,
) -> io::Result<usize> {
    events.clear();
    rustix::io::retry_on_intr(|| epoll::wait(epoll, spare_capacity(events), Some(&patience)))?;
    let mut ended = 0;
    for event in events.iter() {
        let data = event.data;
        let reader = usize::try_from(data.u64()).ok().and_then(|token| readers.get_mut(token));
        if let Some(reader) = reader.filter(|reader| reader.ended.is_none()) {
            ended += usize::from(reader.read(buffer, clock)?);
        }
    }
    Ok(ended)
}

impl Reader {
    fn open(to: SocketAddr, plan: &AgentPlan, pieces: usize, clock: &dyn Clock) -> io::Result<Self> {
        let mut stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        let sent = clock.now();
        stream.write_all(request(to, plan).as_bytes())?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, sent, pieces: Vec::with_capacity(pieces), tail: [0; 5], ended: None })
    }

    /// Reads once; returns whether the body has ended with that.
    fn read(&mut self, buffer: &mut [u8], clock: &dyn Clock) -> io::Result<bool> {
        let bytes = match self.stream.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        let at = clock.now();
        self.pieces.push(PieceArrival { at, bytes: bytes as u64 });
        self.tail = tail(self.tail, &buffer[..bytes]);
        self.ended = (self.tail == LAST_CHUNK).then_some(at);
        Ok(self.ended.is_some())
    }
}

/// The last five bytes after `read` has come.
fn tail(before: [u8; 5], read: &[u8]) -> [u8; 5] {
    if let Some(last) = read.last_chunk() {
        return *last;
    }
    let mut tail = before;
    tail.rotate_left(read.len());
    tail[5 - read.len()..].copy_from_slice(read);
    tail
}

/// What the variants send, as hyper writes it.
fn request(to: SocketAddr, plan: &AgentPlan) -> String {
    let Some(asked) = plan.requests.first() else { return String::new() };
    let request = AgentRequest { agent: &plan.name, path: &asked.path, body: &asked.body };
    let headers = request.headers().map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let (path, body) = (request.path, request.body);
    format!("POST {path} HTTP/1.1\r\nhost: {to}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn transcript(started: Instant, job: &Job, readers: Vec<Reader>) -> Transcript {
    let agents: Vec<AgentLog> = job.agents.iter().zip(readers).map(|(plan, reader)| log(plan, reader)).collect();
    Transcript {
        started,
        ended: agents.iter().map(|agent| agent.ended).max().unwrap_or(started),
        agents,
        introspection: Introspection { executor: "epoll, 1 thread".to_owned(), ..Introspection::default() },
    }
}

fn log(plan: &AgentPlan, reader: Reader) -> AgentLog {
    let ended = reader.ended.unwrap_or(reader.sent);
    let (started, pieces) = (reader.sent, reader.pieces);
    let exchange =
        plan.requests.first().map(|request| ExchangeLog { pieces, ended, ..ExchangeLog::begin(0, request, started) });
    AgentLog {
        agent: plan.name.clone(),
        started,
        ended,
        exchanges: exchange.into_iter().collect(),
        polled_on: [].into(),
        woken_by: [].into(),
        task: 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cost::recording;

    proptest! {
        #[test]
        fn the_tail_is_the_last_five_bytes_however_they_came(
            reads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..9), 1..9),
        ) {
            let whole: Vec<u8> = [0; 5].into_iter().chain(reads.iter().flatten().copied()).collect();
            let last = reads.iter().fold([0; 5], |before, read| tail(before, read));
            prop_assert_eq!(&last[..], &whole[whole.len() - 5..]);
        }
    }

    #[test]
    fn a_request_is_one_that_the_server_can_match() {
        let to = "127.0.0.1:80".parse().unwrap();
        let text = request(to, &recording::agents(1)[0]);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("POST /api/generate HTTP/1.1\r\nhost: 127.0.0.1:80\r\nx-mock-caller: a0000\r\n"),
            "{head}"
        );
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
    }
}
