//! `/v1/messages`: the message of the first event, with the blocks that the others fill.

use crate::dialect::recorded::body::RecordedBody;
use crate::dialect::recorded::object::{Object, raw};
use crate::dialect::unreadable::Unreadable;
use crate::http::Reply;

/// A block of the message, and what was added to it.
struct Block {
    index: Option<u64>,
    start: Object,
    deltas: Vec<Object>,
}

pub(crate) fn fold(body: &RecordedBody) -> Result<Reply, Unreadable> {
    let mut message: Option<Object> = None;
    let mut blocks: Vec<Block> = Vec::new();
    for event in body.objects()? {
        let (kind, index) = (event.read::<String>("type"), event.read("index"));
        match kind.as_deref() {
            Some("message_start") => message = event.read("message"),
            Some("content_block_start") => {
                let start = event.read("content_block").ok_or(Unreadable::NoAnswer)?;
                blocks.push(Block { index, start, deltas: Vec::new() });
            }
            Some("content_block_delta") => {
                let delta = event.read("delta").ok_or(Unreadable::NoAnswer)?;
                let block =
                    blocks.iter_mut().rfind(|block| block.index == index || block.index.is_none() || index.is_none());
                block.ok_or(Unreadable::NoAnswer)?.deltas.push(delta);
            }
            Some("message_delta") => {
                let message = message.as_mut().ok_or(Unreadable::NoAnswer)?;
                end(message, &event).ok_or(Unreadable::NoAnswer)?;
            }
            _ => {}
        }
    }
    let mut message = message.ok_or(Unreadable::NoAnswer)?;
    let blocks = blocks.into_iter().map(Block::fold).collect::<Result<Vec<_>, _>>()?;
    let content = raw(format!("[{}]", blocks.join(","))).ok_or(Unreadable::NoAnswer)?;
    message.set_after("content", content, "model");
    Ok(Reply::wrapped(200, &message.to_json()))
}

/// Takes over how a message ends, and what was counted by then.
fn end(message: &mut Object, event: &Object) -> Option<()> {
    for (key, value) in event.read::<Object>("delta").unwrap_or_default().0 {
        message.set_after(&key, value, "content");
    }
    let mut usage: Object = message.read("usage").unwrap_or_default();
    for (key, value) in event.read::<Object>("usage").unwrap_or_default().0 {
        usage.set(&key, value);
    }
    message.set("usage", raw(usage.to_json())?);
    Some(())
}

impl Block {
    fn fold(self) -> Result<String, Unreadable> {
        let Self { mut start, deltas, .. } = self;
        let texts: Vec<Object> = std::iter::once(start.clone()).chain(deltas.iter().cloned()).collect();
        for key in ["text", "thinking"] {
            start.join_text(key, &texts, "type").ok_or(Unreadable::NoAnswer)?;
        }
        if let Some(signature) = deltas.iter().rev().find_map(|delta| delta.get("signature")) {
            start.set("signature", signature.to_owned());
        }
        let input: String = deltas.iter().filter_map(|delta| delta.read::<String>("partial_json")).collect();
        if !input.trim_ascii().is_empty() {
            let input = raw(input.trim_ascii()).filter(|input| input.get().starts_with('{'));
            let arguments = || Unreadable::Arguments { name: start.read("name").unwrap_or_default() };
            let input = input.ok_or_else(arguments)?;
            start.set("input", input);
        }
        Ok(start.to_json())
    }
}
