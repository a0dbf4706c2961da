//! `report.md`: the conclusions first, then the tables they rest on, then what the columns mean, then where.

use lab_stats::Verdict;
use lab_stats::quantile::Sorted;

use super::conclusions::{conclusions, in_words, p99};
use super::model::{AgentTimings, Decision, FactorMedians, Kind, Report};
use super::text::{Table, confidence, millis, or_dash, percent, plural, spread};
use crate::measure::bounds::BoundKind;
use crate::measure::decision::Separation;

/// The most rows of a table whose length depends on the workload; the rest is in the JSON.
const MOST_ROWS: usize = 40;

/// The whole report for people.
pub fn render(report: &Report) -> String {
    let facts = &report.facts;
    let mut text = format!("# {}\n\n{}\n\n", facts.workload, facts.description);
    for conclusion in conclusions(report) {
        text += &["**", conclusion.question, "** ", &conclusion.answer, "\n\n"].concat();
    }
    text += &how(report);
    text += &section("Where the wall time went", &factors(report));
    text += &section("What each variant lost, and to what", &losses(report));
    text += &section("What clients waited for", &latencies(report));
    text += &section("What each agent waited for", &agents(report));
    if report.timings.kind != Kind::Virtual {
        text += &section("Who was late", &lateness(report));
    }
    text += &section("What ran at once", &concurrency(report));
    if report.timings.kind != Kind::Virtual {
        text += &section("What the runtimes showed of themselves", &introspection(report));
    }
    text +=
        &report.timings.decision.as_ref().map_or_else(String::new, |found| section("Pairs of variants", &pairs(found)));
    if !report.timings.bounds.is_empty() {
        text += &section("Bounds", &bounds(report));
    }
    if !report.timings.disagreements.is_empty() {
        text += &section("Where variants differ from the facts", &disagreements(report));
    }
    text += &section("Facts", &exchanges(report));
    text += &section("What the columns mean", if report.timings.kind == Kind::Virtual { VIRTUAL } else { MEANING });
    text += &section("Environment", &environment(report));
    text.trim_end().to_owned() + "\n"
}

fn section(title: &str, body: &str) -> String {
    format!("## {title}\n\n{}\n\n", body.trim_end())
}

fn how(report: &Report) -> String {
    let clock = match report.timings.kind {
        Kind::Virtual => format!("Times are not measured: {}.", report.environment.clock),
        _ => "Times are measured; medians are over runs, with an interval that assumes no distribution where there are enough runs."
            .to_owned(),
    };
    let facts = &report.facts;
    let limit = facts.limit.map_or_else(String::new, |limit| format!(", at most {limit} at once"));
    let seed = facts.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
    format!("{}{limit}, pace {}{seed}. {clock}\n\n", plural(facts.agents.len(), "agent"), facts.pace)
}

fn factors(report: &Report) -> String {
    if report.timings.kind == Kind::Virtual {
        return virtual_factors(report);
    }
    let mut table = Table::new(&[
        "variant",
        "runs",
        "wall",
        "runtime's share",
        "server's share",
        "overlap",
        "speed-up",
        "goodput, tok/s",
        "TR115 efficiency (legacy)",
    ]);
    for variant in &report.timings.variants {
        let medians = &variant.medians;
        table.row(vec![
            variant.variant.clone(),
            variant.runs.len().to_string(),
            spread(&medians.wall_us, millis),
            spread(&medians.runtime_share, percent),
            percent(medians.server_share.median),
            percent(medians.overlap.median),
            or_dash(medians.speed_up, |found| format!("{:.3}", found.median)),
            spread(&medians.goodput_tokens_per_s, |value| format!("{value:.1}")),
            percent(medians.legacy_efficiency.median),
        ]);
    }
    ideal(report) + &table.markdown()
}

/// What virtual time knows of: no runtime, no server's lateness.
fn virtual_factors(report: &Report) -> String {
    let mut table =
        Table::new(&["variant", "wall", "structure", "speed-up", "goodput, tok/s", "TR115 efficiency (legacy)"]);
    for variant in &report.timings.variants {
        let medians = &variant.medians;
        table.row(vec![
            variant.variant.clone(),
            millis(medians.wall_us.median),
            or_dash(medians.factors.structure, |found| percent(found.median)),
            or_dash(medians.speed_up, |found| format!("{:.3}", found.median)),
            format!("{:.1}", medians.goodput_tokens_per_s.median),
            percent(medians.legacy_efficiency.median),
        ]);
    }
    ideal(report) + &table.markdown()
}

/// The four factors as a table, and in words what each took away.
fn losses(report: &Report) -> String {
    let measured = report.timings.kind != Kind::Virtual;
    let columns = ["variant", "balance", "contention", "structure", "runtime", "efficiency"];
    let mut table = Table::new(&columns);
    let mut words = String::new();
    for variant in &report.timings.variants {
        let found = &variant.medians.factors;
        table.row(vec![
            variant.variant.clone(),
            percent(found.balance),
            percent(found.contention),
            or_dash(found.structure, |found| percent(found.median)),
            or_dash(found.runtime.filter(|_| measured), |found| percent(found.median)),
            percent(found.efficiency.median),
        ]);
        words += &["- ", &variant.variant, ": ", &loss(found, measured), "\n"].concat();
    }
    format!(
        "Efficiency = balance (the answers) × contention (the machine behind the server) × structure (the client code) × \
         runtime (executor, I/O, parsing). {}\n\n{}{words}",
        if measured {
            "The first three are virtual: from recordings, and from the client code in virtual time; the last is measured."
        } else {
            "All are virtual; a runtime costs nothing there."
        },
        table.markdown()
    )
}

/// Of 100 points of efficiency, how many went where.
fn loss(found: &FactorMedians, measured: bool) -> String {
    let (structure, runtime) = (found.structure.map_or(1.0, |at| at.median), found.runtime.map_or(1.0, |at| at.median));
    let mut left = 1.0;
    let mut parts = Vec::new();
    let named = [
        (found.balance, "the answers being unequal"),
        (found.contention, "agents slowing each other down on the machine"),
        (structure, "the client code"),
        (runtime, "the runtime and the measuring machine"),
    ];
    for (factor, cause) in named.into_iter().take(if measured { 4 } else { 3 }) {
        let points = (left - left * factor) * 100.0;
        left *= factor;
        if points.abs() >= 0.005 {
            let verb = if points < 0.0 { "gained by" } else { "lost to" };
            parts.push(format!("{:.2} points {verb} {cause}", points.abs()));
        }
    }
    if parts.is_empty() { "nothing lost.".to_owned() } else { format!("{}.", parts.join(", ")) }
}

fn ideal(report: &Report) -> String {
    let run = report.timings.variants.first().and_then(|variant| variant.runs.first());
    run.map_or_else(String::new, |run| {
        let ideal = i64::try_from(run.derived.ideal_wall_us).unwrap_or(i64::MAX);
        format!(
            "The schedules alone take {}; the balance of the agents' work is {}.\n\n",
            millis(ideal),
            percent(run.derived.balance)
        )
    })
}

fn latencies(report: &Report) -> String {
    let mut table = Table::new(&["variant", "TTFT p50", "ITL p50", "ITL p99", "failed exchanges"]);
    for variant in &report.timings.variants {
        let failed: usize = variant.runs.iter().map(|run| run.measured.failed_exchanges).sum();
        table.row(vec![
            variant.variant.clone(),
            or_dash(variant.medians.ttft_p50_us, |found| spread(&found, millis)),
            or_dash(variant.medians.itl_p50_us, |found| spread(&found, millis)),
            or_dash(variant.medians.itl_p99_us, |found| spread(&found, millis)),
            failed.to_string(),
        ]);
    }
    table.markdown()
}

/// One row an agent and variant: medians over runs.
fn agents(report: &Report) -> String {
    let mut table =
        Table::new(&["variant", "agent", "first chunk", "TTFT", "ITL p50", "ITL p90", "ITL p99", "TPOT", "total"]);
    let rows = report.timings.variants.iter().flat_map(|variant| {
        let names = report.facts.agents.iter().enumerate();
        names.map(move |(index, agent)| (variant, index, &agent.agent))
    });
    let count = rows.clone().count();
    for (variant, index, name) in rows.take(MOST_ROWS) {
        let median = |value: &dyn Fn(&AgentTimings) -> Option<i64>| {
            let seen = variant.runs.iter().filter_map(|run| value(run.measured.agents.get(index)?)).collect();
            or_dash(Sorted::new(seen), |sorted| millis(sorted.median()))
        };
        table.row(vec![
            variant.variant.clone(),
            name.clone(),
            median(&|agent| agent.first_chunk_us),
            median(&|agent| agent.ttft_us),
            median(&|agent| agent.itl_us.map(|found| found.p50)),
            median(&|agent| agent.itl_us.map(|found| found.p90)),
            median(&|agent| agent.itl_us.map(|found| found.p99)),
            median(&|agent| agent.tpot_us),
            median(&|agent| agent.total_us),
        ]);
    }
    let more = count.saturating_sub(MOST_ROWS);
    let rest = if more == 0 { String::new() } else { format!("{more} more rows are in `report.json`.\n") };
    table.markdown() + &rest
}

fn lateness(report: &Report) -> String {
    let mut table = Table::new(&[
        "variant",
        "server lateness p99",
        "client lag p99",
        "chunks never seen",
        "chunks before first token",
    ]);
    for variant in &report.timings.variants {
        let unseen: usize = variant.runs.iter().map(|run| run.measured.unobserved_chunks).sum();
        let first = variant.runs.iter().filter_map(|run| run.measured.first_token_chunks).max();
        table.row(vec![
            variant.variant.clone(),
            p99(variant.medians.lateness_p99_us.as_ref()),
            p99(variant.medians.lag_p99_us.as_ref()),
            unseen.to_string(),
            or_dash(first, |chunks| chunks.to_string()),
        ]);
    }
    table.markdown()
}

fn concurrency(report: &Report) -> String {
    let by_chance = report.timings.kind == Kind::Virtual;
    let columns = ["variant", "agents", "in flight (server)", "open (clients)", "tasks", "polled on", "woken by"];
    let mut table = Table::new(if by_chance { &columns[..5] } else { &columns });
    for variant in &report.timings.variants {
        let seen = &variant.concurrency;
        let names =
            |threads: &std::collections::BTreeSet<String>| threads.iter().cloned().collect::<Vec<_>>().join(", ");
        let mut row = vec![
            variant.variant.clone(),
            seen.agents.to_string(),
            seen.server_max_in_flight.to_string(),
            seen.client_max_in_flight.to_string(),
            seen.tasks.to_string(),
        ];
        if !by_chance {
            row.extend([names(&seen.polled_on), names(&seen.woken_by)]);
        }
        table.row(row);
    }
    table.markdown()
}

fn introspection(report: &Report) -> String {
    let mut table = Table::new(&["variant", "executor", "client", "threads"]);
    for variant in &report.timings.variants {
        let shown = &variant.introspection;
        table.row(vec![
            variant.variant.clone(),
            shown.executor.clone(),
            shown.client.clone(),
            shown.threads.join(", "),
        ]);
    }
    table.markdown()
}

fn pairs(decision: &Decision) -> String {
    let mut table = Table::new(&["pair", "difference in wall time", "coverage", "verdict"]);
    for pair in &decision.pairs {
        let verdict = match (pair.verdict, &pair.faster) {
            (Separation::NoDifference, _) => "no difference".to_owned(),
            (Separation::Separated, Some(faster)) => format!("separated, {faster} faster"),
            (Separation::Separated, None) => "separated".to_owned(),
            (Separation::Inconclusive, _) => "inconclusive".to_owned(),
        };
        table.row(vec![
            format!("{} − {}", pair.a, pair.b),
            spread(&pair.difference_us, millis),
            or_dash(pair.coverage, confidence),
            verdict,
        ]);
    }
    let effect = i64::try_from(decision.smallest_effect_us).unwrap_or(i64::MAX);
    format!(
        "Over {} ({} left out). The smallest difference that matters is {}; all intervals together hold with {} confidence, each with {}.\n\n{}",
        plural(decision.blocks, "complete block"),
        decision.incomplete_blocks,
        millis(effect),
        confidence(decision.confidence),
        confidence(decision.pair_confidence),
        table.markdown()
    )
}

fn bounds(report: &Report) -> String {
    let mut table = Table::new(&["bound", "kind", "variant", "verdict", "why"]);
    for found in &report.timings.bounds {
        let kind = match found.kind {
            BoundKind::Deterministic => "deterministic",
            BoundKind::WallClock => "wall-clock",
        };
        let verdict = match found.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "**fail**",
            Verdict::Inconclusive => "inconclusive",
        };
        let cells = [&found.bound, kind, &found.variant, verdict, &found.why];
        table.row(cells.iter().map(|&cell| cell.to_owned()).collect());
    }
    table.markdown()
}

fn disagreements(report: &Report) -> String {
    let all = &report.timings.disagreements;
    let listed: Vec<String> = all.iter().take(MOST_ROWS).map(|found| format!("- {}\n", in_words(found))).collect();
    format!("{}{}", listed.concat(), more(all.len(), "report.json"))
}

fn exchanges(report: &Report) -> String {
    let mut table = Table::new(&["agent", "exchange", "recording", "lines", "tokens", "bytes", "SHA-256"]);
    let all: Vec<_> =
        report.facts.agents.iter().flat_map(|agent| agent.exchanges.iter().map(move |found| (agent, found))).collect();
    for (agent, found) in all.iter().take(MOST_ROWS) {
        table.row(vec![
            agent.agent.clone(),
            found.order.to_string(),
            format!("{}#{}", found.recording, found.exchange),
            found.lines.to_string(),
            found.tokens.to_string(),
            found.bytes.to_string(),
            format!("`{}…`", found.sha256.get(..12).unwrap_or(&found.sha256)),
        ]);
    }
    format!("The same in every run, on every machine.\n\n{}{}", table.markdown(), more(all.len(), "facts.json"))
}

/// A line that says how many rows were left out, when some were.
fn more(rows: usize, file: &str) -> String {
    let left = rows.saturating_sub(MOST_ROWS);
    if left == 0 { String::new() } else { format!("… and {left} more in `{file}`.\n") }
}

const MEANING: &str = "\
- **wall**: start of the first agent to end of the last; measured.
- **runtime's share**: (wall − ideal wall − server's lateness) / wall; derived. The ideal wall is what the schedules of the recordings take under the limit when client, executor and I/O cost nothing.
- **server's share**: how late the server sent the last chunk of each answer on the path of the agent that ended last, / wall; derived. It is the measuring machine's, not the variant's.
- **overlap**: longest agent alone / wall = contention × structure × runtime; derived. 100 % means that the longest agent was never held up.
- **balance, contention, structure, runtime**: `sum(S)/(n·max S)`, `max S/P0`, `P0/P1`, `P1/W`, with `S` the agents alone, `P0` the scripts on the machine behind the server, `P1` the client code in virtual time, `W` the wall.
- **speed-up**: wall of a measured run of the same agents one after the other / wall. `–` where no such run was measured.
- **goodput**: tokens delivered per wall second.
- **TR115 efficiency (legacy)**: sum of the agents' times *in the concurrent run* / (agents × wall). It shows how equal the answers were, not time saved; kept to compare with the paper.
- **TTFT, ITL**: request sent to first token; gap between tokens. Tokens that a client hands on together are 0 apart, so a client that buffers has a *small* median ITL and a large TTFT: read them together.
- **server lateness**: written − due, per chunk. **client lag**: observed − written, per chunk.
- **chunks before first token**: the most chunks an agent had been handed when it saw the first token; 1 when nothing waits for a full buffer.
- **in flight**: the most streams in progress at once, the least over runs.
";

const VIRTUAL: &str = "\
- **wall**: start of the first agent to end of the last, on the virtual clock; code costs nothing in it.
- **balance, contention, structure**: the factors of efficiency, see above. Structure above 100 % means that serialising beats overlap, as on a shared device.
- **speed-up**: wall of a virtual run of the same agents one after the other / wall.
- **goodput**: tokens delivered per virtual second.
- **TR115 efficiency (legacy)**: sum of the agents' times *in the concurrent run* / (agents × wall). It shows how equal the answers were, not time saved; kept to compare with the paper.
- **TTFT, ITL**: request sent to first token; gap between tokens.
- **in flight**: the most streams in progress at once.
";

fn environment(report: &Report) -> String {
    let found = &report.environment;
    let load = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.2}"));
    let versions: Vec<String> = found.versions.iter().map(|(name, version)| format!("- {name} {version}\n")).collect();
    let machine = found.machine.as_ref().map_or_else(String::new, |machine| {
        format!(
            "- {} on {}, {}, {} build\n- load before {}, after {}\n",
            machine.os,
            machine.arch,
            plural(machine.cores, "core"),
            machine.profile,
            load(machine.load_before),
            load(machine.load_after),
        )
    });
    format!("- clock {}\n{machine}{}", found.clock, versions.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said() {
        assert_eq!(more(MOST_ROWS, "facts.json"), "");
        assert_eq!(more(MOST_ROWS + 2, "facts.json"), "… and 2 more in `facts.json`.\n");
    }
}
