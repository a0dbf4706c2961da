//! The page in a few lines, each computed from its data. A line whose data are not there is left out.

use super::super::data::WARM_LOAD_MS;
use super::super::fit::mean;
use super::super::judge::{Judged, errors, of};
use super::super::predict::{Backend, Setup};
use super::{changes, is_one_server};

/// The section.
pub(super) fn section(judged: &[Judged<'_>], sets: &[&str]) -> String {
    let lines = difference(judged, sets)
        .into_iter()
        .chain([queue(judged, sets), loads(judged, sets), device(judged), predicted(judged)].into_iter().flatten());
    super::super::short::section(lines)
}

fn difference(judged: &[Judged<'_>], sets: &[&str]) -> Vec<String> {
    let all = changes(judged, sets, false);
    let line = all.iter().map(|change| {
        format!(
            "Two servers in place of one ({} to {}): efficiency {}, tokens per wall second {}.",
            change.from,
            change.to,
            change.efficiency(),
            change.goodput()
        )
    });
    line.collect()
}

/// The runs of all sets with one server, or with two.
fn runs<'a, 'j>(judged: &'j [Judged<'a>], sets: &[&str], one: bool) -> Vec<&'j Judged<'a>> {
    let backend = sets.iter().map(|set| of(judged, set)).filter(|runs| is_one_server(runs) == one);
    backend.flatten().collect()
}

fn queue(judged: &[Judged<'_>], sets: &[&str]) -> Option<String> {
    let one = runs(judged, sets, true);
    (!one.is_empty()).then(|| {
        "Queueing: one server with one slot lets the second agent wait for the first. The wait counts as the time of one \
         agent, so the figure is low. Two servers slow both down at once, which counts as time of both, so it is high."
            .to_owned()
    })
}

fn loads(judged: &[Judged<'_>], sets: &[&str]) -> Option<String> {
    let told = |one: bool, servers: &str| {
        let runs = runs(judged, sets, one);
        let cold = runs.iter().filter(|judged| !judged.run.is_warm()).count();
        (!runs.is_empty()).then(|| format!("{cold} of {} runs on {servers}", runs.len()))
    };
    let parts: Vec<String> = [told(true, "one server"), told(false, "two servers")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| {
        format!(
            "Loads: one server loads the model again for an agent with other options. Loads of more than {:.1} s are in \
             {}.",
            WARM_LOAD_MS / 1e3,
            parts.join(" and ")
        )
    })
}

fn device(judged: &[Judged<'_>]) -> Option<String> {
    let warm: Vec<&Judged<'_>> = judged.iter().filter(|judged| judged.run.is_warm()).collect();
    let constants = warm.first()?.constants;
    let wall = |backend| mean(warm.iter().map(|judged| judged.wall_with(Setup { backend, ..judged.run.setup })));
    Some(format!(
        "The device: one answer alone comes at {:.1} tokens/s, each of two at {:.1}. Without long loads the same work is \
         predicted to take {:.2} s on one server and {:.2} s on two.",
        constants.alone,
        constants.together,
        wall(Backend::OneSlot),
        wall(Backend::SharedDevice)
    ))
}

fn predicted(judged: &[Judged<'_>]) -> Option<String> {
    let errors = errors(judged, |_| true)?;
    Some(format!(
        "From tokens, loads and prompt times the figure of all {} runs is predicted: {:.3} points off in the mean, {:.3} at \
         worst.",
        errors.runs, errors.mean, errors.worst
    ))
}
