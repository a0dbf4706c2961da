//! I6: a run that cannot go on says so at once, and says why. (What only a watchdog sees is in `wall_clock`.)

use std::future::pending;

use futures::channel::oneshot;
use futures::future::join;
use mock_ollama::seed::Seed;

use super::{Stage, block_on, second, stream};
use crate::sim::{FailureReason, ParkedTask, Sim, SimFailure, SimSettings};

/// Two agents, each of which tells the other only when the other has told it.
fn deadlock(settings: SimSettings) -> SimFailure {
    let mut stage = Stage::with(settings);
    let ((to_left, from_right), (to_right, from_left)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
    let sim = stage.sim.clone();
    stage.agent("left", async move {
        sim.sleep_until(second(1), &stream("left")).await;
        from_right.await.unwrap();
        to_right.send(()).unwrap();
    });
    stage.agent("right", async move {
        from_left.await.unwrap();
        to_left.send(()).unwrap();
    });
    stage.play().unwrap_err()
}

#[test]
fn broken_a_deadlock_is_found_at_once_and_says_who_waits_and_how_to_repeat_it() {
    let repeat = "runtime-lab simulate --seed 7".to_owned();
    let failure = deadlock(SimSettings { seed: Seed(7), repeat, ..SimSettings::default() });
    assert_eq!(failure.reason, FailureReason::Stalled);
    insta::assert_snapshot!(failure, @"
    virtual time stands still at 1.000000000 s: nothing can run, no timer is set and nothing is in flight
    parked:
      left, since 1.000000000 s
      right, since 0.000000000 s
    seed 7; to repeat it: runtime-lab simulate --seed 7
    ");
}

#[test]
fn broken_a_deadlock_without_a_command_says_its_seed() {
    let failure = deadlock(SimSettings::default());
    assert_eq!(failure.to_string().lines().last(), Some(format!("seed {}", Seed(0)).as_str()));
}

#[test]
fn two_agents_that_tell_each_other_in_turn_end() {
    let mut stage = Stage::new();
    let ((to_left, from_right), (to_right, from_left)) = (oneshot::channel(), oneshot::channel());
    stage.agent("left", async move {
        to_right.send(()).unwrap();
        from_right.await.unwrap();
    });
    stage.agent("right", async move {
        from_left.await.unwrap();
        to_left.send(()).unwrap();
    });
    assert_eq!(stage.play(), Ok(()));
}

#[test]
fn everybody_who_waits_for_the_end_is_told_of_the_failure() {
    let sim = Sim::without_server(SimSettings::default());
    let agent = sim.agent("agent", pending::<()>());
    sim.start();
    let (agent, (first, second)) = block_on(join(agent, join(sim.finished(), sim.finished())));
    assert_eq!(agent, None);
    assert_eq!(first.as_ref().unwrap_err().reason, FailureReason::Stalled);
    assert_eq!(first, second);
    assert_eq!(block_on(sim.finished()), first, "and every later caller");
}

#[test]
fn a_failure_lists_the_services_that_wait_too() {
    let mut stage = Stage::new();
    let service = stage.sim.service("service", pending::<()>());
    stage.agent("agent", pending());
    stage.unregistered(async {
        service.await;
    });
    let failure = stage.play().unwrap_err();
    let names: Vec<_> = failure.parked.iter().map(|parked| parked.task.as_str()).collect();
    assert_eq!(names, ["service", "agent"]);
}

#[test]
fn a_failure_lists_twenty_tasks_and_counts_the_rest() {
    let parked = |number| ParkedTask { task: format!("agent-{number}"), since: second(number), begun: number > 0 };
    let failure = |count| SimFailure {
        reason: FailureReason::Stalled,
        at: second(30),
        parked: (0..count).map(parked).collect(),
        outstanding: Vec::new(),
        seed: Seed(0),
        repeat: String::new(),
    };
    let (twenty, more) = (failure(20).to_string(), failure(23).to_string());
    assert_eq!(twenty.matches("agent-").count(), 20);
    assert!(!twenty.contains("more"), "{twenty}");
    assert_eq!(more.matches("agent-").count(), 20);
    assert!(more.contains("agent-0, never polled\n") && more.contains("\n  … and 3 more\n"), "{more}");
}

#[test]
fn a_run_without_agents_is_over_at_once() {
    let sim = Sim::without_server(SimSettings::default());
    sim.start();
    assert_eq!(block_on(sim.finished()), Ok(()));
    assert_eq!(sim.now(), second(0));
}

#[test]
fn a_run_of_services_alone_is_over_when_they_wait() {
    let sim = Sim::without_server(SimSettings::default());
    let own = sim.clone();
    let service = sim.service("service", async move { own.sleep_until(second(1), &stream("service")).await });
    sim.start();
    assert_eq!(block_on(service), None, "nobody needs it");
    assert_eq!(block_on(sim.finished()), Ok(()));
    assert_eq!(sim.now(), second(0));
}

#[test]
fn a_task_that_asks_for_the_end_again_is_kept_once() {
    let sim = Sim::without_server(SimSettings::default());
    let mut finished = std::pin::pin!(sim.finished());
    block_on(async {
        for _ in 0..3 {
            assert!(futures::poll!(&mut finished).is_pending());
        }
    });
    assert_eq!(sim.lock().waiting.len(), 1);
}
