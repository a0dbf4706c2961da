//! When each chunk of a replayed stream is due: recorded times and a pace in, offsets out.
//!
//! | file | what |
//! | --- | --- |
//! | `pace` | how recorded time maps to replay time, and the words for it |
//! | `plan` | the offsets of one stream |

mod pace;
mod plan;

pub use pace::{Base, Pace, PaceError};
pub use plan::Schedule;
