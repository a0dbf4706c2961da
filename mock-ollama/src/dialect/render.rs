//! What a dialect does with an answer.

use std::fmt;

use crate::generation::Part;
use crate::http::Reply;

/// Renders one answer in one dialect. Made for one response.
pub trait Render: fmt::Debug + Send {
    /// The fields of the head of a stream.
    fn stream_fields(&self) -> Vec<(String, String)>;

    /// The HTTP chunks of one part of a stream; of the final one, also everything that ends the stream.
    fn part(&mut self, part: &Part) -> Vec<Vec<u8>>;

    /// The HTTP chunks of a failure after the first part of a stream; the stream ends after them.
    fn failure(&mut self, text: &str) -> Vec<Vec<u8>>;

    /// The HTTP chunks of a refusal that goes out as a stream with status 200; `None` where it keeps its status.
    fn refusal(&mut self, _text: &str, _unix_nanos: u64) -> Option<Vec<Vec<u8>>> {
        None
    }

    /// The answer of a request that did not ask for a stream: all parts folded into one.
    fn whole(&mut self, part: &Part) -> Reply;
}
