//! `report.md`: the conclusions first, then the tables they rest on, then what the columns mean, then where.

use std::collections::BTreeSet;

use crate::stats::Verdict;
use crate::stats::quantile::Sorted;

use super::conclusions::{conclusions, in_words, p99};
use super::model::{
    AgentTimings, BoundVerdict, Decision, FactorMedians, Kind, Measured, Pair, Report, Spread, VariantTimings,
};
use super::text::{Column, Table, confidence, millis, or_dash, percent, plural, spread};
use super::variants::{grouped, variant_table};
use crate::measure::bounds::BoundKind;
use crate::measure::decision::Separation;

/// The most rows of a table whose length depends on the workload; the rest is in the JSON.
const MAX_ROWS: usize = 40;

/// The whole report for people.
pub(crate) fn render(report: &Report) -> String {
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
    let speed_up = |variant: &VariantTimings| or_dash(variant.medians.speed_up, |found| format!("{:.3}", found.median));
    let legacy = |variant: &VariantTimings| percent(variant.medians.legacy_efficiency.median);
    // Virtual time knows of no runtime and of no server's lateness.
    let table = if report.timings.kind == Kind::Virtual {
        variant_table(
            report,
            &[
                ("wall", &|variant| millis(variant.medians.wall_us.median)),
                ("structure", &|variant| or_dash(variant.medians.factors.structure, |found| percent(found.median))),
                ("speed-up", &speed_up),
                ("goodput, tok/s", &|variant| format!("{:.1}", variant.medians.goodput_tokens_per_s.median)),
                ("TR115 efficiency (legacy)", &legacy),
            ],
        )
    } else {
        variant_table(
            report,
            &[
                ("runs", &|variant| variant.runs.len().to_string()),
                ("wall", &|variant| spread(&variant.medians.wall_us, millis)),
                ("runtime's share", &|variant| spread(&variant.medians.runtime_share, percent)),
                ("server's share", &|variant| percent(variant.medians.server_share.median)),
                ("overlap", &|variant| percent(variant.medians.overlap.median)),
                ("speed-up", &speed_up),
                ("goodput, tok/s", &|variant| {
                    spread(&variant.medians.goodput_tokens_per_s, |value| format!("{value:.1}"))
                }),
                ("TR115 efficiency (legacy)", &legacy),
            ],
        )
    };
    ideal(report) + &table.markdown()
}

/// The four factors as a table, and in words what each took away.
fn losses(report: &Report) -> String {
    let measured = report.timings.kind != Kind::Virtual;
    let table = variant_table(
        report,
        &[
            ("balance", &|variant| percent(variant.medians.factors.balance)),
            ("contention", &|variant| percent(variant.medians.factors.contention)),
            ("structure", &|variant| or_dash(variant.medians.factors.structure, |found| percent(found.median))),
            ("runtime", &|variant| {
                or_dash(variant.medians.factors.runtime.filter(|_| measured), |found| percent(found.median))
            }),
            ("efficiency", &|variant| percent(variant.medians.factors.efficiency.median)),
        ],
    );
    let words = grouped(report, |variant| loss(&variant.medians.factors, measured));
    let words: Vec<String> = words.iter().map(|(name, loss)| format!("- {name}: {loss}\n")).collect();
    format!(
        "Efficiency = balance (the answers) × contention (the backend) × structure (the client code) × \
         runtime (executor, I/O, parsing). {}\n\n{}{}",
        if measured {
            "The first three are virtual: from recordings, and from the client code in virtual time; the last is measured."
        } else {
            "All are virtual; a runtime costs nothing there."
        },
        table.markdown(),
        words.concat()
    )
}

/// Of 100 points of efficiency, how many went where.
fn loss(found: &FactorMedians, measured: bool) -> String {
    let (structure, runtime) = (found.structure.map_or(1.0, |at| at.median), found.runtime.map_or(1.0, |at| at.median));
    let mut left = 1.0;
    let mut parts = Vec::new();
    let named = [
        (found.balance, "the answers being unequal"),
        (found.contention, "agents slowing each other down on the backend"),
        (structure, "the client code"),
        (runtime, "the runtime and the host"),
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
    let shown = |value: Option<Spread<i64>>| or_dash(value, |found| spread(&found, millis));
    let columns: [Column<'_, VariantTimings>; 4] = [
        ("TTFT p50", &|variant| shown(variant.medians.ttft_p50_us)),
        ("ITL p50", &|variant| shown(variant.medians.itl_p50_us)),
        ("ITL p99", &|variant| shown(variant.medians.itl_p99_us)),
        ("failed exchanges", &|variant| total(variant, |run| run.failed_exchanges)),
    ];
    variant_table(report, &columns).markdown()
}

/// The sum over the runs of a variant.
fn total(variant: &VariantTimings, of: fn(&Measured) -> usize) -> String {
    variant.runs.iter().map(|run| of(&run.measured)).sum::<usize>().to_string()
}

/// One row an agent and variant: medians over runs.
fn agents(report: &Report) -> String {
    type Column = (&'static str, fn(&AgentTimings) -> Option<i64>);
    let columns: [Column; 7] = [
        ("first chunk", |agent| agent.first_chunk_us),
        ("TTFT", |agent| agent.ttft_us),
        ("ITL p50", |agent| agent.itl_us.map(|found| found.p50)),
        ("ITL p90", |agent| agent.itl_us.map(|found| found.p90)),
        ("ITL p99", |agent| agent.itl_us.map(|found| found.p99)),
        ("TPOT", |agent| agent.tpot_us),
        ("total", |agent| agent.total_us),
    ];
    let median = |variant: &VariantTimings, index: usize, value: fn(&AgentTimings) -> Option<i64>| {
        let seen = variant.runs.iter().filter_map(|run| value(run.measured.agents.get(index)?)).collect();
        or_dash(Sorted::new(seen), |sorted| millis(sorted.median()))
    };
    let of_variant = |variant: &VariantTimings| -> Vec<Vec<String>> {
        let agents = report.facts.agents.iter().enumerate();
        agents
            .map(|(index, agent)| {
                let cells = columns.iter().map(|(_, value)| median(variant, index, *value));
                std::iter::once(agent.agent.clone()).chain(cells).collect()
            })
            .collect()
    };
    let head: Vec<&str> = ["variant", "agent"].into_iter().chain(columns.iter().map(|(title, _)| *title)).collect();
    let mut table = Table::new(&head);
    let groups = grouped(report, of_variant);
    let rows = groups.iter().flat_map(|(name, rows)| rows.iter().map(move |cells| (name, cells)));
    for (name, cells) in rows.clone().take(MAX_ROWS) {
        table.row(std::iter::once(name).chain(cells).cloned().collect());
    }
    let more = rows.count().saturating_sub(MAX_ROWS);
    let rest = if more == 0 { String::new() } else { format!("{more} more rows are in `report.json`.\n") };
    table.markdown() + &rest
}

fn lateness(report: &Report) -> String {
    let first_token = |variant: &VariantTimings| {
        let chunks = variant.runs.iter().filter_map(|run| run.measured.first_token_chunks).max();
        or_dash(chunks, |chunks| chunks.to_string())
    };
    let columns: [Column<'_, VariantTimings>; 4] = [
        ("server lateness p99", &|variant| p99(variant.medians.lateness_p99_us.as_ref())),
        ("client lag p99", &|variant| p99(variant.medians.lag_p99_us.as_ref())),
        ("chunks never seen", &|variant| total(variant, |run| run.unobserved_chunks)),
        ("chunks before first token", &first_token),
    ];
    variant_table(report, &columns).markdown()
}

fn concurrency(report: &Report) -> String {
    let names = |threads: &BTreeSet<String>| threads.iter().cloned().collect::<Vec<_>>().join(", ");
    let columns: [Column<'_, VariantTimings>; 6] = [
        ("agents", &|variant| variant.concurrency.agents.to_string()),
        ("in flight (server)", &|variant| variant.concurrency.server_max_in_flight.to_string()),
        ("open (clients)", &|variant| variant.concurrency.client_max_in_flight.to_string()),
        ("tasks", &|variant| variant.concurrency.tasks.to_string()),
        ("polled on", &|variant| names(&variant.concurrency.polled_on)),
        ("woken by", &|variant| names(&variant.concurrency.woken_by)),
    ];
    // Which threads they were is chance in virtual time.
    let by_chance = report.timings.kind == Kind::Virtual;
    variant_table(report, if by_chance { &columns[..4] } else { &columns }).markdown()
}

fn introspection(report: &Report) -> String {
    let columns: [Column<'_, VariantTimings>; 3] = [
        ("executor", &|variant| variant.introspection.executor.clone()),
        ("client", &|variant| variant.introspection.client.clone()),
        ("threads", &|variant| variant.introspection.threads.join(", ")),
    ];
    variant_table(report, &columns).markdown()
}

fn pairs(decision: &Decision) -> String {
    let verdict = |pair: &&Pair| match (pair.verdict, &pair.faster) {
        (Separation::NoDifference, _) => "no difference".to_owned(),
        (Separation::Separated, Some(faster)) => format!("separated, {faster} faster"),
        (Separation::Separated, None) => "separated".to_owned(),
        (Separation::Inconclusive, _) => "inconclusive".to_owned(),
    };
    let table = Table::of(
        &decision.pairs,
        &[
            ("pair", &|pair| format!("{} − {}", pair.a, pair.b)),
            ("difference in wall time", &|pair| spread(&pair.difference_us, millis)),
            ("coverage", &|pair| or_dash(pair.coverage, confidence)),
            ("verdict", &verdict),
        ],
    );
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
    let kind = |found: &&BoundVerdict| match found.kind {
        BoundKind::Deterministic => "deterministic".to_owned(),
        BoundKind::WallClock => "wall-clock".to_owned(),
    };
    let verdict = |found: &&BoundVerdict| match found.verdict {
        Verdict::Fail => "**fail**".to_owned(),
        verdict => verdict.to_string(),
    };
    let table = Table::of(
        &report.timings.bounds,
        &[
            ("bound", &|found| found.bound.clone()),
            ("kind", &kind),
            ("variant", &|found| found.variant.clone()),
            ("verdict", &verdict),
            ("why", &|found| found.why.clone()),
        ],
    );
    table.markdown()
}

fn disagreements(report: &Report) -> String {
    let all = &report.timings.disagreements;
    let listed: Vec<String> = all.iter().take(MAX_ROWS).map(|found| format!("- {}\n", in_words(found))).collect();
    format!("{}{}", listed.concat(), more(all.len(), "report.json"))
}

fn exchanges(report: &Report) -> String {
    let agents = report.facts.agents.iter();
    let all: Vec<_> = agents.flat_map(|agent| agent.exchanges.iter().map(move |found| (agent, found))).collect();
    let table = Table::of(
        all.iter().take(MAX_ROWS),
        &[
            ("agent", &|(agent, _)| agent.agent.clone()),
            ("exchange", &|(_, found)| found.order.to_string()),
            ("recording", &|(_, found)| format!("{}#{}", found.recording, found.exchange)),
            ("lines", &|(_, found)| found.lines.to_string()),
            ("tokens", &|(_, found)| found.tokens.to_string()),
            ("bytes", &|(_, found)| found.bytes.to_string()),
            ("SHA-256", &|(_, found)| format!("`{}…`", found.sha256.get(..12).unwrap_or(&found.sha256))),
        ],
    );
    format!("The same in every run, on every host.\n\n{}{}", table.markdown(), more(all.len(), "facts.json"))
}

/// A line that says how many rows were left out, when some were.
fn more(rows: usize, file: &str) -> String {
    let left = rows.saturating_sub(MAX_ROWS);
    if left == 0 { String::new() } else { format!("… and {left} more in `{file}`.\n") }
}

const MEANING: &str = "\
- **wall**: start of the first agent to end of the last; measured.
- **runtime's share**: (wall − ideal wall − server's lateness) / wall; derived. The ideal wall is what the schedules of the recordings take under the limit when client, executor and I/O cost nothing.
- **server's share**: how late the server sent the last chunk of each answer on the path of the agent that ended last, / wall; derived. It is the host's, not the variant's.
- **overlap**: longest agent alone / wall = contention × structure × runtime; derived. 100 % means that the longest agent was never held up.
- **balance, contention, structure, runtime**: `sum(S)/(n·max S)`, `max S/P0`, `P0/P1`, `P1/W`, with `S` the agents alone, `P0` the scripts on the backend, `P1` the client code in virtual time, `W` the wall.
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
    let host = found.host.as_ref().map_or_else(String::new, |host| {
        format!(
            "- {} on {}, {}, {} build\n- load before {}, after {}\n",
            host.os,
            host.arch,
            plural(host.cores, "core"),
            host.profile,
            load(host.load_before),
            load(host.load_after),
        )
    });
    format!("- clock {}\n{host}{}", found.clock, versions.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said() {
        assert_eq!(more(MAX_ROWS, "facts.json"), "");
        assert_eq!(more(MAX_ROWS + 2, "facts.json"), "… and 2 more in `facts.json`.\n");
    }
}
