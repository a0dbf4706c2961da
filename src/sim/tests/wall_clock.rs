//! What only real time can tell: turns that never end and holds that nobody lets go of (I3, I5, I6), and agents that
//! read it (I7).

use std::future::pending;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::channel::oneshot;

use super::{Stage, block_on, second, stream};
use crate::clients::AgentEvent;
use crate::sim::watchdog::Liveness;
use crate::sim::{FailureReason, Sim, SimFailure, SimSettings};

/// So much real time without progress is too much here.
const PATIENCE: Duration = Duration::from_millis(200);

fn impatient() -> SimSettings {
    SimSettings { patience: PATIENCE, ..SimSettings::default() }
}

#[test]
fn broken_a_hold_that_is_never_let_go_is_named() {
    let mut stage = Stage::with(impatient());
    let _hold = stage.sim.hold("the answer of a callback");
    stage.sleeper("agent", second(1));
    let SimFailure { reason, at, outstanding, .. } = stage.play().unwrap_err();
    assert_eq!((reason, at), (FailureReason::Stuck { patience: PATIENCE }, second(0)), "the clock has not moved");
    assert_eq!(outstanding, ["the answer of a callback"]);
}

#[test]
fn broken_an_agent_that_is_forgotten_with_its_turn_is_named() {
    let mut stage = Stage::with(impatient());
    std::mem::forget(stage.sim.agent("forgotten", pending::<()>()));
    stage.sleeper("other", second(1));
    let failure = stage.play().unwrap_err();
    insta::assert_snapshot!(failure, @"
    virtual time stands still at 0.000000000 s: nothing has happened for 200 ms of real time
    parked:
      forgotten, never polled
      other, since 0.000000000 s
    seed 0
    ");
}

#[test]
fn broken_an_agent_that_is_forgotten_in_the_queue_is_named_when_its_turn_comes() {
    let mut stage = Stage::with(impatient());
    let (tell, told) = oneshot::channel::<()>();
    let forgotten = stage.sim.agent("forgotten", async move { told.await.unwrap() });
    let mut forgotten = Box::pin(forgotten);
    let sim = stage.sim.clone();
    stage.unregistered(async move {
        assert!(futures::poll!(&mut forgotten).is_pending());
        std::mem::forget(forgotten);
    });
    stage.agent("other", async move {
        sim.sleep_until(second(1), &stream("other")).await;
        tell.send(()).unwrap();
        sim.sleep_until(second(2), &stream("other")).await;
    });
    let failure = stage.play().unwrap_err();
    assert_eq!((&failure.reason, failure.at), (&FailureReason::Stuck { patience: PATIENCE }, second(1)));
    let parked: Vec<_> = failure.parked.iter().map(ToString::to_string).collect();
    assert_eq!(parked, ["forgotten, since 0.000000000 s", "other, since 1.000000000 s"]);
}

#[test]
fn a_run_that_makes_progress_may_take_longer_than_patience() {
    let mut stage = Stage::with(impatient());
    let sim = stage.sim.clone();
    stage.agent("slow", async move {
        for step in 1..=6 {
            std::thread::sleep(PATIENCE / 4);
            sim.sleep_until(second(step), &stream("slow")).await;
        }
    });
    assert_eq!(stage.play(), Ok(()));
}

#[test]
fn a_run_that_has_not_been_started_is_not_stuck() {
    let sim = Sim::without_server(impatient());
    let agent = sim.agent("agent", async {});
    std::thread::sleep(PATIENCE * 2);
    sim.start();
    assert_eq!(block_on(agent), Some(()));
    assert_eq!(block_on(sim.finished()), Ok(()));
}

/// What an agent makes of its clock, twice.
fn digests(nanos: fn(&Sim) -> u64) -> [String; 2] {
    [(); 2].map(|()| {
        let mut stage = Stage::new();
        let sim = stage.sim.clone();
        stage.agent("agent", async move {
            sim.sleep_until(second(1), &stream("agent")).await;
            sim.note(&stream("agent"), AgentEvent::Line { body_end: nanos(&sim), token: false });
        });
        let sim = stage.sim.clone();
        stage.play().unwrap();
        std::thread::sleep(Duration::from_millis(1));
        sim.log().digest()
    })
}

#[test]
fn agents_that_read_the_virtual_clock_have_the_same_digest_in_each_run() {
    let [first, second] = digests(|sim| sim.now().as_nanos());
    assert_eq!(first, second);
}

#[test]
fn broken_agents_that_read_the_wall_clock_have_another_digest_in_each_run() {
    let [first, second] = digests(|_| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(since.as_nanos()).unwrap()
    });
    assert_ne!(first, second);
}

#[cfg(any(feature = "runtime-smol", feature = "runtime-smol-1kb"))]
#[test]
fn broken_a_timer_of_smol_in_an_agent_is_found_out() {
    let mut stage = Stage::new();
    let sim = stage.sim.clone();
    stage.agent("real", async {
        smol::Timer::after(Duration::from_millis(1)).await;
    });
    // Keeps its turn until the run is over.
    stage.agent("virtual", async move { while !matches!(sim.watch(Duration::from_secs(1)), Liveness::Over) {} });
    let failure = stage.play().unwrap_err();
    assert_eq!((failure.reason, failure.at), (FailureReason::Foreign { task: "real".to_owned() }, second(0)));
}

#[cfg(any(feature = "runtime-tokio-default", feature = "runtime-tokio-localset"))]
#[test]
fn broken_a_timer_of_tokio_in_an_agent_is_found_out() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let sim = Sim::without_server(SimSettings::default());
    let verdict = runtime.block_on(async {
        tokio::spawn(sim.agent("real", tokio::time::sleep(Duration::from_millis(1))));
        let own = sim.clone();
        // Keeps the clock going until the run is over.
        tokio::spawn(sim.agent("virtual", async move {
            for step in 1.. {
                own.sleep_until(second(step), &stream("virtual")).await;
            }
        }));
        sim.start();
        sim.finished().await
    });
    let failure = verdict.unwrap_err();
    assert_eq!(failure.reason, FailureReason::Foreign { task: "real".to_owned() });
    assert!(failure.at > second(0), "the clock has moved without it");
}
