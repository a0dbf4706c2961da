//! A server as a child process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// How long a server may take until it answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What is asked for.
pub(crate) const REQUEST: &str = r#"{"model":"lab:latest","prompt":"hi","stream":true}"#;

/// A running server, which ends with this value.
pub(crate) struct ServerProcess {
    process: Child,
    addr: SocketAddr,
}

impl ServerProcess {
    /// Starts a server and waits for the line in which it prints where it listens.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start a server")?;
        let stdout = process.stdout.take();
        // From here on the process ends with the value.
        let mut server = Self { process, addr: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut line = String::new();
        BufReader::new(stdout.context("no output")?).read_line(&mut line).context("cannot read the server's output")?;
        let addr = line.trim_end().strip_prefix("listening on http://").and_then(|addr| addr.parse().ok());
        server.addr = addr.with_context(|| format!("the server does not listen; it printed {line:?}"))?;
        Ok(server)
    }

    /// Starts a server that listens on `addr` and does not print so: it is asked until it answers.
    pub(crate) fn start_silent(addr: SocketAddr, command: &mut Command) -> Result<Self> {
        let begun = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Self { process: command.spawn().context("cannot start a server")?, addr };
        while first_byte(addr).is_err() {
            if let Some(status) = server.process.try_wait()? {
                bail!("the server ended with {status}");
            }
            ensure!(begun.elapsed() <= ANSWER_TIMEOUT, "the server does not answer");
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
        Ok(lab_stats::proc::status_kib(&self.pid().to_string(), "VmRSS")?)
    }

    /// Stops it as Ctrl-C does.
    pub(crate) fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status();
        ensure!(asked.context("cannot start `kill`")?.success(), "the server had ended before it was stopped");
        let ended = self.process.wait().context("cannot wait for the server")?;
        ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Both fail where it has ended already, which is what they are for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks once, and waits for the first byte of the answer, whose status must be 200.
pub(crate) fn first_byte(addr: SocketAddr) -> Result<()> {
    let mut client = TcpStream::connect_timeout(&addr, ANSWER_TIMEOUT)?;
    client.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    let length = REQUEST.len();
    let head = format!(
        "POST /api/generate HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    );
    client.write_all(format!("{head}Content-Length: {length}\r\n\r\n{REQUEST}").as_bytes())?;
    let mut start = [0; 12];
    client.read_exact(&mut start)?;
    let status = String::from_utf8_lossy(&start);
    ensure!(status.ends_with(" 200"), "the server answers with {status}");
    Ok(())
}

/// How long a server takes from its start to the first byte of an answer.
pub(crate) fn time_to_first_byte(command: &mut Command) -> Result<(Duration, ServerProcess)> {
    let begun = Instant::now();
    let server = ServerProcess::start(command)?;
    first_byte(server.addr())?;
    Ok((begun.elapsed(), server))
}
