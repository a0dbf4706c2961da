//! `cargo xtask pace`: holds the server to its targets, beside a server that does nothing but send.
//!
//! Rounds are interleaved: in each of them every measurement runs, the ceiling and ours right after one another, in turns
//! first; without a pace they take several turns in a round, since what is judged there is how fast they are, and a host
//! may be half as fast again for some seconds and then no more. What is judged are medians over rounds, mostly of ratios
//! within a round, and only rounds in which the host did little else count. [`targets`] is the table of what is measured and demanded, [`subject`] who is measured,
//! [`start`] what is known without load.
//!
//! `--control` puts servers with a known fault in our place: the gate must reject them.

mod start;
mod subject;
mod targets;

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::NotHere;
use crate::measure::Setup;
use crate::measure::judge::{MIN_ROUNDS, Round, TargetOutcome, conclude, is_settled};
use crate::measure::table::{TargetRow, markdown};
use crate::measure::window::{self, Load, usual_warm};
use crate::server::ServerProcess;
use subject::Subject;
pub(crate) use subject::{GAP_US, ours};
pub(crate) use targets::{MAX_OTHER_CORES, Mode};
use targets::{MEASUREMENTS, Measurement, RoundPair};

/// Rounds of `--quick`.
const QUICK_ROUNDS: u32 = 5;

/// How many turns a server takes in a round without a pace.
const TURNS_PER_ROUND: u32 = 4;

/// Seconds that a server without a pace is asked before a turn counts.
const WARM_UP_SECONDS: f64 = 0.1;

/// How many times as many rounds are added at most for a measurement of which too few counted.
const MAX_EXTRA_FACTOR: u32 = 2;

/// The flags.
#[derive(Args, Debug)]
pub(crate) struct PaceArgs {
    /// Rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Three to five rounds, half as long, of flush per token, 1 stream and 1,000 streams, judged by what does not depend on how fast the
    /// host is: the gate
    #[arg(long)]
    quick: bool,
    /// Put servers with a known fault in our place; exit code 0 if each of them is rejected, 77 if the host is too busy
    /// to judge
    #[arg(long)]
    control: bool,
    /// Seconds to wait for a quiet host before each measurement; 0: what was disturbed is not repeated either [default: 10,
    /// or 3 with --quick]
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u16>,
    /// Only measurements whose name contains this: flush, coalesced, paced 1, paced 100, paced 1000, overload, start
    #[arg(long, default_value = "")]
    only: String,
}

/// The rounds of a measurement, a list for each of its targets.
type Sheet = Vec<Vec<Round>>;

/// Measures, prints the table, and fails when a floor is missed.
pub(crate) fn run(args: &PaceArgs) -> Result<()> {
    let setup = Setup::prepare("pace")?;
    let by_gate = args.quick || args.control;
    let rounds = if args.quick { QUICK_ROUNDS } else { args.rounds };
    let chosen: Vec<(&Measurement, Subject)> = MEASUREMENTS
        .iter()
        .filter(|measurement| measurement.quick || !by_gate)
        .filter(|measurement| measurement.name.contains(&args.only))
        .flat_map(|measurement| subjects(measurement, args.control).into_iter().map(move |who| (measurement, who)))
        .collect();
    let mut sheets: Vec<Sheet> =
        chosen.iter().map(|(measurement, _)| vec![Vec::new(); measurement.targets.len()]).collect();
    let with_start = !by_gate && "start".contains(&args.only);
    let installed = with_start.then(start::build).transpose()?;
    let (mut starts, mut log) = (Vec::new(), String::new());
    for round in 0..rounds * (1 + MAX_EXTRA_FACTOR) {
        for ((measurement, who), lists) in chosen.iter().zip(&mut sheets) {
            if (by_gate && settled(measurement, lists)) || (round >= rounds && decided(lists)) {
                continue;
            }
            let pair = measure(&setup, measurement, *who, round, args, &mut log)
                .with_context(|| format!("{}, round {}", measurement.name, round + 1))?;
            for (list, target) in lists.iter_mut().zip(measurement.targets) {
                list.extend(target.round(&pair));
            }
        }
        if let Some(installed) = installed.as_ref().filter(|_| round < rounds) {
            starts.push(start::measure(&setup, installed)?);
        }
    }
    std::fs::write(setup.folder.join("windows.jsonl"), log).context("cannot write what was measured")?;
    let mut all: Vec<TargetRow> = Vec::new();
    for ((measurement, who), sheet) in chosen.iter().zip(&sheets) {
        let named = |line: TargetRow| match who {
            Subject::Faulty(fault) => TargetRow { target: format!("{}: {}", fault.name(), line.target), ..line },
            _ => line,
        };
        all.extend(lines(measurement, sheet, by_gate).into_iter().map(named));
    }
    if let Some(installed) = &installed {
        all.extend(start::lines(installed, &starts)?);
    }
    let text = markdown(&all);
    std::fs::write(setup.folder.join("table.md"), &text).context("cannot write the table")?;
    println!("{text}");
    if args.control { rejected(&chosen, &sheets) } else { kept(&all) }
}

/// Who is measured: ours, or every server that the measurement must reject.
fn subjects(measurement: &Measurement, control: bool) -> Vec<Subject> {
    if control { measurement.faults.iter().copied().map(Subject::Faulty).collect() } else { vec![Subject::Ours] }
}

/// The ceiling and the subject, right after one another; who is first changes from turn to turn, and from round to round.
fn measure(
    setup: &Setup,
    measurement: &Measurement,
    subject: Subject,
    round: u32,
    args: &PaceArgs,
    log: &mut String,
) -> Result<RoundPair> {
    let start = |who: Subject| -> Result<(Subject, ServerProcess)> {
        Ok((who, ServerProcess::start(&mut setup.on_server_core(&who.command(setup, measurement.mode)))?))
    };
    let mut servers = vec![start(subject)?];
    let idle_kib = servers[0].1.rss_kib()?;
    servers.extend(measurement.ceiling.then(|| start(Subject::Ceiling)).transpose()?);
    let mut windows = vec![Vec::new(); servers.len()];
    let turns = if measurement.mode == Mode::Paced { 1 } else { TURNS_PER_ROUND };
    for turn in 0..turns {
        let mut order: Vec<usize> = (0..servers.len()).collect();
        if (round + turn).is_multiple_of(2) {
            order.reverse();
        }
        for place in order {
            let (who, server) = &servers[place];
            let (load, retries) = load(measurement, args, turns, turn);
            let (window, text) = window::measure(setup, server, load, retries, MAX_OTHER_CORES)?;
            let (name, who) = (measurement.name, who.name());
            // Writing to a string cannot fail.
            let _ = writeln!(log, r#"{{"name":"{name}","who":"{who}","round":{round},"window":{}}}"#, text.trim());
            windows[place].push(window);
        }
    }
    let mut joined = servers.iter().zip(&windows).map(|((who, _), windows)| {
        let window = window::joined(windows).context("there are no turns")?;
        let (name, who, number) = (measurement.name, who.name(), round + 1);
        eprintln!("round {number} {name} {who}: {:.0} tokens/s, others {:.2}", window.tokens_per_s, window.other_cpu);
        Ok::<_, anyhow::Error>(window)
    });
    let ours = joined.next().context("there is no subject")??;
    Ok(RoundPair { ours, raw: joined.next().transpose()?, idle_kib, streams: measurement.streams })
}

/// What a server is asked in one of its turns, and how often again where others disturbed.
fn load(measurement: &Measurement, args: &PaceArgs, turns: u32, turn: u32) -> (Load, u32) {
    // A control is judged as the gate is.
    let by_gate = args.quick || args.control;
    let (part, patience, retries) = if by_gate { (0.5, 3, 1) } else { (1.0, 10, 2) };
    let seconds = part * measurement.seconds;
    let patience = args.patience.unwrap_or(patience);
    let retries = if patience == 0 { 0 } else { retries };
    // Only the first turn waits for a quiet host: the others are to follow at once.
    let patience = if turn == 0 { f64::from(patience) } else { 0.0 };
    let Measurement { streams, .. } = *measurement;
    let gap_us = measurement.gap_us();
    let warm = if turns == 1 { usual_warm(streams, gap_us) } else { WARM_UP_SECONDS };
    (Load { streams, gap_us, warm, seconds: seconds / f64::from(turns), patience }, retries)
}

/// Whether enough rounds of every target counted, or none at all: on such a host more rounds would not count either.
fn decided(lists: &[Vec<Round>]) -> bool {
    let counted = |rounds: &Vec<Round>| rounds.iter().filter(|round| round.counts).count();
    lists.iter().map(counted).all(|counted| counted == 0 || counted >= MIN_ROUNDS)
}

/// Whether the gate's verdict on every target is clear already.
fn settled(measurement: &Measurement, lists: &[Vec<Round>]) -> bool {
    lists.iter().zip(measurement.targets).all(|(rounds, target)| is_settled(rounds, target.limits(true)))
}

/// The lines of a measurement, held to what the gate judges by or to all limits.
fn lines(measurement: &Measurement, sheet: &Sheet, by_gate: bool) -> Vec<TargetRow> {
    let line = |(place, target): (usize, &targets::Target)| {
        let (limits, rounds) = (target.limits(by_gate), &sheet[place]);
        let conclusion = conclude(rounds, limits);
        TargetRow { target: target.name.to_owned(), unit: target.unit, limits, conclusion, rounds: rounds.len() }
    };
    measurement.targets.iter().enumerate().map(line).collect()
}

/// Fails when a floor was missed.
fn kept(lines: &[TargetRow]) -> Result<()> {
    let failed: Vec<&str> = lines
        .iter()
        .filter(|line| line.conclusion.verdict == TargetOutcome::Fail)
        .map(|line| line.target.as_str())
        .collect();
    if !failed.is_empty() {
        bail!("{} of {} targets are missed: {}", failed.len(), lines.len(), failed.join("; "));
    }
    Ok(())
}

/// Fails when a measurement let its faulty server through: every one must have a target that the fault misses. Where the
/// host was too busy to judge, nothing has been shown, and [`NotHere`] is the error.
fn rejected(chosen: &[(&Measurement, Subject)], sheets: &[Sheet]) -> Result<()> {
    let (mut through, mut undecided) = (Vec::new(), Vec::new());
    for ((measurement, who), sheet) in chosen.iter().zip(sheets) {
        let lines = lines(measurement, sheet, true);
        let any = |verdict| lines.iter().any(|line| line.conclusion.verdict == verdict);
        if any(TargetOutcome::Fail) {
            continue;
        }
        let blind = any(TargetOutcome::Inconclusive);
        let which = format!("{} ({})", measurement.name, who.name());
        if blind { undecided.push(which) } else { through.push(which) }
    }
    if !through.is_empty() {
        bail!("a faulty server was not rejected by {}", through.join(", "));
    }
    if !undecided.is_empty() {
        let which = undecided.join(", ");
        return Err(NotHere(format!("the host was too busy to judge the faulty servers: {which}")).into());
    }
    println!("every faulty server was rejected");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::subject::Fault;
    use super::*;

    fn sheet(measurement: &Measurement, value: f64, counts: bool) -> Sheet {
        vec![vec![Round { value, counts }; 5]; measurement.targets.len()]
    }

    #[test]
    fn a_missed_floor_fails_and_names_its_target() {
        let flush = &MEASUREMENTS[0];
        assert!(kept(&lines(flush, &sheet(flush, 0.1, true), true)).is_ok());
        let error = kept(&lines(flush, &sheet(flush, 0.5, true), true)).unwrap_err().to_string();
        assert!(error.contains("flush per token"), "{error}");
    }

    #[test]
    fn a_busy_host_fails_nothing() {
        let flush = &MEASUREMENTS[0];
        assert!(kept(&lines(flush, &sheet(flush, 0.5, false), true)).is_ok());
    }

    #[test]
    fn rounds_go_on_until_enough_of_each_target_count() {
        let round = |counts| Round { value: 1.0, counts };
        let (enough, busy) = (vec![round(true); MIN_ROUNDS], vec![round(true), round(true), round(false)]);
        assert!(decided(&[enough.clone(), enough.clone()]));
        assert!(!decided(&[enough.clone(), busy]));
        assert!(decided(&[enough, vec![round(false); 5]]));
    }

    #[test]
    fn a_control_that_keeps_the_limits_fails_and_one_that_cannot_be_judged_is_undecided() {
        let flush = &MEASUREMENTS[0];
        let undecided = |sheets: &[Sheet]| {
            let chosen = vec![(flush, Subject::Faulty(Fault::Slow)); sheets.len()];
            rejected(&chosen, sheets).map_err(|error| error.is::<NotHere>())
        };
        assert_eq!(undecided(&[sheet(flush, 0.5, true)]), Ok(()));
        assert_eq!(undecided(&[sheet(flush, 0.1, true)]), Err(false));
        assert_eq!(undecided(&[sheet(flush, 0.5, false)]), Err(true));
        assert_eq!(undecided(&[sheet(flush, 0.5, true), sheet(flush, 0.1, true)]), Err(false));
    }
}
