//! A server in a process of its own.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::{Rods, SERVER_CPU};

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked for.
pub(crate) const REQUEST: &str = r#"{"model":"rod:latest","prompt":"hi","stream":true}"#;

/// A running server, which ends with this value. On Linux it also ends with the thread that started it.
pub(crate) struct Server {
    process: Child,
    addr: SocketAddr,
}

impl Server {
    /// Starts a server on its core, which says where it listens.
    pub(crate) fn start<A: AsRef<OsStr>>(rods: &Rods, command: &[A]) -> Result<Self> {
        let mut process = pinned(rods, command).stdout(Stdio::piped()).spawn().context("cannot start a server")?;
        let stdout = process.stdout.take();
        // From here on the process ends with the value.
        let mut server = Self { process, addr: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut line = String::new();
        BufReader::new(stdout.context("no output")?)
            .read_line(&mut line)
            .context("cannot read what the server says")?;
        let addr = line.trim_end().strip_prefix("listening on http://").and_then(|addr| addr.parse().ok());
        server.addr = addr.with_context(|| format!("the server does not listen; it said {line:?}"))?;
        Ok(server)
    }

    /// Starts a server that listens on `addr` and does not say so: it is asked until it answers.
    pub(crate) fn start_silent(rods: &Rods, addr: SocketAddr, command: &mut Command) -> Result<Self> {
        let begun = Instant::now();
        let arguments: Vec<&OsStr> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
        let mut on_core = pinned(rods, &arguments);
        on_core.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            on_core.current_dir(folder);
        }
        let process = on_core.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot start a server")?;
        let mut server = Self { process, addr };
        while first_byte(addr).is_err() {
            if let Some(status) = server.process.try_wait()? {
                bail!("the server ended with {status}");
            }
            if begun.elapsed() > PATIENCE {
                bail!("the server does not answer");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Memory that is resident now.
    pub(crate) fn rss_kib(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.pid());
        let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kib.with_context(|| format!("{path} does not say how much memory is resident"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where it has ended already, which is what they are for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The command on the server's core, without what the caller's environment says about Ollama.
fn pinned<A: AsRef<OsStr>>(rods: &Rods, command: &[A]) -> Command {
    let mut pinned = Command::new(&rods.rod);
    pinned.args(["on", "--cpu", SERVER_CPU, "--"]).args(command).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OLLAMA_")) {
        pinned.env_remove(name);
    }
    pinned
}

/// Asks once, and waits for the first byte of the answer; says how it is.
pub(crate) fn first_byte(addr: SocketAddr) -> Result<()> {
    let mut client = TcpStream::connect_timeout(&addr, PATIENCE)?;
    client.set_read_timeout(Some(PATIENCE))?;
    let length = REQUEST.len();
    let head = format!(
        "POST /api/generate HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    );
    client.write_all(format!("{head}Content-Length: {length}\r\n\r\n{REQUEST}").as_bytes())?;
    let mut start = [0; 12];
    client.read_exact(&mut start)?;
    let status = String::from_utf8_lossy(&start);
    if !status.ends_with(" 200") {
        bail!("the server answers with {status}");
    }
    Ok(())
}

/// How long the program takes from its start to the first byte of an answer.
pub(crate) fn time_to_first_byte<A: AsRef<OsStr>>(rods: &Rods, command: &[A]) -> Result<(Duration, Server)> {
    let begun = Instant::now();
    let server = Server::start(rods, command)?;
    first_byte(server.addr())?;
    Ok((begun.elapsed(), server))
}
