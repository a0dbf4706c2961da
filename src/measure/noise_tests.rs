//! The rule of [`decision`](super::decision) on noise of which the truth is known.
//!
//! Synthetic series: a wall time is a second, times what the host did to the whole block (log-normal, a fifth, and
//! a drift of two fifths over the series), times the noise of the run, times 1.1 for a variant with an effect.

use std::time::Duration;

use mock_ollama::seed::Seed;
use rand::{Rng, RngExt as _};
use rand_distr::{Distribution as _, Gamma, LogNormal};
use rstest::rstest;

use super::decision::{Blocks, DecisionRule, Separation, decide};
use crate::stats::quantile::{Sorted, count};

const VARIANTS: [&str; 5] = ["a", "b", "c", "d", "shifted"];
const SERIES: u64 = 1_000;

/// As in the main job: nine blocks, and a hundredth of the ideal wall.
const RULE: DecisionRule = DecisionRule { confidence: 0.95, smallest_effect: Duration::from_millis(10) };
const NINE: usize = 9;

#[derive(Clone, Copy, Debug)]
enum Noise {
    /// Log-normal, with this standard deviation of the logarithm.
    LogNormal(f64),
    /// Gamma of mean 1 with this standard deviation.
    Gamma(f64),
    /// Log-normal, and one run in ten takes half as much again.
    Spikes(f64),
}

impl Noise {
    fn factor(self, rng: &mut impl Rng) -> f64 {
        match self {
            Self::LogNormal(sigma) => LogNormal::new(0.0, sigma).unwrap().sample(rng),
            Self::Gamma(sigma) => Gamma::new(sigma.powi(-2), sigma.powi(2)).unwrap().sample(rng),
            Self::Spikes(sigma) => {
                let spike = rng.random_ratio(1, 10);
                LogNormal::new(0.0, sigma).unwrap().sample(rng) * if spike { 1.5 } else { 1.0 }
            }
        }
    }
}

fn series(number: u64, blocks: usize, noise: Noise, shift: f64) -> Blocks {
    let mut rng = Seed(number).derive("series", []).rng();
    let host = LogNormal::new(0.0, 0.2).unwrap();
    let walls = (0..blocks).map(|block| {
        let drift = 1.0 + 0.4 * count(block) / count(blocks);
        let shared = drift * host.sample(&mut rng);
        let wall = |variant| {
            let effect = if variant == "shifted" { shift } else { 1.0 };
            Duration::from_secs_f64(shared * noise.factor(&mut rng) * effect)
        };
        VARIANTS.map(wall).to_vec()
    });
    Blocks { walls: walls.collect(), variants: VARIANTS.map(String::from).to_vec() }
}

/// The share of series of which `is` holds.
fn share(series_of: impl Fn(u64) -> Blocks, is: impl Fn(&Blocks) -> bool) -> f64 {
    count((0..SERIES).filter(|&number| is(&series_of(number))).count()) / count(usize::try_from(SERIES).unwrap())
}

fn claims(blocks: &Blocks, rule: DecisionRule) -> bool {
    decide(rule, blocks).unwrap().verdict == Separation::Separated
}

/// Ranks by the best run: the least minimum wins when it is ahead of the greatest by more than the smallest effect.
fn best_run_claims(blocks: &Blocks) -> bool {
    let best_of = |variant: usize| blocks.walls.iter().map(|walls| walls[variant]).min().unwrap();
    let minima: Vec<Duration> = (0..VARIANTS.len()).map(best_of).collect();
    let (worst, best) = (*minima.iter().max().unwrap(), *minima.iter().min().unwrap());
    worst > best + RULE.smallest_effect
}

/// "The error bars overlap, so there is no difference": intervals of each variant by itself.
fn error_bars_overlap(blocks: &Blocks) -> bool {
    let bar = |variant: usize| {
        let walls = blocks.walls.iter().map(|walls| walls[variant]).collect();
        Sorted::new(walls).unwrap().median_interval(0.95).unwrap()
    };
    let bars: Vec<_> = (0..VARIANTS.len()).map(bar).collect();
    bars.iter().all(|one| bars.iter().all(|other| one.low <= other.high))
}

#[rstest]
#[case::log_normal(Noise::LogNormal(0.05))]
#[case::gamma(Noise::Gamma(0.05))]
#[case::spikes(Noise::Spikes(0.05))]
#[case::much_noise(Noise::LogNormal(0.3))]
fn variants_that_are_alike_are_told_apart_in_at_most_five_of_a_hundred_series(#[case] noise: Noise) {
    let series = |number| series(number, NINE, noise, 1.0);
    let found = share(series, |blocks| claims(blocks, RULE));
    // The hardest case, in which any difference matters: `1 − 0.95` is what the rule allows itself.
    let hardest = DecisionRule { smallest_effect: Duration::ZERO, ..RULE };
    let hardest = share(series, |blocks| claims(blocks, hardest));
    println!("{noise:?}: {found} of series separated, {hardest} with a smallest effect of 0");
    assert!(found <= 0.05 && hardest <= 0.05, "{found} {hardest}");
    assert!(hardest > 0.0, "a rule that never claims anything would pass this too");
}

/// What became of a tenth more in many series, as shares of them.
#[derive(Debug)]
struct Power {
    /// The verdict is `separated`, and every pair that is names the shifted variant as the slower one.
    told: f64,
    /// A pair with the shifted variant is separated.
    a_pair: f64,
    /// All four of them are.
    all_pairs: f64,
    /// A pair that does not hold the shifted variant is separated, or the wrong way round.
    wrong: f64,
}

fn power(blocks: usize, noise: Noise) -> Power {
    let (mut told, mut pairs, mut all, mut wrong) = (0, 0, 0, 0);
    for number in 0..SERIES {
        let decision = decide(RULE, &series(number, blocks, noise, 1.1)).unwrap();
        let separated = || decision.pairs.iter().filter(|pair| pair.verdict == Separation::Separated);
        let right = separated().filter(|pair| pair.b == "shifted" && pair.faster() == Some(&pair.a)).count();
        let amiss = separated().count() > right;
        told += usize::from(decision.verdict == Separation::Separated && !amiss);
        pairs += right;
        all += usize::from(right == VARIANTS.len() - 1);
        wrong += usize::from(amiss);
    }
    let share = |hits| count(hits) / count(usize::try_from(SERIES).unwrap());
    Power {
        told: share(told),
        a_pair: share(pairs) / count(VARIANTS.len() - 1),
        all_pairs: share(all),
        wrong: share(wrong),
    }
}

#[rstest]
#[case::nine_blocks(9, Noise::LogNormal(0.025), 0.9, 0.75)]
#[case::nine_blocks_gamma(9, Noise::Gamma(0.025), 0.9, 0.75)]
#[case::nine_blocks_quiet(9, Noise::LogNormal(0.02), 0.95, 0.9)]
#[case::twenty_blocks(20, Noise::LogNormal(0.05), 0.8, 0.5)]
#[case::forty_blocks(40, Noise::LogNormal(0.05), 0.95, 0.9)]
#[case::twenty_blocks_with_spikes(20, Noise::Spikes(0.025), 0.8, 0.5)]
fn a_variant_that_takes_a_tenth_more_is_told_apart(
    #[case] blocks: usize,
    #[case] noise: Noise,
    #[case] a_pair: f64,
    #[case] all_pairs: f64,
) {
    let found = power(blocks, noise);
    println!("{noise:?}, {blocks} blocks: {found:?}");
    assert!(found.told >= 0.9 && found.wrong <= 0.05, "{found:?}");
    assert!(found.a_pair >= a_pair && found.all_pairs >= all_pairs, "{found:?}");
}

#[test]
fn a_ranking_by_the_best_run_claims_a_difference_where_there_is_none() {
    let series = |number| series(number, NINE, Noise::LogNormal(0.05), 1.0);
    let best_run = share(series, best_run_claims);
    let ours = share(series, |blocks| claims(blocks, RULE));
    println!("A/A: best run {best_run}, blocks {ours}");
    assert!(best_run > 0.5 && ours <= 0.05, "{best_run} {ours}");
}

#[test]
fn error_bars_that_overlap_prove_nothing_and_the_rule_does_not_say_so() {
    // A twentieth more, which matters by far, and a host that changes from block to block by more than that.
    let series = |number| series(number, NINE, Noise::LogNormal(0.05), 1.05);
    let verdict = |blocks: &Blocks| decide(RULE, blocks).unwrap().verdict;
    let overlap = share(series, error_bars_overlap);
    let ours = share(series, |blocks| verdict(blocks) == Separation::NoDifference);
    let open = share(series, |blocks| error_bars_overlap(blocks) && verdict(blocks) == Separation::Inconclusive);
    println!("a twentieth more: error bars overlap in {overlap}, no difference in {ours}, inconclusive in {open}");
    assert!(overlap > 0.9 && ours == 0.0 && open > 0.5, "{overlap} {ours} {open}");
}
