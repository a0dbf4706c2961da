//! The report on a terminal of 100 columns: a table and the three answers.

use crate::stats::Verdict;

use super::conclusions::{conclusions, p99};
use super::model::{Kind, Report, VariantTimings};
use super::text::{Column, millis, plural};
pub use super::text::{Table, or_dash, percent, seconds, wrapped};
use super::variants::variant_table;

/// The most columns a line takes.
pub const WIDTH: usize = 100;

/// What is read on a terminal after a run.
pub fn render(report: &Report) -> String {
    let clock = if is_virtual(report) { report.environment.clock.as_str() } else { "real time" };
    let facts = &report.facts;
    let agents = plural(facts.agents.len(), "agent");
    let title = format!("{} · {agents} · pace {} · {clock}", facts.workload, facts.pace);
    let paragraph = |text: String| wrapped(&text, WIDTH, 2) + "\n";
    let answers: String = conclusions(report)
        .into_iter()
        .map(|found| paragraph(format!("{} {}", found.question, found.answer)))
        .collect();
    let broken = report.timings.bounds.iter().filter(|found| found.verdict != Verdict::Pass);
    let bounds: String = broken
        .map(|found| {
            let word = if found.verdict == Verdict::Fail { "FAIL" } else { "inconclusive" };
            paragraph(format!("bound {word}: {}, {}: {}", found.bound, found.variant, found.why))
        })
        .collect();
    format!("{}\n{answers}{bounds}\n{}\n{}", paragraph(title), table(report), paragraph(legend(report)))
}

fn is_virtual(report: &Report) -> bool {
    report.timings.kind == Kind::Virtual
}

/// What the columns of the table mean.
fn legend(report: &Report) -> String {
    if is_virtual(report) {
        return "All times are virtual. wall: first agent's start to last agent's end. structure: the scripts alone / wall. \
                speed-up: against the same agents one after the other. TTFT: request to first token. ITL: gap between \
                tokens. facts: whether bytes, lines and outcomes are those of the other variants and of the recordings."
            .to_owned();
    }
    let run = report.timings.variants.first().and_then(|variant| variant.runs.first());
    let ideal = run.map_or(0, |run| i64::try_from(run.derived.ideal_wall_us).unwrap_or(i64::MAX));
    format!(
        "Medians over runs. wall: first agent's start to last agent's end; the recordings alone take {}. runtime, server: \
         what share of the wall time is added to that by executor, client and the host's noise, and by the server's lateness. speed-up: against the same agents \
         one after the other. TTFT: request to first token. ITL: gap between tokens. lag: server's write to agent's sight. \
         facts: whether bytes, lines and outcomes are those of the other variants and of the recordings.",
        millis(ideal)
    )
}

/// The table, with names cut where a line would be longer than [`WIDTH`].
fn table(report: &Report) -> String {
    let differs = |variant: &VariantTimings| {
        let differs = report.timings.disagreements.iter().any(|found| found.variant == variant.variant);
        if differs { "differ" } else { "same" }.to_owned()
    };
    let columns: &[Column<'_, VariantTimings>] = if is_virtual(report) {
        &[
            ("wall", &|variant| millis(variant.medians.wall_us.median)),
            ("structure", &|variant| or_dash(variant.medians.factors.structure, |found| percent(found.median))),
            ("speed-up", &speed_up),
            ("tok/s", &goodput),
            ("TTFT p50", &|variant| or_dash(variant.medians.ttft_p50_us, |found| millis(found.median))),
            ("ITL p99", &|variant| or_dash(variant.medians.itl_p99_us, |found| millis(found.median))),
            ("facts", &differs),
        ]
    } else {
        &[
            ("wall", &|variant| millis(variant.medians.wall_us.median)),
            ("speed-up", &speed_up),
            ("runtime", &|variant| percent(variant.medians.runtime_share.median)),
            ("server", &|variant| percent(variant.medians.server_share.median)),
            ("tok/s", &goodput),
            ("TTFT p50", &|variant| or_dash(variant.medians.ttft_p50_us, |found| millis(found.median))),
            ("ITL p99", &|variant| or_dash(variant.medians.itl_p99_us, |found| millis(found.median))),
            ("lag p99", &|variant| p99(variant.medians.lag_p99_us.as_ref())),
            ("facts", &differs),
        ]
    };
    variant_table(report, columns).plain_within(WIDTH)
}

fn speed_up(variant: &VariantTimings) -> String {
    or_dash(variant.medians.speed_up, |found| format!("{:.2}", found.median))
}

fn goodput(variant: &VariantTimings) -> String {
    format!("{:.1}", variant.medians.goodput_tokens_per_s.median)
}
