//! Synthetic recordings from latency profiles.
//!
//! The profiles restate published statistics of real streams (see `profile`); everything is integer arithmetic over one
//! seeded generator, so the same profile, length and seed give the same bytes on every host.
//!
//! | file | what |
//! | --- | --- |
//! | `profile` | the profiles: first-token delays, gaps, stalls, bursts |
//! | `stream` | a recording from a profile |

mod profile;
mod stream;

pub use profile::{PROFILES, Profile, Quantiles};
pub use stream::{Shape, synthesise};
