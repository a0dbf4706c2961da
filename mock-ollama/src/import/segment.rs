//! A body cut into what the server sent at once.

use bytes::Bytes;
use serde_json::Value;

/// Some bytes of a body that the server sends at once: a line, an event, or all of it.
pub(super) struct Segment {
    pub(super) bytes: Bytes,
    pub(super) content: SegmentContent,
    /// The line in which it begins, counted from 1.
    pub(super) line: usize,
}

/// What a segment says.
pub(super) enum SegmentContent {
    /// Nothing that is read.
    Opaque,
    /// A JSON value.
    Object(Value),
    /// The end of a stream of events: `[DONE]`.
    Done,
    /// Something that breaks off, or is no JSON.
    Broken,
}

impl Segment {
    /// Returns the whole of a body as one segment that is not read; none where it is empty.
    pub(super) fn whole(bytes: &[u8]) -> Vec<Self> {
        let segment = |bytes| Self { bytes: Bytes::copy_from_slice(bytes), content: SegmentContent::Opaque, line: 1 };
        Some(bytes).filter(|bytes| !bytes.is_empty()).map(segment).into_iter().collect()
    }

    /// Returns the JSON value of the segment.
    pub(super) fn object(&self) -> Option<&Value> {
        match &self.content {
            SegmentContent::Object(value) => Some(value),
            _ => None,
        }
    }
}
