//! What was captured: the model, a strict reader, a canonical writer, and imports of other forms.
//!
//! The format is described in `docs/recording-format.md`.

mod model;

pub use model::{Chunk, Details, End, Exchange, Method, Model, Origin, Recording, Request, RequestBody, Response};
