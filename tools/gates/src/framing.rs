//! Recorded lines, and the framer on them.

use std::hint::black_box;

use mock_ollama::catalog::builtin;
use mock_ollama::recording::Recording;
use runtime_lab::ndjson::{Framer, LineTooLong};

/// A recording of the catalog, with 174 chunks in its one exchange.
///
/// # Panics
///
/// Where the catalog lacks it.
pub fn recorded() -> Recording {
    builtin::recording("small-greedy").and_then(Result::ok).expect("the catalog has it")
}

/// The recorded body, repeated up to `bytes` bytes.
pub fn body(bytes: usize) -> Vec<u8> {
    let one = recorded().exchanges[0].body();
    one.iter().copied().cycle().take(bytes).collect()
}

/// What the framer's callback and the framer itself may fail with: here only the limit.
#[derive(Debug)]
struct Failed;

impl From<LineTooLong> for Failed {
    fn from(_: LineTooLong) -> Self {
        Self
    }
}

/// Returns how many lines the framer finds in a body that comes in pieces of `piece` bytes.
///
/// # Panics
///
/// At a line longer than the framer allows.
pub fn with_framer(body: &[u8], piece: usize) -> u64 {
    let mut framer = Framer::default();
    let mut lines = 0;
    for piece in body.chunks(piece) {
        let pushed = framer.push(piece, |line| {
            black_box(line.bytes);
            lines += 1;
            Ok::<(), Failed>(())
        });
        pushed.expect("the lines are short");
    }
    lines
}
