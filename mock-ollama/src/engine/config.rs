//! What a server is set to.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::limits::Limits;
use crate::backend;
use crate::catalog::{Catalog, Matching};
use crate::clock::{Instant, WallAnchor};
use crate::http::GateConfig;
use crate::journal::Keep;
use crate::manage::DEFAULT_SPEED;
use crate::models::KeepAlive;
use crate::rules::Per;
use crate::schedule::Pace;
use crate::seed::Seed;

/// What a server is set to.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it offers.
    pub catalog: Arc<Catalog>,
    /// Which recording answers a request.
    pub matching: Matching,
    /// Whether every model name is there, with all capabilities.
    pub any_model: bool,
    /// Whose requests are counted together, where a rule does not say.
    pub per: Per,
    /// Whether requests for the server's state are unexpected where no rule states them.
    pub strict_routes: bool,
    /// How recorded time maps to replay time.
    pub pace: Pace,
    /// Which time the objects of a recording carry when its bytes are replayed.
    pub created_at: CreatedAt,
    /// The seed of every random choice.
    pub seed: Seed,
    /// What `/api/version` says.
    pub version: String,
    /// How long a model stays loaded until a request says otherwise (`OLLAMA_KEEP_ALIVE`).
    pub keep_alive: KeepAlive,
    /// How fast pulls and pushes go, in bytes per second.
    pub transfer_speed: u64,
    /// Which origins and host names are let in.
    pub gate: GateConfig,
    /// The machine behind the server.
    pub backend: backend::Settings,
    /// How much of a client it bears.
    pub limits: Limits,
    /// How much the journal keeps.
    pub keep: Keep,
    /// Where the `Date` field and live `created_at` values come from.
    pub wall: WallAnchor,
}

/// Which time the `created_at` of a replayed object is. Scripted and rendered answers always carry the time at
/// which they are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CreatedAt {
    /// That of the recording: its bytes are left alone.
    #[default]
    Recorded,
    /// That at which it is served; nothing else of the bytes changes.
    Live,
}

/// A word that is neither `recorded` nor `live`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown time `{0}`: expected recorded or live")]
pub struct CreatedAtError(String);

impl FromStr for CreatedAt {
    type Err = CreatedAtError;

    fn from_str(text: &str) -> Result<Self, CreatedAtError> {
        match text {
            "recorded" => Ok(Self::Recorded),
            "live" => Ok(Self::Live),
            other => Err(CreatedAtError(other.to_owned())),
        }
    }
}

impl fmt::Display for CreatedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recorded => "recorded",
            Self::Live => "live",
        })
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            catalog: Arc::default(),
            matching: Matching::Exact,
            any_model: false,
            per: Per::Server,
            strict_routes: false,
            pace: Pace::recorded(),
            created_at: CreatedAt::Recorded,
            seed: Seed(0),
            version: "0.33.0".to_owned(),
            keep_alive: KeepAlive::DEFAULT,
            transfer_speed: DEFAULT_SPEED,
            backend: backend::Settings::default(),
            gate: GateConfig::default(),
            limits: Limits::default(),
            keep: Keep::default(),
            wall: WallAnchor { at: Instant::ZERO, unix_nanos: 0 },
        }
    }
}
