//! `/v1/responses`: the response that the last event has.

use super::parts;
use crate::dialect::Unreadable;
use crate::dialect::read::Body;
use crate::http::Reply;

/// Takes the response out of the event that ends a stream. A stream without one is rendered instead.
pub(super) fn fold(body: &Body) -> Result<Reply, Unreadable> {
    let events = parts(body)?;
    let ended = events.iter().rfind(|event| {
        let kind: Option<String> = event.read("type");
        matches!(kind.as_deref(), Some("response.completed" | "response.incomplete"))
    });
    let response = ended.and_then(|event| event.get("response")).ok_or(Unreadable::NoAnswer)?;
    Ok(Reply::wrapped(200, response.get()))
}
