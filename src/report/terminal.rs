//! The report on a terminal of 100 columns: a table and the three answers.

use lab_stats::Verdict;

use super::conclusions::{conclusions, p99};
use super::model::{Kind, Report, VariantTimings};
pub use super::text::{Table, or_dash, percent, seconds, wrapped};
use super::text::{millis, plural};

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
         what share of the wall time is added to that by executor, client and the machine's noise, and by the server's lateness. speed-up: against the same agents \
         one after the other. TTFT: request to first token. ITL: gap between tokens. lag: server's write to agent's sight. \
         facts: whether bytes, lines and outcomes are those of the other variants and of the recordings.",
        millis(ideal)
    )
}

/// The table, with names cut where a line would be longer than [`WIDTH`].
fn table(report: &Report) -> String {
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let head = "variant".len();
    let room = (WIDTH + head).saturating_sub(widest(&table_of(report, head)));
    table_of(report, room.max(head))
}

fn table_of(report: &Report, name: usize) -> String {
    let mut table = if is_virtual(report) {
        Table::new(&["variant", "wall", "structure", "speed-up", "tok/s", "TTFT p50", "ITL p99", "facts"])
    } else {
        Table::new(&[
            "variant", "wall", "speed-up", "runtime", "server", "tok/s", "TTFT p50", "ITL p99", "lag p99", "facts",
        ])
    };
    for variant in &report.timings.variants {
        table.row(row(report, variant, name));
    }
    table.plain()
}

fn row(report: &Report, variant: &VariantTimings, name: usize) -> Vec<String> {
    let medians = &variant.medians;
    let differs = report.timings.disagreements.iter().any(|found| found.variant == variant.variant);
    let speed_up = or_dash(medians.speed_up, |found| format!("{:.2}", found.median));
    let mut cells = vec![variant.variant.chars().take(name).collect(), millis(medians.wall_us.median)];
    if is_virtual(report) {
        cells.extend([or_dash(medians.factors.structure, |found| percent(found.median)), speed_up]);
    } else {
        let shares = [medians.runtime_share.median, medians.server_share.median].map(percent);
        cells.push(speed_up);
        cells.extend(shares);
    }
    cells.extend([
        format!("{:.1}", medians.goodput_tokens_per_s.median),
        or_dash(medians.ttft_p50_us, |found| millis(found.median)),
        or_dash(medians.itl_p99_us, |found| millis(found.median)),
    ]);
    if !is_virtual(report) {
        cells.push(p99(medians.lag_p99_us.as_ref()));
    }
    cells.push(if differs { "differ" } else { "same" }.to_owned());
    cells
}
