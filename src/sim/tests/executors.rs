//! I1, I2 and I3 again: what executors of their own accord do outside virtual time.

#[cfg(any(feature = "runtime-smol", feature = "runtime-smol-1kb"))]
mod smol {
    use smol::LocalExecutor;

    use super::super::{noted, notes, second, stream};
    use crate::clients::AgentEvent;
    use crate::sim::{FailureReason, Sim, SimSettings};

    /// A child that sleeps for a second, and another task that sleeps for two.
    fn with_a_child(executor: &LocalExecutor<'static>, sim: &Sim) -> (smol::Task<()>, crate::sim::Join<()>) {
        let own = sim.clone();
        let (child, joined) = sim.joined("child", async move { own.sleep_until(second(1), &stream("child")).await });
        let own = sim.clone();
        let other = sim.agent("other", async move { own.sleep_until(second(2), &stream("other")).await });
        executor.spawn(other).detach();
        (executor.spawn(async { child.await.unwrap_or_default() }), joined)
    }

    #[test]
    fn broken_a_task_handle_is_found_out_and_the_clock_has_moved() {
        let (executor, sim) = (LocalExecutor::new(), Sim::without_server(SimSettings::default()));
        let (handle, _) = with_a_child(&executor, &sim);
        executor.spawn(sim.agent("parent", handle)).detach();
        sim.start();
        let failure = smol::block_on(executor.run(sim.finished())).unwrap_err();
        assert_eq!((failure.reason, failure.at), (FailureReason::Foreign { task: "parent".to_owned() }, second(2)));
    }

    #[test]
    fn joined_tells_within_the_last_turn() {
        let (executor, sim) = (LocalExecutor::new(), Sim::without_server(SimSettings::default()));
        let (handle, joined) = with_a_child(&executor, &sim);
        handle.detach();
        let own = sim.clone();
        let parent = sim.agent("parent", async move {
            joined.await.unwrap();
            own.note(&stream("parent"), AgentEvent::Left);
        });
        executor.spawn(parent).detach();
        sim.start();
        assert_eq!(smol::block_on(executor.run(sim.finished())), Ok(()));
        assert_eq!((noted(&sim), sim.now()), (notes([(1, "parent")]), second(2)));
    }

    #[test]
    fn broken_a_task_that_was_only_spawned_is_found_out() {
        let (executor, sim) = (LocalExecutor::new(), Sim::without_server(SimSettings::default()));
        let (ask, questions) = smol::channel::bounded(1);
        let (reply, replies) = smol::channel::bounded(1);
        let own = sim.clone();
        let other = sim.agent("other", async move { own.sleep_until(second(1), &stream("other")).await });
        executor.spawn(async move { reply.send(questions.recv().await.unwrap()).await }).detach();
        let asker = sim.agent("asker", async move {
            ask.send("question").await.unwrap();
            replies.recv().await.unwrap();
        });
        executor.spawn(asker).detach();
        executor.spawn(other).detach();
        sim.start();
        let failure = smol::block_on(executor.run(sim.finished())).unwrap_err();
        assert_eq!(failure.reason, FailureReason::Foreign { task: "asker".to_owned() });
    }
}

#[cfg(any(feature = "runtime-tokio-default", feature = "runtime-tokio-localset"))]
mod tokio {
    use tokio::runtime::Builder;
    use tokio::task::JoinHandle;

    use super::super::{noted, notes, second, stream};
    use crate::clients::AgentEvent;
    use crate::sim::{FailureReason, Join, Sim, SimFailure, SimSettings};

    /// On a runtime of one thread: a parent, a child that sleeps for a second, and an agent that sleeps for two.
    fn family<F>(parent: impl FnOnce(Sim, JoinHandle<()>, Join<()>) -> F) -> (Sim, Result<(), SimFailure>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let sim = Sim::without_server(SimSettings::default());
        let verdict = Builder::new_current_thread().build().unwrap().block_on(async {
            let own = sim.clone();
            let (child, joined) =
                sim.joined("child", async move { own.sleep_until(second(1), &stream("child")).await });
            let own = sim.clone();
            let other = sim.agent("other", async move { own.sleep_until(second(2), &stream("other")).await });
            tokio::spawn(other);
            let handle = tokio::spawn(async { child.await.unwrap_or_default() });
            tokio::spawn(sim.agent("parent", parent(sim.clone(), handle, joined)));
            sim.start();
            sim.finished().await
        });
        (sim, verdict)
    }

    #[test]
    fn broken_a_join_handle_is_found_out_and_the_clock_has_moved() {
        let (_, verdict) = family(|_, handle, _| async move { handle.await.unwrap() });
        let failure = verdict.unwrap_err();
        assert_eq!((failure.reason, failure.at), (FailureReason::Foreign { task: "parent".to_owned() }, second(2)));
    }

    #[test]
    fn joined_tells_within_the_last_turn() {
        let (sim, verdict) = family(|sim, _, joined| async move {
            joined.await.unwrap();
            sim.note(&stream("parent"), AgentEvent::Left);
        });
        assert_eq!(verdict, Ok(()));
        assert_eq!((noted(&sim), sim.now()), (notes([(1, "parent")]), second(2)));
    }

    #[test]
    fn spawn_blocking_under_a_hold_takes_no_time() {
        let (sim, verdict) = family(|sim, _, _| async move {
            let hold = sim.hold("spawn_blocking");
            let (tell, told) = futures::channel::oneshot::channel();
            tokio::task::spawn_blocking(move || {
                tell.send(()).unwrap();
                drop(hold);
            });
            told.await.unwrap();
            sim.note(&stream("parent"), AgentEvent::Left);
        });
        assert_eq!(verdict, Ok(()));
        assert_eq!(noted(&sim), notes([(0, "parent")]));
    }

    #[test]
    fn broken_spawn_blocking_without_a_hold_is_found_out_and_the_clock_has_moved() {
        let (_, verdict) = family(|sim, _, _| async move {
            let (tell, told) = futures::channel::oneshot::channel();
            let (awake, woken) = std::sync::mpsc::channel();
            tokio::task::spawn_blocking(move || {
                woken.recv().unwrap();
                tell.send(()).unwrap();
            });
            let own = sim.clone();
            let slow = sim.agent("slow", async move {
                own.sleep_until(second(1), &stream("slow")).await;
                awake.send(()).unwrap();
                // Keeps its turn until the run is over.
                own.watch(std::time::Duration::from_secs(10));
            });
            tokio::spawn(slow);
            told.await.unwrap();
        });
        let failure = verdict.unwrap_err();
        assert_eq!((failure.reason, failure.at), (FailureReason::Foreign { task: "parent".to_owned() }, second(1)));
    }
}
