//! A stream folded into the answer of `"stream":false` (Ollama `server/routes.go`).
//!
//! The recorded bytes of every value are kept: texts are joined inside their quotes, so that no escape
//! is ever written anew.

use serde_json::value::RawValue;

use super::object::Object;

/// The answer that a stream becomes when it is not streamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// 200, or the status of an error in mid-stream.
    pub status: u16,
    /// One JSON object, without a newline at its end.
    pub body: String,
}

/// Folds the lines of a native stream. `None` when a line is not a JSON object.
///
/// The result is the last object with all texts, tool calls and logprobs of the stream in it. An error line
/// discards them; without a final object the text so far is the answer, with `"done":false`.
pub fn collect(body: &[u8]) -> Option<Collected> {
    let text = std::str::from_utf8(body).ok()?;
    let lines = text.lines().filter(|line| !line.is_empty());
    let objects: Vec<Object> = lines.map(|line| serde_json::from_str(line).ok()).collect::<Option<_>>()?;
    let last = objects.last()?;
    if last.get("error").is_some() {
        return Some(Collected { status: 500, body: serde_json::to_string(last).ok()? });
    }
    let mut out = last.clone();
    if last.get("message").is_some() {
        let messages: Vec<Object> = objects
            .iter()
            .filter_map(|object| object.get("message"))
            .map(|message| serde_json::from_str(message.get()).ok())
            .collect::<Option<_>>()?;
        let mut message = messages.last()?.clone();
        message.join_text("content", &messages, "role")?;
        message.join_text("thinking", &messages, "content")?;
        message.join_array("tool_calls", &messages, "thinking")?;
        out.set("message", raw(&serde_json::to_string(&message).ok()?)?, "created_at");
        out.join_array("logprobs", &objects, "done_reason")?;
    } else {
        out.join_text("response", &objects, "created_at")?;
        out.join_text("thinking", &objects, "response")?;
        out.join_array("tool_calls", &objects, "eval_duration")?;
        out.join_array("logprobs", &objects, "tool_calls")?;
    }
    Some(Collected { status: 200, body: serde_json::to_string(&out).ok()? })
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}

impl Object {
    fn get(&self, key: &str) -> Option<&RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| &**value)
    }

    /// Replaces the value of `key`, or inserts it behind `after` (at the end when that is missing too).
    fn set(&mut self, key: &str, value: Box<RawValue>, after: &str) {
        if let Some((_, old)) = self.0.iter_mut().find(|(name, _)| name == key) {
            *old = value;
            return;
        }
        let at = self.0.iter().position(|(name, _)| name == after).map_or(self.0.len(), |at| at + 1);
        self.0.insert(at, (key.to_owned(), value));
    }

    /// Sets `key` to the strings of all `parts` joined, where any part has one.
    fn join_text(&mut self, key: &str, parts: &[Self], after: &str) -> Option<()> {
        self.join(key, parts, after, ['"', '"'], "")
    }

    /// Sets `key` to the elements of the arrays of all `parts`, where any part has one.
    fn join_array(&mut self, key: &str, parts: &[Self], after: &str) -> Option<()> {
        self.join(key, parts, after, ['[', ']'], ",")
    }

    fn join(&mut self, key: &str, parts: &[Self], after: &str, ends: [char; 2], between: &str) -> Option<()> {
        let values: Vec<&str> = parts.iter().filter_map(|part| part.get(key)).map(RawValue::get).collect();
        if values.is_empty() {
            return Some(());
        }
        let inner: Vec<&str> = values
            .into_iter()
            .filter(|value| *value != "null")
            .map(|value| value.strip_prefix(ends[0])?.strip_suffix(ends[1]))
            .collect::<Option<_>>()?;
        let inner: Vec<&str> = inner.into_iter().filter(|value| !value.is_empty()).collect();
        let [open, close] = ends;
        self.set(key, raw(&format!("{open}{}{close}", inner.join(between)))?, after);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::collect;

    fn collected(lines: &[&str]) -> (u16, String) {
        let answer = collect(lines.join("\n").as_bytes()).unwrap();
        (answer.status, answer.body)
    }

    #[test]
    fn generate_joins_text_and_thinking_into_the_final_object() {
        let (status, body) = collected(&[
            r#"{"model":"m","created_at":"t1","response":"","thinking":"hm","done":false}"#,
            r#"{"model":"m","created_at":"t2","response":"\u003cb\u003e","done":false}"#,
            r#"{"model":"m","created_at":"t3","response":"é","done":false}"#,
            r#"{"model":"m","created_at":"t4","response":"","done":true,"done_reason":"stop","context":[1],"eval_count":3}"#,
        ]);
        assert_eq!(status, 200);
        insta::assert_snapshot!(body, @r#"{"model":"m","created_at":"t4","response":"\u003cb\u003eé","thinking":"hm","done":true,"done_reason":"stop","context":[1],"eval_count":3}"#);
    }

    #[test]
    fn chat_joins_content_thinking_and_tool_calls_into_the_final_message() {
        let (_, body) = collected(&[
            r#"{"model":"m","created_at":"t1","message":{"role":"assistant","content":"","thinking":"a"},"done":false}"#,
            r#"{"model":"m","created_at":"t2","message":{"role":"assistant","content":"b","tool_calls":[{"id":"1"}]},"done":false}"#,
            r#"{"model":"m","created_at":"t3","message":{"role":"assistant","content":"","tool_calls":[{"id":"2"}]},"done":true,"eval_count":3}"#,
        ]);
        insta::assert_snapshot!(body, @r#"{"model":"m","created_at":"t3","message":{"role":"assistant","content":"b","thinking":"a","tool_calls":[{"id":"1"},{"id":"2"}]},"done":true,"eval_count":3}"#);
    }

    #[test]
    fn an_error_in_mid_stream_discards_the_text() {
        let error = r#"{"error":"boom \u003cx\u003e"}"#;
        assert_eq!(collected(&[r#"{"response":"a","done":false}"#, error]), (500, error.to_owned()));
    }

    #[test]
    fn without_a_final_object_the_text_so_far_is_the_answer() {
        let (status, body) = collected(&[r#"{"response":"a","done":false}"#, r#"{"response":"b","done":false}"#]);
        assert_eq!((status, body.as_str()), (200, r#"{"response":"ab","done":false}"#));
    }

    #[test]
    fn what_is_no_stream_of_objects_is_not_collected() {
        assert_eq!(collect(b"[1]\n"), None);
        assert_eq!(collect(b""), None);
        assert_eq!(collect(b"\xff\n"), None);
    }
}
