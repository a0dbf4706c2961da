//! What the rounds of a target say about it. Pure.

use std::fmt;

use lab_stats::quantile::median;

/// Rounds that must count before anything is said.
pub(crate) const MIN_ROUNDS: usize = 3;

/// On which side of a limit the good values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    AtLeast,
    AtMost,
}

/// What a target demands and what it hopes for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TargetLimits {
    pub(crate) side: Side,
    /// What misses it fails.
    pub(crate) floor: f64,
    pub(crate) stretch: f64,
}

/// Limits for values that are to be large.
pub(crate) const fn at_least(floor: f64, stretch: f64) -> TargetLimits {
    TargetLimits { side: Side::AtLeast, floor, stretch }
}

/// Limits for values that are to be small.
pub(crate) const fn at_most(floor: f64, stretch: f64) -> TargetLimits {
    TargetLimits { side: Side::AtMost, floor, stretch }
}

impl TargetLimits {
    fn keeps(self, value: f64, limit: f64) -> bool {
        match self.side {
            Side::AtLeast => value >= limit,
            Side::AtMost => value <= limit,
        }
    }
}

/// The outcome of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetOutcome {
    /// The stretch is reached, too.
    Stretch,
    Pass,
    Fail,
    Inconclusive,
    /// There is no limit.
    Shown,
}

impl fmt::Display for TargetOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stretch => "pass, stretch",
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Inconclusive => "inconclusive",
            Self::Shown => "–",
        })
    }
}

/// A value of one round, and whether the host was quiet enough for it to count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Round {
    pub(crate) value: f64,
    pub(crate) counts: bool,
}

/// The conclusion from rounds: the median of those that count (of all, where none counts), how many count, and the verdict.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Conclusion {
    pub(crate) median: Option<f64>,
    pub(crate) counted: usize,
    pub(crate) verdict: TargetOutcome,
}

/// Fewer than [`MIN_ROUNDS`] rounds that count say nothing, whatever their values.
pub(crate) fn conclude(rounds: &[Round], limits: Option<TargetLimits>) -> Conclusion {
    let counting: Vec<f64> = rounds.iter().filter(|round| round.counts).map(|round| round.value).collect();
    let counted = counting.len();
    let shown = if counting.is_empty() { rounds.iter().map(|round| round.value).collect() } else { counting };
    let median = median(shown);
    let verdict = match (limits, median) {
        (None, _) => TargetOutcome::Shown,
        (Some(limits), Some(value)) if counted >= MIN_ROUNDS => {
            if limits.keeps(value, limits.stretch) {
                TargetOutcome::Stretch
            } else if limits.keeps(value, limits.floor) {
                TargetOutcome::Pass
            } else {
                TargetOutcome::Fail
            }
        }
        _ => TargetOutcome::Inconclusive,
    };
    Conclusion { median, counted, verdict }
}

/// Whether more rounds could change nothing: enough of them count, and all of those are on one side of the floor.
pub(crate) fn is_settled(rounds: &[Round], limits: Option<TargetLimits>) -> bool {
    let Some(limits) = limits else { return true };
    let kept: Vec<bool> =
        rounds.iter().filter(|round| round.counts).map(|round| limits.keeps(round.value, limits.floor)).collect();
    kept.len() >= MIN_ROUNDS && kept.windows(2).all(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(values: &[f64], counts: &[bool], limits: TargetLimits) -> TargetOutcome {
        let rounds = values.iter().zip(counts).map(|(&value, &counts)| Round { value, counts });
        conclude(&rounds.collect::<Vec<_>>(), Some(limits)).verdict
    }

    #[test]
    fn the_median_decides_and_one_bad_round_does_not() {
        let limits = at_least(0.80, 0.95);
        assert_eq!(verdict(&[0.85, 0.10, 0.90], &[true; 3], limits), TargetOutcome::Pass);
        assert_eq!(verdict(&[0.97, 0.99, 0.10], &[true; 3], limits), TargetOutcome::Stretch);
        assert_eq!(verdict(&[0.79, 0.99, 0.70], &[true; 3], limits), TargetOutcome::Fail);
        assert_eq!(verdict(&[0.5, 2.0, 3.0], &[true; 3], at_most(1.0, 0.3)), TargetOutcome::Fail);
        assert_eq!(verdict(&[0.5, 0.2, 3.0], &[true; 3], at_most(1.0, 0.3)), TargetOutcome::Pass);
    }

    #[test]
    fn too_few_quiet_rounds_decide_nothing() {
        let limits = at_least(0.80, 0.95);
        assert_eq!(verdict(&[0.1, 0.1, 0.1], &[true, true, false], limits), TargetOutcome::Inconclusive);
        assert_eq!(verdict(&[0.9, 0.9, 0.9], &[false; 3], limits), TargetOutcome::Inconclusive);
        assert_eq!(verdict(&[], &[], limits), TargetOutcome::Inconclusive);
    }

    #[test]
    fn rounds_of_one_mind_are_enough() {
        let settled = |values: &[(f64, bool)]| {
            let rounds: Vec<Round> = values.iter().map(|&(value, counts)| Round { value, counts }).collect();
            is_settled(&rounds, Some(at_most(1.0, 0.5)))
        };
        assert!(settled(&[(0.9, true), (0.8, true), (2.0, false), (0.1, true)]));
        assert!(settled(&[(1.1, true); 3]));
        assert!(!settled(&[(0.9, true), (1.1, true), (0.9, true), (0.9, true)]));
        assert!(!settled(&[(0.9, true), (0.9, true), (0.9, false)]));
        assert!(is_settled(&[], None));
    }

    #[test]
    fn rounds_that_do_not_count_are_not_in_the_median() {
        let round = |value, counts| Round { value, counts };
        let found = conclude(&[round(1.0, true), round(9.0, false), round(2.0, true), round(3.0, true)], None);
        assert_eq!((found.median, found.counted, found.verdict), (Some(2.0), 3, TargetOutcome::Shown));
        let disturbed = conclude(&[round(4.0, false), round(6.0, false)], None);
        assert_eq!((disturbed.median, disturbed.counted), (Some(4.0), 0));
    }
}
