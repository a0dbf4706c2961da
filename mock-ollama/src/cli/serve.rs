//! `mock-ollama serve`: a server until Ctrl-C.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use clap::Args;
use mock_ollama::catalog::{Matching, builtin};
use mock_ollama::conversation::JournalFile;
use mock_ollama::driver::{SocketOptions, raise_descriptor_limit};
use mock_ollama::engine::CreatedAt;
use mock_ollama::files::{Existing, is_same, list_folder, write_whole};
use mock_ollama::http::{BadOrigins, Origins};
use mock_ollama::journal::DEFAULT_JOURNAL_BYTES;
use mock_ollama::manage::DEFAULT_SPEED;
use mock_ollama::models::KeepAlive;
use mock_ollama::recording::{Recording, read_file};
use mock_ollama::schedule::Pace;
use mock_ollama::script::{self, Script};
use mock_ollama::seed::Seed;
use mock_ollama::terminal::{complain, say};
use mock_ollama::{Builder, MockOllama, StartError};

use super::device::DeviceArgs;
use super::error::VerbError;
use super::limits::LimitsArgs;

/// Where Ollama listens.
const DEFAULT_LISTEN: &str = "127.0.0.1:11434";

/// How many requests the journal keeps where it is not written.
const MIN_JOURNAL_REQUESTS: NonZeroUsize = NonZeroUsize::MIN;

/// The port of an address that states none.
const DEFAULT_PORT: u16 = 11434;

/// Serve recordings and scripted models until Ctrl-C.
///
/// Prints `listening on http://ADDR`, a line for each server and nothing else, on standard output once clients can
/// connect.
#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Recordings (*.jsonl), scripts (*.toml), or folders of them [default: the recordings built into this program]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Where to listen; port 0 takes a free one; given again, another server on the same device [default: `OLLAMA_HOST`,
    /// else 127.0.0.1:11434]
    #[arg(long, value_name = "ADDR", value_parser = parse_listen)]
    listen: Vec<SocketAddr>,
    /// recorded, x20, rate=40, gap=20ms or instant; combined with ttft=300ms and jitter=10% by commas
    #[arg(long, value_name = "PACE", default_value = "recorded")]
    pace: Pace,
    /// Which recording answers: exact (model and prompt), loose (model) or any
    #[arg(long = "match", value_name = "RULE", default_value = "loose")]
    matching: Matching,
    /// Which time replayed objects carry: recorded, or live; scripted and rendered answers are always live
    #[arg(long, value_name = "WHICH", default_value = "recorded")]
    created_at: CreatedAt,
    /// How fast pulls and pushes go, in bytes per second
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SPEED, value_parser = clap::value_parser!(u64).range(1..))]
    transfer_speed: u64,
    #[command(flatten)]
    device: DeviceArgs,
    /// Let every chunk leave in its own TCP segment, also where several are due
    #[arg(long)]
    flush: bool,
    /// Wake this many microseconds before a deadline and spin the rest, while few streams are in progress; up to four times as
    /// long where waking takes longer; 0 never spins
    #[arg(long, value_name = "US", default_value_t = 50, value_parser = clap::value_parser!(u64).range(..=10_000))]
    spin_us: u64,
    /// Gone: a server has one thread
    #[arg(long, hide = true)]
    threads: Option<String>,
    /// Write the journal, one JSON document, to this file when the server ends
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// How many of the last requests the journal keeps at least; at most twice as many
    #[arg(long, value_name = "N", default_value = "10000", requires = "journal")]
    journal_requests: NonZeroUsize,
    /// How many bytes the journal has at most; when there would be more, the older half of them is forgotten
    #[arg(long, value_name = "N", default_value_t = DEFAULT_JOURNAL_BYTES, requires = "journal")]
    journal_bytes: NonZeroUsize,
    /// The seed of every random choice
    #[arg(long, value_name = "N", default_value = "0")]
    seed: Seed,
    #[command(flatten)]
    limits: LimitsArgs,
}

/// Runs the verb.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    if args.threads.is_some() {
        return Err(VerbError::Threads.into());
    }
    let mut listen = args.listen.clone();
    if listen.is_empty() {
        listen.push(from_environment(std::env::var("OLLAMA_HOST").ok().as_deref())?);
    }
    let loaded = LoadedPaths::load(&args.paths)?;
    if let Some(journal) =
        args.journal.as_ref().filter(|journal| loaded.files.iter().any(|file| is_same(file, journal)))
    {
        return Err(VerbError::OntoInput(journal.clone()).into());
    }
    let origins = origins()?;
    let keep_alive =
        variable("OLLAMA_KEEP_ALIVE").and_then(|text| KeepAlive::from_env(&text)).unwrap_or(KeepAlive::DEFAULT);
    raise_descriptor_limit();
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        // A second Ctrl-C finds the receiver gone, and the program on its way out.
        let _ = stop.send(());
    })
    .map_err(|error| VerbError::Signal(error.to_string()))?;
    let server = listen
        .into_iter()
        .fold(MockOllama::builder(), Builder::listen)
        .recordings(loaded.recordings)
        .scripts(loaded.scripts)
        .pace(args.pace)
        .matching(args.matching)
        .created_at(args.created_at)
        .origins(origins)
        .transfer_speed(args.transfer_speed)
        .backend(args.device.settings(variable))
        .keep_alive(keep_alive)
        .seed(args.seed)
        .limits(args.limits.limits())
        .journal_requests(if args.journal.is_some() { args.journal_requests } else { MIN_JOURNAL_REQUESTS })
        .journal_bytes(args.journal_bytes)
        .sockets(SocketOptions {
            flush: args.flush,
            spin: Duration::from_micros(args.spin_us),
            connections: args.limits.max_connections.map(NonZeroUsize::get),
        })
        .lenient()
        .start()
        .map_err(VerbError::from)?;
    warn_of_open(server.addrs().iter().copied());
    for url in server.urls() {
        say(&format!("listening on {url}\n")).map_err(VerbError::Stdout)?;
    }
    // The handler, and with it the sender, lives as long as the process.
    let _ = stopped.recv();
    let journal = server.finish().map_err(VerbError::from)?;
    if let Some(path) = &args.journal {
        write_whole(path, Existing::Replace, |file| {
            serde_json::to_writer_pretty(file, &JournalFile::new(&journal)).map_err(io::Error::from)
        })
        .map_err(|source: io::Error| VerbError::Output { path: path.clone(), source: source.into() })?;
    }
    Ok(())
}

/// Warns of each address that other hosts may reach.
pub(super) fn warn_of_open(addrs: impl IntoIterator<Item = SocketAddr>) {
    for addr in addrs.into_iter().filter(|addr| !addr.ip().is_loopback()) {
        complain(format_args!("note: {addr} is open to other hosts, without a password; 127.0.0.1 is not"));
    }
}

/// Returns the origins of `OLLAMA_ORIGINS`.
pub(crate) fn origins() -> Result<Origins, VerbError> {
    let wrong = |error: BadOrigins| VerbError::Environment { name: "OLLAMA_ORIGINS", why: error.to_string() };
    Origins::parse(&variable("OLLAMA_ORIGINS").unwrap_or_default()).map_err(wrong)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What the paths of the command line name, and what the server offers.
#[derive(Default)]
struct LoadedPaths {
    recordings: Vec<Recording>,
    scripts: Vec<Script>,
    /// Where they are from.
    files: Vec<PathBuf>,
}

impl LoadedPaths {
    fn load(paths: &[PathBuf]) -> Result<Self, VerbError> {
        let mut loaded = Self::default();
        if paths.is_empty() {
            let read = builtin::names().filter_map(builtin::recording);
            loaded.recordings = read.collect::<Result<_, _>>().map_err(VerbError::from)?;
        }
        for path in paths {
            if path.is_dir() {
                loaded.add_folder(path)?;
            } else {
                loaded.add_file(path)?;
            }
        }
        Ok(loaded)
    }

    fn add_file(&mut self, path: &Path) -> Result<(), VerbError> {
        self.files.push(path.to_owned());
        if path.extension().is_some_and(|extension| extension == "toml") {
            self.scripts.push(script::read_file(path).map_err(StartError::from)?);
        } else {
            self.recordings.push(read_file(path)?);
        }
        Ok(())
    }

    /// The recordings of a folder, sorted by name, and its scripts, which belong together.
    fn add_folder(&mut self, folder: &Path) -> Result<(), VerbError> {
        let list = |extension| {
            list_folder(folder, &[extension]).map_err(|source| VerbError::Input { path: folder.to_owned(), source })
        };
        let (recordings, scripts) = (list("jsonl")?, list("toml")?);
        if recordings.is_empty() && scripts.is_empty() {
            return Err(VerbError::EmptyFolder(folder.to_owned()));
        }
        for file in &recordings {
            self.recordings.push(read_file(file)?);
        }
        if !scripts.is_empty() {
            self.scripts.push(script::read_folder(folder).map_err(StartError::from)?);
        }
        self.files.extend(recordings.into_iter().chain(scripts));
        Ok(())
    }
}

fn from_environment(host: Option<&str>) -> Result<SocketAddr, VerbError> {
    let host = host.map(|host| host.trim().trim_matches(['"', '\''])).filter(|host| !host.is_empty());
    let wrong = |why| VerbError::Environment { name: "OLLAMA_HOST", why };
    parse_listen(host.unwrap_or(DEFAULT_LISTEN)).map_err(wrong)
}

/// Reads `[scheme://]host[:port][/path]` as Ollama reads `OLLAMA_HOST` (`envconfig/config.go`).
pub(crate) fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let (scheme_port, rest) = match text.split_once("://") {
        None => (DEFAULT_PORT, text),
        Some(("http", rest)) => (80, rest),
        Some(("https", _)) => return Err("https is not served; use http or no scheme".to_owned()),
        Some((scheme, _)) => return Err(format!("unknown scheme {scheme}; use http or no scheme")),
    };
    let host = rest.split('/').next().unwrap_or_default();
    let bare_v6 = host.parse::<std::net::Ipv6Addr>().ok();
    if let Some(ip) = bare_v6 {
        return Ok(SocketAddr::from((ip, scheme_port)));
    }
    let with_port = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => {
            let name = if name.is_empty() { "127.0.0.1" } else { name };
            let port: u16 = port.parse().map_err(|_| format!("{port} is not a port; use 0 to 65535"))?;
            format!("{name}:{port}")
        }
        _ => format!("{host}:{scheme_port}"),
    };
    let found = with_port.to_socket_addrs().map_err(|error| format!("cannot resolve {host}: {error}"))?.next();
    found.ok_or_else(|| format!("{host} has no address"))
}

#[cfg(test)]
mod tests {
    use super::{from_environment, parse_listen};

    #[test]
    fn an_address_is_read_as_ollama_reads_its_host() {
        let read = |text| parse_listen(text).map(|addr| addr.to_string());
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1:11434"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            (":8080", "127.0.0.1:8080"),
            ("http://127.0.0.1", "127.0.0.1:80"),
            ("http://127.0.0.1:9/path", "127.0.0.1:9"),
            ("[::1]:7", "[::1]:7"),
            ("[::1]", "[::1]:11434"),
            ("::1", "[::1]:11434"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        assert!(read("127.0.0.1:x").is_err());
        assert!(read("https://127.0.0.1").is_err());
        assert!(read("ftp://127.0.0.1").is_err());
    }

    #[test]
    fn the_environment_is_trimmed_of_spaces_and_quotes_and_may_be_empty() {
        assert_eq!(from_environment(Some(" '127.0.0.1:5' ")).unwrap().port(), 5);
        assert_eq!(from_environment(Some("")).unwrap().port(), 11434);
        assert_eq!(from_environment(None).unwrap().port(), 11434);
    }
}
