//! `cargo xtask startup`: how long the built server takes from its start to the first byte of an answer, and how large it is.
//!
//! With `--dist` it is built as who installs it would build it, and its idle memory is judged, too.
//!
//! The catalog is the built-in one, the pace instant. A busy host makes single starts slow, never fast, so the smallest of
//! many starts is what the program needs. Three verdicts: the median is within the limit (pass), the smallest is over it
//! although the host starts another program quickly (fail), or neither (inconclusive, which is printed and is no failure).

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use lab_stats::Verdict;

use crate::server::time_to_first_byte;
use crate::{cargo, process};

/// From the start of the process to the first byte of an answer.
const MAX_FIRST_BYTE: Duration = Duration::from_millis(25);

/// A host that takes longer than this to print the program's version cannot judge its start.
const MAX_YARDSTICK: Duration = Duration::from_millis(8);

/// The stripped program.
const MAX_BYTES: u64 = 10 * 1024 * 1024;

/// Resident memory while nobody asks, with the profile `dist`.
const MAX_IDLE_KIB: u64 = 8 * 1024;

const STARTS: usize = 21;

/// Builds the server as it is released or installed, and measures.
pub(crate) fn run(dist: bool) -> anyhow::Result<()> {
    let (profile, what): (_, &[_]) = if dist {
        ("dist", &["--package", "mock-ollama", "--features", "cli"])
    } else {
        ("release", &["--bin", "mock-ollama"])
    };
    cargo::run(&[&["build", "--locked", "--profile", profile], what].concat())?;
    let program = cargo::target().join(profile).join("mock-ollama");
    match stripped_size(&program)? {
        Some(bytes) => {
            println!("stripped: {bytes} bytes, at most {MAX_BYTES}");
            ensure!(bytes <= MAX_BYTES, "the program is larger than {MAX_BYTES} bytes");
        }
        None => println!("inconclusive: there is no `strip`; {} bytes with symbols", program.metadata()?.len()),
    }
    let (mut times, mut yardsticks, mut idle_kib) = (Vec::new(), Vec::new(), 0);
    for _ in 0..STARTS {
        let mut command = Command::new(&program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--pace", "instant", "--match", "any"]);
        let (took, server) = time_to_first_byte(&mut command)?;
        times.push(took);
        if dist {
            idle_kib = server.rss_kib()?.max(idle_kib);
        }
        yardsticks.push(yardstick(&program)?);
    }
    times.sort_unstable();
    yardsticks.sort_unstable();
    let (least, median, yardstick) = (times[0], times[STARTS / 2], yardsticks[STARTS / 2]);
    println!(
        "start to first byte over {STARTS} starts: least {least:?}, median {median:?}, at most {MAX_FIRST_BYTE:?}"
    );
    println!("start to printed version: median {yardstick:?}, at most {MAX_YARDSTICK:?}");
    if dist {
        println!("memory, idle: {idle_kib} KiB, at most {MAX_IDLE_KIB}");
        ensure!(idle_kib <= MAX_IDLE_KIB, "the idle server has more than {MAX_IDLE_KIB} KiB of memory");
    }
    match verdict(least, median, yardstick) {
        Verdict::Pass => {}
        Verdict::Inconclusive => println!("inconclusive: the host was too busy"),
        Verdict::Fail => bail!("the server takes longer than {MAX_FIRST_BYTE:?} to its first byte"),
    }
    Ok(())
}

/// The size of a program without its symbols, in bytes; `None` where there is no `strip`.
fn stripped_size(program: &Path) -> anyhow::Result<Option<u64>> {
    let stripped = cargo::target().join("mock-ollama-stripped");
    std::fs::copy(program, &stripped).context("cannot copy the program")?;
    let is_stripped = process::succeeds(Command::new("strip").arg(&stripped));
    let bytes = stripped.metadata()?.len();
    Ok(is_stripped.then_some(bytes))
}

fn verdict(least: Duration, median: Duration, yardstick: Duration) -> Verdict {
    match (median <= MAX_FIRST_BYTE, least > MAX_FIRST_BYTE && yardstick <= MAX_YARDSTICK) {
        (true, _) => Verdict::Pass,
        (false, true) => Verdict::Fail,
        (false, false) => Verdict::Inconclusive,
    }
}

/// How long the program takes to do next to nothing: how fast the host is at the moment.
fn yardstick(program: &Path) -> anyhow::Result<Duration> {
    let began = Instant::now();
    process::output(Command::new(program).arg("--version"))?;
    Ok(began.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_never_fast_fails_unless_the_host_is_busy() {
        let (fast, slow) = (MAX_FIRST_BYTE, 2 * MAX_FIRST_BYTE);
        assert_eq!(verdict(slow, slow, MAX_YARDSTICK), Verdict::Fail);
        assert_eq!(verdict(slow, slow, 2 * MAX_YARDSTICK), Verdict::Inconclusive);
        assert_eq!(verdict(fast, slow, MAX_YARDSTICK), Verdict::Inconclusive);
        assert_eq!(verdict(fast, fast, 2 * MAX_YARDSTICK), Verdict::Pass);
    }
}
