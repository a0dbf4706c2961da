//! Bounds on real time. They know a third verdict, and their controls run beside them.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use runtime_lab::for_each_variant;
use runtime_lab::measure::bounds::Bound;
use runtime_lab::runtimes::{Runtime, of};
use runtime_lab::stats::Verdict;
use runtime_lab::variant::Variant;
use serde_json::json;

use super::rounds::{Round, conclude};
use super::{FIRST_TOKEN, OVERLAP, control, duet};
use crate::lab::{bound, judge, scenario};

/// Rounds of a gate.
const ROUNDS: usize = 3;

for_each_variant! {
    fn agents_overlap(variant: Variant) {
        gate(variant, OVERLAP, "mutex-called-semaphore");
    }
}

for_each_variant! {
    fn the_first_token_is_handed_on_with_its_chunk(variant: Variant) {
        gate(variant, FIRST_TOKEN, "accumulate-1kb");
    }
}

/// Runs rounds of the variant and the bound's control until the variant passes one.
///
/// A fault shows in every round, as that of the control does; a stall of the host does not.
fn gate(variant: Variant, name: &str, control: &str) {
    let bound = bound(name);
    let mut rounds = Vec::new();
    while rounds.len() < ROUNDS && !matches!(rounds.last(), Some(Round::Pass(_))) {
        rounds.push(round(variant, &bound, control));
    }
    let (verdict, why) = conclude(&rounds);
    note(name, variant, verdict, &why);
    assert_ne!(verdict, Verdict::Fail, "{name}: {why}");
    if verdict == Verdict::Inconclusive {
        println!("INCONCLUSIVE {name}, {variant}: {why}");
    }
}

fn round(variant: Variant, bound: &Bound, name: &str) -> Round {
    let control = control(name);
    match measure(control.claims, control.runtime, bound) {
        (Verdict::Fail, _) => match measure(variant, of(variant), bound) {
            (Verdict::Pass, why) => Round::Pass(why),
            (Verdict::Fail, why) => Round::Fail(why),
            (Verdict::Inconclusive, why) => Round::Spoilt(why),
        },
        (Verdict::Pass, why) => Round::Toothless(format!("the control {name} was let through: {why}")),
        (Verdict::Inconclusive, why) => Round::Spoilt(format!("the control {name}: {why}")),
    }
}

fn measure(claims: Variant, runtime: &dyn Runtime, bound: &Bound) -> (Verdict, String) {
    let plan = duet(claims);
    judge(&plan, &scenario(&plan).play(runtime), bound)
}

/// Appends to the file that `cargo xtask verdicts` reads.
fn note(gate: &str, variant: Variant, verdict: Verdict, why: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/verdicts.jsonl");
    let line = json!({"gate": gate, "variant": variant.name(), "verdict": verdict.to_string(), "why": why});
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}
