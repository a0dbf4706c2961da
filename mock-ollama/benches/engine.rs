//! The chunked encoder, and one step of the engine with few and with many streams open.

#![expect(missing_docs, reason = "criterion_group! makes a function without them")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mock_ollama::catalog::{Catalog, builtin};
use mock_ollama::clock::Instant;
use mock_ollama::engine::{Action, Config, Engine};
use mock_ollama::http::encode_chunk;
use mock_ollama::journal::{ConnId, ServerId};
use mock_ollama::recording::{Recording, RequestBody};

/// Streams that are open at once.
const STREAMS: [u64; 3] = [1, 100, 1000];

fn recorded() -> Recording {
    builtin::recording("small-greedy").and_then(Result::ok).expect("the catalog has it")
}

/// A request that the recording answers.
fn request(recording: &Recording) -> Vec<u8> {
    let known = recording.exchanges[0].request.as_ref().expect("the request is recorded");
    let body = match &known.body {
        Some(RequestBody::Json(json)) => json.to_string(),
        _ => panic!("the body is JSON"),
    };
    format!("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", known.path, body.len())
        .into_bytes()
}

/// An engine in which so many clients have sent their request; nothing has left yet.
fn asked(catalog: &Arc<Catalog>, request: &[u8], streams: u64) -> Engine {
    let mut engine = Engine::new(Config { catalog: Arc::clone(catalog), ..Config::default() });
    for conn in (1..=streams).map(ConnId) {
        engine.opened(conn, ServerId(0), Instant::ZERO);
        engine.receive(conn, request, Instant::ZERO);
    }
    engine
}

/// Lets every chunk leave when it is due; answers with the number of actions.
fn play(engine: &mut Engine) -> u64 {
    let mut actions = 0;
    while let Some(due) = engine.next_due() {
        while let Some(step) = engine.step(due) {
            if let Some(Action::Write { conn, bytes }) = step.action {
                engine.wrote(conn, bytes.len(), due);
            }
            actions += 1;
        }
    }
    actions
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
