//! A response that is written at once.

use crate::go_json::error_body;

/// A response that a handler writes at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The fields that the handler set, in any order.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the handler flushed it, so that it is chunked however short.
    pub flushed: bool,
}

/// The content type of JSON that gin writes.
pub(crate) const JSON: &str = "application/json; charset=utf-8";

/// The content type of JSON where the handler set it before gin could (`gin/render`).
pub(crate) const BARE_JSON: &str = "application/json";

impl Reply {
    /// Returns a reply with this content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let fields = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, fields, body: body.into(), flushed: false }
    }

    /// Returns the error of a native handler, `{"error":"…"}`.
    pub fn error(status: u16, text: &str) -> Self {
        Self::new(status, JSON, error_body(text))
    }

    /// Returns what a compatibility writer under `/v1` makes of a JSON text: it encodes by itself, which ends in a newline.
    pub(crate) fn wrapped(status: u16, json: &str) -> Self {
        Self::new(status, BARE_JSON, format!("{json}\n"))
    }

    /// Returns a reply without a body and without fields.
    pub fn empty(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Vec::new(), flushed: false }
    }
}
