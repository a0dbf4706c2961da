//! `cargo xtask startup`: how long the built server takes from its start to the first byte of an answer, and how large it is.
//!
//! The catalog is the built-in one, the pace instant. A machine that is busy makes single starts slow, never fast: the
//! smallest of many is what the program needs. Three verdicts: the smallest is over the limit (fail), the median is
//! within it (pass), or only the smallest is (inconclusive, which is said and is no failure).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::cargo;

/// From the start of the process to the first byte of an answer.
const MOST: Duration = Duration::from_millis(25);

/// The stripped program.
const MOST_BYTES: u64 = 10 * 1024 * 1024;

const STARTS: usize = 21;

/// Builds the server as it is released, and measures.
pub(crate) fn run() -> anyhow::Result<()> {
    cargo::run(&["build", "--release", "--bin", "mock-ollama", "--locked"])?;
    let program = cargo::root().join("target/release/mock-ollama");
    match stripped_size(&program)? {
        Some(bytes) => {
            println!("stripped: {bytes} bytes, at most {MOST_BYTES}");
            ensure!(bytes <= MOST_BYTES, "the program is larger than {MOST_BYTES} bytes");
        }
        None => println!("inconclusive: there is no `strip`; {} bytes with symbols", program.metadata()?.len()),
    }
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        times.push(start(&program)?);
    }
    times.sort_unstable();
    let (least, median) = (times[0], times[STARTS / 2]);
    println!("start to first byte over {STARTS} starts: least {least:?}, median {median:?}, at most {MOST:?}");
    match verdict(least, median) {
        Verdict::Pass => {}
        Verdict::Inconclusive => println!("inconclusive: the machine was too busy for the median"),
        Verdict::Fail => bail!("the server takes longer than {MOST:?} to its first byte"),
    }
    Ok(())
}

/// The size of a program without its symbols, in bytes; `None` where there is no `strip`.
fn stripped_size(program: &Path) -> anyhow::Result<Option<u64>> {
    let stripped = cargo::root().join("target/mock-ollama-stripped");
    std::fs::copy(program, &stripped).context("cannot copy the program")?;
    let strip = Command::new("strip").arg(&stripped).status();
    let bytes = stripped.metadata()?.len();
    Ok(strip.is_ok_and(|status| status.success()).then_some(bytes))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Inconclusive,
    Fail,
}

fn verdict(least: Duration, median: Duration) -> Verdict {
    match (least <= MOST, median <= MOST) {
        (false, _) => Verdict::Fail,
        (true, true) => Verdict::Pass,
        (true, false) => Verdict::Inconclusive,
    }
}

/// Starts the server, asks it, and stops it; says how long the first byte took.
fn start(program: &Path) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut server = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--pace", "instant", "--match", "any"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the server")?;
    let outcome = first_byte(&mut server, began);
    server.kill().ok();
    server.wait()?;
    outcome
}

fn first_byte(server: &mut std::process::Child, began: Instant) -> anyhow::Result<Duration> {
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().context("no output")?).read_line(&mut line)?;
    let addr = line.trim().strip_prefix("listening on http://").context("the server did not say where it listens")?;
    let mut client = TcpStream::connect(addr)?;
    let body = r#"{"model":"any","prompt":"hi"}"#;
    write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    client.read_exact(&mut [0])?;
    Ok(began.elapsed())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MOST, Verdict, verdict};

    #[test]
    fn a_server_that_is_never_fast_fails_and_a_busy_machine_cannot_tell() {
        let slow = MOST + Duration::from_millis(1);
        assert_eq!(verdict(slow, slow), Verdict::Fail);
        assert_eq!(verdict(MOST, slow), Verdict::Inconclusive);
        assert_eq!(verdict(MOST, MOST), Verdict::Pass);
    }
}
