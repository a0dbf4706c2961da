//! The entries of an HTTP archive (HAR 1.2), as browsers and proxies save them.

use std::time::Duration;

use super::coding;
use super::message::{self, KeptRequest, KeptResponse, Unfit};
use super::node::Node;

/// The times of an entry before its request has been sent.
const BEFORE_SENT: [&str; 4] = ["blocked", "dns", "connect", "send"];

/// Returns the request of an entry.
pub(super) fn request(node: &Node) -> Result<KeptRequest, Unfit> {
    let text = |key: &str| {
        let text = node.at(&["request", key]).and_then(Node::text).map(str::to_owned);
        text.ok_or_else(|| Unfit::Bad(format!("there is no `request.{key}`")))
    };
    let body = node.at(&["request", "postData"]).map(|data| content(data, "request.postData")).transpose()?;
    Ok(KeptRequest { method: Some(text("method")?), url: text("url")?, body: body.flatten() })
}

/// Returns the response of an entry.
pub(super) fn response(node: &Node) -> Result<KeptResponse, Unfit> {
    let response = node.get("response").ok_or_else(|| Unfit::Bad("there is no `response`".to_owned()))?;
    let status = message::status(response.get("status"), "`response.status`")?;
    let kept_content = response.get("content");
    let body = kept_content.map(|data| content(data, "response.content")).transpose()?.flatten();
    let size = kept_content.and_then(|content| content.get("size")).and_then(Node::number).unwrap_or(0.0);
    if body.is_none() && size > 0.0 {
        return Err(Unfit::Bad(format!(
            "there is no `response.content.text`, though the body has {size} bytes; save the HAR file with its content"
        )));
    }
    let fields = response.get("headers").map(message::named_pairs).unwrap_or_default();
    let timing = |key: &str| message::milliseconds(node.at(&["timings", key]));
    let before = BEFORE_SENT.iter().map(|key| timing(key)).fold(Duration::ZERO, Duration::saturating_add);
    let before_us = u64::try_from(before.as_micros()).unwrap_or(u64::MAX);
    let started =
        node.get("startedDateTime").and_then(Node::text).and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let started_us = started.and_then(|time| u64::try_from(time.as_microsecond()).ok());
    Ok(KeptResponse {
        status,
        body: coding::uncompressed(body.unwrap_or_default(), message::field(&fields, "Content-Encoding"))?,
        fields,
        sent_us: started_us.and_then(|us| us.checked_add(before_us)),
        wait: timing("wait"),
        receive: timing("receive"),
    })
}

/// Returns the bytes of `text`, which may be base64.
fn content(data: &Node, place: &str) -> Result<Option<Vec<u8>>, Unfit> {
    let Some(text) = data.get("text").and_then(Node::text) else { return Ok(None) };
    match data.get("encoding").and_then(Node::text) {
        None => Ok(Some(text.as_bytes().to_vec())),
        Some(encoding) if encoding.eq_ignore_ascii_case("base64") => {
            coding::base64(text, &format!("`{place}.text`")).map(Some)
        }
        Some(encoding) => Err(Unfit::Bad(format!(
            "the encoding of `{place}` is {:?}; expected base64 or none",
            encoding.chars().take(20).collect::<String>()
        ))),
    }
}
