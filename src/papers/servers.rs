//! The page of one and two servers.

use super::fit::{SUBSET, decode_speed, mean};
use super::judge::{Judged, errors, goodput, recomputed};
use super::predict::{Machine, Setup};
use super::tr115::told;
use crate::report::text::Table;

/// The page.
pub(super) fn page(judged: &[Judged<'_>]) -> String {
    let mut sets: Vec<&str> = judged.iter().map(|judged| judged.run.row.runtime.as_str()).collect();
    sets.sort_unstable();
    sets.dedup();
    let constants: String = sets
        .iter()
        .filter_map(|set| Some((set, judged.iter().find(|judged| judged.run.row.runtime == **set)?)))
        .map(|(set, judged)| format!("- {set}: {}\n", told(judged.constants)))
        .collect();
    format!(
        "# TR113 and TR114: one server, two servers, one device\n\n## What was published\n\n{}\
         `(exec_a + exec_b) / wall / 2` on the published times gives the published figure to the last digit in {} of {} \
         runs.\n\n{}With one server and one slot the second agent waits for the first, and the wait is counted \
         once, as the second agent's own time. With two servers each agent is slower while the other decodes, and all of \
         that is counted as time well used, for both. Where the agents' load-time options differ, one server loads the \
         model again between them, and the second agent's load time holds both the wait and the load.\n\n\
         ## The same, predicted\n\nFrom the tokens, the load and the prompt time of both agents, which of them was first \
         (the earlier first token), and constants fitted on {SUBSET}:\n\n{constants}\nErrors are distances in percentage \
         points of efficiency.\n\n{}\
         ## The same work on the other machine\n\nPredicted, means over runs without a long load:\n\n{}",
        published(judged, &sets),
        recomputed(judged),
        judged.len(),
        difference(judged),
        predicted(judged, &sets),
        swapped(judged, &sets).trim_end(),
    ) + "\n"
}

fn of<'a, 'j>(judged: &'j [Judged<'a>], set: &str) -> Vec<&'j Judged<'a>> {
    judged.iter().filter(|judged| judged.run.row.runtime == set).collect()
}

fn published(judged: &[Judged<'_>], sets: &[&str]) -> String {
    let mut table = Table::new(&[
        "set",
        "servers",
        "runs",
        "runs with a long load",
        "efficiency, mean",
        "tokens per wall second",
        "tokens/s of an agent",
        "wall time, mean",
    ]);
    for set in sets {
        let runs = of(judged, set);
        let one = runs.iter().all(|judged| judged.run.setup.machine == Machine::OneSlot);
        let cold = runs.iter().filter(|judged| !judged.run.is_warm()).count();
        table.row(vec![
            (*set).to_owned(),
            if one { "1" } else { "2" }.to_owned(),
            runs.len().to_string(),
            cold.to_string(),
            format!("{:.2} %", mean(runs.iter().map(|judged| judged.run.row.efficiency_pct))),
            format!("{:.1}", goodput(&runs)),
            format!("{:.1}", mean(runs.iter().flat_map(|judged| judged.run.agents.map(decode_speed)))),
            format!("{:.2} s", mean(runs.iter().map(|judged| judged.run.row.wall_s))),
        ]);
    }
    table.markdown()
}

/// What two servers changed, where the tables hold both machines.
fn difference(judged: &[Judged<'_>]) -> String {
    let change = |is_counted: fn(&Judged<'_>) -> bool| {
        let of = |machine| {
            let is_in = |judged: &&Judged<'_>| judged.run.setup.machine == machine && is_counted(judged);
            let runs: Vec<&Judged<'_>> = judged.iter().filter(is_in).collect();
            let efficiency = mean(runs.iter().map(|judged| judged.run.row.efficiency_pct));
            (!runs.is_empty()).then(|| (efficiency, goodput(&runs)))
        };
        let ((one, before), (two, after)) = of(Machine::OneSlot).zip(of(Machine::SharedDevice))?;
        let share = (after / before - 1.0) * 100.0;
        Some(format!("{:+.2} points of efficiency and {share:+.1} % of tokens per wall second", two - one))
    };
    let Some((all, warm)) = change(|_| true).zip(change(|judged| judged.run.is_warm())) else { return String::new() };
    format!(
        "Two servers against one, over all runs: {all}. Over the runs without a long load: {warm}. What one server gains \
         by serving one agent at a time at full speed, it loses by loading the model again.\n\n"
    )
}

fn predicted(judged: &[Judged<'_>], sets: &[&str]) -> String {
    let mut table = Table::new(&["set", "runs", "mean error", "of runs not fitted on", "worst"]);
    for set in sets {
        for (what, warm) in [("warm", true), ("all", false)] {
            let Some(errors) = errors(judged, |run| run.row.runtime == *set && (run.is_warm() || !warm)) else {
                continue;
            };
            table.row(vec![
                format!("{set}, {what}"),
                errors.runs.to_string(),
                format!("{:.3}", errors.mean),
                errors.unseen_mean.map_or_else(|| "–".to_owned(), |mean| format!("{mean:.3}")),
                format!("{:.3}", errors.worst),
            ]);
        }
    }
    table.markdown()
}

fn swapped(judged: &[Judged<'_>], sets: &[&str]) -> String {
    let mut table = Table::new(&["set", "runs", "machine", "efficiency", "wall time"]);
    for set in sets {
        let warm: Vec<&Judged<'_>> = of(judged, set).into_iter().filter(|judged| judged.run.is_warm()).collect();
        if warm.is_empty() {
            continue;
        }
        for (name, machine) in [("one server, one slot", Machine::OneSlot), ("two servers", Machine::SharedDevice)] {
            let with = |judged: &&Judged<'_>| Setup { machine, ..judged.run.setup };
            table.row(vec![
                (*set).to_owned(),
                warm.len().to_string(),
                name.to_owned(),
                format!("{:.2} %", mean(warm.iter().map(|judged| judged.with(with(judged))))),
                format!("{:.2} s", mean(warm.iter().map(|judged| judged.wall_with(with(judged))))),
            ]);
        }
    }
    table.markdown()
}
