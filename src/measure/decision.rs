//! Does the evidence separate the variants?
//!
//! Variants are measured in *blocks*: each block runs every variant once, close together in time, so that what the
//! host did to one it did to all. For each pair of variants the rule looks at the differences within blocks and at
//! an exact confidence interval of their median ([`Sorted::median_interval`]), Bonferroni-corrected over the pairs, so
//! that all intervals hold together with the confidence asked for. Then, with `±d` the smallest effect that matters:
//!
//! - the interval lies within `±d`: **no difference**, even where it excludes zero, since what is that small does not
//!   matter;
//! - the interval lies wholly beyond `+d` or `−d`: **separated**. An interval that merely excludes zero is not
//!   enough: it leaves open whether the difference matters, which is the question asked;
//! - else, or with too few blocks for the confidence: **inconclusive**.
//!
//! Nothing is ranked by anything else.

use std::time::Duration;

use crate::stats::quantile::{Interval, MAX_SAMPLES, Sorted, count, samples_needed};
use serde::{Deserialize, Serialize};

use super::factors::signed_difference;

/// When a difference counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecisionRule {
    /// The confidence of all intervals together, between 0 and 1, such as 0.95.
    pub confidence: f64,
    /// The smallest difference in wall time that matters.
    pub smallest_effect: Duration,
}

/// Wall times of variants, measured side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// The variants, in the order of reports.
    pub variants: Vec<String>,
    /// One row a block; in it one wall time a variant, in the order of `variants`.
    pub walls: Vec<Vec<Duration>>,
}

/// What the evidence says of two variants, or of all pairs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Separation {
    /// No difference that matters.
    NoDifference,
    /// A difference that matters.
    Separated,
    /// The evidence does not decide it.
    Inconclusive,
}

/// What the evidence says.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The rule that was applied.
    pub rule: DecisionRule,
    /// The confidence of each pair's interval: `1 − (1 − confidence) / pairs`.
    pub pair_confidence: f64,
    /// Blocks measured.
    pub blocks: usize,
    /// The fewest blocks with which an interval reaches `pair_confidence`.
    pub blocks_needed: Option<usize>,
    /// `NoDifference` only when every pair shows none; `Separated` when any pair is; else `Inconclusive`.
    pub verdict: Separation,
    /// Each pair, in the order of the variants.
    pub pairs: Vec<PairDecision>,
}

/// Two variants compared.
#[derive(Clone, Debug, PartialEq)]
pub struct PairDecision {
    /// The first variant.
    pub a: String,
    /// The second variant.
    pub b: String,
    /// The median over blocks of wall time of `a` minus wall time of `b`, in nanoseconds.
    pub median_ns: i64,
    /// Its confidence interval, in nanoseconds; absent with too few blocks.
    pub interval_ns: Option<Interval<i64>>,
    /// What the evidence says of this pair.
    pub verdict: Separation,
}

impl PairDecision {
    /// The variant with the shorter wall time, where the two are separated.
    pub fn faster(&self) -> Option<&str> {
        (self.verdict == Separation::Separated).then_some(if self.median_ns < 0 { &self.a } else { &self.b })
    }
}

/// Evidence that the rule cannot be applied to.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DecisionError {
    /// There is nothing to compare.
    #[error("{0} variants cannot be compared: two are needed")]
    TooFewVariants(usize),
    /// There is no evidence.
    #[error("no block was measured")]
    NoBlocks,
    /// A block lacks a variant.
    #[error("block {block} has {found} wall times for {expected} variants")]
    Ragged {
        /// The block, counted from zero.
        block: usize,
        /// Wall times in it.
        found: usize,
        /// Variants.
        expected: usize,
    },
    /// More blocks than intervals are computed for.
    #[error("{0} blocks are more than the {MAX_SAMPLES} that an interval is computed for")]
    TooManyBlocks(usize),
    /// A confidence that is no probability, or one of 0 or 1.
    #[error("a confidence of {0} is not between 0 and 1")]
    Confidence(f64),
}

/// Applies `rule` to `blocks`.
pub fn decide(rule: DecisionRule, blocks: &Blocks) -> Result<Decision, DecisionError> {
    check(rule, blocks)?;
    let variants = blocks.variants.len();
    let pairs = variants * (variants - 1) / 2;
    let pair_confidence = 1.0 - (1.0 - rule.confidence) / count(pairs);
    let pairs: Vec<PairDecision> = (0..variants)
        .flat_map(|a| (a + 1..variants).map(move |b| (a, b)))
        .filter_map(|(a, b)| compare(rule, pair_confidence, blocks, a, b))
        .collect();
    Ok(Decision {
        rule,
        pair_confidence,
        blocks: blocks.walls.len(),
        blocks_needed: samples_needed(pair_confidence),
        verdict: overall(&pairs),
        pairs,
    })
}

fn check(rule: DecisionRule, blocks: &Blocks) -> Result<(), DecisionError> {
    let expected = blocks.variants.len();
    if !(rule.confidence > 0.0 && rule.confidence < 1.0) {
        return Err(DecisionError::Confidence(rule.confidence));
    }
    if expected < 2 {
        return Err(DecisionError::TooFewVariants(expected));
    }
    if blocks.walls.is_empty() {
        return Err(DecisionError::NoBlocks);
    }
    if blocks.walls.len() > MAX_SAMPLES {
        return Err(DecisionError::TooManyBlocks(blocks.walls.len()));
    }
    match blocks.walls.iter().position(|walls| walls.len() != expected) {
        Some(block) => Err(DecisionError::Ragged { block, found: blocks.walls[block].len(), expected }),
        None => Ok(()),
    }
}

/// `None` only without a block, which `check` has ruled out.
fn compare(rule: DecisionRule, confidence: f64, blocks: &Blocks, a: usize, b: usize) -> Option<PairDecision> {
    let differences = blocks.walls.iter().map(|walls| signed_difference(walls[a], walls[b])).collect();
    let sorted = Sorted::new(differences)?;
    let interval_ns = sorted.median_interval(confidence);
    let effect = i64::try_from(rule.smallest_effect.as_nanos()).unwrap_or(i64::MAX);
    let verdict = match interval_ns {
        Some(found) if -effect <= found.low && found.high <= effect => Separation::NoDifference,
        Some(found) if found.low > effect || found.high < -effect => Separation::Separated,
        _ => Separation::Inconclusive,
    };
    Some(PairDecision {
        a: blocks.variants[a].clone(),
        b: blocks.variants[b].clone(),
        median_ns: sorted.median(),
        interval_ns,
        verdict,
    })
}

fn overall(pairs: &[PairDecision]) -> Separation {
    let all = |verdict| pairs.iter().all(|pair| pair.verdict == verdict);
    if all(Separation::NoDifference) {
        Separation::NoDifference
    } else if pairs.iter().any(|pair| pair.verdict == Separation::Separated) {
        Separation::Separated
    } else {
        Separation::Inconclusive
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: DecisionRule = DecisionRule { confidence: 0.95, smallest_effect: Duration::from_millis(10) };

    /// Blocks of two variants: `b` always takes 1000 ms, `a` the given milliseconds more.
    fn two(more_ms: &[i64]) -> Blocks {
        let wall = |more: i64| Duration::from_millis(u64::try_from(1000 + more).unwrap());
        let walls = more_ms.iter().map(|&more| vec![wall(more), wall(0)]).collect();
        Blocks { variants: vec!["a".into(), "b".into()], walls }
    }

    fn verdict(more_ms: &[i64]) -> Separation {
        decide(RULE, &two(more_ms)).unwrap().verdict
    }

    #[test]
    fn differences_within_the_smallest_effect_are_none() {
        assert_eq!(verdict(&[1, -2, 3, 0, -1, 2]), Separation::NoDifference);
    }

    #[test]
    fn a_small_difference_that_is_certain_is_still_no_difference() {
        assert_eq!(verdict(&[5, 5, 6, 5, 6, 5]), Separation::NoDifference);
    }

    #[test]
    fn differences_wholly_beyond_the_smallest_effect_separate() {
        let decision = decide(RULE, &two(&[-30, -20, -40, -35, -22, -21])).unwrap();
        assert_eq!((decision.verdict, decision.pairs[0].faster()), (Separation::Separated, Some("a")));
        let decision = decide(RULE, &two(&[30, 20, 40, 35, 22, 21])).unwrap();
        assert_eq!((decision.verdict, decision.pairs[0].faster()), (Separation::Separated, Some("b")));
    }

    #[test]
    fn an_interval_that_excludes_zero_and_straddles_the_effect_decides_nothing() {
        let decision = decide(RULE, &two(&[4, 5, 15, 16, 14, 13])).unwrap();
        assert_eq!((decision.verdict, decision.pairs[0].faster()), (Separation::Inconclusive, None));
    }

    #[test]
    fn the_limits_of_the_effect_belong_to_no_difference() {
        assert_eq!(verdict(&[10; 6]), Separation::NoDifference);
        assert_eq!(verdict(&[-10; 6]), Separation::NoDifference);
        assert_eq!(verdict(&[11; 6]), Separation::Separated);
    }

    #[test]
    fn five_blocks_cannot_decide_however_clear_they_look() {
        let decision = decide(RULE, &two(&[900; 5])).unwrap();
        assert_eq!((decision.verdict, decision.blocks_needed), (Separation::Inconclusive, Some(6)));
        assert_eq!(decision.pairs[0].interval_ns, None);
    }

    #[test]
    fn one_outlier_among_six_decides_nothing_and_among_nine_is_survived() {
        assert_eq!(verdict(&[0, 0, 0, 0, 0, 500]), Separation::Inconclusive);
        assert_eq!(verdict(&[0, 0, 0, 0, 0, 0, 0, 0, 500]), Separation::NoDifference);
    }

    #[test]
    fn five_variants_need_nine_blocks() {
        let row: Vec<Duration> = (0..5).map(|_| Duration::from_secs(1)).collect();
        let blocks = |count| Blocks {
            variants: ["a", "b", "c", "d", "e"].map(String::from).to_vec(),
            walls: vec![row.clone(); count],
        };
        let eight = decide(RULE, &blocks(8)).unwrap();
        assert_eq!((eight.pairs.len(), eight.verdict, eight.blocks_needed), (10, Separation::Inconclusive, Some(9)));
        assert_eq!(decide(RULE, &blocks(9)).unwrap().verdict, Separation::NoDifference);
    }

    #[test]
    fn one_separated_pair_is_named_and_the_others_stay_what_they_are() {
        let wall = |ms| Duration::from_millis(ms);
        let row = vec![wall(100), wall(101), wall(200)];
        let blocks = Blocks { variants: ["a", "b", "slow"].map(String::from).to_vec(), walls: vec![row; 9] };
        let decision = decide(RULE, &blocks).unwrap();
        assert_eq!(decision.verdict, Separation::Separated);
        let verdicts: Vec<_> = decision.pairs.iter().map(|p| (p.a.as_str(), p.b.as_str(), p.verdict)).collect();
        let (same, apart) = (Separation::NoDifference, Separation::Separated);
        assert_eq!(verdicts, [("a", "b", same), ("a", "slow", apart), ("b", "slow", apart)]);
    }

    #[test]
    fn drift_that_hits_both_variants_of_a_block_cancels() {
        let walls = (0..6).map(|block| vec![Duration::from_secs(1 + block), Duration::from_secs(1 + block)]).collect();
        let blocks = Blocks { variants: vec!["a".into(), "b".into()], walls };
        assert_eq!(decide(RULE, &blocks).unwrap().verdict, Separation::NoDifference);
    }

    #[test]
    fn evidence_that_cannot_be_compared_is_refused() {
        let mut ragged = two(&[0, 0]);
        ragged.walls[1].pop();
        assert_eq!(decide(RULE, &ragged), Err(DecisionError::Ragged { block: 1, found: 1, expected: 2 }));
        assert_eq!(decide(RULE, &two(&[])), Err(DecisionError::NoBlocks));
        let alone = Blocks { variants: vec!["a".into()], walls: vec![] };
        assert_eq!(decide(RULE, &alone), Err(DecisionError::TooFewVariants(1)));
        let certain = DecisionRule { confidence: 1.0, ..RULE };
        assert_eq!(decide(certain, &two(&[0])), Err(DecisionError::Confidence(1.0)));
        assert_eq!(decide(RULE, &two(&[0; 1001])), Err(DecisionError::TooManyBlocks(1001)));
    }

    proptest! {
        #[test]
        fn swapping_the_variants_keeps_the_verdict_and_turns_the_interval(
            more in prop::collection::vec(-40_i64..40, 1..25),
        ) {
            let blocks = two(&more);
            let mut swapped = blocks.clone();
            swapped.walls.iter_mut().for_each(|walls| walls.reverse());
            let (left, right) = (decide(RULE, &blocks).unwrap(), decide(RULE, &swapped).unwrap());
            prop_assert_eq!(left.verdict, right.verdict);
            let turned = right.pairs[0].interval_ns.map(|found| (-found.high, -found.low));
            prop_assert_eq!(left.pairs[0].interval_ns.map(|found| (found.low, found.high)), turned);
        }

        #[test]
        fn the_order_of_blocks_does_not_matter(more in prop::collection::vec(-40_i64..40, 1..25)) {
            let blocks = two(&more);
            let mut reversed = blocks.clone();
            reversed.walls.reverse();
            prop_assert_eq!(decide(RULE, &blocks), decide(RULE, &reversed));
        }
    }
}
