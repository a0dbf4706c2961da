//! The profiles: statistics of the gaps between the chunks of 114 public streams, restated as quantiles.
//!
//! Where nothing else is stated the figures are those of one model in one source, from real `created_at` values: the
//! smallest gap is half the median, p50, p95, p99 and the maximum as measured.

use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;

/// Quantiles in microseconds: the smallest value, the median, the 95th and 99th percentile, and the largest.
pub type Quantiles = [u64; 5];

/// Where the quantiles stand, in parts of ten thousand.
const PLACES: Quantiles = [0, 5_000, 9_500, 9_900, 10_000];

/// How one kind of server spreads its chunks over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is like.
    pub what: &'static str,
    /// From the request to "model ready".
    pub load_us: Quantiles,
    /// The evaluation of the prompt.
    pub prompt_us: Quantiles,
    /// From one chunk to the next; the tail is its stalls.
    pub gap_us: Quantiles,
    /// How many of ten thousand gaps are within a burst, below 0.1 ms.
    pub burst: u32,
}

/// Load and prompt times of a warm local model: 13.2, 61.0 and 3584.2 ms at p5, p50 and p95 hold for all streams together;
/// a warm one lies below their median.
const WARM: Quantiles = [5_000, 13_200, 61_000, 61_000, 61_000];

/// All profiles.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "local-1b",
        what: "a small model on a local GPU: about 7 ms a token (gemma3:1b)",
        load_us: WARM,
        prompt_us: [5_000, 20_000, 60_000, 80_000, 100_000],
        gap_us: [3_465, 6_930, 8_620, 14_300, 37_600],
        burst: 13,
    },
    Profile {
        name: "local-4b",
        what: "a thinking model over long answers, with rare stalls (qwen3:4b)",
        load_us: WARM,
        prompt_us: [20_000, 60_000, 150_000, 200_000, 300_000],
        gap_us: [10_350, 20_700, 30_800, 36_100, 452_000],
        burst: 2,
    },
    Profile {
        name: "local-7b",
        what: "a model that keeps its pace: about 48 ms a token (mistral:7b)",
        load_us: WARM,
        prompt_us: [50_000, 120_000, 300_000, 400_000, 500_000],
        gap_us: [45_000, 47_800, 50_100, 50_700, 52_100],
        burst: 0,
    },
    Profile {
        name: "local-14b",
        what: "a large model on a small host: about 150 ms a token (deepseek-r1:14b)",
        load_us: WARM,
        prompt_us: [200_000, 400_000, 900_000, 1_200_000, 1_500_000],
        gap_us: [130_000, 149_000, 159_000, 164_000, 171_000],
        burst: 0,
    },
    Profile {
        name: "hosted-20b",
        what: "a hosted model: tokens in bursts, pauses between them (gpt-oss:20b)",
        load_us: [0; 5],
        prompt_us: [100_000, 300_000, 800_000, 1_000_000, 1_500_000],
        gap_us: [100, 2_400, 12_000, 22_000, 32_100],
        burst: 4_120,
    },
    Profile {
        name: "hosted-120b",
        what: "a large hosted model: bursts, and pauses up to 0.2 s (gpt-oss:120b)",
        load_us: [0; 5],
        prompt_us: [150_000, 400_000, 1_000_000, 1_300_000, 2_000_000],
        gap_us: [100, 6_300, 30_000, 70_000, 209_000],
        burst: 3_730,
    },
    Profile {
        name: "cold-start",
        what: "as local-7b, but the model has to be loaded first: seconds",
        load_us: [1_000_000, 2_000_000, 3_584_200, 8_000_000, 10_624_300],
        prompt_us: [50_000, 120_000, 300_000, 400_000, 500_000],
        gap_us: [45_000, 47_800, 50_100, 50_700, 52_100],
        burst: 0,
    },
];

impl Profile {
    /// Returns the profile of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// Returns the next gap, in microseconds.
    pub(super) fn gap(&self, rng: &mut Pcg64Mcg) -> u64 {
        if rng.random_range(0..10_000_u32) < self.burst {
            return rng.random_range(5..100);
        }
        draw(self.gap_us, rng)
    }
}

/// Returns a value with these quantiles: a straight line between each two of them.
pub(super) fn draw(quantiles: Quantiles, rng: &mut Pcg64Mcg) -> u64 {
    let place = rng.random_range(0..10_000_u64);
    let upper = PLACES.iter().position(|known| *known > place).unwrap_or(PLACES.len() - 1);
    let (low, high) = (quantiles[upper - 1], quantiles[upper]);
    let (from, to) = (PLACES[upper - 1], PLACES[upper]);
    low + (high - low) * (place - from) / (to - from)
}
