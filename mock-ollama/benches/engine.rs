//! The chunked encoder, and one step of the engine with few and with many streams open.

#![expect(missing_docs, reason = "criterion_group! makes a function without them")]

#[path = "parts/playing.rs"]
mod playing;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mock_ollama::catalog::{Catalog, builtin};
use mock_ollama::http::encode_chunk;
use mock_ollama::recording::Recording;
use playing::{asked, play, request};

/// Streams that are open at once.
const STREAMS: [u64; 3] = [1, 100, 1000];

fn recorded() -> Recording {
    builtin::recording("small-greedy").and_then(Result::ok).expect("the catalog has it")
}

fn engine(criterion: &mut Criterion) {
    let recording = recorded();
    let request = request(&recording);
    let catalog = Arc::new(Catalog::new(vec![recording]));
    let mut group = criterion.benchmark_group("engine step");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    for streams in STREAMS {
        let actions = play(&mut asked(&catalog, &request, streams));
        assert!(actions > 150 * streams, "every stream left whole: {actions}");
        group.throughput(Throughput::Elements(actions)).bench_with_input(
            BenchmarkId::new("open streams", streams),
            &streams,
            |bench, &streams| {
                bench.iter_batched_ref(|| asked(&catalog, &request, streams), play, BatchSize::LargeInput);
            },
        );
    }
    group.finish();
}

fn encoder(criterion: &mut Criterion) {
    let recording = recorded();
    let chunks = &recording.exchanges[0].chunks;
    let bytes: u64 = chunks.iter().map(|chunk| chunk.bytes.len() as u64).sum();
    let mut group = criterion.benchmark_group("chunked encoder");
    group.throughput(Throughput::Bytes(bytes)).measurement_time(Duration::from_secs(2));
    let mut out = Vec::new();
    group.bench_function("encode", |bench| {
        bench.iter(|| {
            out.clear();
            for chunk in chunks {
                encode_chunk(&mut out, black_box(&chunk.bytes));
            }
            out.len()
        });
    });
    group.bench_function("copy alone", |bench| {
        bench.iter(|| {
            out.clear();
            for chunk in chunks {
                out.extend_from_slice(black_box(&chunk.bytes));
            }
            out.len()
        });
    });
    group.finish();
}

criterion_group!(benches, engine, encoder);
criterion_main!(benches);
