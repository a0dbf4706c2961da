//! The bytes of an answer that left, shared with what they came from.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

/// The body of an answer as far as it left. What a recording or a renderer holds anyway is shared, not copied.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SentBody(Vec<Run>);

/// Chunks that left one after the other.
#[derive(Clone, PartialEq, Eq)]
enum Run {
    /// Bytes of the body.
    Plain(Bytes),
    /// Recorded chunks as they stand in the encoded form of their recording: each with its size before and a line end behind.
    Encoded { wire: Bytes, place: Range<usize> },
}

impl SentBody {
    /// Adds bytes of the body.
    pub(crate) fn push_plain(&mut self, data: Bytes) {
        self.0.push(Run::Plain(data));
    }

    /// Adds the recorded chunk that stands at `place` of the encoded form. `wire` is asked for that form where a run begins.
    #[inline]
    pub(crate) fn push_encoded(&mut self, place: Range<usize>, wire: impl FnOnce() -> Bytes) {
        match self.0.last_mut() {
            Some(Run::Encoded { place: last, .. }) if last.end == place.start => last.end = place.end,
            _ => self.0.push(Run::Encoded { wire: wire(), place }),
        }
    }

    /// Returns the bytes of the body.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for run in &self.0 {
            match run {
                Run::Plain(data) => body.extend_from_slice(data),
                Run::Encoded { wire, place } => decode_chunks(&wire[place.clone()], &mut body),
            }
        }
        body
    }
}

/// Appends the data of whole chunks, which this crate has encoded.
fn decode_chunks(mut wire: &[u8], body: &mut Vec<u8>) {
    while let Some(line_end) = wire.iter().position(|byte| *byte == b'\r') {
        let size = std::str::from_utf8(&wire[..line_end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some((data, rest)) = size.and_then(|size| wire[line_end + 2..].split_at_checked(size)) else { return };
        body.extend_from_slice(data);
        wire = rest.strip_prefix(b"\r\n").unwrap_or_default();
    }
}

impl fmt::Debug for SentBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SentBody({} bytes)", self.bytes().len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::SentBody;

    proptest! {
        #[test]
        fn what_left_is_what_was_recorded_however_it_left(
            chunks in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..40), any::<bool>()), 0..20)
        ) {
            let (mut wire, mut places) = (Vec::new(), Vec::new());
            for (chunk, _) in &chunks {
                let start = wire.len();
                wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
                places.push(start..wire.len());
            }
            let (wire, mut sent) = (bytes::Bytes::from(wire), SentBody::default());
            for ((chunk, is_plain), place) in chunks.iter().zip(places) {
                if *is_plain {
                    sent.push_plain(chunk.clone().into());
                } else {
                    sent.push_encoded(place, || wire.clone());
                }
            }
            let expected: Vec<u8> = chunks.into_iter().flat_map(|(chunk, _)| chunk).collect();
            prop_assert_eq!(sent.bytes(), expected);
        }
    }
}
