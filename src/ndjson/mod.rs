//! NDJSON as Ollama streams it.
//!
//! - [`Framer`]: bytes in, lines out, for any split
//! - [`Object`]: what one line says
//! - [`NdjsonStream`]: the lines of one body, from the first to the final object
//! - [`StreamError`]: everything that can be wrong with them

mod error;
mod framer;
mod object;
mod stream;
#[cfg(test)]
mod testing;

pub use error::StreamError;
pub use framer::{Framer, Line, LineTooLong, MAX_LINE_BYTES};
pub use object::Object;
pub(crate) use object::error_text;
pub use stream::{Final, NdjsonStream, ObjectSummary};
