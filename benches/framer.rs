//! The NDJSON framer against a loop that looks at every byte, on 16 MB of recorded lines.
//!
//! Both cut the same pieces into the same lines and check the same limit; the loop copies every line, as simple code does.

#![expect(missing_docs, reason = "criterion_group! makes a function without them")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mock_ollama::catalog::builtin;
use runtime_lab::ndjson::{Framer, LineTooLong};

/// The bytes of one measurement.
const BODY_BYTES: usize = 16_000_000;

/// One read of a client, a read under the 1024-byte cap, and a chunk of about one line.
const PIECES: [usize; 3] = [16 * 1024, 1024, 110];

/// Something that counts the lines of a body in pieces.
type Cutter = fn(&[u8], usize) -> u64;

/// The recorded body `small-greedy`, again and again.
fn body() -> Vec<u8> {
    let recording = builtin::recording("small-greedy").and_then(Result::ok).expect("the catalog has it");
    let one: Vec<u8> = recording.exchanges[0].chunks.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
    one.iter().copied().cycle().take(BODY_BYTES).collect()
}

/// What the framer's callback and the framer itself may fail with: here only the limit.
#[derive(Debug)]
struct Failed;

impl From<LineTooLong> for Failed {
    fn from(_: LineTooLong) -> Self {
        Self
    }
}

fn with_framer(body: &[u8], piece: usize) -> u64 {
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

fn byte_by_byte(body: &[u8], piece: usize) -> u64 {
    let mut line = Vec::new();
    let mut lines = 0;
    for piece in body.chunks(piece) {
        for &byte in piece {
            if byte == b'\n' {
                black_box(&line);
                lines += 1;
                line.clear();
            } else {
                assert!(line.len() < runtime_lab::ndjson::MAX_LINE_BYTES, "the lines are short");
                line.push(byte);
            }
        }
    }
    lines
}

fn framer(criterion: &mut Criterion) {
    let body = body();
    let mut group = criterion.benchmark_group("framer");
    group.throughput(Throughput::Bytes(BODY_BYTES as u64)).sample_size(10).measurement_time(Duration::from_secs(2));
    for piece in PIECES {
        assert_eq!(with_framer(&body, piece), byte_by_byte(&body, piece));
        for (name, cut) in [("framer", with_framer as Cutter), ("byte loop", byte_by_byte)] {
            group.bench_with_input(BenchmarkId::new(name, piece), &piece, |bench, &piece| {
                bench.iter(|| cut(black_box(&body), piece));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, framer);
criterion_main!(benches);
