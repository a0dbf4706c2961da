//! I1, I2 and I3: every task that takes part is registered; work that is not holds the clock.

use std::sync::mpsc;
use std::thread;

use futures::channel::oneshot;

use super::{Stage, noted, notes, second, stream};
use crate::clients::AgentEvent;
use crate::sim::{FailureReason, Sim, SimFailure};

/// An agent that notes the answer to `question`, which it sends at the beginning.
fn asker(stage: &mut Stage, question: oneshot::Sender<()>, answer: oneshot::Receiver<()>) {
    let sim = stage.sim.clone();
    stage.agent("asker", async move {
        let _ = question.send(());
        answer.await.unwrap();
        sim.note(&stream("asker"), AgentEvent::Sent);
    });
}

/// Answers when it is asked.
async fn echo(question: oneshot::Receiver<()>, answer: oneshot::Sender<()>) {
    question.await.unwrap();
    let _ = answer.send(());
}

fn foreign(task: &str) -> FailureReason {
    FailureReason::Foreign { task: task.to_owned() }
}

#[test]
fn a_registered_task_in_the_chain_answers_at_once() {
    let mut stage = Stage::new();
    let ((question, asked), (answer, answered)) = (oneshot::channel(), oneshot::channel());
    asker(&mut stage, question, answered);
    stage.sleeper("sleeper", second(1));
    let echo = stage.sim.service("echo", echo(asked, answer));
    stage.unregistered(async {
        echo.await;
    });
    let sim = stage.sim.clone();
    stage.play().unwrap();
    assert_eq!(noted(&sim), notes([(0, "asker"), (1, "sleeper")]));
}

#[test]
fn broken_an_unregistered_task_in_the_chain_is_found_out_and_the_clock_has_moved() {
    let mut stage = Stage::new();
    let ((question, asked), (answer, answered)) = (oneshot::channel(), oneshot::channel());
    asker(&mut stage, question, answered);
    stage.sleeper("sleeper", second(1));
    stage.unregistered(echo(asked, answer));
    let failure = stage.play().unwrap_err();
    assert_eq!((failure.reason, failure.at), (foreign("asker"), second(1)));
}

/// An agent that is answered from a thread while another has its turn.
fn answered_from_a_thread(held: bool) -> Result<(), SimFailure> {
    let mut stage = Stage::new();
    let (answer, answered) = oneshot::channel();
    let kept = held.then(|| stage.sim.hold("a thread"));
    stage.agent("waiter", async move { answered.await.unwrap() });
    stage.agent("other", async move {
        let sending = thread::spawn(move || {
            answer.send(()).unwrap();
            drop(kept);
        });
        sending.join().unwrap();
    });
    stage.play()
}

#[test]
fn a_thread_that_holds_the_clock_may_wake_a_task() {
    assert_eq!(answered_from_a_thread(true), Ok(()));
}

#[test]
fn broken_a_thread_that_wakes_a_task_is_found_out() {
    let failure = answered_from_a_thread(false).unwrap_err();
    assert_eq!((failure.reason, failure.at), (foreign("waiter"), second(0)));
}

#[test]
fn broken_a_timer_that_an_unregistered_task_waits_for_is_found_out() {
    let mut stage = Stage::new();
    let sim = stage.sim.clone();
    stage.unregistered(async move { sim.sleep_until(second(1), &stream("unknown")).await });
    stage.sleeper("known", second(2));
    let failure = stage.play().unwrap_err();
    let expected = FailureReason::Unregistered { stream: "agent unknown exchange 0".to_owned() };
    assert_eq!((failure.reason, failure.at), (expected, second(1)));
}

#[test]
fn a_task_that_is_made_during_the_run_may_be_waited_for() {
    let mut stage = Stage::new();
    let (spawn, spawned) = oneshot::channel();
    let sim = stage.sim.clone();
    stage.agent("parent", async move {
        let inner = sim.clone();
        let (child, joined) = sim.joined("child", async move {
            inner.sleep_until(second(1), &stream("child")).await;
            "grown up"
        });
        assert!(spawn.send(child).is_ok());
        assert_eq!(joined.await, Ok("grown up"));
        sim.note(&stream("parent"), AgentEvent::Left);
    });
    stage.sleeper("sleeper", second(2));
    stage.unregistered(async {
        spawned.await.unwrap().await;
    });
    let sim = stage.sim.clone();
    stage.play().unwrap();
    assert_eq!(noted(&sim), notes([(1, "parent"), (2, "sleeper")]));
}

#[test]
fn broken_an_own_handle_that_is_told_after_the_last_turn_is_found_out_and_the_clock_has_moved() {
    let mut stage = Stage::new();
    let (tell, told) = oneshot::channel();
    let sim = stage.sim.clone();
    let child = stage.sim.service("child", async move { sim.sleep_until(second(1), &stream("child")).await });
    stage.agent("parent", async move { told.await.unwrap() });
    stage.sleeper("sleeper", second(2));
    // As an executor does: its handle resolves when the task has returned.
    stage.unregistered(async move {
        child.await;
        tell.send(()).unwrap();
    });
    let failure = stage.play().unwrap_err();
    assert_eq!((failure.reason, failure.at), (foreign("parent"), second(2)));
}

/// An agent waits for a blocking call on a thread, while another sleeps for a second.
fn blocking_call(held: bool) -> (Sim, Result<(), SimFailure>) {
    let mut stage = Stage::new();
    let (answer, answered) = oneshot::channel();
    let (awake, woken) = mpsc::channel();
    let sim = stage.sim.clone();
    let kept = held.then(|| sim.hold("a blocking call"));
    let blocking = thread::spawn(move || {
        // A slow call has its answer when the sleeper is awake, unless it keeps that one asleep.
        assert!(kept.is_some() || woken.recv().is_ok());
        answer.send(()).unwrap();
        drop(kept);
    });
    stage.agent("caller", async move {
        answered.await.unwrap();
        sim.note(&stream("caller"), AgentEvent::Sent);
    });
    let sim = stage.sim.clone();
    stage.agent("sleeper", async move {
        sim.sleep_until(second(1), &stream("sleeper")).await;
        sim.note(&stream("sleeper"), AgentEvent::Sent);
        // The thread may have answered and gone.
        let _ = awake.send(());
        blocking.join().unwrap();
    });
    let sim = stage.sim.clone();
    let verdict = stage.play();
    (sim, verdict)
}

#[test]
fn a_blocking_call_that_holds_the_clock_takes_no_time() {
    let (sim, verdict) = blocking_call(true);
    assert_eq!(verdict, Ok(()));
    assert_eq!(noted(&sim), notes([(0, "caller"), (1, "sleeper")]));
}

#[test]
fn broken_a_blocking_call_without_a_hold_is_found_out_and_the_clock_has_moved() {
    let (sim, verdict) = blocking_call(false);
    let failure = verdict.unwrap_err();
    assert_eq!((failure.reason, failure.at), (foreign("caller"), second(1)));
    assert_eq!(noted(&sim), notes([(1, "sleeper")]));
}

#[test]
fn the_clock_stands_still_until_the_last_hold_is_let_go() {
    let mut stage = Stage::new();
    let holds = [stage.sim.hold("one"), stage.sim.hold("two")];
    let sim = stage.sim.clone();
    stage.sleeper("sleeper", second(1));
    stage.unregistered(async move {
        for hold in holds {
            assert_eq!(sim.now(), second(0));
            drop(hold);
        }
        assert_eq!(sim.now(), second(1));
    });
    assert_eq!(stage.play(), Ok(()));
}

#[test]
fn a_task_that_is_made_while_the_clock_is_held_begins_at_once() {
    let mut stage = Stage::new();
    let hold = stage.sim.hold("until it has begun");
    let sim = stage.sim.clone();
    stage.sleeper("sleeper", second(1));
    stage.unregistered(async move {
        let noting = sim.clone();
        sim.service("late", async move { noting.note(&stream("late"), AgentEvent::Started) }).await;
        drop(hold);
    });
    let sim = stage.sim.clone();
    stage.play().unwrap();
    assert_eq!(noted(&sim), notes([(0, "late"), (1, "sleeper")]));
}
