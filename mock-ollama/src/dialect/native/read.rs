//! `/api/generate` and `/api/chat`: JSON lines, or one object (Ollama `api/types.go`).

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::dialect::recorded::body::RecordedBody;
use crate::dialect::recorded::calls::{WireCall, calls};
use crate::dialect::recorded::draft::{Draft, LATE, ModelOutput};
use crate::dialect::recorded::values::{ErrorText, WireLogprob, logprobs};
use crate::dialect::unreadable::Unreadable;
use crate::generation::{Dialect, Generation};

#[derive(Debug, Default, Deserialize)]
struct Object {
    response: Option<String>,
    message: Option<Message>,
    thinking: Option<String>,
    tool_calls: Option<Vec<WireCall>>,
    logprobs: Option<Vec<WireLogprob>>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    context: Option<Vec<i64>>,
    load_duration: Option<u64>,
    prompt_eval_count: Option<u64>,
    prompt_eval_duration: Option<u64>,
    eval_count: Option<u64>,
    error: Option<ErrorText>,
    /// What `_debug_render_only` answers instead of a generation.
    #[serde(rename = "_debug_info")]
    debug_info: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
struct Message {
    content: Option<String>,
    thinking: Option<String>,
    tool_calls: Option<Vec<WireCall>>,
}

pub(crate) fn read(dialect: Dialect, body: &RecordedBody) -> Result<Generation, Unreadable> {
    let objects = body.values::<Object>()?;
    let is_stream = body.form().is_stream();
    let mut draft = Draft::of(body);
    for object in objects {
        if draft.has_ended() {
            return Err(Unreadable::AfterEnd);
        }
        let (at, mut object) = (object.at, object.value);
        if let Some(error) = object.error {
            draft.failed(at, LATE, error.into_text());
            continue;
        }
        let output = output(dialect, &mut object, &mut draft)?;
        if !object.done {
            if output.is_empty() && is_stream && dialect == Dialect::Generate {
                draft.hold(at);
            }
            draft.add(at, output);
            continue;
        }
        if is_stream {
            draft.done(at, output, object.done_reason.as_deref());
        } else {
            draft.add(at, output);
            draft.end(object.done_reason.as_deref());
        }
        metrics(object, &mut draft);
    }
    Ok(draft.finish())
}

/// What an object says.
fn output(dialect: Dialect, object: &mut Object, draft: &mut Draft) -> Result<ModelOutput, Unreadable> {
    if object.debug_info.is_some() {
        return Err(Unreadable::NoAnswer);
    }
    let message = match (dialect, object.message.take(), object.response.take()) {
        (Dialect::Chat, Some(message), None) => message,
        (Dialect::Generate, None, Some(response)) => {
            Message { content: Some(response), thinking: object.thinking.take(), tool_calls: object.tool_calls.take() }
        }
        _ => return Err(Unreadable::NoAnswer),
    };
    Ok(ModelOutput {
        thinking: message.thinking.unwrap_or_default(),
        text: message.content.unwrap_or_default(),
        calls: calls(message.tool_calls, draft)?,
        logprobs: logprobs(object.logprobs.take()),
    })
}

fn metrics(object: Object, draft: &mut Draft) {
    let duration = |nanos: Option<u64>| nanos.map(Duration::from_nanos);
    draft.durations(duration(object.load_duration), duration(object.prompt_eval_duration));
    draft.counts(object.prompt_eval_count, object.eval_count);
    draft.context(object.context.unwrap_or_default());
}
