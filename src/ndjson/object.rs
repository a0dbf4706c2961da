//! What one line of a stream says.

use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::error::Category;

use super::StreamError;

/// What an agent needs to know of one object of a native stream (`api/types.go`, `GenerateResponse` and
/// `ChatResponse`). Unknown fields are Ollama's to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Whether it carries a token: text, thinking or a tool call that is not empty.
    pub token: bool,
    /// Whether it is the final object.
    pub done: bool,
    /// Why the model stopped, where it says so.
    pub done_reason: Option<String>,
    /// The number of tokens as the server counted them, where it says so.
    pub eval_count: Option<u64>,
}

impl Object {
    /// Reads the line number `line`, given without its newline.
    ///
    /// Fails when it is empty, is not JSON, has fields of other types than Ollama's, or reports an error.
    pub fn parse(bytes: &[u8], line: u64) -> Result<Self, StreamError> {
        if bytes.is_empty() {
            return Err(StreamError::EmptyLine { line });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| StreamError::NotUtf8 { line })?;
        let fields: Fields = serde_json::from_str(text).map_err(|error| {
            let reason = error.to_string();
            match error.classify() {
                Category::Data => StreamError::UnexpectedJson { line, reason },
                Category::Syntax | Category::Eof | Category::Io => StreamError::NotJson { line, reason },
            }
        })?;
        match fields.error.and_then(error_text) {
            Some(message) => Err(StreamError::ErrorLine { line, message }),
            None => Ok(Self {
                token: fields.response.0
                    || fields.thinking.0
                    || fields.tool_calls.0
                    || fields.message.is_some_and(Message::has_token),
                done: fields.done,
                done_reason: fields.done_reason,
                eval_count: fields.eval_count,
            }),
        }
    }
}

/// The text of an `error` field; an empty one is none, as in the Go client.
pub(crate) fn error_text(error: Value) -> Option<String> {
    match error {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then_some(text),
        other => Some(other.to_string()),
    }
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    response: Filled,
    #[serde(default)]
    thinking: Filled,
    #[serde(default)]
    tool_calls: Filled,
    message: Option<Message>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    eval_count: Option<u64>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Filled,
    #[serde(default)]
    thinking: Filled,
    #[serde(default)]
    tool_calls: Filled,
}

impl Message {
    fn has_token(self) -> bool {
        self.content.0 || self.thinking.0 || self.tool_calls.0
    }
}

/// Whether a string or a list has anything in it; `null` has not. The text itself is never copied.
#[derive(Default)]
struct Filled(bool);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;

        impl<'de> Visitor<'de> for Look {
            type Value = Filled;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a list or null")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Filled, E> {
                Ok(Filled(!text.is_empty()))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Filled, E> {
                Ok(Filled(false))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Filled, A::Error> {
                let mut any = false;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    any = true;
                }
                Ok(Filled(any))
            }
        }

        deserializer.deserialize_any(Look)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn kind(line: &str) -> &'static str {
        Object::parse(line.as_bytes(), 1).expect_err("an error").kind()
    }

    #[rstest]
    #[case::text_of_generate(r#"{"response":"a","done":false}"#, true)]
    #[case::text_of_chat(r#"{"message":{"role":"assistant","content":" "}}"#, true)]
    #[case::thinking_of_generate(r#"{"response":"","thinking":"hm"}"#, true)]
    #[case::thinking_of_chat(r#"{"message":{"content":"","thinking":"hm"}}"#, true)]
    #[case::tool_call(r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]}}"#, true)]
    #[case::only_an_escape(r#"{"response":"\n"}"#, true)]
    #[case::empty_text(r#"{"response":"","done":true}"#, false)]
    #[case::empty_message(r#"{"message":{"role":"assistant","content":""}}"#, false)]
    #[case::no_tool_calls(r#"{"message":{"content":"","tool_calls":[]}}"#, false)]
    #[case::null_message(r#"{"message":null,"done":true}"#, false)]
    #[case::null_tool_calls(r#"{"message":{"content":"","tool_calls":null}}"#, false)]
    #[case::token_in_an_unknown_field(r#"{"reply":"a"}"#, false)]
    fn a_token_is_text_thinking_or_a_tool_call_that_is_not_empty(#[case] line: &str, #[case] token: bool) {
        assert_eq!(Object::parse(line.as_bytes(), 1).map(|object| object.token), Ok(token));
    }

    #[test]
    fn a_final_object_says_why_and_how_many() {
        let line = br#"{"response":"","done":true,"done_reason":"stop","context":[1,2],"eval_count":26}"#;
        let object = Object::parse(line, 1).unwrap();
        let expected = Object { token: false, done: true, done_reason: Some("stop".into()), eval_count: Some(26) };
        assert_eq!(object, expected);
    }

    #[rstest]
    #[case::nothing("", "empty-line")]
    #[case::half_an_object(r#"{"response":"a"#, "not-json")]
    #[case::words("upstream timed out", "not-json")]
    #[case::two_objects(r#"{"done":false}{"done":true}"#, "not-json")]
    #[case::a_number("7", "unexpected-json")]
    #[case::text_that_is_a_number(r#"{"response":7}"#, "unexpected-json")]
    #[case::an_error(r#"{"error":"boom"}"#, "error-line")]
    #[case::an_error_and_done(r#"{"error":"boom","done":true}"#, "error-line")]
    fn a_line_that_is_no_object_of_a_stream_is_a_typed_error(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(kind(line), expected);
    }

    #[test]
    fn half_a_character_is_never_decoded() {
        let mut line = br#"{"unknown":"__"}"#.to_vec();
        line[12..14].copy_from_slice(&"😀".as_bytes()[..2]);
        assert_eq!(Object::parse(&line, 3), Err(StreamError::NotUtf8 { line: 3 }));
    }

    #[test]
    fn an_error_line_keeps_the_words_of_the_server() {
        let error = Object::parse(br#"{"error":"model runner stopped"}"#, 9).unwrap_err();
        assert_eq!(error.to_string(), "the server reported in line 9: model runner stopped");
    }

    #[test]
    fn an_empty_error_is_none_as_in_the_go_client() {
        assert!(Object::parse(br#"{"error":"","response":"a"}"#, 1).is_ok_and(|object| object.token));
    }
}
