//! The chunk splitter under each policy, on 16 MB in reads of 16 KiB.

#![expect(missing_docs, reason = "criterion_group! makes a function without them")]

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use runtime_lab::chunking::{ChunkPolicy, Splitter};

/// The bytes of one measurement.
const BODY_BYTES: usize = 16_000_000;

/// One read of a client.
const READ_BYTES: usize = 16 * 1024;

fn split(reads: &[Bytes], policy: ChunkPolicy) -> usize {
    let mut splitter = Splitter::new(policy);
    let mut pieces = 0;
    for read in reads {
        pieces += splitter.push(read.clone()).map(black_box).count();
    }
    pieces + usize::from(splitter.finish().is_some())
}

fn splitter(criterion: &mut Criterion) {
    let body = Bytes::from(vec![b'x'; BODY_BYTES]);
    let reads: Vec<Bytes> =
        (0..BODY_BYTES).step_by(READ_BYTES).map(|at| body.slice(at..(at + READ_BYTES).min(BODY_BYTES))).collect();
    let mut group = criterion.benchmark_group("splitter");
    group.throughput(Throughput::Bytes(BODY_BYTES as u64)).measurement_time(Duration::from_secs(2));
    for policy in ["as received", "at most 1024", "at least 65536"] {
        let policy: ChunkPolicy = policy.parse().expect("it is a policy");
        group.bench_function(policy.to_string(), |bench| bench.iter(|| split(black_box(&reads), policy)));
    }
    group.finish();
}

criterion_group!(benches, splitter);
criterion_main!(benches);
