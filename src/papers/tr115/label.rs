//! What the runtime's label explains, metric by metric.

use mock_ollama::seed::Seed;

use crate::papers::judge::Judged;
use crate::papers::label::{Explained, Question, explain};
use crate::papers::permute::{Row, Scale, p_value};
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
pub(super) fn balance_pct(judged: &Judged<'_>) -> f64 {
    let [a, b] = judged.run.agents.map(|agent| agent.execution_s);
    100.0 * (a + b) / (2.0 * a.max(b))
}

fn decode_speed(judged: &Judged<'_>) -> f64 {
    judged.run.tokens() / judged.run.agents.iter().map(|agent| agent.eval_ms / 1e3).sum::<f64>()
}

fn first_token(judged: &Judged<'_>) -> f64 {
    judged.run.agents.iter().map(|agent| agent.ttft_ms).sum::<f64>() / 2.0
}

/// What was found of a metric.
pub(super) struct Finding {
    metric: &'static Metric,
    runs: usize,
    means: Explained,
    /// The p value of the permutation test of ranks.
    ranks: f64,
}

/// What is found of each metric; absent where there are no two runtimes to compare.
pub(super) fn findings(judged: &[Judged<'_>]) -> Option<Vec<Finding>> {
    let runs: Vec<&Judged<'_>> = judged.iter().filter(|judged| judged.run.is_warm() && judged.run.overlaps()).collect();
    let finding = |metric: &'static Metric| {
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
        let means = explain(&rows, question)?;
        Some(Finding { metric, runs: runs.len(), means, ranks: p_value(&rows, Scale::Ranks, SEED)? })
    };
    METRICS.iter().map(finding).collect()
}

/// The section.
pub(super) fn section(findings: &[Finding]) -> String {
    let table = Table::of(
        findings,
        &[
            ("metric", &|found| found.metric.name.to_owned()),
            ("p, of means", &|found| p(found.means.p_value)),
            ("p, of typical values", &|found| p(found.ranks)),
            ("the label", &|found| found.verdict()),
        ],
    );
    format!(
        "## What the runtime's label explains\n\nThe {} warm runs whose agents overlapped; the label is permuted within \
         scenarios (seed {}). p is the share of permutations that tell the labels apart as well as the published ones \
         do: at most {:.2} separates. Each runtime was recorded in a block of its own, one session after the other, so \
         label and session cannot be told apart: what separates here may be the hour as well as the runtime.\n\n{}",
        findings.first().map_or(0, |found| found.runs),
        SEED,
        1.0 - CONFIDENCE,
        table.markdown()
    )
}

fn p(value: f64) -> String {
    format!("{value:.4}")
}

impl Finding {
    /// The metric without its unit.
    pub(super) fn name(&self) -> &'static str {
        self.metric.name.split(',').next().unwrap_or_default()
    }

    /// The p value of the test of means, as it is printed.
    pub(super) fn p_of_means(&self) -> String {
        p(self.means.p_value)
    }

    /// Within what all pairs of labels lie, in points, where the data show that they do.
    pub(super) fn equivalent_within(&self) -> Option<f64> {
        self.metric.smallest_effect.filter(|_| self.means.equivalent())
    }

    /// Whether labels are told apart by their means, and by typical values.
    pub(super) fn separated(&self) -> [bool; 2] {
        [self.means.separated(), self.ranks <= 1.0 - CONFIDENCE]
    }

    fn verdict(&self) -> String {
        if let Some(effect) = self.equivalent_within() {
            return format!("explains nothing: all pairs lie within {effect} points");
        }
        match self.separated() {
            [true, true] => "separates",
            [false, true] => "separates typical values, not means",
            [true, false] => "separates means, not typical values",
            [false, false] => "does not separate",
        }
        .to_owned()
    }
}
