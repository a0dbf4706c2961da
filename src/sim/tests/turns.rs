//! I5: a task that ends, in whatever way, gives back its turn. (A task that does not is in `wall_clock`.)

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::join;

use super::{Stage, block_on, noted, notes, second, stream};
use crate::clients::AgentEvent;
use crate::sim::{Sim, SimSettings};

#[test]
fn an_agent_that_is_dropped_before_its_first_turn_is_passed_over() {
    let mut stage = Stage::new();
    drop(stage.sim.agent("gone", pending::<()>()));
    stage.sleeper("other", second(1));
    assert_eq!(stage.play(), Ok(()));
}

#[test]
fn an_agent_that_is_dropped_when_it_is_its_turn_gives_it_to_the_next() {
    let mut stage = Stage::new();
    let gone = stage.sim.agent("gone", pending::<()>());
    let sim = stage.sim.clone();
    stage.unregistered(async move {
        assert!(sim.lock().current.is_some(), "the first agent's turn has come");
        drop(gone);
    });
    stage.sleeper("other", second(1));
    assert_eq!(stage.play(), Ok(()));
}

#[test]
fn an_agent_that_aborts_another_goes_on_and_the_other_does_not_count() {
    let mut stage = Stage::new();
    let other = Rc::new(RefCell::new(Some(Box::pin(stage.sim.agent("other", pending::<()>())))));
    let victim = Rc::clone(&other);
    stage.unregistered(poll_fn(move |cx| match victim.borrow_mut().as_mut() {
        Some(other) => other.poll_unpin(cx).map(drop),
        None => Poll::Ready(()),
    }));
    let sim = stage.sim.clone();
    stage.agent("abort", async move {
        sim.sleep_until(second(1), &stream("abort")).await;
        let aborted = other.take();
        drop(aborted);
        sim.sleep_until(second(2), &stream("abort")).await;
    });
    let sim = stage.sim.clone();
    assert_eq!(stage.play(), Ok(()));
    assert_eq!(sim.now(), second(2));
}

#[test]
fn what_a_dropped_agent_held_wakes_the_task_that_waits_for_it() {
    let mut stage = Stage::new();
    let (kept, lost) = oneshot::channel::<()>();
    let sim = stage.sim.clone();
    stage.agent("waiter", async move {
        assert_eq!(lost.await, Err(oneshot::Canceled));
        sim.note(&stream("waiter"), AgentEvent::Left);
    });
    let holder = stage.sim.agent("holder", async move {
        let _kept = kept;
        pending::<()>().await;
    });
    stage.sleeper("sleeper", second(1));
    stage.unregistered(async move { drop(holder) });
    let sim = stage.sim.clone();
    assert_eq!(stage.play(), Ok(()));
    assert_eq!(noted(&sim), notes([(0, "waiter"), (1, "sleeper")]));
}

#[test]
fn an_agent_that_panics_gives_its_turn_to_the_next() {
    let mut stage = Stage::new();
    let panicking = stage.sim.agent("panicking", async { panic!("on purpose") });
    stage.unregistered(async {
        assert!(AssertUnwindSafe(panicking).catch_unwind().await.is_err());
    });
    stage.sleeper("other", second(1));
    assert_eq!(stage.play(), Ok(()));
}

#[test]
fn a_run_whose_executor_is_torn_down_is_over() {
    let sim = Sim::without_server(SimSettings::default());
    let agents: Vec<_> = ["a", "b", "c"].map(|name| sim.agent(name, pending::<()>())).into();
    sim.start();
    drop(agents);
    assert_eq!(block_on(sim.finished()), Ok(()));
}

#[test]
fn a_wake_after_the_end_of_its_task_is_not_heard() {
    let mut stage = Stage::new();
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    stage.agent(
        "ended",
        poll_fn(move |cx| {
            *keep.lock().unwrap() = Some(cx.waker().clone());
            Poll::Ready(())
        }),
    );
    stage.sleeper("other", second(1));
    stage.unregistered(async move { kept.lock().unwrap().take().map(Waker::wake).expect("the agent was polled") });
    assert_eq!(stage.play(), Ok(()));
}

#[test]
fn a_wake_after_the_end_of_the_run_is_not_heard() {
    let sim = Sim::without_server(SimSettings::default());
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let service = sim.service(
        "service",
        poll_fn(move |cx| {
            *keep.lock().unwrap() = Some(cx.waker().clone());
            Poll::<()>::Pending
        }),
    );
    sim.start();
    assert_eq!(block_on(service), None);
    kept.lock().unwrap().take().expect("the service has been polled").wake();
    assert!(sim.lock().tasks.queue.is_empty());
    assert_eq!(block_on(sim.finished()), Ok(()));
}

#[test]
fn tasks_that_have_not_ended_when_the_run_is_over_end_with_nothing() {
    let sim = Sim::without_server(SimSettings::default());
    let (service, agent) = (sim.service("service", pending::<()>()), sim.agent("agent", async {}));
    sim.start();
    assert_eq!(block_on(join(service, agent)), (None, Some(())));
}
