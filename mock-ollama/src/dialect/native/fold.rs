//! `/api/generate` and `/api/chat`: the last object, with everything that was said in it (Ollama `server/routes.go`).

use crate::dialect::recorded::body::RecordedBody;
use crate::dialect::recorded::object::{Object, raw};
use crate::dialect::unreadable::Unreadable;
use crate::http::{JSON, Reply};

/// Folds JSON lines. An error discards what was said before it; without a final object the text so far is the answer, with
/// `"done":false`.
pub(crate) fn fold(body: &RecordedBody) -> Result<Reply, Unreadable> {
    let objects = body.objects()?;
    if let Some(error) = objects.iter().find(|object| object.get("error").is_some()) {
        return Ok(Reply::new(500, JSON, error.to_json()));
    }
    let folded = join(&objects).ok_or(Unreadable::NoAnswer)?;
    Ok(Reply::new(200, JSON, folded.to_json()))
}

fn join(objects: &[Object]) -> Option<Object> {
    let mut out = objects.last()?.clone();
    let messages = objects.iter().filter(|object| object.get("message").is_some());
    let messages: Vec<Object> = messages.map(|object| object.read("message")).collect::<Option<_>>()?;
    if let Some(last) = messages.last() {
        let mut message = last.clone();
        message.join_text("content", &messages, "role")?;
        message.join_text("thinking", &messages, "content")?;
        message.join_array("tool_calls", &messages, "thinking")?;
        out.set_after("message", raw(message.to_json())?, "created_at");
        out.join_array("logprobs", objects, "done_reason")?;
    } else {
        objects.iter().find(|object| object.get("response").is_some())?;
        out.join_text("response", objects, "created_at")?;
        out.join_text("thinking", objects, "response")?;
        out.join_array("tool_calls", objects, "eval_duration")?;
        out.join_array("logprobs", objects, "tool_calls")?;
    }
    Some(out)
}
