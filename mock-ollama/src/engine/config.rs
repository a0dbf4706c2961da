//! What a server is set to.

use std::sync::Arc;

use crate::catalog::{Catalog, Matching};
use crate::clock::{Instant, WallAnchor};
use crate::schedule::Pace;
use crate::seed::Seed;

/// What a server is set to.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it offers.
    pub catalog: Arc<Catalog>,
    /// Which recording answers a request.
    pub matching: Matching,
    /// How recorded time maps to replay time.
    pub pace: Pace,
    /// The seed of every random choice.
    pub seed: Seed,
    /// What `/api/version` says.
    pub version: String,
    /// Where the `Date` field and live `created_at` values come from.
    pub wall: WallAnchor,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            catalog: Arc::default(),
            matching: Matching::Exact,
            pace: Pace::recorded(),
            seed: Seed(0),
            version: "0.33.0".to_owned(),
            wall: WallAnchor { at: Instant::ZERO, unix_nanos: 0 },
        }
    }
}
