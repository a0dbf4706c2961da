//! Prediction and recording side by side.

use std::time::Duration;

use crate::stats::quantile::median;
use mock_ollama::clock::Instant;

use super::fit::{curve, distance, fit};
use super::set::{Agent, Repetition, Set};
use super::simulate::simulate;

/// What a share makes of a set.
#[derive(Clone, Debug, PartialEq)]
pub struct SetPrediction {
    /// The set's name.
    pub name: String,
    /// The share of its solo speed that each of two has; nothing where no two were ever served at once.
    pub share: Option<f64>,
    /// The most agents that asked together.
    pub agents: usize,
    /// Each repetition; the share was fitted on the first one.
    pub repetitions: Vec<Scored>,
}

/// A repetition and what was predicted of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Its name.
    pub name: String,
    /// Whether the share was fitted on it.
    pub is_fitted: bool,
    /// Its agents.
    pub agents: Vec<Score>,
}

/// An agent, from its first chunk on.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Its name.
    pub agent: String,
    /// From the request to the first chunk: recorded, not predicted.
    pub prompt: Duration,
    /// From the first chunk to the last one, as recorded together.
    pub recorded: Vec<Duration>,
    /// What is predicted of it; nothing where it is not known how it is alone.
    pub prediction: Option<Prediction>,
}

/// What is predicted of an agent: the time of each chunk since the first one.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// As recorded alone.
    pub alone: Vec<Duration>,
    /// As predicted together.
    pub chunks: Vec<Duration>,
    /// Predicted wall time against recorded wall time: 0.05 is 5 % too long.
    pub wall_error: f64,
    /// The median over the chunks of how far each is off, as a share of its time since the first one.
    pub chunk_error: f64,
}

impl SetPrediction {
    /// Fits a share on the first repetition, and predicts all.
    pub fn of(set: &Set) -> Self {
        let share = set.repetitions.first().and_then(fit);
        let scored =
            |(place, repetition): (usize, &Repetition)| scored(repetition, share, place == 0 && share.is_some());
        Self {
            name: set.name.clone(),
            share,
            agents: set.repetitions.iter().map(|repetition| repetition.agents.len()).max().unwrap_or(0),
            repetitions: set.repetitions.iter().enumerate().map(scored).collect(),
        }
    }

    /// What the share is judged by: the repetitions that it was not fitted on, or the only one.
    pub fn judged(&self) -> impl Iterator<Item = &Score> {
        let is_only = self.repetitions.len() == 1;
        self.repetitions
            .iter()
            .filter(move |repetition| is_only || !repetition.is_fitted)
            .flat_map(|found| &found.agents)
    }
}

impl Score {
    /// From the first chunk to the last one, as recorded together.
    pub fn wall(&self) -> Duration {
        last(&self.recorded)
    }
}

impl Prediction {
    /// From the first chunk to the last one, as predicted.
    pub fn wall(&self) -> Duration {
        last(&self.chunks)
    }

    /// From the first chunk to the last one, as recorded alone.
    pub fn alone_wall(&self) -> Duration {
        last(&self.alone)
    }
}

fn last(times: &[Duration]) -> Duration {
    times.last().copied().unwrap_or_default()
}

fn scored(repetition: &Repetition, share: Option<f64>, is_fitted: bool) -> Scored {
    let arrivals = simulate(&repetition.streams(), &curve(share));
    let agents = repetition.agents.iter().zip(&arrivals).map(|(agent, arrivals)| score(agent, arrivals)).collect();
    Scored { name: repetition.name.clone(), is_fitted, agents }
}

fn score(agent: &Agent, arrivals: &[Instant]) -> Score {
    let first = agent.first();
    let since = |at: &Instant| at.saturating_since(first);
    let recorded: Vec<Duration> = agent.together.iter().map(since).collect();
    let prediction = agent.alone.clone().map(|alone| {
        let chunks: Vec<Duration> = arrivals.iter().map(since).collect();
        let (predicted, wall) = (last(&chunks).as_secs_f64(), last(&recorded).as_secs_f64());
        Prediction {
            alone,
            wall_error: if wall > 0.0 { predicted / wall - 1.0 } else { 0.0 },
            chunk_error: median(chunk_errors(agent, arrivals)).unwrap_or(0.0),
            chunks,
        }
    });
    Score { agent: agent.name.clone(), prompt: agent.prompt, recorded, prediction }
}

/// How far each chunk is off, as a share of its recorded time since the first one.
fn chunk_errors(agent: &Agent, arrivals: &[Instant]) -> Vec<f64> {
    let first = agent.first();
    let pairs = arrivals.iter().zip(&agent.together).filter(|(_, recorded)| **recorded > first);
    pairs
        .map(|(predicted, recorded)| {
            let off = Duration::from_nanos(distance(*predicted, *recorded));
            off.as_secs_f64() / recorded.saturating_since(first).as_secs_f64()
        })
        .collect()
}
