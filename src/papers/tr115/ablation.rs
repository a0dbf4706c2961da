//! One component swapped at a time, and what it does to the figure.

use super::super::data::PapersError;
use super::super::fit::mean;
use super::super::judge::Judged;
use super::super::played::{Played, play};
use super::super::predict::{Backend, Limiter, Setup};
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
        ("backend", "a device each", Setup { backend: Backend::Independent, ..BASE }),
        ("backend", "one server, one slot", Setup { backend: Backend::OneSlot, ..BASE }),
    ];
    let efficiency = |setup| mean(warm.iter().map(|judged| judged.with(setup)));
    let base = efficiency(BASE);
    let moves = |setup| if setup == BASE { "–".to_owned() } else { moved(efficiency(setup), base) };
    let table = Table::of(
        swaps,
        &[
            ("component", &|(component, ..)| (*component).to_owned()),
            ("is", &|(_, is, _)| (*is).to_owned()),
            ("efficiency", &|(.., setup)| pct(efficiency(*setup))),
            ("wall time", &|(.., setup)| format!("{:.2} s", mean(warm.iter().map(|judged| judged.wall_with(*setup))))),
            ("moves it", &|(.., setup)| moves(*setup)),
        ],
    );
    table.markdown()
}

/// A client that is played.
struct Client {
    name: String,
    runtime: &'static dyn Runtime,
}

fn clients() -> Vec<Client> {
    let variant = |variant: &Variant| Client {
        name: format!("{variant}: spawned, chunks {}", variant.policy()),
        runtime: of(*variant),
    };
    Variant::ALL.iter().map(variant).chain(controls()).collect()
}

/// What the published programs did and no variant does.
#[cfg(feature = "controls")]
fn controls() -> Vec<Client> {
    let axes = [
        ("joined-not-spawned", "joined in one task, chunks as received"),
        ("accumulate-1kb", "spawned, chunks collected to at least 1024 bytes"),
    ];
    let control = |(name, is): (&str, &str)| {
        let control = crate::controls::ALL.iter().find(|control| control.name == name)?;
        Some(Client { name: format!("{}: {is}", control.claims), runtime: control.runtime })
    };
    axes.into_iter().filter_map(control).collect()
}

#[cfg(not(feature = "controls"))]
fn controls() -> Vec<Client> {
    Vec::new()
}

/// A row a client, a column a limiter.
fn played(middle: &Judged<'_>) -> Result<String, PapersError> {
    let mut table = Table::new(&["client", "semaphore of two", "no limiter", "mutex", "first lines"]);
    for client in clients() {
        let mut cells = vec![client.name];
        let mut first_lines = String::new();
        for limiter in [Limiter::SemaphoreOfTwo, Limiter::None, Limiter::Mutex] {
            let Played { spans, first_line } = play(middle, client.runtime, limiter)?;
            cells.push(format!("{} in {:.3} s", pct(spans.efficiency_pct()), spans.wall().as_secs_f64()));
            let [first, second] = first_line.map(|time| format!("{:.0} ms", time.as_secs_f64() * 1e3));
            if limiter == Limiter::SemaphoreOfTwo {
                first_lines = format!("{first}, {second}");
            }
        }
        cells.push(first_lines);
        table.row(cells);
    }
    Ok(table.markdown())
}
