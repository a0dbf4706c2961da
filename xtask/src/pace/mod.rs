//! `cargo xtask pace`: holds the server to its targets, beside a server that does nothing but send.
//!
//! Rounds are interleaved: in each of them every measurement runs, the ceiling and ours right after one another, in turns
//! first; without a pace they take several turns in a round, since what is judged there is how fast they are, and a host
//! may be half as fast again for some seconds and then no more. What is judged are medians over rounds, mostly of ratios
//! within a round, and only rounds in which the host did little else count. [`targets`] is the table of what is measured and
//! demanded, [`subject`] who is measured.
//!
//! `--control` puts servers with a known fault in our place: the gate must reject them.

mod subject;
mod targets;

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::NotHere;
use crate::measure::Setup;
use crate::measure::judge::{MIN_ROUNDS, Round, TargetOutcome, is_settled};
use crate::measure::table::{TargetRow, markdown};
use crate::measure::window::{self, Load, usual_warm};
use crate::server::ServerProcess;
use subject::Subject;
pub(crate) use subject::{GAP_US, ours};
pub(crate) use targets::{MAX_OTHER_CORES, Mode};
use targets::{MEASUREMENTS, Measurement, RoundPair, Target};

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
    /// Only measurements whose name contains this: flush, coalesced, paced 1, paced 100, paced 1000, overload
    #[arg(long, default_value = "")]
    only: String,
}

/// A measurement of a server, and the rounds of each of its targets.
struct Sheet {
    measurement: &'static Measurement,
    who: Subject,
    rounds: Vec<Vec<Round>>,
}

/// Measures, prints the table, and fails when a floor is missed.
pub(crate) fn run(args: &PaceArgs) -> Result<()> {
    let setup = Setup::prepare("pace")?;
    let by_gate = args.quick || args.control;
    let rounds = if args.quick { QUICK_ROUNDS } else { args.rounds };
    let chosen = MEASUREMENTS.iter().filter(|measurement| measurement.is_quick() || !by_gate);
    let chosen = chosen.filter(|measurement| measurement.name.contains(&args.only));
    let mut sheets: Vec<Sheet> = chosen.flat_map(|measurement| sheets(measurement, args.control)).collect();
    let mut log = String::new();
    for round in 0..rounds * (1 + MAX_EXTRA_FACTOR) {
        for sheet in &mut sheets {
            if (by_gate && sheet.is_settled()) || (round >= rounds && decided(&sheet.rounds)) {
                continue;
            }
            let pair = measure(&setup, sheet, round, args, &mut log)
                .with_context(|| format!("{}, round {}", sheet.measurement.name, round + 1))?;
            for (rounds, target) in sheet.rounds.iter_mut().zip(sheet.measurement.targets) {
                rounds.extend(target.round(&pair));
            }
        }
    }
    std::fs::write(setup.folder.join("windows.jsonl"), log).context("cannot write what was measured")?;
    let all: Vec<TargetRow> = sheets.iter().flat_map(|sheet| sheet.lines(by_gate)).collect();
    let text = markdown(&all);
    std::fs::write(setup.folder.join("table.md"), &text).context("cannot write the table")?;
    println!("{text}");
    if args.control { rejected(&sheets) } else { kept(&all) }
}

/// Returns the sheet of ours, or those of every server that the measurement must reject.
fn sheets(measurement: &'static Measurement, control: bool) -> Vec<Sheet> {
    let faulty = measurement.faults.iter().copied().map(Subject::Faulty);
    let who = if control { faulty.collect() } else { vec![Subject::Ours] };
    who.into_iter().map(|who| Sheet { measurement, who, rounds: vec![Vec::new(); measurement.targets.len()] }).collect()
}

/// The ceiling and the subject, right after one another; who is first changes from turn to turn, and from round to round.
fn measure(
    setup: &Setup,
    Sheet { measurement, who: subject, .. }: &Sheet,
    round: u32,
    args: &PaceArgs,
    log: &mut String,
) -> Result<RoundPair> {
    let start = |who: Subject| -> Result<(Subject, ServerProcess)> {
        Ok((who, ServerProcess::start(&mut setup.on_server_core(&who.command(setup, measurement.mode)))?))
    };
    let mut servers = vec![start(*subject)?];
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
            let window = window::measure(setup, server, load, retries, MAX_OTHER_CORES)?;
            let (name, who, text) = (measurement.name, who.name(), serde_json::to_string(&window)?);
            // Writing to a string cannot fail.
            let _ = writeln!(log, r#"{{"name":"{name}","who":"{who}","round":{round},"window":{text}}}"#);
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

impl Sheet {
    /// Returns whether the gate's verdict on every target is clear already.
    fn is_settled(&self) -> bool {
        self.rounds.iter().zip(self.measurement.targets).all(|(rounds, target)| is_settled(rounds, target.limits(true)))
    }

    /// The lines of the table, held to what the gate judges by or to all limits.
    fn lines(&self, by_gate: bool) -> Vec<TargetRow> {
        let fault = if let Subject::Faulty(fault) = self.who { format!("{}: ", fault.name()) } else { String::new() };
        let line = |(target, rounds): (&Target, &Vec<Round>)| {
            TargetRow::new(&format!("{fault}{}", target.name), target.unit, target.limits(by_gate), rounds)
        };
        self.measurement.targets.iter().zip(&self.rounds).map(line).collect()
    }
}

/// Fails when a floor was missed.
fn kept(lines: &[TargetRow]) -> Result<()> {
    let failed = lines.iter().filter(|line| line.conclusion.verdict == TargetOutcome::Fail);
    let failed: Vec<&str> = failed.map(|line| line.target.as_str()).collect();
    ensure!(failed.is_empty(), "{} of {} targets are missed: {}", failed.len(), lines.len(), failed.join("; "));
    Ok(())
}

/// Fails when a measurement let its faulty server through: every one must have a target that the fault misses. Where the
/// host was too busy to judge, nothing has been shown, and [`NotHere`] is the error.
fn rejected(sheets: &[Sheet]) -> Result<()> {
    let (mut through, mut undecided) = (Vec::new(), Vec::new());
    for sheet in sheets {
        let lines = sheet.lines(true);
        let any = |verdict| lines.iter().any(|line| line.conclusion.verdict == verdict);
        if !any(TargetOutcome::Fail) {
            let which = format!("{} ({})", sheet.measurement.name, sheet.who.name());
            if any(TargetOutcome::Inconclusive) { undecided.push(which) } else { through.push(which) }
        }
    }
    ensure!(through.is_empty(), "a faulty server was not rejected by {}", through.join(", "));
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

    /// A faulty server under the measurement of flush, whose targets all have this value.
    fn sheet(value: f64, counts: bool) -> Sheet {
        let measurement = &MEASUREMENTS[0];
        let rounds = vec![vec![Round { value, counts }; 5]; measurement.targets.len()];
        Sheet { measurement, who: Subject::Faulty(Fault::Slow), rounds }
    }

    #[test]
    fn a_missed_floor_fails_and_names_its_target() {
        assert!(kept(&sheet(0.1, true).lines(true)).is_ok());
        let error = kept(&sheet(0.5, true).lines(true)).unwrap_err().to_string();
        assert!(error.contains("flush per token"), "{error}");
    }

    #[test]
    fn a_busy_host_fails_nothing() {
        assert!(kept(&sheet(0.5, false).lines(true)).is_ok());
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
        let undecided = |sheets: &[Sheet]| rejected(sheets).map_err(|error| error.is::<NotHere>());
        assert_eq!(undecided(&[sheet(0.5, true)]), Ok(()));
        assert_eq!(undecided(&[sheet(0.1, true)]), Err(false));
        assert_eq!(undecided(&[sheet(0.5, false)]), Err(true));
        assert_eq!(undecided(&[sheet(0.5, true), sheet(0.1, true)]), Err(false));
    }
}
