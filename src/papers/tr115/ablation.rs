//! One component swapped at a time, and what it does to the figure.

use super::super::data::PapersError;
use super::super::fit::mean;
use super::super::judge::Judged;
use super::super::played::{Played, play};
use super::super::predict::{Limiter, Machine, Setup};
use super::{BASE, MUTEX, pct};
use crate::report::text::Table;
use crate::runtimes::{Runtime, of};
use crate::variant::Variant;

/// A shift of the figure that is none, in percentage points: that of a millisecond or two.
const STILL: f64 = 0.05;

/// The axes that the prediction knows, and those that only clients have.
pub(super) fn section(judged: &[Judged<'_>]) -> Result<String, PapersError> {
    let warm: Vec<&Judged<'_>> = judged.iter().filter(|judged| judged.run.overlaps() && judged.run.is_warm()).collect();
    let Some(middle) = middle(&warm) else { return Ok(String::new()) };
    let row = middle.run.row;
    let [first, second] = middle.run.agents.map(|agent| agent.tokens);
    Ok(format!(
        "## What moves the figure\n\nOne component at a time, from a semaphore of two and two servers on one device; \
         predicted, means over the {} warm runs whose agents overlapped:\n\n{}The same device, served by the engine to \
         the real clients in virtual time, on the run whose published figure is the median ({}, {}, run {}: {first} and \
         {second} tokens, published {}):\n\n{}",
        warm.len(),
        swapped(&warm),
        row.scenario,
        row.runtime,
        row.run,
        pct(row.efficiency_pct),
        played(middle)?
    ))
}

/// The run whose published figure is the median; of two the lower.
fn middle<'j, 'a>(warm: &[&'j Judged<'a>]) -> Option<&'j Judged<'a>> {
    let mut sorted = warm.to_vec();
    sorted.sort_by(|a, b| a.run.row.efficiency_pct.total_cmp(&b.run.row.efficiency_pct));
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

fn moved(efficiency: f64, base: f64) -> String {
    let shift = efficiency - base;
    if shift.abs() < STILL { "no".to_owned() } else { format!("by {shift:+.2} points") }
}

fn swapped(warm: &[&Judged<'_>]) -> String {
    let swaps = [
        ("limiter", "semaphore of two", BASE),
        ("limiter", "none", Setup { limiter: Limiter::None, ..BASE }),
        ("limiter", "mutex", MUTEX),
        ("backend", "two servers, one device", BASE),
        ("backend", "a device each", Setup { machine: Machine::Independent, ..BASE }),
        ("backend", "one server, one slot", Setup { machine: Machine::OneSlot, ..BASE }),
    ];
    let efficiency = |setup| mean(warm.iter().map(|judged| judged.with(setup)));
    let base = efficiency(BASE);
    let mut table = Table::new(&["component", "is", "efficiency", "wall time", "moves it"]);
    for (component, is, setup) in swaps {
        table.row(vec![
            component.to_owned(),
            is.to_owned(),
            pct(efficiency(setup)),
            format!("{:.2} s", mean(warm.iter().map(|judged| judged.wall_with(setup)))),
            moved(efficiency(setup), base),
        ]);
    }
    table.markdown()
}

/// A client on the stage: what it is, and how it is limited.
struct Case {
    component: &'static str,
    is: String,
    runtime: &'static dyn Runtime,
    limiter: Limiter,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for limiter in [Limiter::SemaphoreOfTwo, Limiter::None, Limiter::Mutex] {
        let word = match limiter {
            Limiter::SemaphoreOfTwo => "semaphore of two",
            Limiter::None => "no limiter",
            Limiter::Mutex => "mutex",
        };
        cases.extend(Variant::ALL.iter().map(|variant| Case {
            component: "limiter",
            is: format!("{variant}, {word}"),
            runtime: of(*variant),
            limiter,
        }));
    }
    cases.extend(controls());
    cases
}

/// What the published programs did and no variant does.
#[cfg(feature = "controls")]
fn controls() -> Vec<Case> {
    let axes = [
        ("joined-not-spawned", "composition", "joined in one task"),
        ("accumulate-1kb", "chunks", "collected to at least 1024 bytes"),
    ];
    let control = |(name, component, is): (&str, &'static str, &str)| {
        let control = crate::controls::ALL.iter().find(|control| control.name == name)?;
        let is = format!("{}, {is}", control.claims);
        Some(Case { component, is, runtime: control.runtime, limiter: Limiter::SemaphoreOfTwo })
    };
    axes.into_iter().filter_map(control).collect()
}

#[cfg(not(feature = "controls"))]
fn controls() -> Vec<Case> {
    Vec::new()
}

fn played(middle: &Judged<'_>) -> Result<String, PapersError> {
    let base = middle.with(BASE);
    let mut table = Table::new(&["component", "client", "efficiency", "wall time", "first lines", "moves it"]);
    let mut row = |component: &str, is: String, efficiency: f64, [wall, first, second]: [String; 3]| {
        table.row(vec![
            component.to_owned(),
            is,
            pct(efficiency),
            wall,
            format!("{first}, {second}"),
            moved(efficiency, base),
        ]);
    };
    for case in cases() {
        let Played { spans, first_line: [first, second] } = play(middle, case.runtime, case.limiter)?;
        let millis = |time: std::time::Duration| format!("{:.0} ms", time.as_secs_f64() * 1e3);
        let times = [format!("{:.3} s", spans.wall().as_secs_f64()), millis(first), millis(second)];
        row(case.component, case.is, spans.efficiency_pct(), times);
    }
    Ok(table.markdown())
}
