//! The page of one and two servers.

use std::fmt::Write as _;

use super::data::WARM_LOAD_MS;
use super::fit::{SUBSET, decode_speed, mean};
use super::judge::{Judged, errors, errors_table, goodput, labels, of, published_pct, recomputed, warm};
use super::predict::{Backend, Setup};
use super::tr115::constants_in_words;
use crate::report::text::Table;

mod short;

/// The page.
pub(super) fn page(judged: &[Judged<'_>]) -> String {
    let sets = labels(judged);
    let mut constants = String::new();
    for (set, judged) in sets.iter().filter_map(|set| Some((set, *of(judged, set).first()?))) {
        // Writing to a string cannot fail.
        let _ = writeln!(constants, "- {set}: {}", constants_in_words(judged.constants));
    }
    format!(
        "# TR113 and TR114: one server, two servers, one device\n\n{}## What was published\n\n{}\
         `(exec_a + exec_b) / wall / 2` on the published times gives the published figure to the last digit in {} of {} \
         runs.\n\n{}With one server and one slot the second agent waits for the first, and the wait is counted \
         once, as the second agent's own time. With two servers each agent is slower while the other decodes, and all of \
         that is counted as time well used, for both. Where the agents' load-time options differ, one server loads the \
         model again between them, and the second agent's load time holds both the wait and the load. Where they do not, \
         one at a time at full speed ends sooner than both at less than half of it.\n\n\
         ## The same, predicted\n\nFrom the tokens, the load and the prompt time of both agents, which of them was first \
         (the earlier first token), and constants fitted on {SUBSET}:\n\n{constants}\nErrors are distances in percentage \
         points of efficiency.\n\n{}\
         ## The same work on the other backend\n\nPredicted, means over runs without a long load:\n\n{}",
        short::section(judged, &sets),
        published(judged, &sets),
        recomputed(judged),
        judged.len(),
        difference(judged, &sets),
        predicted(judged, &sets),
        swapped(judged, &sets).trim_end(),
    ) + "\n"
}

fn published(judged: &[Judged<'_>], sets: &[&str]) -> String {
    let runs = |set: &&&str| of(judged, set);
    let table = Table::of(
        sets,
        &[
            ("set", &|set| (**set).to_owned()),
            ("servers", &|set| if is_one_server(&runs(set)) { "1" } else { "2" }.to_owned()),
            ("runs", &|set| runs(set).len().to_string()),
            ("runs with a long load", &|set| {
                runs(set).iter().filter(|judged| !judged.run.is_warm()).count().to_string()
            }),
            ("efficiency, mean", &|set| format!("{:.2} %", published_pct(&runs(set)))),
            ("tokens per wall second", &|set| format!("{:.1}", goodput(&runs(set)))),
            ("tokens/s of an agent", &|set| {
                format!("{:.1}", mean(runs(set).iter().flat_map(|judged| judged.run.agents.map(decode_speed))))
            }),
            ("wall time, mean", &|set| format!("{:.2} s", mean(runs(set).iter().map(|judged| judged.run.row.wall_s)))),
        ],
    );
    table.markdown()
}

/// What two servers changed from one set to another.
struct Change<'s> {
    from: &'s str,
    to: &'s str,
    /// In percentage points.
    efficiency: f64,
    /// Of tokens per wall second, in per cent.
    goodput: f64,
}

impl Change<'_> {
    fn efficiency(&self) -> String {
        format!("{:+.2} points", self.efficiency)
    }

    fn goodput(&self) -> String {
        format!("{:+.1} %", self.goodput)
    }
}

/// From each set with one server to each with two; over warm runs alone or all of them.
fn changes<'s>(judged: &[Judged<'_>], sets: &[&'s str], warm: bool) -> Vec<Change<'s>> {
    let (one, two): (Vec<&'s str>, Vec<&'s str>) = sets.iter().partition(|set| is_one_server(&of(judged, set)));
    let pairs = one.iter().flat_map(|from| two.iter().map(move |to| (*from, *to)));
    let change = |(from, to): (&'s str, &'s str)| {
        let [before, after] = [from, to]
            .map(|set| of(judged, set).into_iter().filter(|judged| judged.run.is_warm() || !warm).collect::<Vec<_>>());
        (!before.is_empty() && !after.is_empty()).then(|| Change {
            from,
            to,
            efficiency: published_pct(&after) - published_pct(&before),
            goodput: (goodput(&after) / goodput(&before) - 1.0) * 100.0,
        })
    };
    pairs.filter_map(change).collect()
}

/// What two servers changed, where the tables hold both backends.
fn difference(judged: &[Judged<'_>], sets: &[&str]) -> String {
    let mut table = Table::new(&["from", "to", "runs", "efficiency", "tokens per wall second"]);
    let [all, warm] = [false, true].map(|warm| changes(judged, sets, warm));
    if all.is_empty() {
        return String::new();
    }
    for change in &all {
        let warm = warm.iter().find(|warm| (warm.from, warm.to) == (change.from, change.to));
        for (what, change) in [("all", Some(change)), ("warm", warm)] {
            let Some(change) = change else { continue };
            let words = [change.from, change.to, what].map(str::to_owned);
            table.row(words.into_iter().chain([change.efficiency(), change.goodput()]).collect());
        }
    }
    format!(
        "From one server to two (warm runs have no load of more than {:.1} s):\n\n{}",
        WARM_LOAD_MS / 1e3,
        table.markdown()
    )
}

/// Whether the agents of all runs had one server.
fn is_one_server(runs: &[&Judged<'_>]) -> bool {
    runs.iter().all(|judged| judged.run.setup.backend == Backend::OneSlot)
}

fn predicted(judged: &[Judged<'_>], sets: &[&str]) -> String {
    let rows = sets.iter().flat_map(|set| [(*set, "warm", true), (*set, "all", false)]);
    let of_row = |(set, what, warm): (&str, &str, bool)| {
        let errors = errors(judged, |run| run.row.runtime == set && (run.is_warm() || !warm))?;
        Some((format!("{set}, {what}"), errors))
    };
    errors_table(["set", "runs"], rows.filter_map(of_row))
}

fn swapped(judged: &[Judged<'_>], sets: &[&str]) -> String {
    let backends = [("one server, one slot", Backend::OneSlot), ("two servers", Backend::SharedDevice)];
    let sets = sets.iter().map(|set| (*set, warm(judged, set))).filter(|(_, runs)| !runs.is_empty());
    let rows = sets.flat_map(|(set, runs)| backends.map(|(name, backend)| (set, runs.clone(), name, backend)));
    let table = Table::of(
        rows,
        &[
            ("set", &|(set, ..)| (*set).to_owned()),
            ("runs", &|(_, runs, ..)| runs.len().to_string()),
            ("backend", &|(_, _, name, _)| (*name).to_owned()),
            ("efficiency", &|(_, runs, _, backend)| {
                let with = |judged: &&Judged<'_>| judged.with(Setup { backend: *backend, ..judged.run.setup });
                format!("{:.2} %", mean(runs.iter().map(with)))
            }),
            ("wall time", &|(_, runs, _, backend)| {
                let with = |judged: &&Judged<'_>| judged.wall_with(Setup { backend: *backend, ..judged.run.setup });
                format!("{:.2} s", mean(runs.iter().map(with)))
            }),
        ],
    );
    table.markdown()
}

#[cfg(test)]
mod tests;
