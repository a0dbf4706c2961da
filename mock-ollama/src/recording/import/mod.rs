//! Recordings from other forms: raw bodies, and raw captures with their times.
//!
//! | file | what |
//! | --- | --- |
//! | `convert` | inputs and options in, a recording out |
//! | `error` | what can be wrong with an input |
//! | `ndjson` | a body kept elsewhere: a file of JSON lines |
//! | `openai` | a body of the routes below `/v1`: events, or one object |
//! | `raw_capture` | `raw-capture/1`: request, response, chunks and times |
//! | `tags` | model facts out of an `/api/tags` answer |

mod convert;
mod error;
mod ndjson;
mod openai;
mod raw_capture;
mod tags;

pub use convert::{ImportOptions, Input, import};
pub use error::ImportError;
pub use tags::Tags;
