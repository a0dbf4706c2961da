use std::num::NonZeroUsize;

use crate::stats::Verdict;

use super::*;
use crate::measure::bounds::Metric;
use crate::measure::decision::Separation;
use crate::report::build::build;
use crate::report::fixture::{Experiment, as_run, experiment, inputs, report, report_with_bounds, workload};
use crate::report::model::Report;

fn built(experiment: &Experiment) -> Result<Report, BuildError> {
    let workload = workload();
    let runs: Vec<Run<'_>> = experiment.iter().map(as_run).collect();
    build(&inputs(&workload, &runs, &[]))
}

fn alone() -> Experiment {
    let mut all = experiment(&[("alpha", 3)]);
    all.truncate(1);
    all
}

#[test]
fn a_run_that_is_3_ms_late_with_1_ms_of_it_the_servers_says_so() {
    let report = report(&alone());
    let run = &report.timings.variants[0].runs[0];
    assert_eq!((run.measured.wall_us, run.derived.ideal_wall_us, run.derived.overhead_us), (303_000, 300_000, 3_000));
    assert_eq!(run.measured.server_lateness_us, 1_000);
    assert_eq!((run.derived.runtime_share, run.derived.server_share), (0.006_601, 0.003_3));
}

#[test]
fn the_other_numbers_of_a_run_are_the_ones_worked_out_by_hand() {
    let report = report(&alone());
    let run = &report.timings.variants[0].runs[0];
    // Alone 300 and 200 ms, together 303 and 203 ms, three tokens in 0.303 s, serial 510 ms.
    assert_eq!((run.derived.balance, run.derived.overlap), (0.833_333, 0.990_099));
    assert_eq!((run.derived.efficiency, run.derived.legacy_efficiency), (0.825_083, 0.834_983));
    assert_eq!((run.derived.goodput_tokens_per_s, run.derived.speed_up), (9.900_99, Some(1.683_168)));
    let ttft = run.measured.ttft_us.unwrap();
    assert_eq!((ttft.count, ttft.min, ttft.max), (2, 83_000, 103_000));
    let itl = run.measured.itl_us.unwrap();
    assert_eq!((itl.count, itl.p50), (1, 100_000));
    assert_eq!((run.measured.lateness_us.unwrap().p99, run.measured.lag_us.unwrap().p99), (1_000, 2_000));
}

#[test]
fn shares_of_the_wall_add_up() {
    for variant in &report(&experiment(&[("alpha", 3), ("beta", 40)])).timings.variants {
        for run in &variant.runs {
            let rest = run.derived.runtime_share
                + run.derived.server_share
                + ratio(run.derived.ideal_wall_us, run.measured.wall_us);
            assert!((rest - 1.0).abs() < 3e-6, "{rest}");
        }
    }
}

fn ratio(a: u64, b: u64) -> f64 {
    f64::from(u32::try_from(a).unwrap()) / f64::from(u32::try_from(b).unwrap())
}

#[test]
fn medians_have_an_interval_from_six_runs_on() {
    let six = report(&experiment(&[("alpha", 3)]));
    assert_eq!(
        six.timings.variants[0].medians.wall_us,
        Spread { median: 303_000, low: Some(303_000), high: Some(304_000) }
    );
    let one = report(&alone());
    assert_eq!(one.timings.variants[0].medians.wall_us, Spread { median: 303_000, low: None, high: None });
}

#[test]
fn a_limit_makes_the_ideal_wall_longer() {
    let mut workload = workload();
    workload.limit = NonZeroUsize::new(1);
    let experiment = alone();
    let runs: Vec<Run<'_>> = experiment.iter().map(as_run).collect();
    let report = build(&inputs(&workload, &runs, &[])).unwrap();
    assert_eq!(report.timings.variants[0].runs[0].derived.ideal_wall_us, 500_000);
}

#[test]
fn blocks_with_a_failure_are_left_out_of_the_comparison_and_counted() {
    let mut all = experiment(&[("alpha", 3), ("beta", 5)]);
    all[3].2.agents[0].exchanges[0].outcome =
        crate::transcript::ExchangeOutcome::Failed { kind: "reset".into(), message: String::new() };
    let decision = report(&all).timings.decision.unwrap();
    assert_eq!((decision.blocks, decision.incomplete_blocks), (5, 1));
    assert_eq!(decision.verdict, Separation::Inconclusive);
}

#[test]
fn a_block_without_one_of_the_variants_is_left_out() {
    let mut all = experiment(&[("alpha", 3), ("beta", 5)]);
    all.pop();
    let decision = report(&all).timings.decision.unwrap();
    assert_eq!((decision.blocks, decision.incomplete_blocks), (5, 1));
}

#[test]
fn the_order_of_runs_within_a_variant_does_not_matter() {
    let forwards = experiment(&[("alpha", 3)]);
    let mut backwards = forwards.clone();
    backwards.reverse();
    assert_eq!(report(&forwards), report(&backwards));
}

#[test]
fn agents_one_after_the_other_fail_the_bound_on_streams_in_flight() {
    let mut all = experiment(&[("alpha", 3), ("mutex", 3)]);
    all[7].3.max_in_flight = 1;
    let verdicts: Vec<_> = report_with_bounds(&all)
        .timings
        .bounds
        .into_iter()
        .filter(|found| found.metric == Metric::MaxInFlightShare)
        .map(|found| (found.variant, found.verdict, found.why.starts_with("block 3: ")))
        .collect();
    assert_eq!(verdicts, [("alpha".to_owned(), Verdict::Pass, false), ("mutex".to_owned(), Verdict::Fail, true)]);
}

#[test]
fn one_slow_run_does_not_fail_a_wall_clock_bound_and_most_runs_do() {
    let verdict = |late: &[u64]| {
        let all: Experiment = late
            .iter()
            .enumerate()
            .map(|(block, &late)| {
                let (seen, did) = crate::report::fixture::run(late);
                ("alpha", block, seen, did)
            })
            .collect();
        let bounds = report_with_bounds(&all).timings.bounds;
        bounds.into_iter().find(|found| found.metric == Metric::Overlap).unwrap().verdict
    };
    assert_eq!(verdict(&[3, 3, 300]), Verdict::Pass);
    assert_eq!(verdict(&[300, 3, 300]), Verdict::Fail);
}

#[test]
fn the_same_variant_twice_in_a_block_is_refused() {
    let mut all = alone();
    all.push(all[0].clone());
    insta::assert_snapshot!(built(&all).unwrap_err(), @"variant alpha ran twice in block 0");
}

#[test]
fn no_runs_make_no_report() {
    assert!(matches!(built(&Vec::new()), Err(BuildError::NoRuns)));
}

#[test]
fn a_run_that_took_no_time_is_refused_by_name() {
    let mut all = alone();
    all[0].2.ended = all[0].2.started;
    let error = anyhow::Error::from(built(&all).unwrap_err());
    insta::assert_snapshot!(format!("{error:#}"), @"variant alpha, block 0: the run took 0 ns");
}

#[test]
fn without_a_serial_run_there_is_no_speed_up() {
    let workload = workload();
    let all = experiment(&[("alpha", 3)]);
    let mut runs: Vec<Run<'_>> = all.iter().map(as_run).collect();
    runs[2].serial_wall = None;
    let report = build(&inputs(&workload, &runs, &[])).unwrap();
    assert_eq!(report.timings.variants[0].medians.speed_up, None);
    assert_eq!(report.timings.variants[0].runs[2].derived.speed_up, None);
}
