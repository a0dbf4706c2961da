//! What can be wrong with a recording.

use std::{fmt, io};

use thiserror::Error;

use super::limits::{MAX_BODY_NESTING, MAX_CHUNKS, MAX_FILE_BYTES};

/// Why a recording could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes could not be had.
    #[error("{label}: cannot read the recording")]
    Io {
        /// The path, or what else names the input.
        label: String,
        /// The system's error.
        source: io::Error,
    },
    /// The bytes are not a recording.
    #[error("{label}:{line}: {problem}")]
    Malformed {
        /// The path, or what else names the input.
        label: String,
        /// The line, counted from 1.
        line: u64,
        /// What was expected and what was found.
        problem: Box<RecordingProblem>,
    },
}

impl ReadError {
    /// Returns whether the input could not be read at all, as opposed to being malformed.
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Io { .. })
    }

    /// Returns what is wrong with the recording, when it could be read.
    pub fn problem(&self) -> Option<&RecordingProblem> {
        match self {
            Self::Io { .. } => None,
            Self::Malformed { problem, .. } => Some(problem),
        }
    }
}

/// Why a recording could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The bytes could not be put down.
    #[error("cannot write the recording")]
    Io(#[from] io::Error),
    /// The recording breaks a rule of the format; it would not be read back.
    #[error("cannot write recording {name:?}: {}{problem}", exchange.map(|n| format!("exchange {n}: ")).unwrap_or_default())]
    Invalid {
        /// The recording's name.
        name: String,
        /// The exchange, counted from 1; absent when the fault is in the header.
        exchange: Option<usize>,
        /// What is wrong.
        problem: Box<RecordingProblem>,
    },
}

impl WriteError {
    /// Returns whether the output failed, as opposed to the recording being invalid.
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Io(_))
    }
}

/// The kinds of line in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineKind {
    /// `{"recording":1,…}`
    Header,
    /// `{"request":{…}}`
    Request,
    /// `{"response":{…}}`
    Response,
    /// `[offset_us,…]`
    Event,
    /// `{"end":{…}}`
    End,
}

impl fmt::Display for LineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => r#"a header line {"recording":1,…}"#,
            Self::Request => r#"a request line {"request":…}"#,
            Self::Response => r#"a response line {"response":…}"#,
            Self::Event => r#"an event line [offset_us,"text"]"#,
            Self::End => r#"an end line {"end":…}"#,
        })
    }
}

/// What is wrong with a recording. The reader adds where.
///
/// Each variant but those about size has a malformed file in `fixtures/bad/recording/`, named like it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordingProblem {
    /// There is no line at all.
    #[error("the file is empty; expected {}", LineKind::Header)]
    Empty,
    /// A byte order mark at the start.
    #[error("the file starts with a byte order mark; save it as UTF-8 without one")]
    ByteOrderMark,
    /// A line ends in CR LF.
    #[error("the line ends in CR LF; expected LF alone (a version control system may have changed it)")]
    CarriageReturn,
    /// A line is empty or holds only blanks.
    #[error("the line is blank; expected one JSON value a line and none between")]
    BlankLine,
    /// The last line has no newline.
    #[error("the last line does not end in a newline; the file seems to be cut off")]
    MissingFinalNewline,
    /// A line is not UTF-8.
    #[error("byte {0} of the line is not UTF-8; chunks that are not UTF-8 are written as {{\"b64\":…}}")]
    NotUtf8(usize),
    /// The whole is larger than [`MAX_FILE_BYTES`].
    #[error("the recording is larger than {MAX_FILE_BYTES} bytes, the limit")]
    FileTooLarge,
    /// There are more chunks than [`MAX_CHUNKS`].
    #[error("the recording has more than {MAX_CHUNKS} chunks, the limit")]
    TooManyChunks,
    /// A line is not JSON.
    #[error("column {column} is not JSON: {message}")]
    NotJson {
        /// The place in the line, counted from 1.
        column: usize,
        /// The JSON parser's message.
        message: String,
    },
    /// A line is JSON, but its keys or types are not those of its kind.
    #[error("expected {expected}, but at column {column}: {message}")]
    Shape {
        /// The kind of the line.
        expected: LineKind,
        /// The place in the line, counted from 1.
        column: usize,
        /// The key or type that is wrong.
        message: String,
    },
    /// The line is none of the format's kinds.
    #[error("expected a line of the recording format, found {0}")]
    UnknownLine(String),
    /// The format version is another one.
    #[error("expected recording format 1, found format {0}; a newer version of this program may read it")]
    Version(u64),
    /// A line in the wrong place.
    #[error("expected {expected}, found {found}")]
    Misplaced {
        /// What may stand here.
        expected: &'static str,
        /// What stands here.
        found: LineKind,
    },
    /// The file ends within an exchange.
    #[error("the file ends here; expected {0}")]
    Truncated(&'static str),
    /// A header without exchanges.
    #[error("the recording has no exchange; expected {} or {}", LineKind::Request, LineKind::Response)]
    NoExchanges,
    /// The recording's name is empty or holds control characters.
    #[error("the name {0:?} is not usable; expected some text without control characters")]
    Name(String),
    /// The model's name is empty or holds control characters.
    #[error("the model name {0:?} is not usable; expected some text without control characters")]
    ModelName(String),
    /// The model's digest is not 64 hexadecimal digits.
    #[error("the model digest {0:?} is not 64 lower-case hexadecimal digits")]
    ModelDigest(String),
    /// The model's `modified_at` is not a time.
    #[error("the model's modified_at {0:?} is not an RFC 3339 time such as 2026-11-20T22:58:34Z")]
    ModelModifiedAt(String),
    /// A request path that no client can send.
    #[error("the request path {0:?} is not usable; expected visible ASCII from `/` on, without `?` and `#`")]
    RequestPath(String),
    /// A request line with both `body` and `body_text`.
    #[error("the request has both `body` and `body_text`; expected at most one of them")]
    TwoBodies,
    /// A request body that is nested more deeply than [`MAX_BODY_NESTING`].
    #[error("the request body is nested more than {MAX_BODY_NESTING} levels deep, the limit")]
    BodyNesting,
    /// A status code that does not end an exchange.
    #[error("the status {0} is not that of a final response, 200 to 599")]
    Status(u16),
    /// A header field that belongs to the framing.
    #[error("the response header {0:?} must not be recorded: the server makes it anew for each connection; remove it")]
    FramingHeader(String),
    /// A header name that is not a token.
    #[error("the response header name {0:?} is not a token (RFC 9110 §5.6.2)")]
    HeaderName(String),
    /// A header value that cannot be sent.
    #[error("the value {value:?} of the response header {name:?} is not visible ASCII with blanks only inside")]
    HeaderValue {
        /// The header's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// An offset before its predecessor.
    #[error("the offset {found} is before the offset {before} of the previous chunk; offsets never decrease")]
    OffsetDecreases {
        /// The previous offset, in microseconds.
        before: u64,
        /// This offset, in microseconds.
        found: u64,
    },
    /// A chunk after a status that allows no body.
    #[error("a response of status {0} has no body: remove its chunks, or correct its status")]
    BodyNotAllowed(u16),
    /// A chunk without bytes.
    #[error("the chunk is empty; an empty HTTP chunk is the end of a body, which the end line tells")]
    EmptyChunk,
    /// A `b64` text that is not standard base64.
    #[error("the b64 text is not standard base64 with padding: {0}")]
    Base64(String),
    /// An event line that says the right thing in another way than the writer.
    #[error("the event line is not in canonical form; expected {0}")]
    NotCanonical(String),
    /// `end.chunks` is wrong.
    #[error("the end line states {stated} chunks, but {found} stand above it")]
    EndChunks {
        /// What the end line states.
        stated: u64,
        /// What was read.
        found: u64,
    },
    /// `end.bytes` is wrong.
    #[error("the end line states {stated} bytes, but the chunks above it hold {found}")]
    EndBytes {
        /// What the end line states.
        stated: u64,
        /// What was read.
        found: u64,
    },
    /// `end.sha256` is wrong.
    #[error("the end line states sha256 {stated:?}, but the chunks above it have {found}; a chunk was changed")]
    EndSha256 {
        /// What the end line states.
        stated: String,
        /// What was read.
        found: String,
    },
}
