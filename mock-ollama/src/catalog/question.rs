//! Questions as JSON, as far as comparing needs them.

use std::io::{self, Write};

use serde_json::Value;

use crate::generation::Question;

/// How much of a recorded question is compared with every request that misses, in bytes of JSON.
pub(super) const OPENING_BYTES: usize = 256;

/// The beginning of a recorded question, and how long all of it is.
#[derive(Debug, Default)]
pub(super) struct Opening {
    pub(super) json: String,
    pub(super) characters: usize,
}

impl Opening {
    pub(super) fn of(question: &Question) -> Self {
        Self { json: json(question, OPENING_BYTES), characters: characters(question) }
    }
}

/// Returns a question as JSON, cut off after `max_bytes`.
pub(super) fn json(question: &Question, max_bytes: usize) -> String {
    let mut cut = CutWriter { bytes: Vec::new(), max_bytes };
    // It fails where it is cut off.
    let _ = match question {
        Question::Prompt(prompt) => serde_json::to_writer(&mut cut, prompt),
        Question::Messages(messages) => serde_json::to_writer(&mut cut, messages),
    };
    let valid = std::str::from_utf8(&cut.bytes).map_or_else(|error| error.valid_up_to(), str::len);
    cut.bytes.truncate(valid);
    String::from_utf8(cut.bytes).unwrap_or_default()
}

/// A writer that takes at most `max_bytes`.
struct CutWriter {
    bytes: Vec<u8>,
    max_bytes: usize,
}

impl Write for CutWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.max_bytes - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the characters of all strings in a question, keys aside.
pub(super) fn characters(question: &Question) -> usize {
    match question {
        Question::Prompt(prompt) => prompt.chars().count(),
        Question::Messages(messages) => messages.iter().map(characters_of).sum(),
    }
}

pub(super) fn characters_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(values) => values.iter().map(characters_of).sum(),
        Value::Object(map) => map.values().map(characters_of).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
