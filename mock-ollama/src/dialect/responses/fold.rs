//! `/v1/responses`: the response that the last event has.

use crate::dialect::recorded::body::RecordedBody;
use crate::dialect::unreadable::Unreadable;
use crate::http::Reply;

/// Takes the response out of the event that ends a stream. A stream without one is rendered instead.
pub(crate) fn fold(body: &RecordedBody) -> Result<Reply, Unreadable> {
    let events = body.objects()?;
    let ended = events.iter().rfind(|event| {
        let kind: Option<String> = event.read("type");
        matches!(kind.as_deref(), Some("response.completed" | "response.incomplete"))
    });
    let response = ended.and_then(|event| event.get("response")).ok_or(Unreadable::NoAnswer)?;
    Ok(Reply::wrapped(200, response.get()))
}
