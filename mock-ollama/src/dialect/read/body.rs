//! A body cut into the JSON values of its lines or events, each with its time.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::recording::Exchange;

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// JSON lines.
    Lines,
    /// Server-sent events.
    Events,
    /// One JSON value.
    Whole,
}

/// A value with the chunk that completed it.
#[derive(Debug)]
pub(super) struct Timed<T> {
    pub(super) at: Duration,
    /// The HTTP chunk, counted from zero.
    pub(super) chunk: usize,
    pub(super) value: T,
}

/// A recorded body.
#[derive(Debug)]
pub(super) struct Body {
    bytes: Vec<u8>,
    /// Where each chunk ends, and when it came.
    ends: Vec<(usize, Duration)>,
    framing: Framing,
}

impl Body {
    pub(super) fn of(exchange: &Exchange) -> Self {
        let mut end = 0;
        let ends = exchange.chunks.iter().map(|chunk| {
            end += chunk.bytes.len();
            (end, Duration::from_micros(chunk.at_us))
        });
        let ends = ends.collect();
        let bytes = exchange.body();
        let framing = match exchange.response.header("content-type") {
            Some(kind) if kind.starts_with("application/x-ndjson") => Framing::Lines,
            Some(kind) if kind.starts_with("text/event-stream") => Framing::Events,
            None if bytes.starts_with(b"data:") || bytes.starts_with(b"event:") => Framing::Events,
            _ => Framing::Whole,
        };
        Self { bytes, ends, framing }
    }

    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    /// When the last chunk came.
    pub(super) fn end(&self) -> Duration {
        self.ends.last().map_or(Duration::ZERO, |(_, at)| *at)
    }

    /// The values of a body that is nothing but JSON values; `None` when one of them is something else or cut.
    pub(super) fn values<T: DeserializeOwned>(&self) -> Option<Vec<Timed<T>>> {
        let mut stream = serde_json::Deserializer::from_slice(&self.bytes).into_iter::<T>();
        let mut values = Vec::new();
        while let Some(value) = stream.next() {
            values.push(self.timed(stream.byte_offset(), value.ok()?));
        }
        Some(values)
    }

    /// The one value of a body that holds one.
    pub(super) fn whole<T: DeserializeOwned>(&self) -> Option<Timed<T>> {
        let mut values = self.values()?;
        let value = values.pop()?;
        values.is_empty().then_some(value)
    }

    /// The values of the `data` lines of a body of events, without `[DONE]`; `None` when there is something else.
    pub(super) fn events<T: DeserializeOwned>(&self) -> Option<Vec<Timed<T>>> {
        let mut events = Vec::new();
        let mut end = 0;
        for line in self.bytes.split_inclusive(|byte| *byte == b'\n') {
            end += line.len();
            let text = line.trim_ascii_end();
            if let Some(data) = text.strip_prefix(b"data:") {
                let data = data.trim_ascii();
                if data != b"[DONE]" {
                    // The last byte of the value, not the newline, which may come in a chunk of its own.
                    let at = end - (line.len() - text.len());
                    events.push(self.timed(at, serde_json::from_slice(data).ok()?));
                }
            } else if !(text.is_empty() || line.ends_with(b"\n") && (text.starts_with(b"event:") || text[0] == b':')) {
                return None;
            }
        }
        Some(events)
    }

    /// Places a value whose last byte is before `end`.
    fn timed<T>(&self, end: usize, value: T) -> Timed<T> {
        let chunk = self.ends.partition_point(|(chunk_end, _)| *chunk_end < end);
        let at = self.ends.get(chunk).map_or(self.end(), |(_, at)| *at);
        Timed { at, chunk, value }
    }
}
