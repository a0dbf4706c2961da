//! What the runtime's label explains, metric by metric.

use mock_ollama::seed::Seed;

use crate::measure::label::{Explained, Question, explain};
use crate::measure::resample::permute::{Row, Scale, p_value};
use crate::papers::judge::Judged;
use crate::report::text::Table;

/// The seed of permutations and draws.
const SEED: Seed = Seed(115);

/// The confidence of each test, and of all intervals of a metric together.
const CONFIDENCE: f64 = 0.95;

/// The published figures are rounded to hundredths of a point, twice.
const ROUNDING_POINTS: f64 = 0.011;

/// A published quantity, and how much of it would matter where that was stated before looking.
struct Metric {
    name: &'static str,
    of: fn(&Judged<'_>) -> f64,
    smallest_effect: Option<f64>,
}

const METRICS: [Metric; 6] = [
    Metric { name: "efficiency, %", of: |run| run.run.row.efficiency_pct, smallest_effect: None },
    Metric { name: "wall time, s", of: |run| run.run.row.wall_s, smallest_effect: None },
    Metric {
        name: "efficiency less balance, points",
        of: |run| run.run.row.efficiency_pct - balance_pct(run),
        smallest_effect: Some(ROUNDING_POINTS),
    },
    Metric { name: "goodput, tokens/s", of: |run| run.run.tokens() / run.run.row.wall_s, smallest_effect: None },
    Metric { name: "decode speed, tokens/s", of: decode_speed, smallest_effect: None },
    Metric { name: "first token, ms", of: first_token, smallest_effect: None },
];

/// How equal the two agents' times were: the larger twice is 100 %.
fn balance_pct(judged: &Judged<'_>) -> f64 {
    let [a, b] = judged.run.agents.map(|agent| agent.execution_s);
    100.0 * (a + b) / (2.0 * a.max(b))
}

fn decode_speed(judged: &Judged<'_>) -> f64 {
    let tokens: f64 = judged.run.agents.iter().map(|agent| f64::from(agent.tokens)).sum();
    tokens / judged.run.agents.iter().map(|agent| agent.eval_ms / 1e3).sum::<f64>()
}

fn first_token(judged: &Judged<'_>) -> f64 {
    judged.run.agents.iter().map(|agent| agent.ttft_ms).sum::<f64>() / 2.0
}

/// The section; absent where there are no two runtimes to compare.
pub(super) fn section(judged: &[Judged<'_>]) -> Option<String> {
    let runs: Vec<&Judged<'_>> = judged.iter().filter(|judged| judged.run.is_warm() && judged.run.overlaps()).collect();
    let mut table = Table::new(&["metric", "p, of means", "p, of typical values", "the label"]);
    for metric in &METRICS {
        let rows: Vec<Row<'_>> = runs
            .iter()
            .map(|judged| {
                let row = judged.run.row;
                Row { label: &row.runtime, stratum: &row.scenario, value: (metric.of)(judged) }
            })
            .collect();
        let question = Question {
            scale: Scale::Values,
            confidence: CONFIDENCE,
            smallest_effect: metric.smallest_effect,
            seed: SEED,
        };
        let found = explain(&rows, question).ok()?;
        let ranks = p_value(&rows, Scale::Ranks, SEED)?;
        table.row(vec![metric.name.to_owned(), p(found.p_value), p(ranks), verdict(&found, ranks, metric)]);
    }
    Some(format!(
        "## What the runtime's label explains\n\nThe {} warm runs whose agents overlapped; the label is permuted within \
         scenarios (seed {}). p is the share of permutations that tell the labels apart as well as the published ones \
         do: at most {:.2} separates. Each runtime was recorded in a block of its own, one session after the other, so \
         label and session cannot be told apart: what separates here may be the hour as well as the runtime.\n\n{}",
        runs.len(),
        SEED,
        1.0 - CONFIDENCE,
        table.markdown()
    ))
}

fn p(value: f64) -> String {
    format!("{value:.4}")
}

fn verdict(found: &Explained, ranks: f64, metric: &Metric) -> String {
    if found.equivalent() {
        let effect = metric.smallest_effect.unwrap_or_default();
        return format!("explains nothing: all pairs lie within {effect} points");
    }
    match (found.separated(), ranks <= 1.0 - CONFIDENCE) {
        (true, true) => "separates",
        (false, true) => "separates typical values, not means",
        (true, false) => "separates means, not typical values",
        (false, false) => "does not separate",
    }
    .to_owned()
}
