//! Limits stated beforehand, and whether a run keeps them.
//!
//! A bound is a line of a file, with its reason: `fixtures/bounds.toml` holds the ones that are built in. Wall-clock
//! bounds know a third verdict: when the server itself was late by more than a stated share of the slack, the run
//! cannot tell the client's doing from the host's, whichever way it came out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::stats::Verdict;
use serde::{Deserialize, Serialize};

/// The bounds that are built in.
pub const BUILT_IN: &str = include_str!("../../fixtures/bounds.toml");

/// Where [`BUILT_IN`] is kept in the repository; the name its errors carry.
pub const BUILT_IN_PATH: &str = "fixtures/bounds.toml";

/// The share of the slack that the server's lateness may use up where a bound does not say.
pub const LATENESS_SHARE: f64 = 0.5;

/// Something a bound can limit; a number of one run of one variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The most streams the server had in progress at once, divided by the agents that may run at once; best 1.
    MaxInFlightShare,
    /// `max(S_i) / W`; best 1.
    Overlap,
    /// The part of the wall time beyond the ideal wall time, lateness of the server included; best 0.
    OverheadShare,
    /// The most chunks that an agent had been handed when it saw the first token of an answer; best 1.
    FirstTokenChunks,
    /// The 99th percentile over chunks of arrival minus departure, in microseconds; best 0.
    LagP99Us,
    /// Exchanges that failed; best 0.
    FailedExchanges,
    /// Distinct tasks divided by agents; best 1.
    TaskShare,
    /// Wall time of the measured serial run divided by the wall time of this run. What is best depends on the
    /// workload, so its slack is counted from the limit itself: zero, and any lateness makes it inconclusive.
    SpeedUp,
}

impl Metric {
    /// Every metric, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::MaxInFlightShare,
        Self::Overlap,
        Self::OverheadShare,
        Self::FirstTokenChunks,
        Self::LagP99Us,
        Self::FailedExchanges,
        Self::TaskShare,
        Self::SpeedUp,
    ];

    /// The value of a run that loses nothing; `None` where the workload decides it.
    pub const fn best(self) -> Option<f64> {
        match self {
            Self::MaxInFlightShare | Self::Overlap | Self::FirstTokenChunks | Self::TaskShare => Some(1.0),
            Self::OverheadShare | Self::LagP99Us | Self::FailedExchanges => Some(0.0),
            Self::SpeedUp => None,
        }
    }

    /// The server's lateness in this metric's unit: microseconds for microseconds, else a share of the wall time.
    fn lateness(self, lateness: Lateness) -> f64 {
        match self {
            Self::LagP99Us => lateness.us,
            _ => lateness.wall_share,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MaxInFlightShare => "max-in-flight-share",
            Self::Overlap => "overlap",
            Self::OverheadShare => "overhead-share",
            Self::FirstTokenChunks => "first-token-chunks",
            Self::LagP99Us => "lag-p99-us",
            Self::FailedExchanges => "failed-exchanges",
            Self::TaskShare => "task-share",
            Self::SpeedUp => "speed-up",
        })
    }
}

/// Whether a bound's number is the same in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BoundKind {
    /// The number does not depend on the host: the bound passes or fails.
    Deterministic,
    /// The number was measured with a clock: the bound may be inconclusive.
    WallClock,
}

/// A stated limit.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The bound's name, unique in its file.
    pub name: String,
    /// What it limits.
    pub metric: Metric,
    /// Whether the number depends on a clock.
    pub kind: BoundKind,
    /// The least value that keeps the bound.
    pub min: Option<f64>,
    /// The greatest value that keeps the bound.
    pub max: Option<f64>,
    /// Why this limit and not another one.
    pub reason: String,
    /// The share of the slack that the server's lateness may use up, 0..=1; [`LATENESS_SHARE`] when absent. Only of
    /// wall-clock bounds.
    pub lateness_share: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundsFile {
    #[serde(default)]
    bound: Vec<Bound>,
}

/// A file of bounds that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BoundsError {
    /// Not TOML, or not of this form.
    #[error("{path}: not a file of bounds")]
    Form {
        /// The file.
        path: PathBuf,
        /// Line, column and what is expected there.
        source: Box<toml::de::Error>,
    },
    /// No bound in it: a gate that cannot fail.
    #[error("{path}: there is no [[bound]] in it; a file without bounds passes everything")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A bound that makes no sense.
    #[error("{path}: bound `{bound}`: {problem}")]
    Bound {
        /// The file.
        path: PathBuf,
        /// The bound's name.
        bound: String,
        /// What is wrong with it and what to do.
        problem: &'static str,
    },
}

/// Reads bounds; `path` is what errors name.
pub fn parse(text: &str, path: &Path) -> Result<Vec<Bound>, BoundsError> {
    let file: BoundsFile =
        toml::from_str(text).map_err(|source| BoundsError::Form { path: path.to_owned(), source: Box::new(source) })?;
    if file.bound.is_empty() {
        return Err(BoundsError::Empty { path: path.to_owned() });
    }
    let mut names = BTreeSet::new();
    for bound in &file.bound {
        let problem = problem_of(bound)
            .or_else(|| (!names.insert(&bound.name)).then_some("the name is used twice; rename one of them"));
        if let Some(problem) = problem {
            return Err(BoundsError::Bound { path: path.to_owned(), bound: bound.name.clone(), problem });
        }
    }
    Ok(file.bound)
}

/// The bounds that are built in.
pub fn built_in() -> Result<Vec<Bound>, BoundsError> {
    parse(BUILT_IN, Path::new(BUILT_IN_PATH))
}

/// What is wrong with a bound and what to do, the first that is.
fn problem_of(bound: &Bound) -> Option<&'static str> {
    let share = bound.lateness_share;
    let is_deterministic = bound.kind == BoundKind::Deterministic;
    let problems = [
        (bound.name.trim().is_empty(), "the name is empty; give it one, reports print it"),
        (bound.reason.trim().is_empty(), "the reason is empty; say why this limit and not another one"),
        (bound.min.or(bound.max).is_none(), "neither min nor max is given, so it cannot fail; state one"),
        (
            [bound.min, bound.max, share].into_iter().flatten().any(|number| !number.is_finite()),
            "a limit is not a finite number",
        ),
        (
            bound.min.zip(bound.max).is_some_and(|(min, max)| min > max),
            "min is greater than max, so it cannot pass; swap them",
        ),
        (
            is_deterministic && share.is_some(),
            "lateness_share has no meaning on a deterministic bound; remove it or make the kind wall-clock",
        ),
        (share.is_some_and(|share| !(0.0..=1.0).contains(&share)), "lateness_share is a share of the slack, 0 to 1"),
    ];
    problems.into_iter().find_map(|(is_so, problem)| is_so.then_some(problem))
}

/// How late the server was in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lateness {
    /// On the path of the agent that ended last, as a share of the wall time.
    pub wall_share: f64,
    /// The 99th percentile over chunks, in microseconds.
    pub us: f64,
}

/// What one run of one variant came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// The numbers that are known.
    pub values: BTreeMap<Metric, f64>,
    /// How late the server was.
    pub lateness: Lateness,
}

impl Bound {
    /// Whether `run` keeps this bound, and why, in one line.
    pub fn judge(&self, run: &Observed) -> (Verdict, String) {
        let Some(&value) = run.values.get(&self.metric) else {
            return (Verdict::Inconclusive, format!("{} was not observed", self.metric));
        };
        let below = self.min.filter(|&min| value < min);
        let above = self.max.filter(|&max| value > max);
        let broken = below.map(|min| (min, "min")).or(above.map(|max| (max, "max")));
        let value = short(value);
        if let Some(why) = self.excused(run.lateness) {
            return (Verdict::Inconclusive, format!("{} is {value}, but {why}", self.metric));
        }
        match broken {
            Some((limit, which)) => {
                (Verdict::Fail, format!("{} is {value}, {which} {limit}: {}", self.metric, self.reason))
            }
            None => (Verdict::Pass, format!("{} is {value}, keeps {}", self.metric, self.limits())),
        }
    }

    /// Why the server's lateness forbids a verdict, when it does.
    fn excused(&self, lateness: Lateness) -> Option<String> {
        if self.kind == BoundKind::Deterministic {
            return None;
        }
        let share = self.lateness_share.unwrap_or(LATENESS_SHARE);
        let slack = self.slack();
        let late = self.metric.lateness(lateness);
        (late > share * slack).then(|| {
            let (late, slack) = (short(late), short(slack));
            format!(
                "the server itself was late by {late}, more than {share} of the slack of {slack}: use a quieter host"
            )
        })
    }

    /// The distance from the best value to the nearer limit.
    fn slack(&self) -> f64 {
        let Some(best) = self.metric.best() else { return 0.0 };
        let distances = [self.min, self.max].into_iter().flatten().map(|limit| (limit - best).abs());
        distances.fold(f64::INFINITY, f64::min)
    }

    fn limits(&self) -> String {
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("{min} to {max}"),
            (Some(min), None) => format!("min {min}"),
            (None, Some(max)) => format!("max {max}"),
            (None, None) => "no limit".to_owned(),
        }
    }
}

/// `value` to a millionth.
fn short(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests;
