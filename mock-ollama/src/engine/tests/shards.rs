//! Several engines that are one server: the same answers at the same instants as one engine alone gives.

use std::num::NonZeroUsize;
use std::time::Duration;

use proptest::prelude::*;

use super::{WALL, at_ms, generate, post};
use crate::backend::{Limits, Settings};
use crate::catalog::{Catalog, Matching};
use crate::clock::Instant;
use crate::engine::conn::State;
use crate::engine::machine::Phase;
use crate::engine::{Action, Closed, Config, Engine};
use crate::journal::{ConnId, Fate, Journal, Keep, ServerId};

const MODELS: [&str; 2] = ["one", "other"];

/// A request on a connection of its own.
#[derive(Clone, Debug)]
struct Ask {
    at: Instant,
    agent: usize,
    model: usize,
    /// When its client hangs up, if it does not wait for the end.
    until: Option<Instant>,
}

/// What happens to the shards from outside.
#[derive(Clone, Copy, Debug)]
enum Input {
    Sends(usize),
    HangsUp(usize),
}

/// A server of some shards, with a hand on its clock.
struct Fleet {
    shards: Vec<Engine>,
    now: Instant,
    /// Shards that were rung and have not looked yet.
    rung: Vec<usize>,
}

impl Fleet {
    fn new(shards: usize, backend: &Settings) -> Self {
        let recordings = MODELS.map(|model| generate(model, model, "hi", &["a", "b", "c", "d"]));
        let config = Config {
            catalog: Catalog::new(recordings).into(),
            matching: Matching::Loose,
            backend: backend.clone(),
            wall: WALL,
            ..Config::default()
        };
        let shards = Engine::shards(&config, NonZeroUsize::new(shards).unwrap());
        Self { shards, now: Instant::ZERO, rung: Vec::new() }
    }

    fn shard_of(&mut self, conn: ConnId) -> &mut Engine {
        let shards = self.shards.len();
        &mut self.shards[usize::try_from(conn.0).unwrap() % shards]
    }

    fn input(&mut self, input: Input, asks: &[Ask]) {
        let now = self.now;
        match input {
            Input::Sends(number) => {
                let Ask { agent, model, .. } = asks[number];
                let body = format!("{{\"model\":\"{}\",\"prompt\":\"hi\"}}", MODELS[model]);
                let request = post("/api/generate", &body, &format!("x-mock-caller: {agent}\r\n"));
                let conn = ConnId(number as u64 + 1);
                let shard = self.shard_of(conn);
                shard.opened(conn, ServerId(0), now);
                shard.receive(conn, request.as_bytes(), now);
            }
            Input::HangsUp(number) => {
                let conn = ConnId(number as u64 + 1);
                self.shard_of(conn).closed(conn, Closed::Eof, now);
            }
        }
        self.listen();
    }

    /// Notes who has been rung.
    fn listen(&mut self) {
        for shard in &mut self.shards {
            self.rung.extend(shard.rings());
        }
    }

    /// One shard that was rung looks.
    fn heed(&mut self, which: usize) {
        let shard = self.rung.swap_remove(which);
        self.shards[shard].heed(self.now);
        self.listen();
    }

    /// The shard whose event is the next of all, in the order in which one engine would have them.
    fn next(&self) -> Option<(Instant, usize)> {
        let firsts = self.shards.iter().enumerate().filter_map(|(number, shard)| Some((shard.next()?, number)));
        firsts.min().map(|(key, number)| (key.0, number))
    }

    fn step(&mut self, shard: usize) {
        let step = self.shards[shard].step(self.now);
        if let Some(Action::Write { conn, bytes }) = step.and_then(|step| step.action) {
            self.shards[shard].wrote(conn, bytes.len(), self.now);
        }
        self.listen();
    }

    /// Lets everything happen; a shard that was rung looks when `heeds` says so, and at the latest when nothing else is left
    /// to do.
    fn play(mut self, asks: &[Ask], mut heeds: impl FnMut() -> bool, mut check: impl FnMut(&Self)) -> Journal {
        let mut inputs: Vec<(Instant, Input)> = Vec::new();
        for (number, ask) in asks.iter().enumerate() {
            inputs.push((ask.at, Input::Sends(number)));
            inputs.extend(ask.until.map(|until| (until, Input::HangsUp(number))));
        }
        inputs.sort_by_key(|(at, _)| *at);
        let mut inputs = inputs.into_iter().peekable();
        loop {
            while !self.rung.is_empty() && heeds() {
                self.heed(0);
            }
            check(&self);
            let input = inputs.peek().map(|(at, _)| *at);
            match (input, self.next()) {
                (Some(at), next) if next.is_none_or(|(due, _)| at <= due) => {
                    self.now = self.now.max(at);
                    let (_, input) = inputs.next().unwrap();
                    self.input(input, asks);
                }
                (_, Some((due, shard))) => {
                    self.now = self.now.max(due);
                    self.step(shard);
                }
                (_, None) if !self.rung.is_empty() => self.heed(0),
                (_, None) => break,
            }
        }
        Journal::merged(self.shards.into_iter().map(Engine::into_journal), Keep::ALL)
    }

    /// How many answers of a model are being served.
    fn served(&self, model: &str) -> usize {
        let conns = self.shards.iter().flat_map(|shard| shard.conns.values());
        let served = conns.filter(|conn| match &conn.state {
            State::Answering(answering) => {
                let card = answering.model.as_ref();
                answering.phase == Phase::Served && card.is_some_and(|card| card.name.as_str().starts_with(model))
            }
            State::Reading | State::Leaving => false,
        });
        served.count()
    }
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let ask = (0_u64..400, 0_usize..3, 0_usize..2, prop::option::weighted(0.3, 0_u64..400));
    prop::collection::vec(ask, 1..12).prop_map(|asks| {
        let ask = |(at, agent, model, lasts): (u64, usize, usize, Option<u64>)| Ask {
            at: at_ms(at),
            agent,
            model,
            until: lasts.map(|lasts| at_ms(at + lasts)),
        };
        let mut asks: Vec<Ask> = asks.into_iter().map(ask).collect();
        asks.sort_by_key(|ask| ask.at);
        asks
    })
}

fn machines() -> impl Strategy<Value = Settings> {
    let loads = (0_usize..4, 0_usize..3, 0_u64..200).prop_map(|(queue, loaded, load)| Limits {
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
    fn shards_that_look_at_once_are_one_engine(asks in asks(), machine in machines(), shards in 2_usize..5) {
        let alone = Fleet::new(1, &machine).play(&asks, || true, |_| {});
        let together = Fleet::new(shards, &machine).play(&asks, || true, |_| {});
        prop_assert_eq!(together, alone);
    }

    #[test]
    fn shards_that_look_late_share_slots_all_the_same_and_leave_nobody_waiting(
        asks in asks(), machine in machines(), shards in 2_usize..5, heeds in prop::collection::vec(any::<bool>(), 1..40)
    ) {
        let mut heeds = heeds.into_iter().cycle();
        let slots = machine.parallel.map_or(usize::MAX, NonZeroUsize::get);
        let mut most = 0;
        let count = asks.len();
        let patient = asks.iter().filter(|ask| ask.until.is_none()).count();
        let journal = Fleet::new(shards, &machine).play(&asks, || heeds.next().unwrap(), |fleet| {
            most = MODELS.iter().map(|model| fleet.served(model)).max().max(Some(most)).unwrap();
        });
        prop_assert!(most <= slots, "{most} at once");
        prop_assert_eq!((journal.requests(), journal.in_flight), (count, 0));
        prop_assert!(journal.entries.iter().filter(|entry| entry.fate == Fate::Complete).count() >= patient);
    }
}

#[test]
fn an_agent_is_the_same_on_every_connection_whichever_shard_has_it() {
    let ask = |at| Ask { at: at_ms(at), agent: 7, model: 0, until: None };
    let journal = Fleet::new(2, &Settings::default()).play(&[ask(0), ask(10), ask(20)], || true, |_| {});
    let exchanges: Vec<(u64, u32)> =
        journal.entries.iter().map(|entry| (entry.conn.0 % 2, entry.stream.exchange)).collect();
    assert_eq!(exchanges, [(1, 0), (0, 1), (1, 2)]);
    assert_eq!(journal.max_in_flight, 3, "each shard knows of the streams of the others");
}

#[test]
fn who_waits_for_a_slot_is_rung_by_the_shard_that_frees_it() {
    let settings = Settings { parallel: NonZeroUsize::new(1), ..Settings::default() };
    let ask = |agent| Ask { at: at_ms(0), agent, model: 0, until: None };
    let (first, mut ends) = (ask(0), Vec::new());
    let journal = Fleet::new(2, &settings).play(&[first, ask(1)], || true, |fleet| ends.push(fleet.now));
    let begins: Vec<Instant> = journal.entries.iter().map(|entry| entry.chunks[0].due).collect();
    // 100 ms to the first chunk, five chunks 10 ms apart, and the same again.
    assert_eq!(begins, [at_ms(100), at_ms(240)]);
    assert_eq!(ends.last(), Some(&at_ms(280)));
}
