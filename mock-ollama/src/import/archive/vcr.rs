//! The interactions of cassettes: vcrpy, Ruby's VCR, and tools that took over their form.
//!
//! They differ in details: the URL is a `uri` or a `url`; a body is a text, or a map with `string` or `base64_string`; the
//! status is a number, or a map with `code`. All of these are read in every cassette.

use super::coding;
use super::message::{self, KeptRequest, KeptResponse, Unfit};
use super::node::Node;

/// Returns the request of an interaction.
pub(super) fn request(node: &Node) -> Result<KeptRequest, Unfit> {
    let request = node.get("request").ok_or_else(|| Unfit::Bad("there is no `request`".to_owned()))?;
    let url = request.get_any(&["uri", "url", "path"]).and_then(Node::text);
    let url = url.ok_or_else(|| Unfit::Bad("the request has no `uri`".to_owned()))?;
    let method = request.get("method").and_then(Node::text);
    let method = method.ok_or_else(|| Unfit::Bad("the request has no `method`".to_owned()))?;
    let body = body(request)?.map(|body| coding::uncompressed(body, None)).transpose()?;
    Ok(KeptRequest { method: Some(method.to_owned()), url: url.to_owned(), body })
}

/// Returns the response of an interaction.
pub(super) fn response(node: &Node) -> Result<KeptResponse, Unfit> {
    let response = node.get("response").ok_or_else(|| Unfit::Bad("there is no `response`".to_owned()))?;
    let status = response.at(&["status", "code"]).or_else(|| response.get_any(&["status_code", "code", "status"]));
    let status = message::status(status, "status")?;
    let fields = response.get("headers").map(fields).unwrap_or_default();
    let body = body(response)?;
    let body = body.ok_or_else(|| Unfit::Bad("the response has no `body` (expected `string` in it)".to_owned()))?;
    Ok(KeptResponse {
        status,
        body: coding::uncompressed(body, message::field(&fields, "Content-Encoding"))?,
        fields,
        sent_us: node.get("recorded_at").and_then(Node::text).and_then(epoch_us),
        ..KeptResponse::default()
    })
}

/// Returns the body of a request or a response; `None` when there is none.
fn body(message: &Node) -> Result<Option<Vec<u8>>, Unfit> {
    // Serialisers that show JSON as what it is leave out its text.
    if let Some(parsed) = message.get("parsed_body") {
        return Ok(Some(parsed.to_json().to_string().into_bytes()));
    }
    // vcrpy kept what httpx answered as `content`.
    let Some(body) = message.get_any(&["body", "content"]) else { return Ok(None) };
    if let Some(text) = body.get("base64_string") {
        let text = text.text().ok_or_else(|| Unfit::Bad("`base64_string` is no text".to_owned()))?;
        return coding::base64(text, "`base64_string`").map(Some);
    }
    let inner = if body.entries().is_empty() { Some(body) } else { body.get_any(&["string", "text"]) };
    let Some(inner) = inner else { return Ok(None) };
    let bytes = inner.bytes().ok_or_else(|| Unfit::Bad("its `body` is neither a text nor bytes".to_owned()))?;
    Ok(Some(bytes.into_owned()))
}

/// Fields: a list of values by name, or one value by name, or a list of names and values.
fn fields(headers: &Node) -> Vec<(String, String)> {
    if headers.entries().is_empty() {
        return message::named_pairs(headers);
    }
    let values = |(name, values): &(String, Node)| -> Vec<(String, String)> {
        let texts = values.items().iter().filter_map(Node::text);
        texts.map(|text| (name.clone(), text.to_owned())).collect()
    };
    headers.entries().iter().flat_map(values).collect()
}

/// Returns a time of RFC 9110 (Ruby's VCR) or of RFC 3339, in microseconds of the Unix epoch.
fn epoch_us(text: &str) -> Option<u64> {
    let of_http = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
    u64::try_from(of_http.or_else(|_| text.parse()).ok()?.as_microsecond()).ok()
}
