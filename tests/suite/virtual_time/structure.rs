//! How the client code is built, measured: the wall time of the real code when nothing costs anything.

use std::time::Duration;

use mock_ollama::schedule::Pace;
use rstest::rstest;
use runtime_lab::runtimes::{Runtime, of};
use runtime_lab::transcript::Transcript;

use super::made::steady;
use super::stage::{Played, in_memory, over_sockets};
use crate::stage::Cast;

type Stage = fn(&dyn Runtime, &Cast) -> Played;

fn memory(runtime: &dyn Runtime, cast: &Cast) -> Played {
    in_memory(runtime, cast).unwrap()
}

fn sockets(runtime: &dyn Runtime, cast: &Cast) -> Played {
    over_sockets(runtime, cast).unwrap()
}

/// Two agents with the same answer of 1 s, and a limiter that admits both.
fn equals() -> Cast {
    Cast { limit: Some(2), ..Cast::each(2, vec![steady("equal", 100, 10, 91)], Pace::recorded()) }
}

fn wall(transcript: &Transcript) -> Duration {
    transcript.ended.saturating_since(transcript.started)
}

fn ttft(transcript: &Transcript) -> Duration {
    let exchange = &transcript.agents[0].exchanges[0];
    exchange.lines.iter().find(|line| line.token).unwrap().at.saturating_since(exchange.sent)
}

runtime_lab::for_each_variant! {
    fn agents_that_may_overlap_take_as_long_as_one_of_them(variant: Variant) {
        for stage in [memory as Stage, sockets] {
            assert_eq!(wall(&stage(of(variant), &equals()).run.transcript), Duration::from_secs(1));
        }
    }
}

#[cfg(feature = "controls")]
#[rstest]
#[case::in_memory(memory)]
#[case::over_sockets(sockets)]
fn the_mutex_shows_as_a_structure_of_exactly_one_half(#[case] stage: Stage) {
    let control = super::control("mutex-called-semaphore");
    assert_eq!(wall(&stage(control.runtime, &equals()).run.transcript), Duration::from_secs(2));
}

#[cfg(feature = "controls")]
#[rstest]
#[case::in_memory(memory)]
#[case::over_sockets(sockets)]
fn accumulating_holds_the_first_token_back_for_as_long_as_1024_bytes_take(#[case] stage: Stage) {
    let control = super::control("accumulate-1kb");
    let cast = Cast::each(1, vec![steady("held", 50, 20, 60)], Pace::recorded());
    let [held, clean] = [control.runtime, of(control.claims)].map(|runtime| stage(runtime, &cast).run.transcript);
    // Ten lines of 100 bytes are not enough and the eleventh is: ten gaps of 20 ms.
    assert_eq!(ttft(&clean), Duration::from_millis(50));
    assert_eq!(ttft(&held), Duration::from_millis(250));
    assert_eq!(wall(&held), wall(&clean), "and nobody else is any the wiser");
}
