use super::*;
use crate::papers::data::{sets, tr113_tr114};
use crate::papers::predict::{Backend, Limiter};
use crate::papers::published::Published;

fn with_judged<T>(published: &Published, look: impl FnOnce(&[Judged<'_>]) -> T) -> T {
    look(&judge(&sets(published, "tr115"), "there").unwrap())
}

fn error_of(judged: &[Judged<'_>], which: impl Fn(&Run<'_>) -> bool) -> Errors {
    errors(judged, which).unwrap()
}

#[test]
fn every_published_efficiency_is_recomputed_to_its_last_digit() {
    for published in [Published::built_in().unwrap(), tr113_tr114().unwrap()] {
        assert_eq!(with_judged(&published, recomputed), published.runs.len());
    }
}

#[test]
fn the_overlapping_runs_are_predicted_within_their_bound() {
    with_judged(&Published::built_in().unwrap(), |judged| {
        let all = error_of(judged, |run| run.is_warm() && run.overlaps());
        assert_eq!(all.runs, 84);
        assert!(all.mean <= 0.16 && all.unseen_mean.unwrap() <= 0.16, "{all:?}");
    });
}

#[test]
fn a_scenario_alone_is_predicted_as_well() {
    let published = Published::built_in().unwrap();
    let mut scenarios: Vec<String> = published.runs.iter().map(|run| run.scenario.clone()).collect();
    scenarios.dedup();
    scenarios.sort_unstable();
    scenarios.dedup();
    assert_eq!(scenarios.len(), 5);
    for scenario in scenarios {
        let mut only = published.clone();
        only.runs.retain(|run| run.scenario == scenario);
        let error = with_judged(&only, |judged| error_of(judged, |run| run.is_warm() && run.overlaps()));
        assert!(error.mean <= 0.3, "{scenario}: {error:?}");
    }
}

#[test]
fn the_mutex_makes_the_half_and_nothing_else_does() {
    with_judged(&Published::built_in().unwrap(), |judged| {
        for judged in judged {
            let with = |limiter| judged.with(Setup { limiter, backend: Backend::SharedDevice });
            assert!((with(Limiter::Mutex) - 50.0).abs() < 1e-9);
            assert!(with(Limiter::SemaphoreOfTwo) > 50.1, "{judged:?}");
            if judged.run.row.runtime == "async-std" {
                assert!((judged.predicted_pct - 50.0).abs() < 1e-9 && judged.error() < 0.05, "{judged:?}");
            }
        }
    });
}

#[test]
fn one_and_two_servers_are_predicted_within_their_bounds() {
    with_judged(&tr113_tr114().unwrap(), |judged| {
        let of = |set: &str, warm: bool| error_of(judged, |run| run.row.runtime == set && (run.is_warm() || !warm));
        let dual = of("tr114-dual", true);
        assert!(dual.runs == 76 && dual.mean <= 0.12, "{dual:?}");
        // The reloads are predicted too, which no bound asks for.
        for set in ["tr113", "tr113-single-tr110"] {
            assert!(of(set, true).mean <= 0.12 && of(set, false).mean <= 0.2, "{set}: {:?}", of(set, false));
        }
    });
}

#[test]
fn tables_that_nothing_can_be_fitted_on_are_refused() {
    let mut published = Published::built_in().unwrap();
    published.runs.retain(|run| run.run == 2);
    let error = judge(&sets(&published, ""), "there").unwrap_err();
    assert_eq!(
        error.to_string(),
        "there/summary.csv:1: none of the runs with an odd number says how fast the device is, alone or shared"
    );
}
