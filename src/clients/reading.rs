//! How the bytes of a body become lines.

use mock_ollama::clock::Instant;

use crate::ndjson::{Final, NdjsonStream, ObjectSummary, StreamError};
use crate::transcript::{ExchangeLog, LineArrival};

/// Turns the pieces of one body into the bytes and lines of a log.
///
/// Clients read as [`Strict`]; every other reading belongs to a control.
pub trait Reading: Default + 'static {
    /// Takes a piece that was handed on at `at`.
    fn piece(&mut self, piece: &[u8], at: Instant, log: &mut ExchangeLog);

    /// Ends the body at `at`. Returns its final object, or why it is no whole stream.
    fn finish(self, at: Instant, log: &mut ExchangeLog) -> Result<Final, StreamError>;
}

/// Keeps every byte and every line, and fails at the first thing that is wrong.
///
/// Bytes after an error are kept as well, so that a log does not depend on where the body was cut.
#[derive(Debug, Default)]
pub struct Strict {
    stream: NdjsonStream,
    error: Option<StreamError>,
}

impl Reading for Strict {
    #[inline]
    fn piece(&mut self, piece: &[u8], at: Instant, log: &mut ExchangeLog) {
        log.body.extend_from_slice(piece);
        if self.error.is_none() {
            self.error = self.stream.push(piece, |object| log.lines.push(line(object, at))).err();
        }
    }

    fn finish(self, at: Instant, log: &mut ExchangeLog) -> Result<Final, StreamError> {
        match self.error {
            Some(error) => Err(error),
            None => self.stream.finish(|object| log.lines.push(line(object, at))),
        }
    }
}

fn line(ObjectSummary { body_end, token }: ObjectSummary, at: Instant) -> LineArrival {
    LineArrival { at, body_end, token }
}
