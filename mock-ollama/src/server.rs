//! `MockOllama`: a server in this process, on a thread of its own, or several.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::backend;
use crate::catalog::{Catalog, Matching};
use crate::driver::{Monotonic, NoObserver, Observer, Part, Service, Threads, TimeSource, bind, host_names};
use crate::engine::{Config, CreatedAt, Engine, Limits, Release};
use crate::http::{GateConfig, Origins};
use crate::journal::{Journal, Keep, ServerId, StreamId};
use crate::manage::DEFAULT_SPEED;
use crate::models::KeepAlive;
use crate::recording::{ReadError, Recording, read_file};
use crate::schedule::Pace;
use crate::script::{self, ScriptError, Scripted};
use crate::seed::Seed;

/// This machine alone, on a free port.
const ANYWHERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// The most servers that share a machine; each is a descriptor and a port.
pub const MAX_SERVERS: usize = 256;

/// The most threads of a server.
pub const MAX_THREADS: usize = 256;

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
    threads: Threads,
    allow_misses: bool,
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
    /// More servers than [`MAX_SERVERS`].
    #[error("{0} servers are more than the limit of {MAX_SERVERS}")]
    TooManyServers(usize),
    /// More threads than [`MAX_THREADS`].
    #[error("{0} threads are more than the limit of {MAX_THREADS}")]
    TooManyThreads(usize),
    /// One thing cannot be in the hands of several threads.
    #[error("a time source or an observer of one's own is for one thread, not for {0}")]
    OneThread(NonZeroUsize),
    /// The address could not be bound.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused a thread or a descriptor.
    #[error("cannot start the server's threads")]
    Thread(#[source] io::Error),
}

/// Why a server's end was not a success.
#[derive(Debug, Error)]
pub enum FinishError {
    /// Requests that no recording answered, which [`Builder::allow_misses`] would have let pass.
    #[error("{count} of {requests} requests matched no recording; the first: {first}")]
    Missed {
        /// How many.
        count: usize,
        /// Of how many.
        requests: usize,
        /// Why the first one did not match.
        first: String,
        /// Everything that happened.
        journal: Box<Journal>,
    },
    /// An event loop failed.
    #[error("the server's event loop failed")]
    Loop(#[source] io::Error),
    /// An event loop panicked, which is a bug in this crate.
    #[error("the server's event loop panicked")]
    Panicked,
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
    scripts: Vec<Scripted>,
    says: Vec<(String, Vec<String>)>,
    matching: Matching,
    pace: Pace,
    created_at: CreatedAt,
    origins: Origins,
    transfer_speed: Option<u64>,
    backend: backend::Settings,
    keep_alive: Option<KeepAlive>,
    seed: Seed,
    listen: Vec<SocketAddr>,
    allow_misses: bool,
    limits: Limits,
    keep: Keep,
    service: Service,
    threads: Option<NonZeroUsize>,
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
    pub fn says(mut self, model: &str, pieces: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.says.push((model.to_owned(), pieces.into_iter().map(Into::into).collect()));
        self
    }

    /// Offers these scripted models.
    #[must_use]
    pub fn scripts(mut self, scripts: impl IntoIterator<Item = Scripted>) -> Self {
        self.scripts.extend(scripts);
        self
    }

    /// Which recording answers a request; exact by default.
    #[must_use]
    pub fn matching(mut self, matching: Matching) -> Self {
        self.matching = matching;
        self
    }

    /// How recorded time maps to replay time; as recorded by default.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Which time the objects of a replayed recording carry; that of the recording by default.
    #[must_use]
    pub fn created_at(mut self, created_at: CreatedAt) -> Self {
        self.created_at = created_at;
        self
    }

    /// Lets browsers in from these origins beside the usual ones (`OLLAMA_ORIGINS`).
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// How fast pulls and pushes go, in bytes per second; 200 MB/s by default.
    #[must_use]
    pub fn transfer_speed(mut self, bytes_per_second: u64) -> Self {
        self.transfer_speed = Some(bytes_per_second);
        self
    }

    /// The machine behind the server; by default nobody waits for anybody.
    #[must_use]
    pub fn backend(mut self, backend: backend::Settings) -> Self {
        self.backend = backend;
        self
    }

    /// How long a model stays loaded until a request says otherwise; 5 minutes by default.
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.keep_alive = Some(keep_alive);
        self
    }

    /// The seed of every random choice; 0 by default.
    #[must_use]
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// Where to listen; 127.0.0.1 and a free port when it is never said. Said again, it adds another server of the same
    /// machine: with slots, a queue of loads and loaded models of its own, on the device and the models of all.
    #[must_use]
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.listen.push(addr);
        self
    }

    /// The same for so many servers, each on a free port of 127.0.0.1.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let machine = mock_ollama::MockOllama::builder().says("m", ["Hi"]).servers(2).start()?;
    /// let [one, other] = &machine.urls()[..] else { panic!("there are two") };
    /// assert_ne!(one, other);
    /// assert_eq!(*one, machine.url());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn servers(mut self, servers: usize) -> Self {
        self.listen.extend(std::iter::repeat_n(ANYWHERE, servers));
        self
    }

    /// Lets [`MockOllama::finish`] succeed although requests matched no recording.
    #[must_use]
    pub fn allow_misses(mut self) -> Self {
        self.allow_misses = true;
        self
    }

    /// How much of a client the server bears; by default as much as Ollama does.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
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
        self.keep.requests = requests;
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
        self.keep.bytes = bytes;
        self
    }

    /// How the sockets are served: a segment for every chunk, spinning, connections at once.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = service;
        self
    }

    /// How many threads serve, each with an event loop and connections of its own; one by default, [`MAX_THREADS`] at most.
    ///
    /// Clients see one server: its port, models, slots, loads, device and agents are common to all threads. Which of them
    /// has a connection is up to the system, so that connections are no longer numbered in the order of accepts.
    #[must_use]
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Takes instants from `time` instead of the machine's monotonic clock.
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
            scripts.extend(if path.is_dir() { script::read_folder(path)? } else { script::read_file(path)? });
        }
        for (model, pieces) in self.says {
            scripts.push(Scripted::says(&model, pieces)?);
        }
        let threads = self.threads.unwrap_or(NonZeroUsize::MIN);
        if threads.get() > MAX_THREADS {
            return Err(StartError::TooManyThreads(threads.get()));
        }
        if threads > NonZeroUsize::MIN && (self.time.is_some() || self.observer.is_some()) {
            return Err(StartError::OneThread(threads));
        }
        let time = self.time.unwrap_or_else(|| Box::new(Monotonic));
        let (addrs, listeners) = bind_all(self.listen, threads)?;
        let open = addrs.iter().zip(0..).filter(|(addr, _)| !addr.ip().is_loopback());
        let open = open.map(|(_, server)| ServerId(server)).collect();
        let gate = GateConfig { open, origins: self.origins, host_names: host_names() };
        let config = Config {
            catalog: Arc::new(Catalog::with_scripts(recordings, scripts)),
            matching: self.matching,
            pace: self.pace,
            created_at: self.created_at,
            seed: self.seed,
            backend: self.backend,
            keep_alive: self.keep_alive.unwrap_or(KeepAlive::DEFAULT),
            gate,
            transfer_speed: self.transfer_speed.unwrap_or(DEFAULT_SPEED),
            wall: time.wall(),
            limits: self.limits,
            keep: self.keep,
            ..Config::default()
        };
        // One of each that was handed in goes with one thread, which is then the only one.
        let (mut time, mut observer) = (Some(time), self.observer);
        let parts = Engine::shards(&config, threads).into_iter().zip(listeners).map(|(engine, listeners)| Part {
            listeners,
            engine,
            time: time.take().unwrap_or_else(|| Box::new(Monotonic)),
            observer: observer.take().unwrap_or_else(|| Box::new(NoObserver)),
        });
        let threads = Threads::start(parts.collect(), self.service, self.keep).map_err(StartError::Thread)?;
        Ok(MockOllama { addrs, threads, allow_misses: self.allow_misses })
    }
}

impl MockOllama {
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

    /// Under a stepped pace: lets `chunks` more chunks of each open stream leave.
    pub fn release(&self, chunks: u64) {
        self.threads.release(&Release::All, chunks);
    }

    /// Under a stepped pace: lets `chunks` more chunks of `stream` leave.
    pub fn release_on(&self, stream: &StreamId, chunks: u64) {
        self.threads.release(&Release::Stream(stream.clone()), chunks);
    }

    /// Waits until exactly `streams` streams are in progress; says whether they are within `timeout`.
    pub fn wait_in_flight(&self, streams: usize, timeout: Duration) -> bool {
        self.threads.wait_in_flight(streams, timeout)
    }

    /// Waits until `requests` requests have come in; says whether they have within `timeout`.
    pub fn wait_requests(&self, requests: usize, timeout: Duration) -> bool {
        self.threads.wait_requests(requests, timeout)
    }

    /// What happened so far; empty when the event loop has failed.
    pub fn journal(&self) -> Journal {
        self.threads.journal()
    }

    /// Stops the server and hands out its journal.
    ///
    /// It fails when a request matched no recording, unless misses are allowed: a client that swallows the
    /// 404 must not turn a wrong request into a passing test.
    pub fn finish(mut self) -> Result<Journal, FinishError> {
        let journal = self.threads.stop().ok_or(FinishError::Panicked)?.map_err(FinishError::Loop)?;
        let count = journal.missed();
        if count == 0 || self.allow_misses {
            return Ok(journal);
        }
        let first = journal.misses().find_map(|entry| match &entry.answer {
            crate::journal::Answer::Missed { why } => Some(why.clone()),
            _ => None,
        });
        let requests = journal.requests();
        let first = first.unwrap_or_default();
        Err(FinishError::Missed { count, requests, first, journal: Box::new(journal) })
    }
}

impl Drop for MockOllama {
    fn drop(&mut self) {
        drop(self.threads.stop());
    }
}

fn url(addr: SocketAddr) -> String {
    format!("http://{addr}")
}

/// Binds each address, or any where there is none; where each server listens, and for each thread the listeners of all.
fn bind_all(
    mut wanted: Vec<SocketAddr>,
    threads: NonZeroUsize,
) -> Result<(Vec<SocketAddr>, Vec<Vec<TcpListener>>), StartError> {
    if wanted.is_empty() {
        wanted.push(ANYWHERE);
    }
    if wanted.len() > MAX_SERVERS {
        return Err(StartError::TooManyServers(wanted.len()));
    }
    let mut addrs = Vec::new();
    let mut of_threads: Vec<Vec<TcpListener>> = (0..threads.get()).map(|_| Vec::new()).collect();
    for addr in wanted {
        let failed = |source| StartError::Bind { addr, source };
        let listeners = bind(addr, threads).map_err(failed)?;
        addrs.push(listeners[0].local_addr().map_err(failed)?);
        for (of_thread, listener) in of_threads.iter_mut().zip(listeners) {
            of_thread.push(listener);
        }
    }
    Ok((addrs, of_threads))
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
