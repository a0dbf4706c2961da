//! What the rounds of a target come to. Pure.

use std::fmt;

/// Rounds that must count before anything is said.
pub(crate) const FEWEST: usize = 3;

/// How often a server that keeps a floor in every other round may be told that it misses it.
const ERROR: f64 = 0.05;

/// On which side of a limit the good values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    AtLeast,
    AtMost,
}

/// What a target demands and what it hopes for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    pub(crate) side: Side,
    /// Whoever misses it fails.
    pub(crate) floor: f64,
    pub(crate) stretch: f64,
}

impl Limits {
    pub(crate) const fn at_least(floor: f64, stretch: f64) -> Self {
        Self { side: Side::AtLeast, floor, stretch }
    }

    pub(crate) const fn at_most(floor: f64, stretch: f64) -> Self {
        Self { side: Side::AtMost, floor, stretch }
    }

    fn keeps(self, value: f64, limit: f64) -> bool {
        match self.side {
            Side::AtLeast => value >= limit,
            Side::AtMost => value <= limit,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The stretch is reached, too.
    Stretch,
    Pass,
    Fail,
    Inconclusive,
    /// There is no limit.
    Shown,
    /// It was not measured, and why.
    Skipped(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stretch => f.write_str("pass, stretch"),
            Self::Pass => f.write_str("pass"),
            Self::Fail => f.write_str("FAIL"),
            Self::Inconclusive => f.write_str("inconclusive"),
            Self::Shown => f.write_str("–"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
        }
    }
}

/// A value of one round, and whether the machine was quiet enough for it to count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Round {
    pub(crate) value: f64,
    pub(crate) counts: bool,
}

/// What rounds come to: the median of those that count (of all, where none counts), how many count, and the verdict.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Conclusion {
    pub(crate) median: Option<f64>,
    pub(crate) counted: usize,
    pub(crate) verdict: Verdict,
}

/// Fewer than [`FEWEST`] rounds that count say nothing, whatever their values. A floor that the median keeps is kept; one that it
/// misses is missed only if the rounds agree (the sign test), or else the machine varies more than what is judged.
pub(crate) fn conclude(rounds: &[Round], limits: Option<Limits>) -> Conclusion {
    let counting: Vec<f64> = rounds.iter().filter(|round| round.counts).map(|round| round.value).collect();
    let counted = counting.len();
    let shown = if counting.is_empty() { rounds.iter().map(|round| round.value).collect() } else { counting };
    let median = median(shown.clone());
    let verdict = match (limits, median) {
        (None, _) => Verdict::Shown,
        (Some(limits), Some(value)) if counted >= FEWEST => {
            if limits.keeps(value, limits.stretch) {
                Verdict::Stretch
            } else if limits.keeps(value, limits.floor) {
                Verdict::Pass
            } else if agree(shown.iter().filter(|&&value| !limits.keeps(value, limits.floor)).count(), counted) {
                Verdict::Fail
            } else {
                Verdict::Inconclusive
            }
        }
        _ => Verdict::Inconclusive,
    };
    Conclusion { median, counted, verdict }
}

/// Whether so many of the rounds on one side are more than chance: that many heads or more of so many tosses of a coin.
fn agree(heads: usize, tosses: usize) -> bool {
    // The row of Pascal's triangle, over its sum.
    let mut row = vec![1.0];
    for _ in 0..tosses {
        let sums = row.windows(2).map(|pair| f64::midpoint(pair[0], pair[1]));
        row = std::iter::once(row[0] / 2.0).chain(sums).chain(std::iter::once(row[row.len() - 1] / 2.0)).collect();
    }
    row[heads.min(tosses)..].iter().sum::<f64>() <= ERROR
}

/// The middle of the values; of an even number the mean of the middle two.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(values: &[f64], counts: &[bool], limits: Limits) -> Verdict {
        let rounds = values.iter().zip(counts).map(|(&value, &counts)| Round { value, counts });
        conclude(&rounds.collect::<Vec<_>>(), Some(limits)).verdict
    }

    #[test]
    fn the_median_decides_and_one_bad_round_does_not() {
        let limits = Limits::at_least(0.80, 0.95);
        assert_eq!(verdict(&[0.85, 0.10, 0.90], &[true; 3], limits), Verdict::Pass);
        assert_eq!(verdict(&[0.97, 0.99, 0.10], &[true; 3], limits), Verdict::Stretch);
        assert_eq!(verdict(&[0.5, 0.2, 3.0], &[true; 3], Limits::at_most(1.0, 0.3)), Verdict::Pass);
        assert_eq!(verdict(&[0.79, 0.75, 0.70, 0.4, 0.1], &[true; 5], limits), Verdict::Fail);
        assert_eq!(verdict(&[1.5, 2.0, 3.0, 9.0, 1.1], &[true; 5], Limits::at_most(1.0, 0.3)), Verdict::Fail);
    }

    #[test]
    fn rounds_that_miss_a_floor_and_do_not_agree_decide_nothing() {
        let limits = Limits::at_most(1.0, 0.3);
        let bad_and_good = |bad: usize, good: usize| {
            let values: Vec<f64> = [vec![2.0; bad], vec![0.1; good]].concat();
            verdict(&values, &vec![true; bad + good], limits)
        };
        let outcomes = [(3, 0), (4, 0), (4, 1), (6, 1), (7, 2)].map(|(bad, good)| bad_and_good(bad, good));
        assert_eq!(outcomes, [const { Verdict::Inconclusive }; 5]);
        let outcomes = [(5, 0), (7, 0), (7, 1), (8, 1), (12, 3)].map(|(bad, good)| bad_and_good(bad, good));
        assert_eq!(outcomes, [const { Verdict::Fail }; 5]);
    }

    #[test]
    fn too_few_quiet_rounds_decide_nothing() {
        let limits = Limits::at_least(0.80, 0.95);
        assert_eq!(verdict(&[0.1, 0.1, 0.1], &[true, true, false], limits), Verdict::Inconclusive);
        assert_eq!(verdict(&[0.9, 0.9, 0.9], &[false; 3], limits), Verdict::Inconclusive);
        assert_eq!(verdict(&[], &[], limits), Verdict::Inconclusive);
    }

    #[test]
    fn rounds_that_do_not_count_are_not_in_the_median() {
        let round = |value, counts| Round { value, counts };
        let found = conclude(&[round(1.0, true), round(9.0, false), round(2.0, true), round(3.0, true)], None);
        assert_eq!((found.median, found.counted, found.verdict), (Some(2.0), 3, Verdict::Shown));
        let disturbed = conclude(&[round(4.0, false), round(6.0, false)], None);
        assert_eq!((disturbed.median, disturbed.counted), (Some(5.0), 0));
    }
}
