//! Requests of the native routes, read as Go reads them (`reference`: Ollama `server/routes.go`, `api/types.go`).

use serde_json::{Map, Value};
use thiserror::Error;

use crate::models::ModelName;

/// The routes whose requests are read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// `/api/generate`
    Generate,
    /// `/api/chat`
    Chat,
    /// `/api/show`
    Show,
}

impl Endpoint {
    /// The request path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Generate => "/api/generate",
            Self::Chat => "/api/chat",
            Self::Show => "/api/show",
        }
    }

    fn go_type(self) -> &'static str {
        match self {
            Self::Generate => "GenerateRequest",
            Self::Chat => "ChatRequest",
            Self::Show => "ShowRequest",
        }
    }

    /// The field that holds what is asked.
    pub fn question(self) -> &'static str {
        match self {
            Self::Generate => "prompt",
            Self::Chat => "messages",
            Self::Show => "",
        }
    }
}

/// A request, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The route.
    pub endpoint: Endpoint,
    /// The model as the request names it.
    pub model: String,
    /// The model's canonical name.
    pub name: ModelName,
    /// `prompt` or `messages`; `Null` when absent.
    pub question: Value,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether `keep_alive` is given and zero.
    pub unload: bool,
}

/// A request that is refused, with the status and text of the real server.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text}")]
pub struct AskError {
    /// The status code.
    pub status: u16,
    /// The text of `error`.
    pub text: String,
}

impl AskError {
    fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}

impl Ask {
    /// Decodes a request body. Only its first JSON value counts; keys match without case, the last
    /// duplicate wins, `null` is absent; invalid UTF-8 becomes U+FFFD.
    pub fn decode(endpoint: Endpoint, body: &[u8]) -> Result<Self, AskError> {
        let text = String::from_utf8_lossy(body);
        let fields = Fields { endpoint, map: first_object(endpoint, &text)? };
        let mut model = fields.string("model")?;
        if model.is_empty() && endpoint == Endpoint::Show {
            model = fields.string("name")?;
        }
        if model.is_empty() {
            return Err(match endpoint {
                Endpoint::Generate => AskError::new(404, "model '' not found"),
                Endpoint::Chat | Endpoint::Show => AskError::new(400, "model is required"),
            });
        }
        let stream = match fields.get("stream") {
            Value::Bool(stream) => *stream,
            Value::Null => true,
            other => return Err(fields.mistyped("stream", other, "bool")),
        };
        if endpoint == Endpoint::Generate {
            fields.string("prompt")?;
        }
        if let (Endpoint::Chat, other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_))) =
            (endpoint, fields.get("messages"))
        {
            return Err(fields.mistyped("messages", other, "[]api.Message"));
        }
        let name = ModelName::parse(&model).ok_or_else(|| AskError::new(400, "invalid model name"))?;
        let question = fields.get(endpoint.question()).clone();
        let unload = is_zero(fields.get("keep_alive"));
        Ok(Self { endpoint, model, name, question, stream, unload })
    }

    /// Whether there is nothing to generate: the request only loads or unloads the model.
    pub fn is_load(&self) -> bool {
        match &self.question {
            Value::Null => true,
            Value::String(prompt) => prompt.is_empty(),
            Value::Array(messages) => messages.is_empty(),
            _ => false,
        }
    }
}

/// `keep_alive` as a number or a Go duration that is zero.
fn is_zero(keep_alive: &Value) -> bool {
    match keep_alive {
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => {
            let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            number.parse::<f64>() == Ok(0.0)
        }
        _ => false,
    }
}

struct Fields {
    endpoint: Endpoint,
    map: Map<String, Value>,
}

impl Fields {
    fn get(&self, name: &str) -> &Value {
        let found = self.map.iter().rev().find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_null());
        found.map_or(&Value::Null, |(_, value)| value)
    }

    fn string(&self, name: &str) -> Result<String, AskError> {
        match self.get(name) {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            other => Err(self.mistyped(name, other, "string")),
        }
    }

    fn mistyped(&self, name: &str, value: &Value, expected: &str) -> AskError {
        let (found, owner) = (go_kind(value), self.endpoint.go_type());
        AskError::new(
            400,
            format!("json: cannot unmarshal {found} into Go struct field {owner}.{name} of type {expected}"),
        )
    }
}

fn first_object(endpoint: Endpoint, text: &str) -> Result<Map<String, Value>, AskError> {
    if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
        return Err(AskError::new(400, "missing request body"));
    }
    let first = serde_json::Deserializer::from_str(text).into_iter::<Value>().next();
    match first {
        Some(Ok(Value::Object(map))) => Ok(map),
        Some(Ok(Value::Null)) | None => Ok(Map::new()),
        Some(Ok(other)) => {
            let (found, owner) = (go_kind(&other), endpoint.go_type());
            Err(AskError::new(400, format!("json: cannot unmarshal {found} into Go value of type api.{owner}")))
        }
        Some(Err(error)) if error.is_eof() => Err(AskError::new(400, "unexpected EOF")),
        Some(Err(error)) => Err(AskError::new(400, go_syntax_error(text, &error))),
    }
}

/// Go names the offending character and what it was looking for; `serde_json` names a place.
fn go_syntax_error(text: &str, error: &serde_json::Error) -> String {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let before = &line.as_bytes()[..error.column().min(line.len())];
    let found = String::from_utf8_lossy(before).chars().last().unwrap_or(' ');
    let after_key = error.to_string().contains("key must be a string");
    let wanted = if after_key { "object key string" } else { "value" };
    format!("invalid character '{found}' looking for beginning of {wanted}")
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Ask, Endpoint};

    fn refusal(endpoint: Endpoint, body: &str) -> String {
        let error = Ask::decode(endpoint, body.as_bytes()).unwrap_err();
        format!("{} {}", error.status, error.text)
    }

    #[rstest]
    #[case::empty(Endpoint::Generate, "", "400 missing request body")]
    #[case::spaces(Endpoint::Chat, "  \n", "400 missing request body")]
    #[case::truncated(Endpoint::Chat, "{", "400 unexpected EOF")]
    #[case::syntax(Endpoint::Show, "{\"model\": }", "400 invalid character '}' looking for beginning of value")]
    #[case::wrong_top(
        Endpoint::Generate,
        "[]",
        "400 json: cannot unmarshal array into Go value of type api.GenerateRequest"
    )]
    #[case::wrong_field(
        Endpoint::Chat,
        "{\"model\":5}",
        "400 json: cannot unmarshal number into Go struct field ChatRequest.model of type string"
    )]
    #[case::no_model(Endpoint::Generate, "null", "404 model '' not found")]
    #[case::no_model_chat(Endpoint::Chat, "{}", "400 model is required")]
    #[case::no_model_show(Endpoint::Show, "{}", "400 model is required")]
    #[case::bad_name(Endpoint::Chat, "{\"model\":\"bad name!\"}", "400 invalid model name")]
    fn a_request_is_refused_as_the_real_server_does(
        #[case] endpoint: Endpoint,
        #[case] body: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(refusal(endpoint, body), expected);
    }

    #[test]
    fn keys_match_without_case_and_bytes_after_the_first_value_are_ignored() {
        let ask = Ask::decode(Endpoint::Generate, b"{\"MODEL\":\"M\",\"Prompt\":\"p\",\"stream\":null}{]").unwrap();
        assert_eq!((ask.model.as_str(), ask.name.as_str(), ask.stream), ("M", "m:latest", true));
        assert_eq!(ask.question, "p");
    }

    #[rstest]
    #[case("{\"model\":\"m\"}", true, false)]
    #[case("{\"model\":\"m\",\"prompt\":\"\",\"keep_alive\":0}", true, true)]
    #[case("{\"model\":\"m\",\"keep_alive\":\"0s\"}", true, true)]
    #[case("{\"model\":\"m\",\"prompt\":\"p\",\"keep_alive\":\"5m\"}", false, false)]
    fn nothing_to_generate_is_a_load_or_an_unload(#[case] body: &str, #[case] load: bool, #[case] unload: bool) {
        let ask = Ask::decode(Endpoint::Generate, body.as_bytes()).unwrap();
        assert_eq!((ask.is_load(), ask.unload), (load, unload));
    }
}
