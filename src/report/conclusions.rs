//! The three answers that every output begins with.
//!
//! They name no winner: a variant is mentioned only where it delivered other bytes or where the decision rule
//! separated it from another one.

use std::collections::BTreeSet;

use super::model::{Decision, Difference, Disagreement, Kind, Pair, Report, Spread, VariantTimings};
use super::text::{confidence, micros, millis, percent, plural, spread};
use crate::measure::decision::Separation;

/// A question and what the report answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conclusion {
    /// The question.
    pub question: &'static str,
    /// The answer, in plain sentences.
    pub answer: String,
}

/// The three answers of `report`.
pub(crate) fn conclusions(report: &Report) -> [Conclusion; 3] {
    [
        Conclusion { question: "Do all variants deliver the same bytes?", answer: bytes(report) },
        Conclusion { question: "How much of the wall time is the runtime's?", answer: share(report) },
        Conclusion { question: "Does the evidence separate the variants?", answer: separation(report) },
    ]
}

fn bytes(report: &Report) -> String {
    let exchanges = || report.facts.agents.iter().flat_map(|agent| &agent.exchanges);
    let total: usize = exchanges().map(|exchange| exchange.bytes).sum();
    let runs: usize = report.timings.variants.iter().map(|variant| variant.runs.len()).sum();
    let Some(first) = report.timings.disagreements.first() else {
        let who = match report.timings.variants.as_slice() {
            [only] => format!("{} alone was run; {}", only.variant, plural(runs, "run")),
            all => format!("{} in {}", plural(all.len(), "variant"), plural(runs, "run")),
        };
        let what = plural(exchanges().count(), "exchange");
        return format!("Yes: {who} delivered the same {total} bytes in {what}.");
    };
    let all = &report.timings.disagreements;
    let others: BTreeSet<&str> = all.iter().map(|found| found.variant.as_str()).collect();
    let others: Vec<&str> = others.into_iter().collect();
    format!(
        "No: {} differ{} from the facts in {}; the first is {}.",
        others.join(", "),
        if others.len() == 1 { "s" } else { "" },
        plural(all.len(), "place"),
        in_words(first)
    )
}

/// A disagreement in words.
pub(super) fn in_words(found: &Disagreement) -> String {
    let what = match found.what {
        Difference::Missing => "missing".to_owned(),
        Difference::Extra => "extra".to_owned(),
        Difference::Request => "another request".to_owned(),
        Difference::Answer => "another answer".to_owned(),
        Difference::Bytes => found.first_differing_byte.map_or_else(|| "bytes".to_owned(), |at| format!("byte {at}")),
        Difference::Lines => "lines".to_owned(),
        Difference::Outcome => "outcome".to_owned(),
    };
    format!(
        "{} in block {}, agent {}, exchange {}, {what}: {}",
        found.variant, found.block, found.agent, found.exchange, found.detail
    )
}

fn share(report: &Report) -> String {
    let variants = &report.timings.variants;
    if report.timings.kind == Kind::Virtual {
        return structure(variants);
    }
    let runtime = range(variants, |variant| variant.medians.runtime_share.median);
    let server = range(variants, |variant| variant.medians.server_share.median);
    let low = variants.iter().filter_map(|variant| variant.medians.runtime_share.low).reduce(f64::min);
    let high = variants.iter().filter_map(|variant| variant.medians.runtime_share.high).reduce(f64::max);
    let interval = match (low, high) {
        (Some(low), Some(high)) => format!("the intervals reach from {} to {}", percent(low), percent(high)),
        _ => "too few runs for an interval".to_owned(),
    };
    let by = if variants.len() > 1 { ", by variant" } else { "" };
    format!("{runtime}{by} (median over runs; {interval}). The server's own lateness is another {server}.")
}

/// What virtual time can say instead: how the client code is built.
fn structure(variants: &[VariantTimings]) -> String {
    let structure = range(variants, |variant| variant.medians.factors.structure.map_or(1.0, |found| found.median));
    let contention = range(variants, |variant| variant.medians.factors.contention);
    format!(
        "Virtual time cannot tell: executor, client and I/O cost nothing in it. Structure of the client code: {structure}; \
         100 % is overlap exactly as the scripts allow. Contention behind the server: {contention}; 100 % is none."
    )
}

/// The least and the most of a share over variants: `0.40 % to 0.95 %`.
fn range(variants: &[VariantTimings], of: impl Fn(&VariantTimings) -> f64) -> String {
    let values = || variants.iter().map(&of);
    let text = |value: Option<f64>| percent(value.unwrap_or(0.0));
    let (least, most) = (text(values().reduce(f64::min)), text(values().reduce(f64::max)));
    if least == most { least } else { format!("{least} to {most}") }
}

fn separation(report: &Report) -> String {
    if report.timings.kind == Kind::Virtual {
        return sameness(&report.timings.variants);
    }
    let Some(decision) = &report.timings.decision else {
        return if report.timings.variants.len() < 2 {
            "There is one variant, so there is nothing to compare.".to_owned()
        } else {
            "Not decided: there is no block in which every variant ran without a failure.".to_owned()
        };
    };
    let answer = match decision.verdict {
        Separation::NoDifference => format!(
            "No difference: {} of variants {} within {}, {}.",
            plural(decision.pairs.len(), "pair"),
            if decision.pairs.len() == 1 { "agrees" } else { "agree" },
            millis(signed(decision.smallest_effect_us)),
            evidence(decision)
        ),
        Separation::Separated => separated(decision),
        Separation::Inconclusive => inconclusive(decision),
    };
    if report.timings.disagreements.is_empty() {
        answer
    } else {
        format!("{answer} But variants that deliver other bytes do other work: see the first answer.")
    }
}

/// Variants in virtual time differ only where their code does other things.
fn sameness(variants: &[VariantTimings]) -> String {
    let walls: BTreeSet<i64> = variants.iter().map(|variant| variant.medians.wall_us.median).collect();
    let wall = |at: Option<&i64>| millis(at.copied().unwrap_or(0));
    match walls.len() {
        0 | 1 => format!("It cannot, in virtual time: the wall time is {} with each.", wall(walls.first())),
        _ => format!(
            "Not by what runtimes cost. Their code does other things: wall times go from {} to {}.",
            wall(walls.first()),
            wall(walls.last())
        ),
    }
}

fn evidence(decision: &Decision) -> String {
    format!("at {} confidence over {}", confidence(decision.confidence), plural(decision.blocks, "block"))
}

fn separated(decision: &Decision) -> String {
    let of = |verdict| decision.pairs.iter().filter(move |pair| pair.verdict == verdict);
    let listed: Vec<String> = of(Separation::Separated).map(gap).collect();
    let (same, open) = (of(Separation::NoDifference).count(), of(Separation::Inconclusive).count());
    let others = match same + open {
        0 => String::new(),
        others => format!(" Of the other {}, no difference: {same}, inconclusive: {open}.", plural(others, "pair")),
    };
    format!("Yes, {}: {}.{others}", evidence(decision), listed.join("; "))
}

/// A separated pair, the faster variant first.
fn gap(pair: &Pair) -> String {
    let found = &pair.difference_us;
    let (faster, slower, more) = if pair.faster.as_ref() == Some(&pair.a) {
        (&pair.a, &pair.b, Spread { median: -found.median, low: found.high.map(|e| -e), high: found.low.map(|e| -e) })
    } else {
        (&pair.b, &pair.a, *found)
    };
    format!("{slower} takes {} longer than {faster}", spread(&more, millis))
}

fn inconclusive(decision: &Decision) -> String {
    let open = decision.pairs.iter().filter(|pair| pair.verdict == Separation::Inconclusive).count();
    let needed = match decision.blocks_needed {
        Some(needed) if needed > decision.blocks => format!("at least {} are needed", plural(needed, "block")),
        _ => "more blocks (--runs) or a quieter host would narrow the intervals".to_owned(),
    };
    format!(
        "Not decided for {open} of {} of variants, {}; {needed}.",
        plural(decision.pairs.len(), "pair"),
        evidence(decision)
    )
}

fn signed(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

/// A 99th percentile over runs as the tables show it.
pub(super) fn p99(value: Option<&Spread<i64>>) -> String {
    value.map_or_else(|| "–".to_owned(), |found| micros(found.median))
}
