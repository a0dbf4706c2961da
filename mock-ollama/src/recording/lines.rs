//! Lines out of a byte stream, strictly: UTF-8, LF, no blank line, a newline at the very end.

use std::io::{self, BufRead, ErrorKind, Read as _};

use super::error::{ReadError, RecordingProblem};
use super::limits::MAX_FILE_BYTES;

/// The lines of an input, one at a time; it holds one line in memory.
pub(super) struct Lines<'a, R> {
    reader: R,
    label: &'a str,
    /// A line that was not whole in the reader's own buffer.
    buffer: Vec<u8>,
    /// The length of the line that was lent out of the reader's buffer, which is consumed before the next one.
    lent: usize,
    line: u64,
    bytes: u64,
}

impl<'a, R: BufRead> Lines<'a, R> {
    /// Returns the lines of `reader`, which errors call `label`.
    pub(super) fn new(reader: R, label: &'a str) -> Self {
        Self { reader, label, buffer: Vec::new(), lent: 0, line: 0, bytes: 0 }
    }

    /// Returns the next line without its newline, `None` at the end of the input.
    pub(super) fn next(&mut self) -> Result<Option<&str>, ReadError> {
        let read = self.advance().map_err(|source| ReadError::Io { label: self.label.to_owned(), source })?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        self.bytes += read as u64;
        // What was lent is still in the buffer: this reads nothing.
        let lent = if self.lent > 0 { self.reader.fill_buf().ok() } else { None };
        let raw = lent.map_or(self.buffer.as_slice(), |buffer| &buffer[..self.lent]);
        check(raw, self.line, self.bytes).map(Some).map_err(|problem| malformed(self.label, self.line, problem))
    }

    /// Finds the next line, in the reader's buffer where it is whole there, and returns its length.
    fn advance(&mut self) -> io::Result<usize> {
        self.reader.consume(std::mem::take(&mut self.lent));
        // Without a copy, which would take a tenth of the time of reading a recording.
        match self.reader.fill_buf().map(|buffer| memchr::memchr(b'\n', buffer)) {
            Ok(Some(end)) => {
                self.lent = end + 1;
                return Ok(self.lent);
            }
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        self.buffer.clear();
        let limit = (MAX_FILE_BYTES + 1).saturating_sub(self.bytes);
        (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer)
    }

    /// `problem`, at the line that was read last.
    pub(super) fn malformed(&self, problem: RecordingProblem) -> ReadError {
        malformed(self.label, self.line, problem)
    }
}

fn malformed(label: &str, line: u64, problem: RecordingProblem) -> ReadError {
    ReadError::Malformed { label: label.to_owned(), line: line.max(1), problem: Box::new(problem) }
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
