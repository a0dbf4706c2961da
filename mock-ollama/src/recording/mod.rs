//! What was captured: the model, a strict reader and a canonical writer.
//!
//! The format is described in `docs/recording-format.md`.
//!
//! | file | what |
//! | --- | --- |
//! | `model` | a recording in memory |
//! | `form` | whether an answer is a stream, and of which form |
//! | `request_body` | the body of a request, with its numbers and keys as they were sent |
//! | `limits` | how large a recording may be |
//! | `error` | what can be wrong with one |
//! | `rules` | what every value must satisfy, on the way in and on the way out |
//! | `wire` | the lines of a file, as serde sees them |
//! | `reader`, `lines`, `parser`, `body` | the strict streaming reader: bytes to lines to a recording |
//! | `writer` | the canonical writer |
//! | `file` | a recording on disk |

#[cfg(test)]
pub(crate) mod arbitrary;
mod body;
mod error;
mod file;
mod form;
pub mod limits;
mod lines;
mod model;
mod parser;
mod reader;
mod request_body;
mod rules;
pub mod synth;
pub(crate) mod wire;
mod writer;

pub use error::{LineKind, ReadError, RecordingProblem, WriteError};
pub use file::read_file;
#[cfg(feature = "record")]
pub use file::write_file;
pub(crate) use form::BYTE_ORDER_MARK;
pub use form::Form;
pub use model::{Chunk, Details, End, Exchange, Method, Model, Origin, Recording, Request, Response};
pub use reader::read;
pub use request_body::{ExactJson, RequestBody};
pub(crate) use rules::is_bodiless;
pub(crate) use writer::hex;
pub use writer::{check, to_string, write};
