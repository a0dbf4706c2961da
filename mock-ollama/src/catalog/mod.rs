//! Models, recordings and scripts that a server offers, and which one answers a request.
//!
//! | file | what |
//! | --- | --- |
//! | `prepared` | a recorded response, encoded once and shared by every stream that replays it |
//! | `builtin` | the recordings that are built into the crate |
//! | `question` | questions as JSON, as far as comparing needs them |
//! | `offer` | a recorded answer, and how it is delivered |
//! | `matching` | the names of the three rules by which a recording is chosen |
//! | `index` | finds the recordings of a request without a look at each of them |
//! | `choice` | the choice between recordings that fit a request |
//! | `miss` | why no recording answers |
//! | `stated` | a recording as the reply of a rule |
//! | `snapshot` | the catalog: an immutable snapshot |

pub mod builtin;
mod choice;
mod index;
mod matching;
mod miss;
mod offer;
mod prepared;
mod question;
mod snapshot;
mod stated;

pub use choice::{Candidate, Choice};
pub use matching::{Matching, MatchingError};
pub use miss::Miss;
pub use offer::{Delivery, Fixed, Offer};
pub use prepared::{Body, Chunks, MAX_LENGTH_BODY, Prepared, WireChunk};
pub use snapshot::Catalog;
pub use stated::recording;
