//! `cargo xtask pace`: holds the server to its targets, beside a server that does nothing but send.
//!
//! Rounds are interleaved: in each of them every measurement runs, the ceiling and ours right after one another, in turns
//! first; without a pace they take several turns in a round, since what is judged there is how fast they are, and a machine
//! may be half as fast again for some seconds and then no more. What is judged are medians over rounds, mostly of ratios
//! within a round, and only rounds in which the machine did little else count. [`targets`] is the table of what is measured and demanded, [`subject`] who is measured,
//! [`start`] what is known without load.
//!
//! `--control` puts servers with a known fault in our place: the gate must reject them.

mod start;
mod subject;
mod targets;

use std::fmt::{self, Write as _};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::rod::Rods;
use crate::rod::judge::{Conclusion, FEWEST, Round, Verdict, conclude, is_settled};
use crate::rod::server::Server;
use crate::rod::table::{Line, markdown};
use crate::rod::window::{Load, Window, usual_warm};
use subject::Subject;
pub(crate) use subject::{GAP_US, ours};
use targets::{MEASUREMENTS, Measurement, Pair};
pub(crate) use targets::{Mode, QUIET};

/// Rounds of `--quick`.
const QUICK_ROUNDS: u32 = 5;

/// How many turns a server takes in a round without a pace.
const TURNS: u32 = 4;

/// Seconds that a server without a pace is asked before a turn counts.
const WARM: f64 = 0.1;

/// How many times as many rounds are added at most for a measurement of which too few counted.
const EXTRA: u32 = 2;

/// The flags.
#[derive(Args, Debug)]
pub(crate) struct PaceArgs {
    /// Rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Three to five rounds, half as long, of flush per token, 1 stream and 1,000 streams, judged by what does not depend on how fast the
    /// machine is: the gate
    #[arg(long)]
    quick: bool,
    /// Put servers with a known fault in our place; exit code 0 if each of them is rejected, 77 if the machine is too busy
    /// to judge
    #[arg(long)]
    control: bool,
    /// Seconds to wait for a quiet machine before each measurement; 0: what was disturbed is not repeated either [default: 10,
    /// or 3 with --quick]
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u16>,
    /// Only measurements whose name contains this: flush, coalesced, paced 1, paced 100, paced 1000, overload, start
    #[arg(long, default_value = "")]
    only: String,
}

/// What the rounds of a measurement gave, a list for each of its targets; or why there were none.
enum Sheet {
    Rounds(Vec<Vec<Round>>),
    Skipped(String),
}

/// Measures, prints the table, and fails when a floor is missed.
pub(crate) fn run(args: &PaceArgs) -> Result<()> {
    let rods = Rods::prepare("pace")?;
    let by_gate = args.quick || args.control;
    let rounds = if args.quick { QUICK_ROUNDS } else { args.rounds };
    let chosen: Vec<(&Measurement, Subject)> = MEASUREMENTS
        .iter()
        .filter(|measurement| measurement.quick || !by_gate)
        .filter(|measurement| measurement.name.contains(&args.only))
        .flat_map(|measurement| subjects(measurement, args.control).into_iter().map(move |who| (measurement, who)))
        .collect();
    let mut sheets = Vec::new();
    for (measurement, who) in &chosen {
        sheets.push(match who.misses(&rods, measurement.mode)? {
            Some(why) => Sheet::Skipped(why),
            None => Sheet::Rounds(vec![Vec::new(); measurement.targets.len()]),
        });
    }
    let with_start = !by_gate && "start".contains(&args.only);
    let installed = with_start.then(start::build).transpose()?;
    let (mut starts, mut log) = (Vec::new(), String::new());
    for round in 0..rounds * (1 + EXTRA) {
        for ((measurement, who), sheet) in chosen.iter().zip(&mut sheets) {
            let Sheet::Rounds(lists) = sheet else { continue };
            if (by_gate && settled(measurement, lists)) || (round >= rounds && decided(lists)) {
                continue;
            }
            let pair = measure(&rods, measurement, *who, round, args, &mut log)
                .with_context(|| format!("{}, round {}", measurement.name, round + 1))?;
            for (list, target) in lists.iter_mut().zip(measurement.targets) {
                list.extend(target.round(&pair));
            }
        }
        if let Some(installed) = installed.as_ref().filter(|_| round < rounds) {
            starts.push(start::measure(&rods, installed)?);
        }
    }
    std::fs::write(rods.folder.join("windows.jsonl"), log).context("cannot write what was measured")?;
    let mut all: Vec<Line> = Vec::new();
    for ((measurement, who), sheet) in chosen.iter().zip(&sheets) {
        let named = |line: Line| match who {
            Subject::Faulty(fault) => Line { target: format!("{}: {}", fault.name(), line.target), ..line },
            _ => line,
        };
        all.extend(lines(measurement, sheet, by_gate).into_iter().map(named));
    }
    if let Some(installed) = &installed {
        all.extend(start::lines(installed, &starts)?);
    }
    let text = markdown(&all);
    std::fs::write(rods.folder.join("table.md"), &text).context("cannot write the table")?;
    println!("{text}");
    if args.control { rejected(&chosen, &sheets) } else { kept(&all) }
}

/// Who is measured: ours, or every server that the measurement must reject.
fn subjects(measurement: &Measurement, control: bool) -> Vec<Subject> {
    if control { measurement.faults.iter().copied().map(Subject::Faulty).collect() } else { vec![Subject::Ours] }
}

/// The ceiling and the subject, right after one another; who is first changes from turn to turn, and from round to round.
fn measure(
    rods: &Rods,
    measurement: &Measurement,
    subject: Subject,
    round: u32,
    args: &PaceArgs,
    log: &mut String,
) -> Result<Pair> {
    let start = |who: Subject| -> Result<(Subject, Server)> {
        Ok((who, Server::start(rods, &who.command(rods, measurement.mode))?))
    };
    let mut servers = vec![start(subject)?];
    let idle_kib = servers[0].1.rss_kib()?;
    servers.extend(measurement.ceiling.then(|| start(Subject::Ceiling)).transpose()?);
    let mut windows = vec![Vec::new(); servers.len()];
    let turns = if measurement.mode == Mode::Paced { 1 } else { TURNS };
    for turn in 0..turns {
        let mut order: Vec<usize> = (0..servers.len()).collect();
        if (round + turn).is_multiple_of(2) {
            order.reverse();
        }
        for place in order {
            let (who, server) = &servers[place];
            let (load, retries) = load(measurement, args, turns, turn);
            let (window, text) = Window::measure(rods, server, load, retries, QUIET)?;
            let (name, who) = (measurement.name, who.name());
            // Writing to a string cannot fail.
            let _ = writeln!(log, r#"{{"name":"{name}","who":"{who}","round":{round},"window":{}}}"#, text.trim());
            windows[place].push(window);
        }
    }
    let mut joined = servers.iter().zip(&windows).map(|((who, _), windows)| {
        let window = Window::joined(windows).context("there are no turns")?;
        let (name, who, number) = (measurement.name, who.name(), round + 1);
        eprintln!("round {number} {name} {who}: {:.0} tokens/s, others {:.2}", window.tokens_per_s, window.other_cpu);
        Ok::<_, anyhow::Error>(window)
    });
    let ours = joined.next().context("there is no subject")??;
    Ok(Pair { ours, raw: joined.next().transpose()?, idle_kib, streams: measurement.streams })
}

/// What a server is asked in one of its turns, and how often again where others disturbed.
fn load(measurement: &Measurement, args: &PaceArgs, turns: u32, turn: u32) -> (Load, u32) {
    // A control is judged as the gate is.
    let by_gate = args.quick || args.control;
    let (part, patience, retries) = if by_gate { (0.5, 3, 1) } else { (1.0, 10, 2) };
    let seconds = part * measurement.seconds;
    let patience = args.patience.unwrap_or(patience);
    let retries = if patience == 0 { 0 } else { retries };
    // Only the first turn waits for a quiet machine: the others are to follow at once.
    let patience = if turn == 0 { f64::from(patience) } else { 0.0 };
    let Measurement { streams, .. } = *measurement;
    let gap_us = measurement.gap_us();
    let warm = if turns == 1 { usual_warm(streams, gap_us) } else { WARM };
    (Load { streams, gap_us, warm, seconds: seconds / f64::from(turns), patience }, retries)
}

/// Whether enough rounds of every target counted, or none at all: on such a host more rounds would not count either.
fn decided(lists: &[Vec<Round>]) -> bool {
    let counted = |rounds: &Vec<Round>| rounds.iter().filter(|round| round.counts).count();
    lists.iter().map(counted).all(|counted| counted == 0 || counted >= FEWEST)
}

/// Whether the gate's verdict on every target is clear already.
fn settled(measurement: &Measurement, lists: &[Vec<Round>]) -> bool {
    lists.iter().zip(measurement.targets).all(|(rounds, target)| is_settled(rounds, target.limits(true)))
}

/// The lines of a measurement, held to what the gate judges by or to all limits.
fn lines(measurement: &Measurement, sheet: &Sheet, by_gate: bool) -> Vec<Line> {
    let line = |(place, target): (usize, &targets::Target)| {
        let limits = target.limits(by_gate);
        let (rounds, conclusion) = match sheet {
            Sheet::Rounds(lists) => (lists[place].len(), conclude(&lists[place], limits)),
            Sheet::Skipped(why) => (0, Conclusion { median: None, counted: 0, verdict: Verdict::Skipped(why.clone()) }),
        };
        Line { target: target.name.to_owned(), unit: target.unit, limits, conclusion, rounds }
    };
    measurement.targets.iter().enumerate().map(line).collect()
}

/// Fails when a floor was missed.
fn kept(lines: &[Line]) -> Result<()> {
    let failed: Vec<&str> =
        lines.iter().filter(|line| line.conclusion.verdict == Verdict::Fail).map(|line| line.target.as_str()).collect();
    if !failed.is_empty() {
        bail!("{} of {} targets are missed: {}", failed.len(), lines.len(), failed.join("; "));
    }
    Ok(())
}

/// Fails when a measurement let its faulty server through: every one must have a target that the fault misses. Where the
/// machine was too busy to judge, nothing has been shown, and [`Undecided`] says so.
fn rejected(chosen: &[(&Measurement, Subject)], sheets: &[Sheet]) -> Result<()> {
    let (mut through, mut undecided) = (Vec::new(), Vec::new());
    for ((measurement, who), sheet) in chosen.iter().zip(sheets) {
        let lines = lines(measurement, sheet, true);
        let any = |is: fn(&Verdict) -> bool| lines.iter().any(|line| is(&line.conclusion.verdict));
        if any(|verdict| matches!(verdict, Verdict::Fail)) {
            continue;
        }
        let blind = any(|verdict| matches!(verdict, Verdict::Inconclusive | Verdict::Skipped(_)));
        let which = format!("{} ({})", measurement.name, who.name());
        if blind { undecided.push(which) } else { through.push(which) }
    }
    if !through.is_empty() {
        bail!("a faulty server was not rejected by {}", through.join(", "));
    }
    if !undecided.is_empty() {
        return Err(Undecided(undecided.join(", ")).into());
    }
    println!("every faulty server was rejected");
    Ok(())
}

/// Measurements that the machine was too busy for.
#[derive(Debug)]
pub(crate) struct Undecided(String);

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inconclusive, the machine was too busy to judge the faulty servers: {}", self.0)
    }
}

impl std::error::Error for Undecided {}

#[cfg(test)]
mod tests {
    use super::subject::Fault;
    use super::*;

    fn sheet(measurement: &Measurement, value: f64, counts: bool) -> Sheet {
        Sheet::Rounds(vec![vec![Round { value, counts }; 5]; measurement.targets.len()])
    }

    #[test]
    fn a_missed_floor_fails_and_names_its_target() {
        let flush = &MEASUREMENTS[0];
        assert!(kept(&lines(flush, &sheet(flush, 0.1, true), true)).is_ok());
        let error = kept(&lines(flush, &sheet(flush, 0.5, true), true)).unwrap_err().to_string();
        assert!(error.contains("flush per token"), "{error}");
    }

    #[test]
    fn a_busy_machine_and_a_build_without_the_flag_fail_nothing() {
        let flush = &MEASUREMENTS[0];
        assert!(kept(&lines(flush, &sheet(flush, 0.5, false), true)).is_ok());
        assert!(kept(&lines(flush, &Sheet::Skipped("no flag".to_owned()), true)).is_ok());
    }

    #[test]
    fn rounds_go_on_until_enough_of_each_target_count() {
        let round = |counts| Round { value: 1.0, counts };
        let (enough, busy) = (vec![round(true); FEWEST], vec![round(true), round(true), round(false)]);
        assert!(decided(&[enough.clone(), enough.clone()]));
        assert!(!decided(&[enough.clone(), busy]));
        assert!(decided(&[enough, vec![round(false); 5]]));
    }

    #[test]
    fn a_control_that_keeps_the_limits_fails_and_one_that_cannot_be_judged_is_undecided() {
        let flush = &MEASUREMENTS[0];
        let undecided = |sheets: &[Sheet]| {
            let chosen = vec![(flush, Subject::Faulty(Fault::Slow)); sheets.len()];
            rejected(&chosen, sheets).map_err(|error| error.is::<Undecided>())
        };
        assert_eq!(undecided(&[sheet(flush, 0.5, true)]), Ok(()));
        assert_eq!(undecided(&[sheet(flush, 0.1, true)]), Err(false));
        assert_eq!(undecided(&[sheet(flush, 0.5, false)]), Err(true));
        assert_eq!(undecided(&[sheet(flush, 0.5, true), sheet(flush, 0.1, true)]), Err(false));
    }
}
