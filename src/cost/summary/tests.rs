//! Made-up measurements; no number in here was measured.

use std::collections::BTreeMap;

use mock_ollama::schedule::Pace;

use super::*;
use crate::cost::{LeftOut, page};
use crate::report::json::{pretty, schema};
use crate::report::model::Host;
use crate::variant::Variant;

fn plan(variants: &[Variant], sizes: &[usize], rounds: usize) -> CostPlan {
    let pace: Pace = "gap=10ms".parse().unwrap();
    CostPlan {
        variants: variants.to_vec(),
        sizes: sizes.iter().map(|&agents| (agents, pace)).collect(),
        left_out: vec![LeftOut { agents: 10_000, needed: 10_064, limit: 8192 }],
        tokens: 200,
        rounds,
        seed: Seed(1),
        cores: Some((1, vec![0])),
    }
}

/// The schema as it is kept.
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cost.schema.json");

/// The CPU time of a token, in nanoseconds: the clients on hyper take three floors, those on reqwest four.
fn cpu(subject: Subject) -> f64 {
    match subject {
        Subject::Floor => 10_000.0,
        Subject::Variant(Variant::TokioDefault | Variant::TokioLocalset) => 40_000.0,
        Subject::Variant(_) => 30_000.0,
    }
}

/// What the host did to everyone in a round alike.
fn weather(round: usize) -> f64 {
    [1.0, 1.04, 0.98, 1.3, 1.01, 0.99, 1.02, 1.0, 1.05][round % 9]
}

fn measured(plan: &CostPlan, counted: bool) -> Vec<Measured> {
    let mut all = Vec::new();
    for &(agents, _) in &plan.sizes {
        for round in 0..=plan.rounds {
            for subject in plan.everyone() {
                // The round to warm up is far from the others in everything.
                let weather = round.checked_sub(1).map_or(100.0, weather);
                let floor = f64::from(u8::from(subject == Subject::Floor));
                let mut values = BTreeMap::from([
                    (Metric::Cpu, cpu(subject) * weather),
                    (Metric::Waited, 1.0 / f64::from(u32::try_from(agents).unwrap())),
                    (Metric::Displaced, 0.01),
                    (Metric::Calls, 1.5 - 1.5 * floor),
                    (Metric::Pieces, 1.005),
                    (Metric::Resident, 51_200.0 - 47_104.0 * floor),
                    (Metric::LagP50, (60_000.0 - 30_000.0 * floor) * weather),
                    (Metric::LagP99, 200_000.0 * weather * weather),
                    (Metric::LatenessP99, 90_000.0),
                ]);
                if counted {
                    values.insert(Metric::Allocations, 3.0 - 3.0 * floor);
                    values.insert(Metric::AllocatedBytes, 400.0 - 400.0 * floor);
                }
                if counted && round == 0 {
                    values.insert(Metric::SystemCalls, 4.0 - 2.5 * floor);
                }
                let uncounted = (!counted && round == 0).then(|| "made up".to_owned());
                all.push(Measured { subject, agents, round, executor: "made-up".to_owned(), values, uncounted });
            }
        }
    }
    all
}

fn environment() -> Environment {
    Environment {
        clock: "made-up".to_owned(),
        host: Some(Host {
            os: "linux 6.18".to_owned(),
            arch: "x86_64".to_owned(),
            cores: 2,
            load_before: Some(0.5),
            load_after: None,
            profile: "release".to_owned(),
        }),
        ..Environment::default()
    }
}

fn report(plan: &CostPlan) -> CostReport {
    summarise(plan, &measured(plan, true), true, environment())
}

fn row<'a>(report: &'a CostReport, who: &str) -> &'a CostRow {
    report.sizes[0].rows.iter().find(|row| row.who == who).unwrap()
}

fn of(row: &CostRow, metric: Metric) -> &Estimate {
    row.metrics.iter().find(|estimate| estimate.metric == metric.key()).unwrap()
}

#[test]
fn a_page_of_nine_rounds_shows_the_curve_the_ratios_and_what_is_separated() {
    insta::assert_snapshot!(page(&report(&plan(Variant::ALL, &[1, 4096], 9))));
}

#[test]
fn a_ratio_is_taken_within_a_round_so_that_what_hits_both_cancels() {
    let report = report(&plan(Variant::ALL, &[1], 9));
    let cpu = of(row(&report, "smol"), Metric::Cpu);
    assert_eq!(cpu.ratio, Some(MedianInterval { median: 3.0, low: Some(3.0), high: Some(3.0) }));
    assert!(cpu.value.low < cpu.value.high, "the values themselves vary: {:?}", cpu.value);
    assert_eq!(of(row(&report, "floor"), Metric::Cpu).ratio, None);
}

#[test]
fn where_the_floor_has_nothing_there_is_no_ratio() {
    let plan = plan(Variant::ALL, &[4096], 9);
    let mut all = measured(&plan, true);
    all.iter_mut().filter(|one| one.subject == Subject::Floor).for_each(|one| {
        one.values.insert(Metric::Resident, 0.0);
    });
    let report = summarise(&plan, &all, true, environment());
    assert_eq!(of(row(&report, "smol"), Metric::Resident).ratio, None);
    assert!(of(row(&report, "smol"), Metric::Resident).value.median > 51_199.0);
}

#[test]
fn three_rounds_rank_nothing_however_clear_they_look() {
    let report = report(&plan(Variant::ALL, &[1], 3));
    assert!(report.sizes[0].decisions.iter().all(|decided| decided.separated.is_empty() && decided.same.is_empty()));
    let page = page(&report);
    assert!(
        page.contains("Nothing is ranked: telling 10 pairs of variants apart takes 9 rounds, and there are 3."),
        "{page}"
    );
    assert!(!page.contains("takes less"), "{page}");
}

#[test]
fn one_round_has_medians_without_intervals() {
    let report = report(&plan(Variant::ALL, &[1], 1));
    let cpu = of(row(&report, "smol"), Metric::Cpu);
    assert_eq!((cpu.value.low, cpu.ratio), (None, Some(MedianInterval { median: 3.0, low: None, high: None })));
}

#[test]
fn one_variant_is_compared_with_the_floor_alone() {
    let report = report(&plan(&[Variant::Smol], &[1], 9));
    assert_eq!(report.sizes[0].decisions, []);
    let page = page(&report);
    assert!(page.contains("| smol | 3.00 [3.00, 3.00] |") && !page.contains("Nothing is ranked"), "{page}");
}

#[test]
fn a_difference_below_the_smallest_that_matters_is_none() {
    let plan = plan(&[Variant::Smol, Variant::AsyncStd], &[1], 9);
    let mut all = measured(&plan, true);
    all.iter_mut().filter(|one| one.subject == Subject::Variant(Variant::Smol) && one.round > 0).for_each(|one| {
        // 500 ns more, where a tenth of the floor is 1,000.
        one.values.insert(Metric::Cpu, cpu(one.subject) * weather(one.round - 1) + 500.0);
    });
    let report = summarise(&plan, &all, true, environment());
    let cpu = &report.sizes[0].decisions[0];
    assert_eq!((cpu.metric, cpu.separated.len(), cpu.same.len()), ("cpu_ns_per_token", 0, 1));
}

#[test]
fn what_was_not_counted_is_said_and_shown_as_absent() {
    let plan = plan(&[Variant::Smol, Variant::AsyncStd], &[1], 9);
    let report = summarise(&plan, &measured(&plan, false), true, environment());
    assert!(!report.allocations_counted);
    assert!(report.sizes[0].decisions.iter().all(|decided| decided.metric != "allocations_per_token"));
    assert!(page(&report).contains("Allocations were not counted"));
    assert_eq!(report.system_calls_uncounted.as_deref(), Some("made up"));
    assert!(row(&report, "smol").metrics.iter().all(|of| of.metric != "system_calls_per_token"));
    assert!(page(&report).contains("\nSystem calls were not counted: made up.\n"));
}

#[test]
fn of_the_round_to_warm_up_its_system_calls_are_kept_and_nothing_else() {
    let plan = plan(&[Variant::Smol], &[1], 3);
    let mut all = measured(&plan, true);
    let kept = summarise(&plan, &all, true, environment());
    let smol = row(&kept, "smol");
    let calls = of(smol, Metric::SystemCalls);
    assert_eq!((calls.rounds.as_slice(), calls.ratio), ([4.0].as_slice(), None));
    assert_eq!(calls.value, MedianInterval { median: 4.0, low: None, high: None });
    for metric in Metric::ALL.into_iter().filter(|metric| !metric.is_of_the_warm_up()) {
        assert_eq!(of(smol, metric).rounds.len(), 3, "{metric:?}");
    }
    all.iter_mut().filter(|one| one.round == 0).for_each(|one| one.values.retain(|of, _| of.is_of_the_warm_up()));
    assert_eq!(summarise(&plan, &all, true, environment()), kept);
}

#[test]
fn nothing_is_ranked_by_system_calls() {
    assert!(!Metric::DECIDED.into_iter().chain(Metric::RATIOS).any(Metric::is_of_the_warm_up));
}

#[test]
fn children_that_did_not_keep_to_their_cores_are_said() {
    let plan = plan(&[Variant::Smol], &[1], 1);
    let report = summarise(&plan, &measured(&plan, true), false, environment());
    assert_eq!((report.server_core, report.agent_cores.as_slice()), (None, [].as_slice()));
    assert!(page(&report).contains("\nNot pinned: "));
}

#[test]
fn the_json_has_every_round_under_keys_that_say_the_unit() {
    let report: serde_json::Value = serde_json::from_str(&pretty(&report(&plan(&[Variant::Smol], &[1], 2)))).unwrap();
    assert_eq!(report["format"], "runtime-lab-cost/1");
    let cpu = &report["sizes"][0]["rows"][1]["metrics"][0];
    assert_eq!((&cpu["metric"], cpu["rounds"].as_array().unwrap().len()), (&"cpu_ns_per_token".into(), 2));
}

#[test]
fn the_schema_that_is_kept_is_the_one_of_the_types() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(SCHEMA, schema::<CostReport>()).unwrap();
    }
    let kept = std::fs::read_to_string(SCHEMA).unwrap();
    assert!(kept == schema::<CostReport>(), "docs/cost.schema.json is out of date: run this test with UPDATE_SCHEMA=1");
}

#[test]
fn reports_of_every_shape_are_what_the_schema_says() {
    let ranked = report(&plan(Variant::ALL, &[1, 4096], 9));
    let alone = report(&plan(&[Variant::Smol], &[1], 1));
    let uncounted_plan = plan(Variant::ALL, &[1], 3);
    let uncounted = summarise(&uncounted_plan, &measured(&uncounted_plan, false), false, environment());
    let schema = validator();
    for report in [ranked, alone, uncounted] {
        assert_eq!(errors(&schema, &parsed(&report)), [""; 0]);
    }
}

#[test]
fn what_is_no_report_is_rejected_by_the_schema() {
    let good = parsed(&report(&plan(Variant::ALL, &[1], 9)));
    let breaks: [(&str, serde_json::Value); 6] = [
        ("/format", "runtime-lab-cost/2".into()),
        ("/tokens", (-1).into()),
        ("/sizes/0/rows/0/metrics/0/metric", "cpu_seconds".into()),
        ("/sizes/0/rows/0/metrics/0/value/median", serde_json::Value::Null),
        ("/sizes/0/decisions/0/metric", "lag_p50_ns".into()),
        ("/left_out/0", serde_json::json!({"agents": 10_000, "needed": 10_064, "limit": 8_192, "wanted": 1})),
    ];
    let schema = validator();
    for (place, wrong) in breaks {
        let mut broken = good.clone();
        *broken.pointer_mut(place).unwrap() = wrong;
        assert_eq!(errors(&schema, &broken).len(), 1, "{place}");
    }
}

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(&schema::<CostReport>()).unwrap()).unwrap()
}

fn errors(schema: &jsonschema::Validator, report: &serde_json::Value) -> Vec<String> {
    schema.iter_errors(report).map(|error| error.to_string()).collect()
}

fn parsed(report: &CostReport) -> serde_json::Value {
    serde_json::from_str(&pretty(report)).unwrap()
}
