//! The engine run by hand: no socket, no clock, every instant chosen.

mod backend;
mod folding;
mod http;
mod limits;
mod matching;
mod pairs;
mod releases;
mod streams;

use std::time::Duration;

use super::{Action, Config, Engine};
use crate::catalog::Catalog;
use crate::clock::{Instant, WallAnchor};
use crate::journal::{ConnId, ServerId};
use crate::recording::{Chunk, End, Exchange, Method, Origin, Recording, Request, RequestBody, Response};

/// The connection of most tests.
const CONN: ConnId = ConnId(1);

/// 2026-08-01 10:00:00 UTC at the clock's origin.
const WALL: WallAnchor = WallAnchor { at: Instant::ZERO, unix_nanos: 1_785_578_400_000_000_000 };

/// An engine with a hand on its clock.
struct TestEngine {
    engine: Engine,
    now: Instant,
    /// What was written to whom and when.
    written: Vec<(Instant, ConnId, Vec<u8>)>,
    /// Everything else that the driver was told to do.
    told: Vec<(Instant, &'static str)>,
    /// Whether written bytes are reported as taken at once.
    transport_takes: bool,
}

impl TestEngine {
    fn new(recordings: Vec<Recording>, set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { catalog: Catalog::new(recordings).into(), wall: WALL, ..Config::default() };
        // The tests here are not about who may call.
        config.gate.open.insert(ServerId(0));
        set(&mut config);
        let mut engine = Engine::new(config);
        engine.handle_connected(CONN, ServerId(0), Instant::ZERO);
        Self { engine, now: Instant::ZERO, written: Vec::new(), told: Vec::new(), transport_takes: true }
    }

    /// Hands bytes in and carries out what is due now.
    fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.send_on(CONN, bytes)
    }

    fn send_on(&mut self, conn: ConnId, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.engine.handle_input(conn, bytes.as_ref(), self.now);
        self.act()
    }

    fn act(&mut self) -> &mut Self {
        while let Some(step) = self.engine.poll_step(self.now) {
            let Some(action) = step.action else { continue };
            match action {
                Action::Write { conn, bytes } => {
                    self.written.push((self.now, conn, bytes.to_vec()));
                    if self.transport_takes {
                        self.engine.handle_written(conn, bytes.len(), self.now);
                    }
                }
                Action::Shutdown { .. } => self.told.push((self.now, "shutdown")),
                Action::Close { .. } => self.told.push((self.now, "close")),
                Action::Reset { .. } => self.told.push((self.now, "reset")),
                Action::Abandon { .. } => self.told.push((self.now, "abandon")),
            }
        }
        self
    }

    /// Lets time jump from event to event until nothing is left to happen.
    fn run(&mut self) -> &mut Self {
        while let Some(due) = self.engine.poll_due() {
            self.now = self.now.max(due);
            self.act();
        }
        self
    }

    /// Everything that was written to the connection of most tests.
    fn output(&self) -> String {
        let bytes: Vec<u8> = self.writes(CONN).into_iter().flat_map(|(_, bytes)| bytes).collect();
        String::from_utf8(bytes).unwrap()
    }

    fn writes(&self, conn: ConnId) -> Vec<(Instant, Vec<u8>)> {
        let of_conn = self.written.iter().filter(|(_, to, _)| *to == conn);
        of_conn.map(|(at, _, bytes)| (*at, bytes.clone())).collect()
    }
}

fn at_ms(ms: u64) -> Instant {
    Instant::ZERO.saturating_add(Duration::from_millis(ms))
}

/// A generate stream of these texts, a chunk every 10 ms from 100 ms on, with a final object.
fn generate(name: &str, model: &str, prompt: &str, texts: &[&str]) -> Recording {
    let object = |rest: String| format!("{{\"model\":\"{model}\",\"created_at\":\"t\",{rest}}}\n");
    let mut lines: Vec<String> =
        texts.iter().map(|text| object(format!("\"response\":\"{text}\",\"done\":false"))).collect();
    let eval_count = texts.len() + 1;
    lines.push(object(format!("\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"eval_count\":{eval_count}")));
    let body = serde_json::json!({ "model": model, "prompt": prompt });
    recording(name, model, "/api/generate", body, &lines)
}

fn recording(name: &str, model: &str, path: &str, body: serde_json::Value, lines: &[String]) -> Recording {
    let chunks = lines
        .iter()
        .zip(0_u64..)
        .map(|(line, k)| Chunk { at_us: 100_000 + k * 10_000, bytes: line.clone().into() })
        .collect();
    let exchange = Exchange {
        request: Some(Request { method: Method::Post, path: path.to_owned(), body: Some(RequestBody::Json(body)) }),
        sent_us: None,
        response: Response {
            status: 200,
            headers: vec![("Content-Type".to_owned(), "application/x-ndjson".to_owned())],
        },
        chunks,
        end: End::Clean,
    };
    Recording::new(name, Origin::Synthetic, model, vec![exchange])
}

/// A POST with this JSON body and these further fields.
fn post(path: &str, body: &str, fields: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn ask(model: &str, prompt: &str) -> String {
    post("/api/generate", &format!("{{\"model\":\"{model}\",\"prompt\":\"{prompt}\"}}"), "")
}

/// The body of a chunked response, chunk by chunk.
fn chunks_of(response: &str) -> Vec<String> {
    let mut rest = response.split_once("\r\n\r\n").unwrap().1;
    let mut chunks = Vec::new();
    loop {
        let (size, after) = rest.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            assert_eq!(after, "\r\n", "nothing follows the last chunk");
            return chunks;
        }
        chunks.push(after[..size].to_owned());
        rest = after[size..].strip_prefix("\r\n").unwrap();
    }
}
