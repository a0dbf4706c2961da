//! A request as rules see it, in one form for all dialects.

use serde_json::Value;

use crate::generation::{Dialect, ParsedRequest, Question};
use crate::models::ModelName;

/// What a request asks for, whatever its dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// An answer to a conversation: `/api/chat`, `/v1/chat/completions`, `/v1/responses`, `/v1/messages`.
    Chat,
    /// A completion of a prompt: `/api/generate`, `/v1/completions`.
    Generate,
    /// Embeddings: `/api/embed`, `/api/embeddings`, `/v1/embeddings`.
    Embed,
    /// Everything else: the server's state, changes of models, unknown routes, bodies that cannot be read.
    Other,
}

/// One message of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChatMessage {
    /// `system`, `user`, `assistant`, `tool` or what the request says, in lower case.
    pub role: String,
    /// Its text; the text of all parts where it has several.
    pub text: String,
    /// The number of its images.
    pub images: usize,
    /// The tool whose result it is; empty where it is none, or where the request does not tell.
    pub result_of: String,
    /// The tools that it calls, by name.
    pub calls: Vec<String>,
}

/// A request as rules see it, in one form for all dialects.
///
/// ```
/// use mock_ollama::IncomingRequest;
///
/// // A closure is a matcher, too.
/// let is_long = |request: &IncomingRequest| request.messages().len() > 3;
/// # let _ = is_long;
/// ```
#[derive(Clone, Debug)]
pub struct IncomingRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    json: Value,
    endpoint: Endpoint,
    dialect: Option<Dialect>,
    model: String,
    /// The model whose rules answer: a copy answers as what it was copied from.
    answers_as: Option<ModelName>,
    messages: Vec<ChatMessage>,
    system: String,
    prompt: String,
    tools: Vec<String>,
    format: Value,
    stream: bool,
    think: Option<bool>,
}

/// The parts of a request that every request has.
pub(crate) struct RequestParts<'a> {
    pub(crate) method: &'a str,
    /// Without the query.
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: &'a [u8],
}

impl IncomingRequest {
    /// Returns a request that asks no model for an answer.
    pub(crate) fn other(parts: &RequestParts<'_>) -> Self {
        Self {
            method: parts.method.to_owned(),
            path: parts.path.to_owned(),
            headers: parts.headers.to_vec(),
            body: parts.body.to_vec(),
            json: serde_json::from_slice(parts.body).unwrap_or_default(),
            endpoint: Endpoint::Other,
            dialect: None,
            model: String::new(),
            answers_as: None,
            messages: Vec::new(),
            system: String::new(),
            prompt: String::new(),
            tools: Vec::new(),
            format: Value::Null,
            stream: false,
            think: None,
        }
    }

    /// Returns a request for an answer; `think` is whether the model is to think where the request says nothing.
    pub(crate) fn of_answer(parts: &RequestParts<'_>, asked: &ParsedRequest, think: bool) -> Self {
        let messages: Vec<ChatMessage> = match &asked.question {
            Question::Prompt(_) => Vec::new(),
            Question::Messages(messages) => messages_of(messages),
        };
        let system = match &asked.question {
            Question::Prompt(_) => asked.system.clone(),
            Question::Messages(_) => {
                let texts = messages.iter().filter(|message| matches!(message.role.as_str(), "system" | "developer"));
                texts.map(|message| message.text.as_str()).collect::<Vec<_>>().join("\n")
            }
        };
        Self {
            endpoint: if asked.is_generate() { Endpoint::Generate } else { Endpoint::Chat },
            dialect: Some(asked.dialect),
            model: asked.model.clone(),
            answers_as: Some(asked.name.clone()),
            messages,
            system,
            prompt: asked.last_text.clone(),
            tools: asked.tools.clone(),
            format: asked.format.clone(),
            stream: asked.stream,
            think: Some(asked.think.unwrap_or(think)),
            ..Self::other(parts)
        }
    }

    /// Returns a request for embeddings of these texts.
    pub(crate) fn of_embedding(parts: &RequestParts<'_>, model: &str, texts: &[String]) -> Self {
        Self {
            endpoint: Endpoint::Embed,
            model: model.to_owned(),
            answers_as: ModelName::parse(model.trim()),
            prompt: texts.join("\n"),
            ..Self::other(parts)
        }
    }

    /// Returns the HTTP method, as it was sent.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the first value of a header; names are compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the body, as it was sent.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body as JSON; `Null` where it is none.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Returns what is asked for.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Returns the dialect of a request for an answer.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// Returns the model, as the request names it.
    pub fn model(&self) -> &str {
        &self.model
    }

    pub(super) fn answers_as(&self) -> Option<&ModelName> {
        self.answers_as.as_ref()
    }

    /// Returns the messages of a conversation, in order; empty for a prompt.
    pub fn messages(&self) -> &[ChatMessage] {
        &self.messages
    }

    /// Returns the system prompt: the texts of all system messages, a line break between two.
    pub fn system(&self) -> &str {
        &self.system
    }

    /// Returns the prompt, the text of the last message of the user or of a tool, or the texts to embed.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// Returns the names of the tools that are offered.
    pub fn tools(&self) -> &[String] {
        &self.tools
    }

    /// Returns the number of images in all messages, or beside the prompt.
    pub fn images(&self) -> usize {
        let beside_prompt = self.json["images"].as_array().map_or(0, Vec::len);
        self.messages.iter().map(|message| message.images).sum::<usize>() + beside_prompt
    }

    /// Returns the format that the answer is to have: `"json"`, or a JSON schema; `Null` where none is given.
    pub fn format(&self) -> &Value {
        &self.format
    }

    /// Returns whether the answer is to be streamed.
    pub fn is_stream(&self) -> bool {
        self.stream
    }

    /// Returns whether the model is to think; `None` where that is no question.
    pub fn thinks(&self) -> Option<bool> {
        self.think
    }

    /// Returns which answer of the conversation is asked for, counted from 1: one more than the messages of the assistant.
    pub fn turn(&self) -> usize {
        1 + self.messages.iter().filter(|message| message.role == "assistant").count()
    }

    /// Returns what tells this conversation from others: the model, the system prompt and the first message of the user.
    pub(crate) fn conversation(&self) -> String {
        let first = self.messages.iter().find(|message| message.role == "user");
        let first = first.map_or(self.prompt.as_str(), |message| &message.text);
        serde_json::json!([self.model, self.system, first]).to_string()
    }

    /// Returns the results of tools since the last message of the user that has a text.
    pub(crate) fn results(&self) -> impl Iterator<Item = &ChatMessage> {
        let newest = self.messages.iter().rev();
        newest.take_while(|message| message.role == "tool").filter(|message| message.role == "tool")
    }
}

fn messages_of(native: &[Value]) -> Vec<ChatMessage> {
    let mut messages = Vec::<ChatMessage>::with_capacity(native.len());
    // An id is all that some dialects say of a result's tool.
    let mut names = Vec::<(&str, &str)>::new();
    for message in native {
        let text = |name: &str| message[name].as_str().unwrap_or_default();
        let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
        names.extend(calls.iter().filter_map(|call| Some((call["id"].as_str()?, call["function"]["name"].as_str()?))));
        let by_id = || names.iter().rev().find(|(id, _)| !id.is_empty() && *id == text("tool_call_id"));
        let result_of = match text("tool_name") {
            "" => by_id().map_or("", |(_, name)| name),
            name => name,
        };
        let calls = calls.iter().filter_map(|call| call["function"]["name"].as_str());
        messages.push(ChatMessage {
            role: text("role").to_lowercase(),
            text: text("content").to_owned(),
            images: message["images"].as_array().map_or(0, Vec::len),
            result_of: result_of.to_owned(),
            calls: calls.map(str::to_owned).collect(),
        });
    }
    messages
}
