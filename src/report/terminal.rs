//! The report on a terminal of 100 columns: a table and the three answers.

use super::conclusions::{conclusions, p99};
use super::model::{Kind, Report, VariantTimings};
pub use super::text::wrapped;
use super::text::{Table, millis, or_dash, percent, plural, seconds};
use crate::measure::bounds::Kept;

/// The most columns a line takes.
pub const WIDTH: usize = 100;

/// What is read on a terminal after a run.
pub fn render(report: &Report) -> String {
    let clock = match report.timings.kind {
        Kind::Virtual => "virtual time",
        _ => "real time",
    };
    let facts = &report.facts;
    let agents = plural(facts.agents.len(), "agent");
    let title = format!("{} · {agents} · pace {} · {clock}", facts.workload, facts.pace);
    let mut paragraphs = Vec::new();
    for conclusion in conclusions(report) {
        paragraphs.push(format!("{} {}", conclusion.question, conclusion.answer));
    }
    for found in report.timings.bounds.iter().filter(|found| found.verdict != Kept::Pass) {
        let word = if found.verdict == Kept::Fail { "FAIL" } else { "inconclusive" };
        paragraphs.push(format!("bound {word}: {}, {}: {}", found.bound, found.variant, found.why));
    }
    let paragraphs: Vec<String> = paragraphs.iter().map(|text| wrapped(text, WIDTH, 2) + "\n").collect();
    format!("{}\n\n{}\n{}", wrapped(&title, WIDTH, 2), table(report), paragraphs.concat())
}

/// The table, with names cut where a line would be longer than [`WIDTH`].
fn table(report: &Report) -> String {
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let head = "variant".len();
    let room = (WIDTH + head).saturating_sub(widest(&table_of(report, head)));
    table_of(report, room.max(head))
}

fn table_of(report: &Report, name: usize) -> String {
    let mut table =
        Table::new(&["variant", "wall", "runtime", "server", "tok/s", "TTFT p50", "ITL p99", "lag p99", "facts"]);
    for variant in &report.timings.variants {
        table.row(row(report, variant, name));
    }
    table.plain()
}

fn row(report: &Report, variant: &VariantTimings, name: usize) -> Vec<String> {
    let medians = &variant.medians;
    let differs = report.timings.disagreements.iter().any(|found| found.variant == variant.variant);
    vec![
        variant.variant.chars().take(name).collect(),
        seconds(medians.wall_us.median),
        percent(medians.runtime_share.median),
        percent(medians.server_share.median),
        format!("{:.1}", medians.goodput_tokens_per_s.median),
        or_dash(medians.ttft_p50_us, |found| millis(found.median)),
        or_dash(medians.itl_p99_us, |found| millis(found.median)),
        p99(medians.lag_p99_us.as_ref()),
        if differs { "differ" } else { "same" }.to_owned(),
    ]
}
