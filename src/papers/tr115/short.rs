//! The page in a few lines, each computed from its data. A line whose data are not there is left out.

use super::super::fit::mean;
use super::super::judge::{Judged, errors, of, published_pct};
use super::label::{Finding, balance_pct};
use super::{BASE, MUTEX, pct, points, range};

/// The section; empty where there is nothing to say.
pub(super) fn section(judged: &[Judged<'_>], findings: &[Finding]) -> String {
    let lines =
        [balance(judged), predicted(judged), mutex(judged), one_at_a_time(judged), label(findings), sessions(findings)];
    super::super::short::section(lines.into_iter().flatten())
}

fn picked<'a, 'j>(judged: &'j [Judged<'a>], which: impl Fn(&Judged<'a>) -> bool) -> Vec<&'j Judged<'a>> {
    judged.iter().filter(|judged| which(judged)).collect()
}

fn warm_and_overlapping<'a, 'j>(judged: &'j [Judged<'a>]) -> Vec<&'j Judged<'a>> {
    picked(judged, |judged| judged.run.is_warm() && judged.run.overlaps())
}

fn balance(judged: &[Judged<'_>]) -> Option<String> {
    let runs = picked(judged, |judged| judged.run.overlaps());
    let furthest = runs.iter().map(|judged| (judged.run.row.efficiency_pct - balance_pct(judged)).abs());
    let furthest = furthest.reduce(f64::max)?;
    Some(format!(
        "What was published as parallel efficiency is the balance of the two answers, how nearly equal their times were. \
         In the {} runs whose agents overlapped the two are never further apart than {} points.",
        runs.len(),
        points(furthest)
    ))
}

fn predicted(judged: &[Judged<'_>]) -> Option<String> {
    let errors = errors(judged, |run| run.is_warm() && run.overlaps())?;
    Some(format!(
        "The figure is predicted without knowing the runtime, from tokens, loads and prompt times: {} points off in the \
         mean, {} at worst, over {} warm runs.",
        points(errors.mean),
        points(errors.worst),
        errors.runs
    ))
}

/// The runtime that held a mutex. Its place is told where there are others.
fn mutex(judged: &[Judged<'_>]) -> Option<String> {
    let held = picked(judged, |judged| judged.run.setup == MUTEX && judged.run.is_warm());
    let name = &held.first()?.run.row.runtime;
    let others = picked(judged, |judged| judged.run.setup != MUTEX);
    let is_last = |other: &&Judged<'_>| published_pct(&of(judged, &other.run.row.runtime)) > published_pct(&held);
    let place = if !others.is_empty() && others.iter().all(is_last) { ", the last," } else { "" };
    let (least, most) = range(judged.iter().filter(|judged| judged.run.is_warm()).map(|judged| judged.with(MUTEX)));
    let any = if pct(least) == pct(most) { pct(most) } else { format!("{least:.2} to {most:.2} %") };
    Some(format!(
        "{name}{place} has {} because its program held a mutex for the whole call. With the mutex any runtime comes out \
         at {any}; without it {name} moves to {}.",
        pct(published_pct(&held)),
        pct(mean(held.iter().map(|judged| judged.with(BASE))))
    ))
}

/// What the figure hides: on one device the mutex saves time.
fn one_at_a_time(judged: &[Judged<'_>]) -> Option<String> {
    let runs = warm_and_overlapping(judged);
    let constants = runs.first()?.constants;
    let wall = |setup| mean(runs.iter().map(|judged| judged.wall_with(setup)));
    let (together, in_turn) = (wall(BASE), wall(MUTEX));
    (in_turn < together).then(|| {
        format!(
            "A low figure is not a slow run. One answer alone comes at {:.1} tokens/s, each of two at {:.1}, so one after \
             the other takes less time: {in_turn:.2} s in place of {together:.2} s, predicted for the same runs.",
            constants.alone, constants.together
        )
    })
}

fn label(findings: &[Finding]) -> Option<String> {
    let efficiency = findings.first()?;
    let does = match efficiency.separated() {
        [true, _] => "separates",
        [false, true] => "separates typical values, not means, of",
        [false, false] => "does not separate",
    };
    let beyond = findings.iter().find_map(Finding::equivalent_within);
    let beyond = beyond.map_or_else(String::new, |effect| {
        format!(" Beyond balance these runtimes are equivalent, within {effect} points.")
    });
    Some(format!(
        "Among runs whose agents overlapped, the runtime's name {does} efficiency (p = {}).{beyond}",
        efficiency.p_of_means()
    ))
}

/// What the label does separate, and what does not follow.
fn sessions(findings: &[Finding]) -> Option<String> {
    findings.first()?;
    let of = |which: [bool; 2]| {
        let names = findings
            .iter()
            .filter(|found| found.separated() == which && found.equivalent_within().is_none())
            .map(Finding::name)
            .collect::<Vec<_>>();
        names.split_last().map(|(last, names)| {
            if names.is_empty() { (*last).to_owned() } else { format!("{} and {last}", names.join(", ")) }
        })
    };
    let parts = [
        of([true, true]).map(|names| format!("in {names}")),
        of([false, true]).map(|names| format!("in typical values, not means, of {names}")),
        of([true, false]).map(|names| format!("in means, not typical values, of {names}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return Some("The name separates nothing else either: no ranking of runtimes follows.".to_owned());
    }
    Some(format!(
        "Where the name does separate ({}), name and session cannot be told apart, since each runtime was recorded in one \
         block. No ranking of runtimes follows.",
        parts.join("; ")
    ))
}
