use proptest::prelude::*;

use super::*;

fn bound(kind: BoundKind, metric: Metric, min: Option<f64>, max: Option<f64>) -> Bound {
    Bound { name: "b".into(), metric, kind, min, max, reason: "a test needs one".into(), lateness_share: None }
}

fn seen(metric: Metric, value: f64, wall_share: f64) -> Observed {
    Observed { values: BTreeMap::from([(metric, value)]), lateness: Lateness { wall_share, us: 0.0 } }
}

/// The error of a bad file, with its causes, as a person reads it.
fn error_of(file: &str) -> String {
    let path = Path::new("fixtures/bad/bounds").join(file);
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap();
    format!("{:#}", anyhow::Error::from(parse(&text, &path).unwrap_err()))
}

#[test]
fn every_bad_file_says_what_to_do() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bad/bounds");
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    let all: Vec<String> = names.iter().map(|name| format!("== {name}\n{}\n", error_of(name))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn the_built_in_bounds_can_all_fail() {
    for bound in built_in().unwrap() {
        let beyond = bound.min.map_or_else(|| bound.max.unwrap() + 1.0, |min| min - 1.0);
        assert_eq!(bound.judge(&seen(bound.metric, beyond, 0.0)).0, Verdict::Fail, "{}", bound.name);
    }
}

#[test]
fn the_built_in_bounds_pass_a_run_that_loses_nothing() {
    for bound in built_in().unwrap() {
        let best = bound.metric.best().expect("a built-in bound limits a metric with a best value");
        assert_eq!(bound.judge(&seen(bound.metric, best, 0.0)).0, Verdict::Pass, "{}", bound.name);
    }
}

#[test]
fn agents_held_apart_by_a_mutex_fail_the_overlap_bound() {
    let bounds = built_in().unwrap();
    let found: Vec<_> = bounds
        .iter()
        .filter(|bound| bound.metric == Metric::MaxInFlightShare)
        .map(|bound| bound.judge(&seen(bound.metric, 0.5, 0.0)).0)
        .collect();
    assert_eq!(found, [Verdict::Fail]);
}

#[test]
fn a_limit_belongs_to_what_it_allows() {
    let exact = bound(BoundKind::Deterministic, Metric::Overlap, Some(0.9), Some(0.9));
    assert_eq!(exact.judge(&seen(Metric::Overlap, 0.9, 0.0)).0, Verdict::Pass);
}

#[test]
fn what_was_not_observed_is_inconclusive_and_never_a_pass() {
    let wanted = bound(BoundKind::Deterministic, Metric::Overlap, Some(0.9), None);
    let (kept, why) = wanted.judge(&Observed::default());
    assert_eq!((kept, why.as_str()), (Verdict::Inconclusive, "overlap was not observed"));
}

#[test]
fn a_late_server_makes_wall_clock_bounds_inconclusive() {
    // Slack 0.2 of the wall time, half of which the server may use up.
    let wanted = bound(BoundKind::WallClock, Metric::Overlap, Some(0.8), None);
    assert_eq!(wanted.judge(&seen(Metric::Overlap, 0.7, 0.09)).0, Verdict::Fail);
    let (kept, why) = wanted.judge(&seen(Metric::Overlap, 0.7, 0.25));
    assert_eq!(kept, Verdict::Inconclusive);
    insta::assert_snapshot!(why, @"overlap is 0.7, but the server itself was late by 0.25, more than 0.5 of the slack of 0.2: use a quieter host");
}

#[test]
fn a_late_server_changes_nothing_about_deterministic_bounds() {
    let wanted = bound(BoundKind::Deterministic, Metric::Overlap, Some(0.8), None);
    assert_eq!(wanted.judge(&seen(Metric::Overlap, 0.7, 0.9)).0, Verdict::Fail);
}

#[test]
fn a_failure_gives_the_reason_of_its_bound() {
    let wanted = bound(BoundKind::Deterministic, Metric::FirstTokenChunks, None, Some(1.0));
    let (_, why) = wanted.judge(&seen(Metric::FirstTokenChunks, 9.0, 0.0));
    insta::assert_snapshot!(why, @"first-token-chunks is 9, max 1: a test needs one");
}

#[test]
fn metrics_are_displayed_as_they_are_written() {
    for metric in Metric::ALL {
        assert_eq!(serde_json::to_value(metric).unwrap(), metric.to_string());
    }
}

proptest! {
    #[test]
    fn a_deterministic_bound_passes_exactly_within_its_limits(value in -2.0_f64..2.0, limits in (-2.0_f64..0.0, 0.0_f64..2.0)) {
        let wanted = bound(BoundKind::Deterministic, Metric::Overlap, Some(limits.0), Some(limits.1));
        let kept = wanted.judge(&seen(Metric::Overlap, value, 0.0)).0;
        prop_assert_eq!(kept == Verdict::Pass, (limits.0..=limits.1).contains(&value));
    }
}
