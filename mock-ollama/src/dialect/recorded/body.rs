//! A body cut into the JSON values of its lines or events, each with its time.

use std::time::Duration;

use serde::de::{DeserializeOwned, IgnoredAny};

use super::object::Object;
use crate::dialect::unreadable::Unreadable;
use crate::recording::{BYTE_ORDER_MARK, End, Exchange, Form};

/// A value with the chunk that completed it.
#[derive(Debug)]
pub(crate) struct Timed<T> {
    pub(crate) at: Duration,
    /// The HTTP chunk, counted from zero.
    pub(crate) chunk: usize,
    pub(crate) value: T,
}

/// A recorded body.
#[derive(Debug)]
pub struct RecordedBody {
    bytes: Vec<u8>,
    /// Where each chunk ends, and when it came.
    ends: Vec<(usize, Duration)>,
    form: Form,
    /// Whether the connection broke, so that its last value may be cut.
    is_cut: bool,
}

impl RecordedBody {
    /// Takes the body of a recorded response.
    pub fn of(exchange: &Exchange) -> Self {
        let mut end = 0;
        let ends = exchange.chunks.iter().map(|chunk| {
            end += chunk.bytes.len();
            (end, Duration::from_micros(chunk.at_us))
        });
        let ends = ends.collect();
        Self { bytes: exchange.body(), ends, form: Form::of(exchange), is_cut: exchange.end != End::Clean }
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// When the last chunk came.
    pub(crate) fn end(&self) -> Duration {
        self.ends.last().map_or(Duration::ZERO, |(_, at)| *at)
    }

    /// Where the text begins, behind a byte order mark.
    fn start(&self) -> usize {
        if self.bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
    }

    /// The values of a body in its form. A value within which the connection broke is left out.
    pub(crate) fn values<T: DeserializeOwned>(&self) -> Result<Vec<Timed<T>>, Unreadable> {
        if self.form == Form::Events {
            return self.events();
        }
        let start = self.start();
        let mut stream = serde_json::Deserializer::from_slice(&self.bytes[start..]).into_iter::<T>();
        let mut values = Vec::new();
        while let Some(value) = stream.next() {
            match value {
                Ok(value) => values.push(self.timed(start + stream.byte_offset(), value)),
                Err(error) if self.is_cut && error.is_eof() => break,
                Err(error) => return Err(Unreadable::value(values.len() + 1, &error)),
            }
        }
        Ok(values)
    }

    /// The values of a body, each an object.
    pub(crate) fn objects(&self) -> Result<Vec<Object>, Unreadable> {
        Ok(self.values()?.into_iter().map(|timed| timed.value).collect())
    }

    /// The one value of a body that holds one.
    pub(crate) fn whole<T: DeserializeOwned>(&self) -> Result<Timed<T>, Unreadable> {
        let mut values = self.values()?;
        match (values.pop(), values.is_empty()) {
            (Some(value), true) => Ok(value),
            _ => Err(Unreadable::NoAnswer),
        }
    }

    /// The values of the events, without `[DONE]` (WHATWG HTML, "Interpreting an event stream").
    fn events<T: DeserializeOwned>(&self) -> Result<Vec<Timed<T>>, Unreadable> {
        let mut values = Vec::new();
        let (mut data, mut data_end) = (Vec::new(), 0);
        let mut data_lines = 0;
        for (number, line) in (1..).zip(lines(&self.bytes, self.start())) {
            let text = &self.bytes[line.start..line.end];
            let (field, value) = split(text);
            match field {
                b"data" => {
                    // Some servers leave out the blank line between events. Only the first line is looked at: to look at
                    // all lines again for each one would take quadratic time.
                    let is_done = value.trim_ascii() == b"[DONE]";
                    if is_done || data_lines == 1 && serde_json::from_slice::<IgnoredAny>(&data).is_ok() {
                        self.dispatch(&mut data, data_end, &mut values)?;
                        data_lines = 0;
                    }
                    if !is_done {
                        data.extend_from_slice(value);
                        data.push(b'\n');
                        data_lines += 1;
                        data_end = line.start + text.trim_ascii_end().len();
                    }
                }
                _ if text.is_empty() => {
                    self.dispatch(&mut data, data_end, &mut values)?;
                    data_lines = 0;
                }
                // A comment has no name.
                b"" | b"event" | b"id" | b"retry" => {}
                _ if self.is_cut && line.end == self.bytes.len() => {}
                _ => return Err(Unreadable::Line { number }),
            }
        }
        self.dispatch(&mut data, data_end, &mut values)?;
        Ok(values)
    }

    /// Reads the data of an event that ends at `end`, and empties it.
    fn dispatch<T: DeserializeOwned>(
        &self,
        data: &mut Vec<u8>,
        end: usize,
        values: &mut Vec<Timed<T>>,
    ) -> Result<(), Unreadable> {
        let data = std::mem::take(data);
        for value in serde_json::Deserializer::from_slice(&data).into_iter::<T>() {
            match value {
                Ok(value) => values.push(self.timed(end, value)),
                // Within the last line of a broken stream.
                Err(_) if self.is_cut && end == self.bytes.trim_ascii_end().len() => return Ok(()),
                Err(error) => return Err(Unreadable::value(values.len() + 1, &error)),
            }
        }
        Ok(())
    }

    /// Places a value whose last byte is before `end`.
    fn timed<T>(&self, end: usize, value: T) -> Timed<T> {
        let chunk = self.ends.partition_point(|(chunk_end, _)| *chunk_end < end);
        let at = self.ends.get(chunk).map_or(self.end(), |(_, at)| *at);
        Timed { at, chunk, value }
    }
}

/// Where the lines from `start` on stand, without what ends them: LF, CR LF or CR.
fn lines(bytes: &[u8], mut start: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        let ending = if rest[length..].starts_with(b"\r\n") { 2 } else { rest.len().min(length + 1) - length };
        let line = start..start + length;
        start = line.end + ending;
        Some(line)
    })
}

/// The name and the value of a line.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return (line, b"") };
    let value = &line[colon + 1..];
    (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
}
