//! I4: one timer at a time, in the order of their instants, their streams, and their making.

use std::task::Waker;
use std::time::Duration;

use mock_ollama::clock::Instant;
use mock_ollama::engine::Seq;

use super::{Stage, noted, notes, second, stream};
use crate::clients::AgentEvent;
use crate::sim::Sim;

/// Two agents sleep until the same instant; the first, once awake, sleeps until that instant again.
fn twice_at_the_same_instant(once_awake: impl FnOnce(&Sim) + 'static) -> Vec<(u64, String)> {
    let mut stage = Stage::new();
    let sim = stage.sim.clone();
    stage.agent("a", async move {
        sim.sleep_until(second(1), &stream("a")).await;
        once_awake(&sim);
        sim.note(&stream("a"), AgentEvent::Sent);
        sim.sleep_until(second(1), &stream("a")).await;
        sim.note(&stream("a"), AgentEvent::Sent);
    });
    stage.sleeper("b", second(1));
    let sim = stage.sim.clone();
    stage.play().unwrap();
    noted(&sim)
}

#[test]
fn a_timer_that_is_set_at_its_instant_still_takes_its_place() {
    assert_eq!(twice_at_the_same_instant(|_| {}), notes([(1, "a"), (1, "a"), (1, "b")]));
}

#[test]
fn broken_a_clock_that_fires_all_timers_of_an_instant_at_once_has_another_order() {
    let all_at_once = |sim: &Sim| {
        let due = |sim: &Sim| -> Vec<Waker> {
            let sleeps = &mut sim.lock().sleeps;
            let later = sleeps.split_off(&(sim.now().saturating_add(Duration::from_nanos(1)), stream(""), Seq(0)));
            std::mem::replace(sleeps, later).into_values().collect()
        };
        due(sim).into_iter().for_each(Waker::wake);
    };
    assert_eq!(twice_at_the_same_instant(all_at_once), notes([(1, "a"), (1, "b"), (1, "a")]));
}

#[test]
fn timers_of_one_instant_fire_in_the_order_of_their_streams_no_matter_which_was_set_first() {
    let mut stage = Stage::new();
    for name in ["c", "a", "b"] {
        stage.sleeper(name, second(1));
    }
    let sim = stage.sim.clone();
    stage.play().unwrap();
    assert_eq!(noted(&sim), notes([(1, "a"), (1, "b"), (1, "c")]));
}

#[test]
fn timers_fire_in_the_order_of_their_instants() {
    let mut stage = Stage::new();
    for (name, until) in [("a", second(3)), ("b", second(1)), ("c", second(2))] {
        stage.sleeper(name, until);
    }
    let sim = stage.sim.clone();
    stage.play().unwrap();
    assert_eq!(noted(&sim), notes([(1, "b"), (2, "c"), (3, "a")]));
}

#[test]
fn timers_of_one_stream_fire_in_the_order_in_which_they_were_set() {
    let mut stage = Stage::new();
    for name in ["first", "second"] {
        let sim = stage.sim.clone();
        stage.agent(name, async move {
            sim.sleep_until(second(1), &stream("shared")).await;
            sim.note(&stream(name), AgentEvent::Sent);
        });
    }
    let sim = stage.sim.clone();
    stage.play().unwrap();
    assert_eq!(noted(&sim), notes([(1, "first"), (1, "second")]));
}

#[test]
fn a_timer_that_is_due_now_waits_until_nothing_else_can_run() {
    let mut stage = Stage::new();
    stage.sleeper("a", Instant::ZERO);
    let sim = stage.sim.clone();
    stage.agent("b", async move { sim.note(&stream("b"), AgentEvent::Sent) });
    let sim = stage.sim.clone();
    stage.play().unwrap();
    assert_eq!(noted(&sim), notes([(0, "b"), (0, "a")]));
}

#[test]
fn a_timer_for_the_past_fires_now() {
    let mut stage = Stage::new();
    let sim = stage.sim.clone();
    stage.agent("a", async move {
        sim.sleep_until(second(2), &stream("a")).await;
        sim.sleep_until(second(1), &stream("a")).await;
        sim.note(&stream("a"), AgentEvent::Sent);
    });
    let sim = stage.sim.clone();
    stage.play().unwrap();
    assert_eq!(noted(&sim), notes([(2, "a")]));
}

#[test]
fn a_timer_that_is_dropped_does_not_move_the_clock() {
    let mut stage = Stage::new();
    let sim = stage.sim.clone();
    stage.agent("a", async move {
        let (short, long) = (stream("a"), stream("b"));
        let long = sim.sleep_until(second(9), &long);
        futures::future::select(sim.sleep_until(second(1), &short), long).await;
    });
    let sim = stage.sim.clone();
    stage.play().unwrap();
    assert_eq!(sim.now(), second(1));
}

#[test]
fn agents_begin_in_the_order_in_which_they_were_made_no_matter_which_is_polled_first() {
    let mut stage = Stage::new();
    for name in ["c", "a", "b"] {
        let sim = stage.sim.clone();
        stage.agent(name, async move { sim.note(&stream(name), AgentEvent::Started) });
    }
    stage.running.reverse();
    let sim = stage.sim.clone();
    stage.play().unwrap();
    assert_eq!(noted(&sim), notes([(0, "c"), (0, "a"), (0, "b")]));
}
