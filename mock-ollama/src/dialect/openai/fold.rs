//! `/v1/chat/completions` and `/v1/completions`: one completion with everything that its chunks say.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::render_chat::{Call, Usage};
use crate::dialect::recorded::body::RecordedBody;
use crate::dialect::recorded::calls::{JoinedCall, Joiner, WireCall, WireFunction};
use crate::dialect::recorded::object::{Object, raw};
use crate::dialect::unreadable::Unreadable;
use crate::generation::Dialect;
use crate::go_json::to_string;
use crate::http::Reply;

/// The texts of a delta that come in pieces.
const TEXTS: [&str; 4] = ["content", "reasoning", "reasoning_content", "refusal"];

pub(crate) fn fold(dialect: Dialect, body: &RecordedBody) -> Result<Reply, Unreadable> {
    let chunks = body.objects()?;
    let choices = chunks.iter().map(choices_of).collect::<Option<Vec<_>>>().ok_or(Unreadable::NoAnswer)?;
    // Some servers begin with a chunk that has no choice, and no name either.
    let first = choices.iter().position(|choices| !choices.is_empty()).ok_or(Unreadable::NoAnswer)?;
    let mut by_index: BTreeMap<u64, Vec<Object>> = BTreeMap::new();
    for choice in choices.into_iter().flatten() {
        by_index.entry(choice.read("index").unwrap_or_default()).or_default().push(choice);
    }
    let mut folded = Vec::new();
    for (index, parts) in &by_index {
        let choice =
            if dialect == Dialect::OpenAiChat { chat_choice(*index, parts)? } else { text_choice(*index, parts) };
        folded.push(choice.ok_or(Unreadable::NoAnswer)?.to_json());
    }
    let usage = chunks.iter().rev().find_map(|chunk| chunk.get("usage")).map(ToOwned::to_owned);
    let completion = join(dialect, &chunks[first], &folded, usage).ok_or(Unreadable::NoAnswer)?;
    Ok(Reply::wrapped(200, &completion.to_json()))
}

/// The choices of a chunk; `None` where they are none.
fn choices_of(chunk: &Object) -> Option<Vec<Object>> {
    if chunk.get("choices").is_none() { Some(Vec::new()) } else { chunk.read("choices") }
}

fn join(dialect: Dialect, first: &Object, choices: &[String], usage: Option<Box<RawValue>>) -> Option<Object> {
    let mut out = first.clone();
    out.remove("choices");
    out.remove("usage");
    if dialect == Dialect::OpenAiChat {
        out.set("object", raw("\"chat.completion\"")?);
    }
    out.set("choices", raw(format!("[{}]", choices.join(",")))?);
    // A whole answer always has it; where nothing was counted it is zero, as Ollama's is.
    out.set("usage", usage.or_else(|| raw(to_string(&Usage::of(None))))?);
    Some(out)
}

fn text_choice(index: u64, parts: &[Object]) -> Option<Object> {
    let mut choice = Object::default();
    choice.set("text", raw("\"\"")?);
    choice.join_text("text", parts, "")?;
    choice.set("index", raw(index.to_string())?);
    end(&mut choice, parts)?;
    Some(choice)
}

fn chat_choice(index: u64, parts: &[Object]) -> Result<Option<Object>, Unreadable> {
    let mut deltas: Vec<Object> = parts.iter().filter_map(|part| part.read("delta")).collect();
    let calls = take_calls(&mut deltas)?;
    let join = || {
        let mut choice = Object::default();
        choice.set("index", raw(index.to_string())?);
        choice.set("message", raw(message(&deltas, &calls)?.to_json())?);
        end(&mut choice, parts)?;
        Some(choice)
    };
    Ok(join())
}

/// How a choice ends, and its logprobs.
fn end(choice: &mut Object, parts: &[Object]) -> Option<()> {
    let reasons = parts.iter().rev().filter_map(|part| part.get("finish_reason"));
    let reason = reasons.into_iter().find(|reason| reason.get() != "\"\"");
    choice.set("finish_reason", reason.map_or_else(|| raw("null"), |reason| Some(reason.to_owned()))?);
    let lists: Vec<Object> = parts.iter().filter_map(|part| part.read("logprobs")).collect();
    let mut logprobs = Object::default();
    for (key, _) in lists.iter().flat_map(|list| &list.0) {
        logprobs.join_array(key, &lists, "")?;
    }
    if !logprobs.0.is_empty() {
        choice.set("logprobs", raw(logprobs.to_json())?);
    }
    Some(())
}

fn message(deltas: &[Object], calls: &[JoinedCall]) -> Option<Object> {
    let mut message = Object::default();
    let role = deltas.iter().find_map(|delta| delta.get("role")).map(ToOwned::to_owned);
    message.set("role", role.or_else(|| raw("\"assistant\""))?);
    message.set("content", raw("null")?);
    for (key, value) in deltas.iter().flat_map(|delta| &delta.0) {
        if TEXTS.contains(&key.as_str()) {
            message.join_text(key, deltas, "")?;
        } else if key != "role" {
            message.set(key, value.clone());
        }
    }
    if !calls.is_empty() {
        // No argument at all has no text.
        let wire = |(call, index): (&JoinedCall, u32)| {
            let arguments = call.arguments.clone().unwrap_or_else(|| "{}".to_owned());
            to_string(&Call::new(&call.id, index, &call.name, arguments))
        };
        let calls: Vec<String> = calls.iter().zip(0..).map(wire).collect();
        message.set("tool_calls", raw(format!("[{}]", calls.join(",")))?);
    }
    Some(message)
}

/// Takes the calls out of the deltas, put together from their pieces.
fn take_calls(deltas: &mut [Object]) -> Result<Vec<JoinedCall>, Unreadable> {
    let mut joiner = Joiner::default();
    for (number, delta) in deltas.iter_mut().enumerate() {
        let calls: Option<Vec<WireCall>> = delta.read("tool_calls");
        let old = delta.read::<WireFunction>("function_call").map(WireCall::from);
        calls.into_iter().flatten().chain(old).for_each(|piece| joiner.take(piece, number));
        delta.remove("tool_calls");
        delta.remove("function_call");
    }
    joiner.finish()
}
