//! The limits of a server, by flags.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use mock_ollama::engine::Limits;
use mock_ollama::http::{MAX_BODY_BYTES, MAX_HEAD_BYTES};

/// The limits of a server. Ollama has no time limits; `serve` has, so that clients cannot exhaust it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitsArgs {
    /// Connections at once; the next one is answered with 503 [default: what the process may open, less 64]
    #[arg(long, value_name = "N")]
    pub(crate) max_connections: Option<NonZeroUsize>,
    /// Bytes of a request's head, at most 65536; a longer one is answered with 431
    #[arg(long, value_name = "N", default_value_t = MAX_HEAD_BYTES, value_parser = up_to_bytes::<usize>(MAX_HEAD_BYTES as u64))]
    max_head_bytes: usize,
    /// Bytes of a request's body, at most 4 GiB; a longer one is answered with 413
    #[arg(long, value_name = "N", default_value_t = MAX_BODY_BYTES, value_parser = up_to_bytes::<u64>(MAX_SETTABLE_BODY_BYTES))]
    max_body_bytes: u64,
    /// Seconds that a request may take from its first byte to its last
    #[arg(long, value_name = "S", default_value = "60")]
    request_timeout: NonZeroU64,
    /// Seconds that a connection may stay open between requests
    #[arg(long, value_name = "S", default_value = "600")]
    idle_timeout: NonZeroU64,
    /// Seconds that a client may leave bytes waiting for it without taking any
    #[arg(long, value_name = "S", default_value = "300")]
    stall_timeout: NonZeroU64,
}

/// The most that a body may be allowed to have, in bytes: it is held in memory.
const MAX_SETTABLE_BODY_BYTES: u64 = 4 << 30;

fn up_to_bytes<T: TryFrom<u64> + Clone + Send + Sync>(max: u64) -> RangedU64ValueParser<T> {
    RangedU64ValueParser::new().range(..=max)
}

impl LimitsArgs {
    pub(crate) fn limits(&self) -> Limits {
        let seconds = |limit: NonZeroU64| Some(Duration::from_secs(limit.get()));
        Limits {
            head_bytes: self.max_head_bytes,
            body_bytes: self.max_body_bytes,
            idle: seconds(self.idle_timeout),
            request: seconds(self.request_timeout),
            stall: seconds(self.stall_timeout),
        }
    }
}
