//! The page of the runtimes.

use std::fmt::Write as _;

use super::data::PapersError;
use super::first_token;
use super::fit::{SUBSET, mean};
use super::judge::{Judged, errors, errors_table, goodput, recomputed};
use super::predict::{Backend, Constants, Limiter, Setup};
use crate::report::text::Table;

mod ablation;
mod label;
mod short;

/// What every overlapping run has: the base of each swap.
const BASE: Setup = Setup { limiter: Limiter::SemaphoreOfTwo, backend: Backend::SharedDevice };
const MUTEX: Setup = Setup { limiter: Limiter::Mutex, ..BASE };

/// The page.
pub(super) fn page(judged: &[Judged<'_>]) -> Result<String, PapersError> {
    let mut runtimes: Vec<&str> = judged.iter().map(|judged| judged.run.row.runtime.as_str()).collect();
    runtimes.sort_unstable();
    runtimes.dedup();
    let findings = label::findings(judged);
    let mut page = String::from("# TR115: five runtimes, one device\n\n");
    page.push_str(&short::section(judged, findings.as_deref().unwrap_or_default()));
    page.push_str(&published(judged, &runtimes));
    page.push_str(&predicted(judged, &runtimes));
    page.push_str(&mutex(judged, &runtimes));
    page.push_str(&ablation::section(judged)?);
    page.push_str(&findings.as_deref().map_or_else(String::new, label::section));
    if let Some(section) = first_token::section(judged) {
        let _ = write!(page, "## What collecting 1 KB adds to the first token\n\n{section}");
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    Ok(page)
}

fn pct(value: f64) -> String {
    format!("{value:.2} %")
}

fn points(value: f64) -> String {
    format!("{value:.3}")
}

fn of<'a, 'j>(judged: &'j [Judged<'a>], runtime: &str) -> Vec<&'j Judged<'a>> {
    judged.iter().filter(|judged| judged.run.row.runtime == runtime).collect()
}

fn published(judged: &[Judged<'_>], runtimes: &[&str]) -> String {
    let mut table = Table::new(&[
        "runtime",
        "runs",
        "efficiency, mean",
        "least to most",
        "wall time, mean",
        "tokens per wall second",
    ]);
    let mut means = Vec::new();
    let mut widest = 0.0_f64;
    for runtime in runtimes {
        let runs = of(judged, runtime);
        let efficiencies = || runs.iter().map(|judged| judged.run.row.efficiency_pct);
        let (least, most) = efficiencies().fold((f64::INFINITY, 0.0_f64), |(a, b), x| (a.min(x), b.max(x)));
        if runs.iter().any(|judged| judged.run.overlaps()) {
            means.push(mean(efficiencies()));
            widest = widest.max(most - least);
        }
        table.row(vec![
            (*runtime).to_owned(),
            runs.len().to_string(),
            pct(mean(efficiencies())),
            format!("{least:.2} to {most:.2} %"),
            format!("{:.2} s", mean(runs.iter().map(|judged| judged.run.row.wall_s))),
            format!("{:.1}", goodput(&runs)),
        ]);
    }
    let mut text = String::from("## What was published\n\n");
    text.push_str(&table.markdown());
    let (least, most) = means.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), x| (a.min(*x), b.max(*x)));
    if means.len() > 1 {
        let _ = write!(
            text,
            "Runtimes are in the order of the alphabet: this page ranks nothing by efficiency. The means of those whose \
             agents overlapped lie within {:.2} points; the runs of one of them span up to {widest:.2}. ",
            most - least
        );
    }
    let _ = write!(
        text,
        "`(exec_a + exec_b) / wall / 2` on the published times gives the published figure to the last digit in {} of {} \
         runs.\n\n",
        recomputed(judged),
        judged.len()
    );
    text
}

/// The constants, in words.
pub(super) fn described(constants: Constants) -> String {
    let Constants { alone, together, gap } = constants;
    format!(
        "{alone:.1} tokens/s alone, {together:.1} tokens/s each when two decode, {:.0} ms of every request that are \
         neither load nor evaluation",
        gap.as_secs_f64() * 1e3
    )
}

fn predicted(judged: &[Judged<'_>], runtimes: &[&str]) -> String {
    let of_runtime = |runtime: &&str| {
        Some(((*runtime).to_owned(), errors(judged, |run| run.is_warm() && run.row.runtime == **runtime)?))
    };
    let all = errors(judged, |run| run.is_warm() && run.overlaps());
    let rows = runtimes.iter().filter_map(of_runtime);
    let rows = rows.chain(all.map(|errors| ("all whose agents overlapped".to_owned(), errors)));
    let table = errors_table(["runtime", "warm runs"], rows);
    let constants = judged.first().map_or_else(String::new, |judged| described(judged.constants));
    format!(
        "## The same, predicted without the runtime\n\nFrom the tokens, the load and the prompt time of both agents, and \
         three constants fitted on {SUBSET}: {constants}. Errors are distances in percentage points of efficiency, over \
         the runs that found both models loaded.\n\n{table}"
    )
}

fn mutex(judged: &[Judged<'_>], runtimes: &[&str]) -> String {
    let warm = |runtime| -> Vec<_> { of(judged, runtime).into_iter().filter(|judged| judged.run.is_warm()).collect() };
    let rows = runtimes.iter().map(|runtime| (*runtime, warm(runtime))).filter(|(_, warm)| !warm.is_empty());
    let table = Table::of(
        rows,
        &[
            ("runtime", &|(runtime, _)| (*runtime).to_owned()),
            ("published", &|(_, warm)| pct(mean(warm.iter().map(|judged| judged.run.row.efficiency_pct)))),
            ("predicted, mutex out", &|(_, warm)| pct(mean(warm.iter().map(|judged| judged.with(BASE))))),
            ("predicted, mutex in", &|(_, warm)| pct(mean(warm.iter().map(|judged| judged.with(MUTEX))))),
        ],
    );
    format!(
        "## The mutex, in and out\n\nTR115's async-std program held a mutex for the whole call where the others had a \
         semaphore of two. Warm runs:\n\n{}",
        table.markdown()
    )
}

#[cfg(test)]
mod tests;
