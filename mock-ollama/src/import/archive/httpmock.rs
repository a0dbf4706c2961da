//! The `when` and `then` of httpmock, whose recordings and mock files have one such pair a document.

use super::coding;
use super::message::{self, KeptRequest, KeptResponse, Unfit};
use super::node::Node;

/// Returns what `when` asks for.
pub(super) fn request(node: &Node) -> Result<KeptRequest, Unfit> {
    let when = node.get("when").ok_or_else(|| Unfit::Bad("there is no `when`".to_owned()))?;
    let path = when.get("path").and_then(Node::text);
    let path =
        path.ok_or_else(|| Unfit::PassOver("its `when` has no `path`, so no one request is meant".to_owned()))?;
    Ok(KeptRequest {
        method: when.get("method").and_then(Node::text).map(str::to_owned),
        url: path.to_owned(),
        body: body(when)?,
    })
}

/// Returns what `then` answers.
pub(super) fn response(node: &Node) -> Result<KeptResponse, Unfit> {
    let then = node.get("then").ok_or_else(|| Unfit::Bad("there is no `then`".to_owned()))?;
    if then.get("body_from_file").is_some() {
        return Err(Unfit::Bad("its body is in another file (`body_from_file`); write it as `body`".to_owned()));
    }
    let fields = then.get("header").map(message::named_pairs).unwrap_or_default();
    let body = body(then)?.unwrap_or_default();
    Ok(KeptResponse {
        // The tool answers 200 where nothing is stated.
        status: then.get("status").map_or(Ok(200), |status| message::status(Some(status), "`status`"))?,
        body: coding::uncompressed(body, message::field(&fields, "Content-Encoding"))?,
        fields,
        wait: message::milliseconds(then.get("delay")),
        ..KeptResponse::default()
    })
}

fn body(side: &Node) -> Result<Option<Vec<u8>>, Unfit> {
    if let Some(text) = side.get("body_base64").and_then(Node::text) {
        return coding::base64(text, "`body_base64`").map(Some);
    }
    if let Some(body) = side.get("body") {
        let bytes = body.bytes().ok_or_else(|| Unfit::Bad("its `body` is no text".to_owned()))?;
        return Ok(Some(bytes.into_owned()));
    }
    Ok(side.get("json_body").map(json_body))
}

/// JSON as the tool compares and sends it: without blanks. It may be kept as a value, or as the text of one.
fn json_body(node: &Node) -> Vec<u8> {
    let of_text = node.text().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    of_text.unwrap_or_else(|| node.to_json()).to_string().into_bytes()
}
