//! How the client code is built, measured: the wall time of the real code when nothing costs anything.

use std::time::Duration;

use mock_ollama::schedule::Pace;
use runtime_lab::runtimes::{Runtime, of};
use runtime_lab::transcript::Transcript;

use super::recordings::steady;
use super::util::{Played, in_memory, over_sockets};
use crate::util::Scenario;

type Stage = fn(&dyn Runtime, &Scenario) -> Played;

fn memory(runtime: &dyn Runtime, scenario: &Scenario) -> Played {
    in_memory(runtime, scenario).unwrap()
}

fn sockets(runtime: &dyn Runtime, scenario: &Scenario) -> Played {
    over_sockets(runtime, scenario).unwrap()
}

/// Two agents with the same answer of 1 s, and a limiter that admits both.
fn equals() -> Scenario {
    Scenario { limit: Some(2), ..Scenario::each(2, vec![steady("equal", 100, 10, 91)], Pace::recorded()) }
}

fn wall(transcript: &Transcript) -> Duration {
    transcript.ended.saturating_since(transcript.started)
}

runtime_lab::for_each_variant! {
    fn agents_that_may_overlap_take_as_long_as_one_of_them(variant: Variant) {
        for stage in [memory as Stage, sockets] {
            assert_eq!(wall(&stage(of(variant), &equals()).run.transcript), Duration::from_secs(1));
        }
    }
}

/// The wrong variants, and exactly how wrong they are.
#[cfg(feature = "controls")]
mod controls {
    use rstest::rstest;

    use super::*;

    fn ttft(transcript: &Transcript) -> Duration {
        let exchange = &transcript.agents[0].exchanges[0];
        exchange.lines.iter().find(|line| line.token).unwrap().at.saturating_since(exchange.sent)
    }

    #[rstest]
    #[case::in_memory(memory)]
    #[case::over_sockets(sockets)]
    fn the_mutex_shows_as_a_structure_of_exactly_one_half(#[case] stage: Stage) {
        let control = super::super::control("mutex-called-semaphore");
        assert_eq!(wall(&stage(control.runtime, &equals()).run.transcript), Duration::from_secs(2));
    }

    #[rstest]
    #[case::in_memory(memory)]
    #[case::over_sockets(sockets)]
    fn accumulating_holds_the_first_token_back_for_as_long_as_1024_bytes_take(#[case] stage: Stage) {
        let control = super::super::control("accumulate-1kb");
        let scenario = Scenario::each(1, vec![steady("held", 50, 20, 60)], Pace::recorded());
        let [held, clean] =
            [control.runtime, of(control.claims)].map(|runtime| stage(runtime, &scenario).run.transcript);
        // Ten lines of 100 bytes are not enough and the eleventh is: ten gaps of 20 ms.
        assert_eq!(ttft(&clean), Duration::from_millis(50));
        assert_eq!(ttft(&held), Duration::from_millis(250));
        assert_eq!(wall(&held), wall(&clean), "and nobody else is any the wiser");
    }
}

/// A device that slows down streams that share it, by more than sharing is worth: two streams run at 41 % of the speed of
/// one each, as on the GPU of TR115.
#[cfg(feature = "runtime-smol")]
mod shared_device {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use mock_ollama::journal::StreamId;
    use runtime_lab::sim::Sim;
    use tokio::sync::Semaphore;

    use super::super::util::settings;

    const TOKENS: u32 = 100;
    const ALONE: Duration = Duration::from_millis(10);
    const SHARED: Duration = Duration::from_nanos(24_390_244);

    async fn agent(sim: Sim, name: &'static str, limiter: Arc<Semaphore>, active: Arc<AtomicU32>) {
        let permit = limiter.acquire().await;
        let stream = StreamId::of(name, 0);
        // Nobody begins before all who may are there.
        active.fetch_add(1, Ordering::Relaxed);
        sim.sleep_until(sim.now(), &stream).await;
        for _ in 0..TOKENS {
            let gap = if active.load(Ordering::Relaxed) > 1 { SHARED } else { ALONE };
            sim.sleep_until(sim.now().saturating_add(gap), &stream).await;
        }
        active.fetch_sub(1, Ordering::Relaxed);
        drop(permit);
    }

    /// The wall time of two equal agents of which n may run at once.
    fn wall(permits: usize) -> Duration {
        let sim = Sim::without_server(settings());
        let (limiter, active) = (Arc::new(Semaphore::new(permits)), Arc::default());
        let run = |name| sim.agent(name, agent(sim.clone(), name, Arc::clone(&limiter), Arc::clone(&active)));
        let tasks = ["one", "other"].map(run).map(smol::spawn);
        sim.start();
        smol::block_on(async {
            for task in tasks {
                task.await.expect("it came to its end");
            }
            sim.finished().await.unwrap();
        });
        Duration::from_nanos(sim.now().as_nanos())
    }

    #[test]
    fn on_a_shared_device_serialising_may_be_faster_and_structure_above_one() {
        let (together, one_by_one) = (wall(2), wall(1));
        assert_eq!((together, one_by_one), (SHARED * TOKENS, ALONE * TOKENS * 2));
        let structure = together.as_secs_f64() / one_by_one.as_secs_f64();
        assert!((1.20..1.22).contains(&structure), "{structure}");
    }
}
