//! Lines out of a byte stream, strictly: UTF-8, LF, no blank line, a newline at the very end.

use std::io::{BufRead, Read as _};

use super::error::{ReadError, RecordingProblem};
use super::limits::MAX_FILE_BYTES;

/// The lines of an input, one at a time; it holds one line in memory.
pub(super) struct Lines<'a, R> {
    reader: R,
    label: &'a str,
    buffer: Vec<u8>,
    line: u64,
    bytes: u64,
}

impl<'a, R: BufRead> Lines<'a, R> {
    /// Returns the lines of `reader`, which errors call `label`.
    pub(super) fn new(reader: R, label: &'a str) -> Self {
        Self { reader, label, buffer: Vec::new(), line: 0, bytes: 0 }
    }

    /// Returns the next line without its newline, `None` at the end of the input.
    pub(super) fn next(&mut self) -> Result<Option<&str>, ReadError> {
        self.buffer.clear();
        let limit = (MAX_FILE_BYTES + 1).saturating_sub(self.bytes);
        let read = (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|source| ReadError::Io { label: self.label.to_owned(), source })?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        self.bytes += read as u64;
        match check(&self.buffer, self.line, self.bytes) {
            Ok(text) => Ok(Some(text)),
            Err(problem) => Err(self.malformed(problem)),
        }
    }

    /// `problem`, at the line that was read last.
    pub(super) fn malformed(&self, problem: RecordingProblem) -> ReadError {
        ReadError::Malformed { label: self.label.to_owned(), line: self.line.max(1), problem: Box::new(problem) }
    }
}

/// Returns the text of a line, its newline cut off.
fn check(raw: &[u8], line: u64, bytes: u64) -> Result<&str, RecordingProblem> {
    if bytes > MAX_FILE_BYTES {
        return Err(RecordingProblem::FileTooLarge);
    }
    if line == 1 && raw.starts_with(b"\xEF\xBB\xBF") {
        return Err(RecordingProblem::ByteOrderMark);
    }
    let Some(text) = raw.strip_suffix(b"\n") else {
        return Err(RecordingProblem::MissingFinalNewline);
    };
    if text.ends_with(b"\r") {
        return Err(RecordingProblem::CarriageReturn);
    }
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(RecordingProblem::BlankLine);
    }
    str::from_utf8(text).map_err(|error| RecordingProblem::NotUtf8(error.valid_up_to() + 1))
}
