//! Requests, read as Go reads them, and brought to one form.

mod ask;

pub use ask::{Ask, Dialect, Echo, Envelope, Question};
