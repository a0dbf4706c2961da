//! The strict reader of recordings against `serde_json` skipping over the same bytes.
//!
//! What the reader does more: strings decoded, canonical form and offsets checked, SHA-256 of the body.

#![expect(missing_docs, reason = "criterion_group! makes a function without them")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mock_ollama::catalog::builtin;
use mock_ollama::recording::limits::MAX_CHUNKS;
use mock_ollama::recording::{read, to_string};
use serde::de::IgnoredAny;

/// A conversation that asks `small-greedy` again and again, with as many chunks as a recording may have (13 MB).
fn text() -> String {
    let mut recording = builtin::recording("small-greedy").and_then(Result::ok).expect("the catalog has it");
    let exchange = recording.exchanges[0].clone();
    let times = MAX_CHUNKS / exchange.chunks.len();
    recording.exchanges = vec![exchange; times];
    to_string(&recording).expect("it can be written")
}

fn skip(text: &str) -> usize {
    text.lines().map(|line| serde_json::from_str::<IgnoredAny>(line).expect("it is JSON")).map(black_box).count()
}

fn recording(criterion: &mut Criterion) {
    let text = text();
    let mut group = criterion.benchmark_group("recording");
    group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(10).measurement_time(Duration::from_secs(2));
    group.bench_function("read", |bench| bench.iter(|| read(black_box(text.as_bytes()), "bench").expect("it is good")));
    group.bench_function("serde_json skips", |bench| bench.iter(|| skip(black_box(&text))));
    group.finish();
}

criterion_group!(benches, recording);
criterion_main!(benches);
