//! What an answer says, whatever its dialect, as far as it left.

use serde::Serialize;
use serde_json::Value;

use super::{format_of, path_of};
use crate::dialect;
use crate::generation::{Arguments, Content, Ending, Generation, ToolCall};
use crate::journal::{Entry, Fate};
use crate::recording::{Chunk, End, Exchange, Method, Request, RequestBody, Response};

/// A call of a tool that a model made.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CalledTool {
    /// The tool.
    pub name: String,
    /// Its arguments: an object, or the text that stood for one where that is no JSON.
    pub arguments: Value,
}

impl From<&ToolCall> for CalledTool {
    fn from(call: &ToolCall) -> Self {
        let arguments = match &call.arguments {
            Arguments::Object(object) => Value::Object(object.clone()),
            Arguments::Text(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
        };
        Self { name: call.name.clone(), arguments }
    }
}

/// What an answer says.
#[derive(Default)]
pub(super) struct AnswerContent {
    pub(super) text: String,
    pub(super) thinking: String,
    pub(super) calls: Vec<CalledTool>,
    pub(super) error: Option<String>,
    /// Why it cannot be read.
    pub(super) unreadable: Option<String>,
}

impl AnswerContent {
    /// Reads the answer of an entry; empty where no answer was asked for. A value within which the answer was cut is left out.
    pub(super) fn of(entry: &Entry) -> Self {
        let body = entry.body();
        let Some(format) = format_of(entry).filter(|_| !body.is_empty()) else { return Self::default() };
        let asked = serde_json::from_str(&entry.request.body).unwrap_or_default();
        let exchange = Exchange {
            request: Some(Request {
                method: Method::Post,
                path: path_of(entry).to_owned(),
                body: Some(RequestBody::Json(asked)),
            }),
            sent_us: None,
            response: Response { status: entry.status, headers: Vec::new() },
            chunks: vec![Chunk { at_us: 0, bytes: body.into() }],
            end: if entry.fate == Fate::Complete { End::Clean } else { End::Eof },
        };
        let mut content = match dialect::read(format, &exchange) {
            Ok(generation) => Self::from(&generation),
            Err(why) => Self { unreadable: Some(why.to_string()), ..Self::default() },
        };
        let texts = [Some(&mut content.text), Some(&mut content.thinking), content.error.as_mut()];
        for text in texts.into_iter().flatten() {
            entry.secrets.conceal(text);
        }
        content
    }
}

impl From<&Generation> for AnswerContent {
    fn from(generation: &Generation) -> Self {
        let (mut text, mut thinking) = (Vec::new(), String::new());
        for piece in generation.pieces.iter().chain([&generation.last]) {
            match &piece.content {
                Content::Text(piece) => text.extend_from_slice(piece),
                Content::Thinking(piece) => thinking.push_str(piece),
                Content::Held | Content::Calls(_) => {}
            }
        }
        let error = match &generation.ending {
            Ending::Failed { text, .. } => Some(text.clone()),
            Ending::Done(_) | Ending::Silent => None,
        };
        Self {
            // Decoded as a whole, since a character may be split between two pieces.
            text: String::from_utf8_lossy(&text).into_owned(),
            thinking,
            calls: generation.calls().map(CalledTool::from).collect(),
            error,
            unreadable: None,
        }
    }
}

impl Entry {
    /// Returns the text of the answer, as far as it was written; empty where it has none, or where no answer was asked for.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// let server = mock_ollama::MockOllama::builder().says("m", ["Hel", "lo"]).pace(mock_ollama::Pace::instant()).start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","prompt":"hello"}"#;
    /// write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// assert_eq!(server.finish()?[0].text(), "Hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn text(&self) -> String {
        AnswerContent::of(self).text
    }

    /// Returns the thinking of the answer, as far as it was written.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// # use mock_ollama::{Matching, MockOllama, Pace};
    /// let server = MockOllama::builder().builtin("think-default").matching(Matching::Any).pace(Pace::instant()).start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
    /// write!(client, "POST /api/chat HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// assert!(!server.finish()?[0].thinking().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn thinking(&self) -> String {
        AnswerContent::of(self).thinking
    }

    /// Returns the calls of tools in the answer, as far as they were written.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// # use mock_ollama::{Matching, MockOllama, Pace};
    /// let server = MockOllama::builder().builtin("tools-call").matching(Matching::Any).pace(Pace::instant()).start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
    /// write!(client, "POST /api/chat HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// assert_eq!(server.finish()?[0].calls()[0].name, "get_weather");
    /// # Ok(())
    /// # }
    /// ```
    pub fn calls(&self) -> Vec<CalledTool> {
        AnswerContent::of(self).calls
    }

    /// Returns the text of the error that the client got: of a refusal, or within a stream.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// let server = mock_ollama::MockOllama::builder().lenient().start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"llama3.2","prompt":"hello"}"#;
    /// write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// assert_eq!(server.finish()?[0].error().as_deref(), Some("model 'llama3.2' not found"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn error(&self) -> Option<String> {
        AnswerContent::of(self).error
    }
}
