//! A response with its head before the body, as `curl -i` prints it.

use super::error::{InputProblem, Located};
use crate::recording::Response;

/// The fields that are kept. The others belong to one connection, or identify a person.
pub(super) const KEPT_FIELDS: &[&str] = &["content-type", "retry-after"];

/// Reads the head of a response. Returns it, and the body that follows.
///
/// Of several heads the last one counts, since those of interim responses and of redirects come before it.
pub(super) fn read(bytes: &[u8]) -> Result<(Response, &[u8]), Located> {
    let mut lines = Lines { rest: bytes, number: 0 };
    loop {
        let response = head(&mut lines)?;
        if !lines.rest.starts_with(b"HTTP/") {
            return Ok((response, lines.rest));
        }
    }
}

fn head(lines: &mut Lines<'_>) -> Result<Response, Located> {
    let mut first = lines.next();
    while first.is_empty() && !lines.rest.is_empty() {
        first = lines.next();
    }
    let status = str::from_utf8(first).ok().and_then(|line| line.split_ascii_whitespace().nth(1)?.parse().ok());
    let mut response = Response { status: status.ok_or_else(|| bad(lines, first))?, headers: Vec::new() };
    loop {
        let line = lines.next();
        if line.is_empty() {
            return Ok(response);
        }
        let field = str::from_utf8(line).ok().and_then(|line| line.split_once(':'));
        let (name, value) = field.ok_or_else(|| bad(lines, line))?;
        if KEPT_FIELDS.iter().any(|kept| kept.eq_ignore_ascii_case(name)) {
            response.headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
}

fn bad(lines: &Lines<'_>, line: &[u8]) -> Located {
    /// Enough of a line to find it by.
    const SHOWN_CHARS: usize = 40;
    let found = String::from_utf8_lossy(line).chars().take(SHOWN_CHARS).collect();
    InputProblem::BadHead(found).at_line(lines.number)
}

/// The lines of a head.
struct Lines<'a> {
    rest: &'a [u8],
    /// Of the line that was read last, counted from 1.
    number: usize,
}

impl<'a> Lines<'a> {
    /// Returns the next line without what ends it; empty at the end.
    fn next(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = end.map_or((self.rest, &[][..]), |end| (&self.rest[..end], &self.rest[end + 1..]));
        self.rest = rest;
        self.number += 1;
        line.trim_ascii_end()
    }
}
