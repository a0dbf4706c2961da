//! Whether a share describes a set, and why not.

use std::time::Duration;

use super::score::{Prediction, Score, SetPrediction};

/// The largest error of a wall time.
pub(crate) const WALL: f64 = 0.05;

/// The largest median error of a chunk.
pub(crate) const CHUNK: f64 = 0.10;

/// Two streams that share a device do this much of the work of one alone, or more, if they only take turns.
const TURNS: f64 = 0.8;

/// How many times as much of the time as predicted the longest pauses may take.
const BURSTS: f64 = 1.5;

/// How much faster than alone an agent may be for no reason.
const FASTER: f64 = 1.01;

/// What can be said of a set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ShareCheck {
    /// Whether every error is within the limits.
    pub holds: bool,
    /// The largest error of a wall time, without its sign.
    pub wall_error: f64,
    /// The largest median error of a chunk.
    pub chunk_error: f64,
    /// What the recordings show that a share cannot; only of sets that it does not describe.
    pub reasons: Vec<Misfit>,
}

/// What a share cannot describe.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Misfit {
    /// An agent was faster together than alone.
    Faster {
        /// The agent.
        agent: String,
        /// Its wall time alone, over that together.
        speed: f64,
    },
    /// An agent was slowed down although it never met another stream.
    Unmet {
        /// The agent.
        agent: String,
        /// Its wall time together.
        recorded: Duration,
        /// Its wall time alone.
        alone: Duration,
    },
    /// Taking turns does not lose work; here much of it was lost.
    Lost {
        /// What they did together, against one alone.
        work: f64,
    },
    /// Work comes in bursts, with pauses between them.
    Bursts {
        /// The agent.
        agent: String,
        /// What part of the time the longest tenth of the gaps takes.
        recorded: f64,
        /// The same as predicted.
        predicted: f64,
        /// The longest gap.
        longest: Duration,
    },
    /// Agents were slowed down by different amounts at the same time.
    Uneven {
        /// The agent whose wall time is predicted shortest against the recorded one, and the error.
        late: (String, f64),
        /// The one whose wall time is predicted longest.
        early: (String, f64),
    },
}

/// Judges an outcome.
pub(crate) fn check(outcome: &SetPrediction) -> ShareCheck {
    let judged: Vec<(&Score, &Prediction)> =
        outcome.judged().filter_map(|score| Some((score, score.prediction.as_ref()?))).collect();
    let wall_error = judged.iter().map(|(_, found)| found.wall_error.abs()).fold(0.0, f64::max);
    let chunk_error = judged.iter().map(|(_, found)| found.chunk_error).fold(0.0, f64::max);
    let holds = wall_error <= WALL && chunk_error <= CHUNK;
    let reasons = if holds { Vec::new() } else { reasons(outcome, &judged) };
    ShareCheck { holds, wall_error, chunk_error, reasons }
}

fn reasons(outcome: &SetPrediction, judged: &[(&Score, &Prediction)]) -> Vec<Misfit> {
    let faster =
        judged.iter().map(|(score, found)| (found.alone_wall().as_secs_f64() / score.wall().as_secs_f64(), score));
    let fastest = faster.max_by(|one, other| one.0.total_cmp(&other.0));
    let faster = fastest
        .filter(|(speed, _)| *speed > FASTER)
        .map(|(speed, score)| Misfit::Faster { agent: score.agent.clone(), speed });
    let lost = outcome.share.map(|share| 2.0 * share).filter(|work| *work < TURNS).map(|work| Misfit::Lost { work });
    [faster, unmet(outcome, judged), lost, bursts(judged), uneven(judged)].into_iter().flatten().collect()
}

fn unmet(outcome: &SetPrediction, judged: &[(&Score, &Prediction)]) -> Option<Misfit> {
    let slowest = judged.iter().min_by(|one, other| one.1.wall_error.total_cmp(&other.1.wall_error))?;
    let (score, found) = slowest;
    (outcome.share.is_none() && found.wall_error < -WALL).then(|| Misfit::Unmet {
        agent: score.agent.clone(),
        recorded: score.wall(),
        alone: found.alone_wall(),
    })
}

fn bursts(judged: &[(&Score, &Prediction)]) -> Option<Misfit> {
    let pauses = judged.iter().map(|(score, found)| Misfit::Bursts {
        agent: score.agent.clone(),
        recorded: time_in_pauses(&score.recorded),
        predicted: time_in_pauses(&found.chunks),
        longest: gaps(&score.recorded).last().copied().unwrap_or_default(),
    });
    let excess = |reason: &Misfit| match reason {
        Misfit::Bursts { recorded, predicted, .. } if *predicted > 0.0 => recorded / predicted,
        _ => 0.0,
    };
    pauses.filter(|reason| excess(reason) > BURSTS).max_by(|one, other| excess(one).total_cmp(&excess(other)))
}

fn uneven(judged: &[(&Score, &Prediction)]) -> Option<Misfit> {
    let by_error =
        |one: &&(&Score, &Prediction), other: &&(&Score, &Prediction)| one.1.wall_error.total_cmp(&other.1.wall_error);
    let (late, early) = (judged.iter().min_by(by_error)?, judged.iter().max_by(by_error)?);
    let of = |(score, found): &(&Score, &Prediction)| (score.agent.clone(), found.wall_error);
    (early.1.wall_error - late.1.wall_error > 2.0 * WALL).then(|| Misfit::Uneven { late: of(late), early: of(early) })
}

/// What part of the time the longest tenth of the gaps takes.
fn time_in_pauses(chunks: &[Duration]) -> f64 {
    let gaps = gaps(chunks);
    let sum = |gaps: &[Duration]| gaps.iter().sum::<Duration>().as_secs_f64();
    let longest = &gaps[gaps.len() - gaps.len().div_ceil(10)..];
    let all = sum(&gaps);
    if all > 0.0 { sum(longest) / all } else { 0.0 }
}

/// The gaps between chunks, the longest one last.
fn gaps(chunks: &[Duration]) -> Vec<Duration> {
    let mut gaps: Vec<Duration> = chunks.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    gaps.sort_unstable();
    gaps
}
