//! Bytes in, lines out.

use memchr::memchr;

/// The longest line, in bytes without its newline: the scanner limit of Ollama's Go client (`api/client.go`).
pub const MAX_LINE_BYTES: usize = 8_000_000;

/// Cuts a body into lines at `\n`, however the body itself was cut.
///
/// It looks at bytes only, so a piece may end inside a character. A line that lies within one piece is lent from
/// there; only a line across pieces is copied.
#[derive(Debug)]
pub struct Framer {
    /// The beginning of a line whose newline has not come yet.
    partial: Vec<u8>,
    /// The number of bytes that went in.
    taken: u64,
    max_line: usize,
}

/// One line of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line without its newline.
    pub bytes: &'a [u8],
    /// The number of body bytes up to its end, its newline included where it has one.
    pub body_end: u64,
}

/// A line is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line is longer than {limit} bytes")]
pub struct LineTooLong {
    /// The limit, in bytes.
    pub limit: usize,
}

impl Default for Framer {
    fn default() -> Self {
        Self::with_limit(MAX_LINE_BYTES)
    }
}

impl Framer {
    /// A framer at the beginning of a body, for lines of at most `max_line` bytes without their newlines.
    pub fn with_limit(max_line: usize) -> Self {
        Self { partial: Vec::new(), taken: 0, max_line }
    }

    /// Takes a piece and calls `each` with every line that it completes, in order.
    ///
    /// Fails with the first error of `each`, or as soon as a line is too long. The body is over then: what becomes
    /// of further pieces is not defined.
    #[inline]
    pub fn push<E>(&mut self, piece: &[u8], mut each: impl FnMut(Line<'_>) -> Result<(), E>) -> Result<(), E>
    where
        E: From<LineTooLong>,
    {
        let mut rest = piece;
        while let Some(length) = memchr(b'\n', rest) {
            let (head, tail) = rest.split_at(length + 1);
            self.taken += head.len() as u64;
            self.check(self.partial.len() + length)?;
            if self.partial.is_empty() {
                each(Line { bytes: &head[..length], body_end: self.taken })?;
            } else {
                self.partial.extend_from_slice(&head[..length]);
                each(Line { bytes: &self.partial, body_end: self.taken })?;
                self.partial.clear();
            }
            rest = tail;
        }
        self.taken += rest.len() as u64;
        self.check(self.partial.len() + rest.len())?;
        self.partial.extend_from_slice(rest);
        Ok(())
    }

    /// The last line at the end of the body, where it has no newline.
    pub fn finish(&self) -> Option<Line<'_>> {
        (!self.partial.is_empty()).then_some(Line { bytes: &self.partial, body_end: self.taken })
    }

    /// The number of body bytes so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    fn check(&self, length: usize) -> Result<(), LineTooLong> {
        if length > self.max_line { Err(LineTooLong { limit: self.max_line }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ndjson::testing::{cut_at, cuts};

    /// A line, owned, and where it ends; or that one was too long.
    type Seen = Result<(Vec<u8>, u64), LineTooLong>;

    fn lines_of(pieces: &[&[u8]], max_line: usize) -> Vec<Seen> {
        let mut framer = Framer::with_limit(max_line);
        let mut seen = Vec::new();
        for piece in pieces {
            let pushed = framer.push(piece, |line| {
                seen.push(Ok((line.bytes.to_vec(), line.body_end)));
                Ok::<(), LineTooLong>(())
            });
            if let Err(too_long) = pushed {
                seen.push(Err(too_long));
                return seen;
            }
        }
        seen.extend(framer.finish().map(|line| Ok((line.bytes.to_vec(), line.body_end))));
        seen
    }

    /// Bodies with many newlines, some of them side by side, and characters of several bytes.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        "([a-z\"{}]{0,6}|[é☃😀]{0,3}|\n){0,30}".prop_map(String::into_bytes)
    }

    proptest! {
        #[test]
        fn lines_are_what_lies_between_newlines(body in body()) {
            let seen = lines_of(&[&body], MAX_LINE_BYTES);
            let mut expected: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
            if expected.last().is_some_and(|last| last.is_empty()) {
                expected.pop();
            }
            let lines: Vec<Vec<u8>> = seen.into_iter().map(|line| line.unwrap().0).collect();
            prop_assert_eq!(lines, expected);
        }

        #[test]
        fn a_line_ends_after_its_newline(body in body()) {
            for (line, end) in lines_of(&[&body], MAX_LINE_BYTES).into_iter().map(Result::unwrap) {
                let upto = &body[..usize::try_from(end).unwrap()];
                prop_assert!(upto.strip_suffix(b"\n").unwrap_or(upto).ends_with(&line));
            }
        }

        #[test]
        fn lines_and_errors_never_depend_on_the_cuts(body in body(), cuts in cuts(), max_line in 1_usize..20) {
            prop_assert_eq!(lines_of(&cut_at(&body, &cuts), max_line), lines_of(&[&body], max_line));
        }

        #[test]
        fn a_line_may_be_as_long_as_the_limit_and_no_longer(max_line in 1_usize..200, cuts in cuts()) {
            let fits = vec![b'x'; max_line];
            let longer = vec![b'x'; max_line + 1];
            prop_assert_eq!(lines_of(&cut_at(&fits, &cuts), max_line), [Ok((fits.clone(), max_line as u64))]);
            prop_assert_eq!(lines_of(&cut_at(&longer, &cuts), max_line), [Err(LineTooLong { limit: max_line })]);
        }
    }

    #[test]
    fn a_character_cut_in_two_stays_whole() {
        let body = "😀\n".as_bytes();
        let (first, second) = body.split_at(2);
        assert_eq!(lines_of(&[first, second], MAX_LINE_BYTES), [Ok(("😀".as_bytes().to_vec(), 5))]);
    }

    #[test]
    fn an_error_of_the_caller_ends_the_push() {
        let mut calls = 0;
        let pushed = Framer::default().push(b"a\nb\n", |_| {
            calls += 1;
            Err(LineTooLong { limit: 0 })
        });
        assert_eq!((pushed, calls), (Err(LineTooLong { limit: 0 }), 1));
    }
}
