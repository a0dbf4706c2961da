//! The NDJSON framer against a loop that looks at every byte, on 16 MB of recorded lines.
//!
//! Both cut the same pieces into the same lines and check the same limit; the loop copies every line, as simple code does.

#![expect(missing_docs, reason = "criterion_group! makes a function without them")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gates::byte_loop::byte_by_byte;
use gates::framing::{body, with_framer};

/// The bytes of one measurement.
const BODY_BYTES: usize = 16_000_000;

/// One read of a client, a read under the 1024-byte cap, and a chunk of about one line.
const PIECES: [usize; 3] = [16 * 1024, 1024, 110];

/// Something that counts the lines of a body in pieces.
type Cutter = fn(&[u8], usize) -> u64;

fn framer(criterion: &mut Criterion) {
    let body = body(BODY_BYTES);
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
