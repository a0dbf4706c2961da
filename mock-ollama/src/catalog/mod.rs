//! Models, recordings and scripts that a server offers, and which one answers a request.
//!
//! | file | what |
//! | --- | --- |
//! | `prepared` | a recorded response, encoded once and shared by every stream that replays it |
//! | `builtin` | the recordings that are built into the crate |
//! | `offers` | the catalog: an immutable snapshot |
//! | `index` | finds the recordings of a request without a look at each of them |
//! | `matching` | the three rules by which a recording is chosen |
//! | `miss` | why none was |

pub mod builtin;
mod index;
mod matching;
mod miss;
mod offers;
mod prepared;

pub use matching::{Candidate, Choice, Matching, MatchingError};
pub use miss::Miss;
pub use offers::{Catalog, Fixed, Offer, Told};
pub use prepared::{Body, Chunks, MAX_LENGTH_BODY, Piece, Prepared};
