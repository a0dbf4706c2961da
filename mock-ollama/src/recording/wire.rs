//! The lines of a recording file, as serde sees them. The order of fields is the canonical order.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::model::{End, Method, Model, Origin};

/// The version of the format that this module describes.
pub(super) const VERSION: u64 = 1;

/// The part of a header that all versions share.
#[derive(Deserialize)]
pub(super) struct VersionLine {
    pub(super) recording: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderLine<'a> {
    pub(super) recording: u64,
    pub(super) name: Cow<'a, str>,
    pub(super) origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) server: Option<Cow<'a, str>>,
    pub(super) model: Cow<'a, Model>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) licence: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub(super) scrub: Cow<'a, [String]>,
}

#[expect(clippy::ptr_arg, reason = "serde hands out a reference to the field")]
fn is_empty(patterns: &Cow<'_, [String]>) -> bool {
    patterns.is_empty()
}

/// `request` is `null` when only the sending time is known.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestLine<'a> {
    #[serde(borrow)]
    pub(super) request: Option<RequestObject<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sent_us: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestObject<'a> {
    pub(super) method: Method,
    pub(super) path: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Cow<'a, RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body_text: Option<Cow<'a, str>>,
}

/// `R` is the response, or a reference to it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResponseLine<R> {
    pub(super) response: R,
}

/// `[offset_us, payload]`
#[derive(Serialize, Deserialize)]
pub(crate) struct EventLine<'a>(pub(crate) u64, #[serde(borrow)] pub(crate) Payload<'a>);

/// The bytes of a chunk: a text when they are UTF-8, base64 when not.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "the second element is neither a text nor {\"b64\":\"…\"}")]
pub(crate) enum Payload<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Binary(Binary),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Binary {
    pub(super) b64: String,
}

impl<'a> Payload<'a> {
    /// Returns the one form in which `bytes` are written.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self::Text(Cow::Borrowed(text)),
            Err(_) => Self::Binary(Binary { b64: STANDARD.encode(bytes) }),
        }
    }

    /// Returns the bytes.
    pub(crate) fn decode(self) -> Result<Vec<u8>, base64::DecodeError> {
        match self {
            Self::Text(text) => Ok(text.into_owned().into_bytes()),
            Self::Binary(Binary { b64 }) => STANDARD.decode(b64),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndLine<'a> {
    pub(super) end: EndObject<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndObject<'a> {
    pub(super) how: End,
    pub(super) chunks: u64,
    pub(super) bytes: u64,
    pub(super) sha256: Cow<'a, str>,
}

/// Tells a `null` that is there from a key that is not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, RawValue>>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(|json| Some(Cow::Borrowed(json)))
}

/// Returns what a JSON error says, without the place that `serde_json` appends: a line of ours is its only line.
pub(crate) fn message_of(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message).to_owned()
}
