//! An engine with the scripted models, asked as a client asks.

use std::path::{Path, PathBuf};

use mock_ollama::catalog::Catalog;
use mock_ollama::clock::{Instant, WallAnchor};
use mock_ollama::engine::{Action, Config, Engine};
use mock_ollama::journal::{ConnId, ServerId};
use mock_ollama::script;

/// 2026-08-01 10:00:00 UTC at the clock's origin.
pub(crate) const WALL: WallAnchor = WallAnchor { at: Instant::ZERO, unix_nanos: 1_785_578_400_000_000_000 };

/// An engine with a hand on its clock; each request comes on a connection of its own.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) now: Instant,
    connections: u64,
}

/// A response as a client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) status_line: String,
    /// Without `Date`.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    /// When each write left, and its bytes.
    pub(crate) writes: Vec<(Instant, Vec<u8>)>,
}

/// A response body as it was framed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Chunks { chunks: Vec<Vec<u8>>, clean: bool },
    Plain(Vec<u8>),
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body without its framing.
    pub(crate) fn text(&self) -> String {
        let bytes = match &self.body {
            Body::Chunks { chunks, .. } => chunks.concat(),
            Body::Plain(bytes) => bytes.clone(),
        };
        String::from_utf8(bytes).unwrap()
    }

    /// The chunks of a chunked body, as text.
    pub(crate) fn chunks(&self) -> Vec<String> {
        match &self.body {
            Body::Chunks { chunks, .. } => {
                chunks.iter().map(|chunk| String::from_utf8(chunk.clone()).unwrap()).collect()
            }
            Body::Plain(_) => panic!("not chunked: {self:?}"),
        }
    }

    /// The body as one JSON value.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text()).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The objects of an NDJSON body.
    pub(crate) fn objects(&self) -> Vec<serde_json::Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The values of the `data:` lines of an SSE body, without `[DONE]`.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

/// The folder of scripted models.
pub(crate) fn scripted() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scripted")
}

impl Bench {
    /// The captured server: the scripted models, at the times of their script.
    pub(crate) fn scripted() -> Self {
        Self::with(|_| {})
    }

    /// A model `m` without a parser that gives one answer, written as in a script.
    pub(crate) fn saying(answer: &str) -> Self {
        let model = "[[model]]\nname = 'm'\ncapabilities = ['completion', 'tools', 'thinking']\nprompt_tokens = 7\n";
        let script = script::parse(&format!("{model}[[rule]]\n[rule.reply]\n{answer}\n"), "test").unwrap();
        Self::with(|config| config.catalog = Catalog::with_scripts([], [script]).into())
    }

    /// The captured server with some settings changed.
    pub(crate) fn with(set: impl FnOnce(&mut Config)) -> Self {
        let script = script::read_folder(&scripted()).unwrap();
        let catalog = Catalog::with_scripts([], [script]).into();
        let mut config = Config { catalog, wall: WALL, ..Config::default() };
        set(&mut config);
        Self { engine: Engine::new(config), now: Instant::ZERO, connections: 0 }
    }

    /// Opens a connection and sends bytes on it.
    pub(crate) fn open(&mut self, bytes: impl AsRef<[u8]>) -> ConnId {
        self.open_to(ServerId(0), bytes)
    }

    /// The same to one of several servers.
    pub(crate) fn open_to(&mut self, server: ServerId, bytes: impl AsRef<[u8]>) -> ConnId {
        self.connections += 1;
        let conn = ConnId(self.connections);
        self.engine.handle_connected(conn, server, self.now);
        self.engine.handle_input(conn, bytes.as_ref(), self.now);
        conn
    }

    /// Carries out everything up to the end of time, or while `go_on` holds; returns what was written to `conn`.
    pub(crate) fn run(&mut self, conn: ConnId) -> Vec<(Instant, Vec<u8>)> {
        self.run_while(conn, |_| true)
    }

    pub(crate) fn run_while(
        &mut self,
        conn: ConnId,
        go_on: impl Fn(&[(Instant, Vec<u8>)]) -> bool,
    ) -> Vec<(Instant, Vec<u8>)> {
        let mut written = Vec::new();
        while go_on(&written) {
            let Some(due) = self.engine.poll_due() else { break };
            self.now = self.now.max(due);
            match self.engine.poll_step(self.now).and_then(|step| step.action) {
                Some(Action::Write { conn: to, bytes }) => {
                    self.engine.handle_written(to, bytes.len(), self.now);
                    if to == conn {
                        written.push((self.now, bytes.to_vec()));
                    }
                }
                Some(Action::Close { conn } | Action::Reset { conn } | Action::Abandon { conn }) => {
                    self.engine.handle_closed(conn, self.now);
                }
                Some(Action::Shutdown { .. }) | None => {}
            }
        }
        written
    }

    /// Sends one request as it stands and reads its answer.
    pub(crate) fn raw(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        let conn = self.open(bytes);
        let writes = self.run(conn);
        parse(writes)
    }

    /// Sends one request with the usual header fields.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, "", body)
    }

    /// The same with further header fields, each ended by CRLF.
    pub(crate) fn ask_with(&mut self, method: &str, path: &str, fields: &str, body: &str) -> Answer {
        let host = if fields.contains("Host:") { "" } else { "Host: 127.0.0.1:11434\r\n" };
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        self.raw(format!("{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{fields}{length}\r\n{body}"))
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    pub(crate) fn post(&mut self, path: &str, body: &serde_json::Value) -> Answer {
        self.ask("POST", path, &body.to_string())
    }
}

/// Reads a response of a connection that was closed after it.
pub(crate) fn parse(writes: Vec<(Instant, Vec<u8>)>) -> Answer {
    let bytes: Vec<u8> = writes.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap_or((line.trim_end_matches(':'), "")))
        .filter(|(name, _)| *name != "Date")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let rest = &bytes[end + 4..];
    let chunked = headers.iter().any(|(name, _)| name == "Transfer-Encoding");
    let body = if chunked { unchunk(rest) } else { Body::Plain(rest.to_vec()) };
    let status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, status_line, headers, body, writes }
}

fn unchunk(mut rest: &[u8]) -> Body {
    let mut chunks = Vec::new();
    loop {
        let Some(line) = rest.windows(2).position(|window| window == b"\r\n") else {
            return Body::Chunks { chunks, clean: false };
        };
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return Body::Chunks { chunks, clean: &rest[line..] == b"\r\n\r\n" };
        }
        chunks.push(rest[line + 2..line + 2 + size].to_vec());
        rest = &rest[line + 2 + size + 2..];
    }
}
