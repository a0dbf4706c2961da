//! Known answers, and the recordings of our own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mock_ollama::clock::Instant;
use proptest::prelude::*;

use super::check::{Misfit, check};
use super::fit::{curve, fit};
use super::page::page;
use super::predict;
use super::score::SetPrediction;
use super::set::{Agent, Repetition, Set};
use super::simulate::{DeviceStream, Need, simulate};

fn times(gaps_us: &[u64]) -> Vec<Duration> {
    let mut at = Duration::ZERO;
    let later = gaps_us.iter().map(|gap| {
        at += Duration::from_micros(*gap);
        at
    });
    std::iter::once(Duration::ZERO).chain(later).collect()
}

/// Agents with these first chunks and solo gaps, as a device with this share serves them.
fn served(agents: &[(u64, Vec<u64>)], share: f64) -> Repetition {
    let streams: Vec<DeviceStream> = agents
        .iter()
        .map(|(first, gaps)| DeviceStream { first: at_us(*first), need: Need::Served(times(gaps)) })
        .collect();
    let arrivals = simulate(&streams, &curve(Some(share)));
    let agents = agents.iter().zip(arrivals).enumerate().map(|(index, ((first, gaps), together))| Agent {
        name: ["a", "b", "c"][index].to_owned(),
        prompt: Duration::from_micros(*first),
        together,
        alone: Some(times(gaps)),
    });
    Repetition { name: "rep1".to_owned(), agents: agents.collect() }
}

const fn at_us(us: u64) -> Instant {
    Instant::from_nanos(us * 1_000)
}

fn outcome(repetition: Repetition) -> SetPrediction {
    SetPrediction::of(&Set { name: "x".to_owned(), repetitions: vec![repetition] })
}

#[test]
fn a_set_that_a_share_made_is_described_by_it_without_error() {
    for share in [0.5, 0.41, 0.05, 1.0] {
        let found = outcome(served(&[(10_000, vec![12_000; 60]), (35_000, vec![15_000; 40])], share));
        let judged = check(&found);
        assert!((found.share.unwrap() / share - 1.0).abs() < 0.005, "{share}: {found:?}");
        assert!(judged.holds && judged.wall_error < 0.005 && judged.chunk_error < 0.005, "{share}: {judged:?}");
    }
}

#[test]
fn streams_that_were_never_served_at_once_have_no_share() {
    let repetition = served(&[(0, vec![10_000; 5]), (60_000, vec![10_000; 5])], 0.5);
    assert_eq!(fit(&repetition), None);
    assert!(check(&outcome(repetition)).holds);
}

#[test]
fn an_agent_unknown_alone_slows_the_others_and_is_not_predicted() {
    let mut repetition = served(&[(0, vec![10_000; 50]), (20_000, vec![10_000; 50])], 0.4);
    repetition.agents[1].alone = None;
    let found = outcome(repetition);
    assert!((found.share.unwrap() - 0.4).abs() < 0.002);
    let scores = &found.repetitions[0].agents;
    assert!(scores[0].prediction.is_some() && scores[1].prediction.is_none());
}

#[test]
fn work_that_is_lost_in_bursts_is_named() {
    let mut repetition = served(&[(0, vec![10_000; 60]), (0, vec![10_000; 60])], 0.1);
    // The same time in all, but in six pauses.
    for (number, agent) in repetition.agents.iter_mut().enumerate() {
        let phase = number * 5;
        let gaps: Vec<u64> = (0..60).map(|gap| if gap % 10 == phase { 991_000 } else { 1_000 }).collect();
        agent.together = times(&gaps).into_iter().map(|at| Instant::ZERO.saturating_add(at)).collect();
    }
    let judged = check(&outcome(repetition));
    assert!(!judged.holds);
    assert!(judged.reasons.iter().any(|reason| matches!(reason, Misfit::Lost { .. })), "{judged:?}");
    assert!(judged.reasons.iter().any(|reason| matches!(reason, Misfit::Bursts { .. })), "{judged:?}");
}

#[test]
fn agents_that_were_faster_together_than_alone_are_named() {
    let mut repetition = served(&[(0, vec![10_000; 60]), (0, vec![10_000; 60])], 1.0);
    for agent in &mut repetition.agents {
        agent.alone = Some(times(&[12_000; 60]));
    }
    let judged = check(&outcome(repetition));
    assert!(matches!(judged.reasons.as_slice(), [Misfit::Faster { speed, .. }] if *speed > 1.19), "{judged:?}");
}

#[test]
fn agents_that_are_slowed_down_differently_are_named() {
    let mut repetition = served(&[(0, vec![10_000; 60]), (0, vec![10_000; 60])], 0.5);
    repetition.agents[0].alone = Some(times(&[14_000; 60]));
    let judged = check(&outcome(repetition));
    assert!(judged.reasons.iter().any(|reason| matches!(reason, Misfit::Uneven { .. })), "{judged:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_fit_finds_the_share_that_made_the_data(
        share in 0.02_f64..=1.0,
        one in prop::collection::vec(500_u64..40_000, 20..40),
        other in prop::collection::vec(500_u64..40_000, 20..40),
        later in 0_u64..5_000,
    ) {
        let found = fit(&served(&[(3_000, one), (3_000 + later, other)], share)).unwrap();
        prop_assert!((found / share - 1.0).abs() < 0.005, "{found} of {share}");
    }
}

fn of_this_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The sets of our own recordings that lie beside the workspace, where they do.
///
/// Without them the test is skipped; under `REQUIRE_SHARED=1` that is a failure.
fn shared(folder: &str) -> Option<Vec<SetPrediction>> {
    let path = of_this_repository("../shared/own-recordings").join(folder);
    if path.is_dir() {
        return Some(predict(&path).unwrap());
    }
    let required = std::env::var_os("REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(!required, "there is no ../shared/own-recordings/{folder}, and REQUIRE_SHARED=1 asks for it");
    println!("skipped: there is no ../shared/own-recordings/{folder}");
    None
}

/// Two processes on one core: the truth is half speed.
fn assert_half_speed(outcome: &SetPrediction) {
    let (share, judged) = (outcome.share.unwrap(), check(outcome));
    assert!((0.47..=0.53).contains(&share), "{share}");
    assert!(judged.holds && judged.wall_error <= 0.05 && judged.chunk_error <= 0.10, "{judged:?}");
}

#[test]
fn one_core_is_half_speed_and_predicts_the_other_repetition() {
    let outcomes = predict(&of_this_repository("fixtures/predict/one-core")).unwrap();
    assert_eq!(outcomes[0].repetitions.len(), 2);
    assert_half_speed(&outcomes[0]);
}

#[test]
fn one_core_as_captured_is_half_speed_with_either_server() {
    for version in ["v0.33.0", "v0.13.0"] {
        let Some(outcomes) = shared(&format!("{version}/dual/small-one-core")) else { return };
        assert_half_speed(&outcomes[0]);
    }
}

#[test]
fn the_fixture_says_what_the_captures_say() {
    let Some(mut captured) = shared("v0.33.0/dual/small-one-core") else { return };
    let kept = predict(&of_this_repository("fixtures/predict/one-core")).unwrap();
    captured[0].name.clone_from(&kept[0].name);
    assert_eq!(captured, kept);
}

#[test]
fn the_sets_that_a_share_does_not_describe_are_those_of_two_threads_and_each_has_a_reason() {
    for version in ["v0.33.0", "v0.13.0"] {
        let Some(outcomes) = shared(&format!("{version}/dual")) else { return };
        println!("{}", page(&outcomes));
        for outcome in outcomes {
            let judged = check(&outcome);
            assert_eq!(judged.holds, !outcome.name.contains("threads2"), "{}: {judged:?}", outcome.name);
            assert_eq!(judged.holds, judged.reasons.is_empty(), "{}: {judged:?}", outcome.name);
        }
    }
}

#[test]
fn a_batch_of_one_server_is_described_from_the_one_request_known_alone() {
    let Some(outcomes) = shared("v0.33.0/concurrent") else { return };
    println!("{}", page(&outcomes));
    for outcome in &outcomes {
        let is_queue = outcome.name.contains("parallel1");
        assert_eq!((outcome.share.is_none(), check(outcome).holds), (is_queue, true), "{outcome:?}");
        assert_eq!(outcome.judged().filter(|score| score.prediction.is_some()).count(), 1);
    }
}
