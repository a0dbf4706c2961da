//! The page of TR115: five runtimes on published workloads, with the constants of the backend.

use std::fmt::Write as _;

use super::data::PapersError;
use super::first_token;
use super::fit::{SUBSET, mean};
use super::judge::{Judged, errors, errors_table, goodput, labels, of, published_pct, recomputed, warm};
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
    let runtimes = labels(judged);
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

/// The least and the most of numbers that are not below 0.
fn range(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    numbers.fold((f64::INFINITY, 0.0_f64), |(least, most), number| (least.min(number), most.max(number)))
}

fn published(judged: &[Judged<'_>], runtimes: &[&str]) -> String {
    let rows: Vec<_> = runtimes.iter().map(|runtime| (*runtime, of(judged, runtime))).collect();
    let span = |runs: &[&Judged<'_>]| range(runs.iter().map(|judged| judged.run.row.efficiency_pct));
    let table = Table::of(
        &rows,
        &[
            ("runtime", &|(runtime, _)| (*runtime).to_owned()),
            ("runs", &|(_, runs)| runs.len().to_string()),
            ("efficiency, mean", &|(_, runs)| pct(published_pct(runs))),
            ("least to most", &|(_, runs)| format!("{:.2} to {:.2} %", span(runs).0, span(runs).1)),
            ("wall time, mean", &|(_, runs)| format!("{:.2} s", mean(runs.iter().map(|judged| judged.run.row.wall_s)))),
            ("tokens per wall second", &|(_, runs)| format!("{:.1}", goodput(runs))),
        ],
    );
    let overlapping = || rows.iter().map(|(_, runs)| runs).filter(|runs| runs.iter().any(|one| one.run.overlaps()));
    let widest = overlapping().map(|runs| span(runs).1 - span(runs).0).fold(0.0, f64::max);
    let (least, most) = range(overlapping().map(|runs| published_pct(runs)));
    let mut text = format!("## What was published\n\n{}", table.markdown());
    if overlapping().count() > 1 {
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
pub(super) fn constants_in_words(constants: Constants) -> String {
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
    let constants = judged.first().map_or_else(String::new, |judged| constants_in_words(judged.constants));
    format!(
        "## The same, predicted without the runtime\n\nFrom the tokens, the load and the prompt time of both agents, and \
         three constants fitted on {SUBSET}: {constants}. Errors are distances in percentage points of efficiency, over \
         the runs that found both models loaded.\n\n{table}"
    )
}

fn mutex(judged: &[Judged<'_>], runtimes: &[&str]) -> String {
    let rows = runtimes.iter().map(|runtime| (*runtime, warm(judged, runtime))).filter(|(_, warm)| !warm.is_empty());
    let table = Table::of(
        rows,
        &[
            ("runtime", &|(runtime, _)| (*runtime).to_owned()),
            ("published", &|(_, warm)| pct(published_pct(warm))),
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
