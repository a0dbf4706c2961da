//! A recorded answer as an agent sees it.

use std::io;
use std::time::Duration;

use mock_ollama::catalog::{Body, MAX_LENGTH_BODY, Prepared};
use mock_ollama::recording::End;
use mock_ollama::schedule::{Pace, Schedule};
use mock_ollama::seed::Seed;

use super::error::ModelError;
use crate::clients::{ClientError, MAX_BODY_BYTES, MAX_ERROR_BODY_BYTES};
use crate::ndjson::{NdjsonStream, ObjectSummary, StreamError};

/// What an agent gets to see of a response, chunk by chunk.
pub(super) struct Script {
    pub(super) status: u16,
    chunks: Vec<Chunk>,
    /// The lines of all chunks, then those of the end.
    lines: Vec<ObjectSummary>,
    /// Whether the agent knows at the last chunk that there is no more; else the end is an event by itself.
    pub(super) ends_with_chunk: bool,
    /// How the exchange ends, in the words of `Outcome::kind`.
    pub(super) how: &'static str,
}

#[derive(Clone, Copy)]
struct Chunk {
    /// When it was recorded, from the request on.
    recorded: Duration,
    /// When it is due without jitter.
    due: Duration,
    /// How many lines there are when it has come.
    lines: u32,
}

/// How much of a body an agent has taken.
struct Reader {
    /// Absent in the body of an error, in which nothing is read.
    stream: Option<NdjsonStream>,
    error: Option<StreamError>,
    lines: Vec<ObjectSummary>,
    taken: u64,
}

impl Script {
    pub(super) fn new(response: &Prepared, pace: Pace) -> Result<Self, ModelError> {
        let is_stream = (200..300).contains(&response.status);
        let stream = is_stream.then(NdjsonStream::default);
        let mut reader = Reader { stream, error: None, lines: Vec::new(), taken: 0 };
        // These have no body, whatever was recorded.
        let bodiless = matches!(response.status, 204 | 304);
        let (parts, stated) = match &response.body {
            Body::Stream(chunks) => (chunks.pieces.iter().map(|piece| (piece.at, &piece.data)).collect(), false),
            Body::Whole { at, data } => (vec![(*at, data)], data.len() <= MAX_LENGTH_BODY),
        };
        // Decoded and scheduled once a response, not once an agent.
        let mut schedule = Schedule::new(Pace { jitter: 0.0, ..pace }, Seed(0));
        let mut chunks = Vec::with_capacity(parts.len());
        let mut too_long = false;
        for (recorded, data) in parts {
            too_long = !bodiless && !reader.take(data, if is_stream { MAX_BODY_BYTES } else { MAX_ERROR_BODY_BYTES });
            let due = schedule.next(recorded).ok_or(ModelError::Stepped)?;
            chunks.push(Chunk { recorded, due, lines: count(reader.lines.len())? });
            if too_long || bodiless {
                break;
            }
        }
        let end = if bodiless { End::Clean } else { response.end };
        let (lines, how) = reader.finish(too_long, end);
        count(chunks.len())?;
        count(lines.len())?;
        Ok(Self { status: response.status, chunks, lines, ends_with_chunk: stated || too_long || bodiless, how })
    }

    pub(super) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// When a chunk is due, from the request on: by the stream's own schedule, else as it is without jitter.
    pub(super) fn due(&self, chunk: usize, schedule: Option<&mut Schedule>) -> Option<Duration> {
        let chunk = self.chunks.get(chunk)?;
        schedule.map_or(Some(chunk.due), |schedule| schedule.next(chunk.recorded))
    }

    /// The lines that a chunk completes.
    pub(super) fn lines(&self, chunk: usize) -> &[ObjectSummary] {
        &self.lines[self.upto(chunk)..self.upto(chunk + 1)]
    }

    /// The lines that the end of the body completes.
    pub(super) fn last_lines(&self) -> &[ObjectSummary] {
        &self.lines[self.upto(self.chunks.len())..]
    }

    /// How many lines there are before a chunk.
    fn upto(&self, chunk: usize) -> usize {
        chunk.checked_sub(1).map_or(0, |last| self.chunks[last].lines as usize)
    }
}

impl Reader {
    /// Takes a chunk as `clients::Strict` does, unless it goes beyond the limit.
    fn take(&mut self, data: &[u8], limit: u64) -> bool {
        self.taken += data.len() as u64;
        if self.taken > limit {
            return false;
        }
        if let (Some(stream), None) = (&mut self.stream, &self.error) {
            self.error = stream.push(data, |object| self.lines.push(object)).err();
        }
        true
    }

    /// All lines, and how it ends.
    fn finish(mut self, too_long: bool, end: End) -> (Vec<ObjectSummary>, &'static str) {
        let broken = |kind: io::ErrorKind| ClientError::in_body(io::Error::from(kind)).kind();
        let how = match (self.stream, end) {
            (None, _) => ClientError::Status { status: 0, message: String::new() }.kind(),
            (Some(_), _) if too_long => StreamError::BodyTooLong { limit: MAX_BODY_BYTES }.kind(),
            (Some(_), End::Reset) => broken(io::ErrorKind::ConnectionReset),
            (Some(_), End::Eof | End::ClientClosed | End::Timeout) => broken(io::ErrorKind::UnexpectedEof),
            (Some(stream), End::Clean) => match self.error {
                Some(error) => error.kind(),
                None => stream.finish(|object| self.lines.push(object)).map_or_else(|error| error.kind(), |_| "done"),
            },
        };
        (self.lines, how)
    }
}

/// Returns a number of things, which are not more than there may be.
pub(super) fn count(length: usize) -> Result<u32, ModelError> {
    length.try_into().map_err(|_| ModelError::TooMany)
}
