//! `MockOllama`: a server in this process, on its own thread.
//!
//! | file | what |
//! | --- | --- |
//! | `stating` | rules that a test states on a running server |
//! | `waits` | waits for what a server reaches, and releases |
//! | `report` | what a test that fails prints |

mod report;
mod stating;
mod waits;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::backend;
use crate::catalog::{Catalog, Matching};
use crate::driver::{
    EventLoop, LoopHandle, Monotonic, NoObserver, Observer, SocketOptions, TimeSource, bind, host_names,
};
use crate::engine::{Config, CreatedAt, Engine, Limits};
use crate::http::Origins;
use crate::journal::{Journal, ServerId};
use crate::models::KeepAlive;
use crate::recording::{ReadError, Recording, read_file};
use crate::rules::{IntoPieces, Per};
use crate::schedule::Pace;
use crate::script::{self, Script, ScriptError};
use crate::seed::Seed;

use self::report::Report;
pub use self::stating::{RuleDraft, ScopedRule, StatedRule};

/// This host alone, on a free port.
const ANYWHERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// The most servers that share a backend; each needs a descriptor and a port.
pub const MAX_SERVERS: usize = 256;

/// A running mock server. Dropping it closes every socket and joins its thread.
///
/// ```
/// use mock_ollama::{MockOllama, schedule::Pace};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = MockOllama::builder().builtin("tiny-emoji").pace(Pace::recorded().faster(20.0)).start()?;
/// // … point a client at server.url() …
/// let journal = server.finish()?;
/// assert_eq!(journal.entries.len(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MockOllama {
    /// One at least.
    addrs: Vec<SocketAddr>,
    event_loop: LoopHandle,
    is_lenient: bool,
}

/// Why a server did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A recording could not be read.
    #[error(transparent)]
    Recording(#[from] ReadError),
    /// A script could not be read.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// There is no such recording in the built-in catalog.
    #[error("no built-in recording \"{name}\"; there are: {known}")]
    UnknownBuiltin {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Two scripts, or two calls of [`Builder::says`], state the same model.
    #[error("model {0} is stated twice; keep one, or answer in turn with replies()")]
    ModelTwice(String),
    /// More servers than [`MAX_SERVERS`].
    #[error("{0} servers are more than the limit of {MAX_SERVERS}")]
    TooManyServers(usize),
    /// The address could not be bound.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused a thread or a descriptor.
    #[error("cannot start the server's thread")]
    Thread(#[source] io::Error),
}

/// Why a server's end was not a success. `Debug` prints what `Display` does, so that `?` and `unwrap` show the report.
#[derive(Error)]
#[non_exhaustive]
pub enum FinishError {
    /// Something happened that nobody stated, or an expectation was not met.
    #[error("{}", Report(.0))]
    Unverified(Box<Journal>),
    /// An event loop failed.
    #[error("the server's event loop failed")]
    Loop(#[source] io::Error),
    /// An event loop panicked, which is a bug in this crate.
    #[error("the server's event loop panicked")]
    Panicked,
}

impl fmt::Debug for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a server is set to before it starts.
///
/// By default it serves nothing, matches exactly, and replays at the recorded pace.
#[derive(Default)]
pub struct Builder {
    files: Vec<PathBuf>,
    builtins: Vec<String>,
    recordings: Vec<Recording>,
    script_files: Vec<PathBuf>,
    scripts: Vec<Script>,
    says: Vec<(String, Vec<String>)>,
    config: Config,
    listen: Vec<SocketAddr>,
    is_lenient: bool,
    sockets: SocketOptions,
    time: Option<Box<dyn TimeSource>>,
    observer: Option<Box<dyn Observer>>,
}

impl Builder {
    /// Offers the recording in this file.
    #[must_use]
    pub fn recording(mut self, path: impl AsRef<Path>) -> Self {
        self.files.push(path.as_ref().to_owned());
        self
    }

    /// Offers a recording of the catalog that is built into the crate.
    #[must_use]
    pub fn builtin(mut self, name: &str) -> Self {
        self.builtins.push(name.to_owned());
        self
    }

    /// Offers these recordings.
    #[must_use]
    pub fn recordings(mut self, recordings: impl IntoIterator<Item = Recording>) -> Self {
        self.recordings.extend(recordings);
        self
    }

    /// Offers the scripted models of this file, or of every `.toml` file of this folder.
    #[must_use]
    pub fn script(mut self, path: impl AsRef<Path>) -> Self {
        self.script_files.push(path.as_ref().to_owned());
        self
    }

    /// Offers a model that answers everything with these pieces, 20 ms apart after 100 ms.
    #[must_use]
    pub fn says(mut self, model: impl Into<String>, pieces: impl IntoPieces) -> Self {
        self.says.push((model.into(), pieces.into_pieces()));
        self
    }

    /// Offers these scripts.
    #[must_use]
    pub fn scripts(mut self, scripts: impl IntoIterator<Item = Script>) -> Self {
        self.scripts.extend(scripts);
        self
    }

    /// Which recording answers a request; exact by default.
    #[must_use]
    pub fn matching(mut self, matching: Matching) -> Self {
        self.config.matching = matching;
        self
    }

    /// How recorded time maps to replay time; as recorded by default.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.config.pace = pace;
        self
    }

    /// Which time the objects of a replayed recording carry; that of the recording by default.
    #[must_use]
    pub fn created_at(mut self, created_at: CreatedAt) -> Self {
        self.config.created_at = created_at;
        self
    }

    /// Lets browsers in from these origins beside the usual ones (`OLLAMA_ORIGINS`).
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.config.gate.origins = origins;
        self
    }

    /// How fast pulls and pushes go, in bytes per second; 200 MB/s by default.
    #[must_use]
    pub fn transfer_speed(mut self, bytes_per_second: u64) -> Self {
        self.config.transfer_speed = bytes_per_second;
        self
    }

    /// Sets the backend; by default no request waits for another.
    #[must_use]
    pub fn backend(mut self, backend: backend::Settings) -> Self {
        self.config.backend = backend;
        self
    }

    /// How long a model stays loaded until a request says otherwise; 5 minutes by default.
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.config.keep_alive = keep_alive;
        self
    }

    /// The seed of every random choice; 0 by default.
    #[must_use]
    pub fn seed(mut self, seed: Seed) -> Self {
        self.config.seed = seed;
        self
    }

    /// Adds a server that listens here; without any, one listens on 127.0.0.1 and a free port. Each server has its own slots,
    /// queue of loads and loaded models; all share the device and the list of models.
    #[must_use]
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.listen.push(addr);
        self
    }

    /// Adds this number of servers, each on a free port of 127.0.0.1.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mock = mock_ollama::MockOllama::builder().says("m", ["Hi"]).servers(2).start()?;
    /// let [one, other] = &mock.urls()[..] else { panic!("there are two") };
    /// assert_ne!(one, other);
    /// assert_eq!(*one, mock.url());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn servers(mut self, servers: usize) -> Self {
        self.listen.extend(std::iter::repeat_n(ANYWHERE, servers));
        self
    }

    /// Lets [`MockOllama::finish`] succeed, and drop pass, whatever happened.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.is_lenient = true;
        self
    }

    /// Has every model name there, with all capabilities.
    #[must_use]
    pub fn any_model(mut self) -> Self {
        self.config.any_model = true;
        self
    }

    /// Makes requests for the server's state (`/`, `/api/tags`, `/api/show`, …) unexpected where no rule states them.
    ///
    /// ```
    /// use mock_ollama::{MockOllama, as_ollama, request};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = MockOllama::builder().strict_routes().start()?;
    /// server.on(request("GET", "/api/tags")).reply(as_ollama()).expect(..=1);
    /// # server.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn strict_routes(mut self) -> Self {
        self.config.strict_routes = true;
        self
    }

    /// Whose requests are counted together, in rules that do not say and in recordings of one request; all of the server
    /// by default.
    #[must_use]
    pub fn count_per(mut self, per: Per) -> Self {
        self.config.per = per;
        self
    }

    /// How much of a client the server bears; by default as much as Ollama does.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// How many of the last requests the journal keeps at least, at most twice as many; all by default. Older ones are
    /// counted and forgotten.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::{io::{Read as _, Write as _}, net::TcpStream, num::NonZeroUsize};
    /// let server = mock_ollama::MockOllama::builder().journal_requests(NonZeroUsize::MIN).start()?;
    /// for _ in 0..3 {
    ///     let mut client = TcpStream::connect(server.addr())?;
    ///     client.write_all(b"GET /api/version HTTP/1.0\r\n\r\n")?;
    ///     client.read_to_end(&mut Vec::new())?;
    /// }
    /// let journal = server.finish()?;
    /// assert_eq!((journal.requests(), journal.entries.len()), (3, 2));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn journal_requests(mut self, requests: NonZeroUsize) -> Self {
        self.config.keep.requests = requests;
        self
    }

    /// How many bytes the journal has at most, written as indented JSON; [`DEFAULT_JOURNAL_BYTES`] by default. When there
    /// would be more, the older half of them is counted and forgotten.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::{io::{Read as _, Write as _}, net::TcpStream, num::NonZeroUsize};
    /// let bytes = NonZeroUsize::new(20_000).unwrap();
    /// let server = mock_ollama::MockOllama::builder().journal_bytes(bytes).start()?;
    /// for _ in 0..3 {
    ///     let mut client = TcpStream::connect(server.addr())?;
    ///     write!(client, "POST /api/show HTTP/1.0\r\nContent-Length: 9000\r\n\r\n{:9000}", "")?;
    ///     client.read_to_end(&mut Vec::new())?;
    /// }
    /// let journal = server.finish()?;
    /// assert_eq!((journal.requests(), journal.entries.len()), (3, 1));
    /// assert!(serde_json::to_string_pretty(&journal)?.len() <= bytes.get());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`DEFAULT_JOURNAL_BYTES`]: crate::journal::DEFAULT_JOURNAL_BYTES
    #[must_use]
    pub fn journal_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.config.keep.bytes = bytes;
        self
    }

    /// Sets how the sockets are served: a segment for every chunk, spinning, connections at once.
    #[must_use]
    pub fn sockets(mut self, options: SocketOptions) -> Self {
        self.sockets = options;
        self
    }

    /// Takes instants from `time` instead of the host's monotonic clock.
    #[must_use]
    pub fn time_source(mut self, time: impl TimeSource) -> Self {
        self.time = Some(Box::new(time));
        self
    }

    /// Tells `observer` of every read, write and close.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Binds every address and starts the server; when this returns, clients can connect.
    pub fn start(self) -> Result<MockOllama, StartError> {
        let mut recordings = self.recordings;
        for name in &self.builtins {
            recordings.push(builtin(name)?);
        }
        for path in &self.files {
            recordings.push(read_file(path)?);
        }
        let mut scripts = self.scripts;
        for path in &self.script_files {
            scripts.push(if path.is_dir() { script::read_folder(path)? } else { script::read_file(path)? });
        }
        for (model, pieces) in self.says {
            scripts.push(Script::says(&model, pieces)?);
        }
        let mut names = std::collections::BTreeSet::new();
        for model in scripts.iter().flat_map(|script| &script.models) {
            if !names.insert(&model.card.name) {
                return Err(StartError::ModelTwice(model.card.name.to_string()));
            }
        }
        let time = self.time.unwrap_or_else(|| Box::new(Monotonic));
        let (addrs, listeners) = bind_all(self.listen)?;
        let open = addrs.iter().zip(0..).filter(|(addr, _)| !addr.ip().is_loopback());
        let mut config = self.config;
        config.gate.open = open.map(|(_, server)| ServerId(server)).collect();
        config.gate.host_names = host_names();
        config.catalog = Arc::new(Catalog::with_scripts(recordings, scripts));
        config.wall = time.wall();
        let observer = self.observer.unwrap_or_else(|| Box::new(NoObserver));
        let event_loop = EventLoop::new(listeners, Engine::new(config), (time, observer), self.sockets);
        let event_loop = event_loop.and_then(LoopHandle::start).map_err(StartError::Thread)?;
        Ok(MockOllama { addrs, event_loop, is_lenient: self.is_lenient })
    }
}

impl MockOllama {
    /// Starts a server for rules: on a free port of 127.0.0.1, with every model name, at a pace at which only stated times
    /// take time. It answers what [`on`](Self::on) states, and all else is unexpected.
    ///
    /// ```
    /// use mock_ollama::{MockOllama, chat, says};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = MockOllama::start()?;
    /// server.on(chat()).reply(says(["Hello", " world"]));
    /// // … point a client at server.url() …
    /// server.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The system refuses a port or a thread.
    pub fn start() -> Result<Self, StartError> {
        Self::builder().any_model().pace(Pace::stated()).start()
    }

    /// A server that serves nothing yet.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens; of several servers the first.
    pub fn addr(&self) -> SocketAddr {
        self.addrs[0]
    }

    /// Where each of its servers listens, in the order of their [`ServerId`]s.
    pub fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// Its base URL, without a slash at the end; of several servers that of the first.
    pub fn url(&self) -> String {
        url(self.addr())
    }

    /// The base URL of each of its servers.
    pub fn urls(&self) -> Vec<String> {
        self.addrs.iter().copied().map(url).collect()
    }

    /// What happened so far; empty when the event loop has failed.
    pub fn journal(&self) -> Journal {
        self.event_loop.journal()
    }

    /// Returns whether all that happened so far was stated, and every expectation is met.
    ///
    /// ```
    /// use mock_ollama::{MockOllama, chat, says};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = MockOllama::start()?;
    /// server.on(chat()).reply(says("Hello")).expect(1);
    /// assert!(server.verify().is_err());
    /// # server.reset();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Something happened that nobody stated, or an expectation is not met. The error prints the report.
    pub fn verify(&self) -> Result<(), FinishError> {
        verified(self.journal(), self.is_lenient).map(drop)
    }

    /// Stops the server and hands out its journal.
    ///
    /// # Errors
    /// Something happened that nobody stated, or an expectation is not met; the error prints the report.
    /// [`Builder::lenient`] lets that pass.
    pub fn finish(mut self) -> Result<Journal, FinishError> {
        let journal = self.event_loop.stop().ok_or(FinishError::Panicked)?.map_err(FinishError::Loop)?;
        verified(journal, self.is_lenient)
    }
}

impl Drop for MockOllama {
    /// Stops the server. Panics with the report where [`finish`](Self::finish) would have failed, unless the thread is
    /// panicking already: a test that forgets to finish must not pass.
    fn drop(&mut self) {
        let Some(Ok(journal)) = self.event_loop.stop() else { return };
        if let Err(error) = verified(journal, self.is_lenient || std::thread::panicking()) {
            panic!("{error}");
        }
    }
}

fn verified(journal: Journal, is_lenient: bool) -> Result<Journal, FinishError> {
    if is_lenient || journal.unexpected_count() == 0 && journal.rules.iter().all(|rule| rule.unmet.is_none()) {
        return Ok(journal);
    }
    Err(FinishError::Unverified(Box::new(journal)))
}

fn url(addr: SocketAddr) -> String {
    format!("http://{addr}")
}

/// Binds each address, or any where there is none; returns where each server listens, and its listener.
fn bind_all(mut wanted: Vec<SocketAddr>) -> Result<(Vec<SocketAddr>, Vec<TcpListener>), StartError> {
    if wanted.is_empty() {
        wanted.push(ANYWHERE);
    }
    if wanted.len() > MAX_SERVERS {
        return Err(StartError::TooManyServers(wanted.len()));
    }
    let bound = wanted.into_iter().map(|addr| {
        let listener = bind(addr);
        let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
        bound.map_err(|source| StartError::Bind { addr, source })
    });
    Ok(bound.collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
}

/// A recording of the catalog that is built into the crate.
fn builtin(name: &str) -> Result<Recording, StartError> {
    use crate::catalog::builtin;
    builtin::recording(name)
        .ok_or_else(|| StartError::UnknownBuiltin {
            name: name.to_owned(),
            known: builtin::names().collect::<Vec<_>>().join(", "),
        })?
        .map_err(StartError::Recording)
}
