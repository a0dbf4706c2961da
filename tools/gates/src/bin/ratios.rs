//! The pure parts held to floors: each against simple code that does the same work in the same process.
//!
//! A round measures both, one after the other, and its ratio is theirs; the median over the rounds is judged. A busy
//! host slows both, so the ratio stays where the times do not. Times are those of the process, which has one thread,
//! on the processor, where the system tells. Exit code 1: the median and its interval miss a floor. On a processor without instructions for SHA-256 a reader that
//! misses is not judged: the hash alone takes most of what it has.
//!
//! `--control` puts something slow in our place, which must be rejected: exit code 1 when it is not.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use gates::{byte_loop, cpu_time, framing};
use mock_ollama::recording::limits::MAX_CHUNKS;
use mock_ollama::recording::{Recording, read, to_string};
use runtime_lab::stats::Verdict;
use serde::de::IgnoredAny;

/// Of each part.
const ROUNDS: usize = 25;

/// The rank of the lower end of the 99 % interval of the median, counted from zero: 25 rounds have fewer than six on one side
/// of it in 0.4 % of cases. A floor within the interval is neither kept nor missed.
const LOW_RANK: usize = 5;

/// The bytes that are cut into lines.
const BODY_BYTES: usize = 16_000_000;

/// Work that is measured; it says how many things it did, so that both sides show that they did the same.
type Work<'a> = Box<dyn Fn() -> u64 + 'a>;

/// A part and what it is held against.
struct Part<'a> {
    name: &'static str,
    against: &'static str,
    /// The least that the other's time may be, over ours.
    floor: f64,
    /// Why it cannot be judged here, if it misses.
    excuse: Option<&'static str>,
    ours: Work<'a>,
    /// What must be rejected in our place.
    control: Work<'a>,
    other: Work<'a>,
}

/// Holds the pure parts to floors, each against simple code that does the same work in the same process
#[derive(Debug, Parser)]
struct Args {
    /// Put something slow in our place, which must be rejected
    #[arg(long)]
    control: bool,
}

fn main() -> ExitCode {
    let Args { control } = Args::parse();
    let body = framing::body(BODY_BYTES);
    let text = conversation();
    println!("{:<28} {:<24} {:>6} {:>6} {:>14}  verdict", "part", "against", "floor", "median", "99 % interval");
    let mut as_expected = true;
    for part in [
        framer("framer, reads of 16 KiB", 16 * 1024, &body),
        framer("framer, reads of 1 KiB", 1024, &body),
        framer("framer, chunks of a line", 110, &body),
        reader(&text),
    ] {
        as_expected &= (part.judge(control) == Verdict::Fail) == control;
    }
    if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Part<'_> {
    /// Measures ours, or the control in its place, and prints what it says.
    fn judge(&self, control: bool) -> Verdict {
        let Self { name, against, floor, other, .. } = self;
        let ours = if control { &self.control } else { &self.ours };
        // The first round warms up.
        assert_eq!(ours(), other(), "{name}: both do the same");
        let mut ratios: Vec<f64> = (0..ROUNDS).map(|round| ratio(round, ours, other)).collect();
        ratios.sort_by(f64::total_cmp);
        let (low, median, high) = (ratios[LOW_RANK], ratios[ROUNDS / 2], ratios[ROUNDS - 1 - LOW_RANK]);
        let (verdict, note) = match self.excuse {
            _ if median >= *floor => (Verdict::Pass, "pass"),
            Some(why) if !control => (Verdict::Inconclusive, why),
            _ if high >= *floor => (Verdict::Inconclusive, "inconclusive: the interval holds the floor"),
            _ => (Verdict::Fail, "fail"),
        };
        let interval = format!("{low:.2} to {high:.2}");
        let by = if control { " by the control" } else { "" };
        println!("{name:<28} {against:<24} {floor:>6.2} {median:>6.2} {interval:>14}  {note}{by}");
        verdict
    }
}

/// The other's time over ours; which of them goes first, changes.
fn ratio(round: usize, ours: &Work<'_>, other: &Work<'_>) -> f64 {
    let (ours, other) = if round.is_multiple_of(2) {
        let other = time(other);
        (time(ours), other)
    } else {
        (time(ours), time(other))
    };
    other.div_duration_f64(ours)
}

fn time(work: &Work<'_>) -> Duration {
    let began = cpu_time();
    black_box(work());
    cpu_time().saturating_sub(began)
}

/// The framer against a loop that looks at every byte. The control is that loop.
fn framer<'a>(name: &'static str, piece: usize, body: &'a [u8]) -> Part<'a> {
    Part {
        name,
        against: "byte loop",
        floor: 4.0,
        excuse: None,
        ours: Box::new(move || framing::with_framer(black_box(body), piece)),
        control: Box::new(move || byte_loop::byte_by_byte(black_box(body), piece)),
        other: Box::new(move || byte_loop::byte_by_byte(black_box(body), piece)),
    }
}

/// The strict reader against `serde_json` skipping over the same bytes. What the reader does more: strings decoded,
/// canonical form and offsets checked, SHA-256 of the bodies. The control also writes what it read, to compare.
fn reader(text: &str) -> Part<'_> {
    let whole = move || read(black_box(text.as_bytes()), "bench").expect("it is good");
    Part {
        name: "recording reader",
        against: "serde_json skipping",
        floor: 0.5,
        excuse: (!hashes_fast()).then_some("inconclusive: no instructions for SHA-256"),
        ours: Box::new(move || lines(&whole())),
        control: Box::new(move || {
            let recording = whole();
            assert_eq!(to_string(&recording).expect("it can be written"), text);
            lines(&recording)
        }),
        other: Box::new(move || skip(black_box(text))),
    }
}

/// Whether the processor has instructions for SHA-256.
#[cfg(target_arch = "x86_64")]
fn hashes_fast() -> bool {
    std::is_x86_feature_detected!("sha")
}

#[cfg(not(target_arch = "x86_64"))]
fn hashes_fast() -> bool {
    true
}

/// A conversation that asks the same again and again, with as many chunks as a recording may have (13 MB).
fn conversation() -> String {
    let mut recording = framing::recorded();
    let exchange = recording.exchanges[0].clone();
    let times = MAX_CHUNKS / exchange.chunks.len();
    recording.exchanges = vec![exchange; times];
    to_string(&recording).expect("it can be written")
}

/// The lines that a recording has in its file: a header, then a request, a response, its chunks and an end for each exchange.
fn lines(recording: &Recording) -> u64 {
    1 + recording.exchanges.iter().map(|exchange| 3 + exchange.chunks.len() as u64).sum::<u64>()
}

fn skip(text: &str) -> u64 {
    text.lines().map(|line| serde_json::from_str::<IgnoredAny>(line).expect("it is JSON")).map(black_box).count() as u64
}
