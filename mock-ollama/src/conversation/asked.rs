//! What a request asks, whatever its dialect.

use serde_json::Value;

use super::{format_of, path_of};
use crate::dialect;
use crate::generation::{ParsedRequest, Question};
use crate::journal::Entry;

/// What a request asks.
pub(super) struct Asked {
    /// The body as JSON; `Null` where it is none.
    body: Value,
    /// Absent where the server would refuse it, or where it asks for no answer.
    request: Option<ParsedRequest>,
}

impl Asked {
    pub(super) fn of(entry: &Entry) -> Self {
        let body = serde_json::from_str(&entry.request.body).unwrap_or_default();
        let decode = |format| dialect::decode(format, path_of(entry), entry.request.body.as_bytes()).ok();
        Self { body, request: format_of(entry).and_then(decode) }
    }

    /// Returns the model as the request names it.
    pub(super) fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or_default()
    }

    pub(super) fn prompt(&self) -> Option<&str> {
        self.request.as_ref().map(|request| request.last_text.as_str())
    }

    pub(super) fn messages(&self) -> Vec<Value> {
        let question = self.request.as_ref().map(|request| &request.question);
        match question {
            Some(Question::Messages(messages)) => messages.clone(),
            Some(Question::Prompt(prompt)) => {
                let system = self.request.as_ref().map(|request| request.system.as_str()).unwrap_or_default();
                let message = |role: &str, text: &str| serde_json::json!({ "role": role, "content": text });
                let system = (!system.is_empty()).then(|| message("system", system));
                system.into_iter().chain([message("user", prompt)]).collect()
            }
            None => Vec::new(),
        }
    }

    pub(super) fn tools(&self) -> Vec<String> {
        let tools = self.body["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
        // `OpenAI`'s older dialects and Ollama have a function within the tool, the others have its fields beside its type.
        let name = |tool: &Value| tool["function"]["name"].as_str().or(tool["name"].as_str()).map(str::to_owned);
        tools.iter().filter_map(name).collect()
    }

    /// Returns the name of the tool whose result the last message is; `None` where the last message is something else.
    pub(super) fn result_of(&self) -> Option<String> {
        let messages = self.messages();
        let last = messages.last().filter(|last| last["role"] == "tool")?;
        Some(tool_of(last, &messages))
    }
}

/// Returns the name of the tool whose result `message` is: it says so itself, or the call before it of the same id does.
pub(super) fn tool_of(message: &Value, messages: &[Value]) -> String {
    let own = message["tool_name"].as_str().or(message["name"].as_str()).filter(|name| !name.is_empty());
    let id = message["tool_call_id"].as_str().filter(|id| !id.is_empty());
    let calls = messages.iter().filter_map(|message| message["tool_calls"].as_array()).flatten();
    let called = || {
        let mut called = calls.filter(|call| id.is_some_and(|id| call["id"] == id));
        called.find_map(|call| call["function"]["name"].as_str())
    };
    own.or_else(called).unwrap_or("a tool").to_owned()
}

impl Entry {
    /// Returns the prompt, or the text of the last message that is not the assistant's; `None` where the request asks for no
    /// answer, or cannot be read.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// let server = mock_ollama::MockOllama::builder().says("m", ["Hi"]).pace(mock_ollama::Pace::instant()).start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
    /// write!(client, "POST /v1/chat/completions HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// assert_eq!(server.finish()?[0].prompt().as_deref(), Some("hello"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn prompt(&self) -> Option<String> {
        Asked::of(self).prompt().map(str::to_owned)
    }

    /// Returns the messages in the form of `/api/chat`, whatever the dialect; a prompt is one of the user. Empty where the
    /// request cannot be read.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// let server = mock_ollama::MockOllama::builder().says("m", ["Hi"]).pace(mock_ollama::Pace::instant()).start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","system":"Be brief.","prompt":"hello"}"#;
    /// write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// let messages = server.finish()?[0].messages();
    /// assert_eq!((&messages[0]["role"], &messages[1]["content"]), (&"system".into(), &"hello".into()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages(&self) -> Vec<Value> {
        Asked::of(self).messages()
    }

    /// Returns the names of the tools that the request offers, in their order.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// let server = mock_ollama::MockOllama::builder().lenient().start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let tool = r#"{"type":"function","function":{"name":"get_weather"}}"#;
    /// let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hello"}}],"tools":[{tool}]}}"#);
    /// write!(client, "POST /api/chat HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// assert_eq!(server.finish()?[0].tools(), ["get_weather"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn tools(&self) -> Vec<String> {
        Asked::of(self).tools()
    }
}
