//! Many requests on one backend: slots, loads and the device are common to all connections.

use std::num::NonZeroUsize;
use std::time::Duration;

use proptest::prelude::*;

use super::{TestEngine, WALL, at_ms, generate, post};
use crate::backend::{LoadLimits, Settings};
use crate::catalog::{Catalog, Matching};
use crate::clock::Instant;
use crate::engine::conn::Conn;
use crate::engine::{Config, Engine};
use crate::journal::{ConnId, Fate, Journal, ServerId};

const MODELS: [&str; 2] = ["one", "other"];

/// A request on its own connection.
#[derive(Clone, Debug)]
struct Ask {
    at: Instant,
    agent: usize,
    model: usize,
    /// When its client hangs up, if it does not wait for the end.
    until: Option<Instant>,
}

/// Plays the requests to their end, with a look at the engine after each event.
fn play(asks: &[Ask], backend: &Settings, mut check: impl FnMut(&Engine)) -> Journal {
    let recordings = MODELS.map(|model| generate(model, model, "hi", &["a", "b", "c", "d"]));
    let mut bench = TestEngine::new(Vec::new(), |config| {
        let catalog = Catalog::new(recordings).into();
        *config =
            Config { catalog, matching: Matching::Loose, backend: backend.clone(), wall: WALL, ..Config::default() };
    });
    let mut inputs: Vec<(Instant, usize, bool)> = Vec::new();
    for (number, ask) in asks.iter().enumerate() {
        inputs.push((ask.at, number, true));
        inputs.extend(ask.until.map(|until| (until, number, false)));
    }
    inputs.sort_unstable();
    for (at, number, sends) in inputs {
        while let Some(due) = bench.engine.poll_due().filter(|due| *due < at) {
            bench.now = due;
            bench.act();
            check(&bench.engine);
        }
        bench.now = at;
        // The first one is the connection of most tests.
        let conn = ConnId(number as u64 + 2);
        if sends {
            let body = format!("{{\"model\":\"{}\",\"prompt\":\"hi\"}}", MODELS[asks[number].model]);
            let request = post("/api/generate", &body, &format!("x-mock-caller: {}\r\n", asks[number].agent));
            bench.engine.handle_connected(conn, ServerId(0), at);
            bench.engine.handle_input(conn, request.as_bytes(), at);
        } else {
            bench.engine.handle_closed(conn, at);
        }
        check(&bench.engine);
    }
    bench.run();
    bench.engine.into_journal()
}

/// How many answers of a model are being served.
fn started(engine: &Engine, model: &str) -> usize {
    let responses = engine.conns.values().filter_map(Conn::response);
    let of_model = responses.filter(|response| {
        let card = response.model.as_ref();
        response.is_started && card.is_some_and(|card| card.name.as_str().starts_with(model))
    });
    of_model.count()
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let ask = (0_u64..400, 0_usize..3, 0_usize..2, prop::option::weighted(0.3, 0_u64..400));
    let ask = ask.prop_map(|(at, agent, model, lasts)| Ask {
        at: at_ms(at),
        agent,
        model,
        until: lasts.map(|lasts| at_ms(at + lasts + 1)),
    });
    prop::collection::vec(ask, 1..12)
}

fn backends() -> impl Strategy<Value = Settings> {
    let loads = (0_usize..4, 0_usize..3, 0_u64..200).prop_map(|(queue, loaded, load)| LoadLimits {
        queue,
        loaded: NonZeroUsize::new(loaded),
        load_time: Duration::from_millis(load),
    });
    let shares = prop::sample::select(vec!["1", "0.5", "0.7,0.4"]);
    (0_usize..3, shares, prop::option::of(loads)).prop_map(|(parallel, share, loads)| Settings {
        parallel: NonZeroUsize::new(parallel),
        share: share.parse().unwrap(),
        loads,
    })
}

proptest! {
    #[test]
    fn slots_are_never_exceeded_and_no_request_waits_for_ever(asks in asks(), backend in backends()) {
        let slots = backend.parallel.map_or(usize::MAX, NonZeroUsize::get);
        let mut most = 0;
        let journal = play(&asks, &backend, |engine| {
            most = MODELS.iter().map(|model| started(engine, model)).max().max(Some(most)).unwrap();
        });
        let patient = asks.iter().filter(|ask| ask.until.is_none()).count();
        prop_assert!(most <= slots, "{most} at once");
        prop_assert_eq!((journal.requests(), journal.in_flight), (asks.len(), 0));
        prop_assert!(journal.entries.iter().filter(|entry| entry.fate == Fate::Complete).count() >= patient);
    }
}

#[test]
fn an_agent_is_the_same_on_every_connection() {
    let ask = |at| Ask { at: at_ms(at), agent: 7, model: 0, until: None };
    let journal = play(&[ask(0), ask(10), ask(20)], &Settings::default(), |_| {});
    let exchanges: Vec<(u64, u32)> =
        journal.entries.iter().map(|entry| (entry.conn.0, entry.stream.exchange)).collect();
    assert_eq!(exchanges, [(2, 0), (3, 1), (4, 2)]);
    assert_eq!(journal.max_in_flight, 3);
}

#[test]
fn the_end_of_an_answer_starts_the_next_one_in_line() {
    let settings = Settings { parallel: NonZeroUsize::new(1), ..Settings::default() };
    let ask = |agent| Ask { at: at_ms(0), agent, model: 0, until: None };
    let journal = play(&[ask(0), ask(1)], &settings, |_| {});
    let begins: Vec<Instant> = journal.entries.iter().map(|entry| entry.chunks[0].due).collect();
    // 100 ms to the first chunk, five chunks 10 ms apart, and the same again.
    assert_eq!(begins, [at_ms(100), at_ms(240)]);
}
