//! The strings of a body, whatever its form: objects on a line each or on many, server-sent events, and text that is none of it.
//!
//! It takes everything. What is no JSON makes its line malformed, and is handed out with it; a malformed line that leaves
//! objects open does not spoil the lines after it. Nothing is called for each level of nesting.

use std::ops::Range;

/// How many levels of nesting are distinguished. What is deeper counts as one level.
pub(super) const MAX_LEVELS: usize = 256;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// An array or object begins here.
    Open { at: usize, is_array: bool },
    /// It ends with the byte here.
    Close { at: usize },
    /// The next element or member.
    Comma,
    /// What stands between the quotes of a string that is a value.
    Text(Range<usize>),
    /// What stands between the quotes of a key.
    Key(Range<usize>),
    /// A number, or one of `true`, `false` and `null`.
    Scalar(Range<usize>),
    /// A line that is not JSON, or not only: without its end, of an event without `data:`.
    Line { range: Range<usize>, is_event: bool },
    /// Whatever was open is abandoned.
    Abandon,
}

/// What came before, within an array or object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Open,
    Comma,
    Colon,
    Value,
}

/// Reads the tokens of a body, one after the other.
pub(super) struct Lexer<'a> {
    body: &'a [u8],
    at: usize,
    line: Line,
    /// Which of the open levels are arrays.
    open: Vec<bool>,
    /// How many more levels are open.
    deeper: usize,
    before: Before,
    /// A token that comes after the one that was handed out.
    next: Option<Token>,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    start: usize,
    is_event: bool,
    is_malformed: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        let line = Line { start: 0, is_event: false, is_malformed: false };
        let mut lexer = Self { body, at: 0, line, open: Vec::new(), deeper: 0, before: Before::Value, next: None };
        lexer.begin_line();
        lexer
    }

    fn begin_line(&mut self) {
        if self.body[self.at..].starts_with(BYTE_ORDER_MARK) {
            self.at += BYTE_ORDER_MARK.len();
        }
        let is_event = self.body[self.at..].starts_with(b"data:");
        if is_event {
            self.at += b"data:".len();
            self.at += usize::from(self.body.get(self.at) == Some(&b' '));
        }
        // The data of an event is a text, also where that is a blank or in quotes, unless it continues JSON or begins some.
        let first = self.body[self.at..].iter().find(|byte| !matches!(byte, b' ' | b'\t'));
        let is_malformed = is_event && self.open.is_empty() && !matches!(first, Some(b'{' | b'['));
        self.line = Line { start: self.at, is_event, is_malformed };
    }

    /// Ends a line before its line end, which may be the end of the body.
    fn end_line(&mut self) -> Option<Token> {
        let Line { start, is_event, is_malformed } = self.line;
        let range = start..self.at;
        if is_malformed && !self.open.is_empty() {
            self.next = Some(self.abandon());
        }
        if self.at < self.body.len() {
            self.at += 1;
            self.begin_line();
        } else {
            self.line.is_malformed = false;
        }
        is_malformed.then_some(Token::Line { range, is_event })
    }

    fn abandon(&mut self) -> Token {
        self.open.clear();
        self.deeper = 0;
        self.before = Before::Value;
        Token::Abandon
    }

    /// Returns whether a value may stand here; elsewhere the line is malformed.
    fn expects_value(&self) -> bool {
        match self.open.last() {
            _ if self.deeper > 0 => true,
            None => true,
            Some(true) => matches!(self.before, Before::Open | Before::Comma),
            Some(false) => self.before == Before::Colon,
        }
    }

    fn open(&mut self) -> Option<Token> {
        let at = self.at;
        let is_array = self.body[at] == b'[';
        if !self.expects_value() {
            // The object before it was cut off.
            return Some(self.abandon());
        }
        self.at += 1;
        self.before = Before::Open;
        if self.open.len() == MAX_LEVELS {
            self.deeper += 1;
            return None;
        }
        self.open.push(is_array);
        Some(Token::Open { at, is_array })
    }

    fn close(&mut self) -> Option<Token> {
        let at = self.at;
        let is_array = self.body[at] == b']';
        self.at += 1;
        self.before = Before::Value;
        if self.deeper > 0 {
            self.deeper -= 1;
            return None;
        }
        let opened = self.open.pop();
        self.line.is_malformed |= opened != Some(is_array);
        opened.map(|_| Token::Close { at })
    }

    fn separator(&mut self, before: Before) {
        self.at += 1;
        self.before = before;
        self.line.is_malformed |= self.open.is_empty();
    }

    fn text(&mut self) -> Token {
        let start = self.at + 1;
        let end = string_end(self.body, start);
        let is_closed = self.body.get(end) == Some(&b'"');
        self.at = end + usize::from(is_closed);
        let after = self.body[self.at..].iter().find(|byte| !byte.is_ascii_whitespace());
        if after == Some(&b':') && !self.open.is_empty() {
            self.line.is_malformed |= !is_closed;
            return Token::Key(start..end);
        }
        self.line.is_malformed |= !is_closed || !self.expects_value();
        self.before = Before::Value;
        Token::Text(start..end)
    }

    fn scalar(&mut self) -> Option<Token> {
        let start = self.at;
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let length = self.body[start..].iter().take_while(is_part).count();
        self.at += length.max(1);
        // A number alone on its line is a text as well.
        let is_scalar = !self.open.is_empty() && self.expects_value() && is_scalar(&self.body[start..self.at]);
        self.line.is_malformed |= !is_scalar;
        if is_scalar {
            self.before = Before::Value;
        }
        is_scalar.then_some(Token::Scalar(start..self.at))
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if let Some(token) = self.next.take() {
            return Some(token);
        }
        loop {
            let token = match self.body.get(self.at) {
                None => return self.end_line(),
                Some(b'\n' | b'\r') => self.end_line(),
                Some(b' ' | b'\t') => {
                    self.at += 1;
                    None
                }
                Some(b'{' | b'[') => self.open(),
                Some(b'}' | b']') => self.close(),
                Some(b',') => {
                    self.separator(Before::Comma);
                    Some(Token::Comma)
                }
                Some(b':') => {
                    self.separator(Before::Colon);
                    None
                }
                Some(b'"') => Some(self.text()),
                Some(_) => self.scalar(),
            };
            if token.is_some() {
                return token;
            }
        }
    }
}

/// Returns where a string ends that begins at `start`: at its quote, or at the end of its line.
pub(super) fn string_end(body: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' | b'\n' | b'\r' => return at,
            b'\\' if body.get(at + 1).is_some_and(|next| !matches!(next, b'\n' | b'\r')) => at += 2,
            _ => at += 1,
        }
    }
    at
}

fn is_scalar(text: &[u8]) -> bool {
    matches!(text, b"true" | b"false" | b"null")
        || matches!(text, [b'-' | b'0'..=b'9', ..]) && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}
