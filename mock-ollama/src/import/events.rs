//! A body of server-sent events, cut behind each of them (WHATWG HTML §9.2.6).

use bytes::Bytes;

use super::segment::{Segment, SegmentContent};

/// What ends a stream of `/v1/chat/completions` and `/v1/completions`.
const DONE: &str = "[DONE]";

/// The part of a body up to the next blank line, while it is read.
struct Event {
    begin: usize,
    line: usize,
    has_text: bool,
    /// Whether a blank line came after its text.
    is_over: bool,
    /// The lines of `data`; absent when there is none.
    data: Option<Vec<u8>>,
}

/// Cuts a body behind each of its events, or behind comments that stand alone, with the blank lines that follow.
pub(super) fn cut(bytes: &[u8]) -> Vec<Segment> {
    let body = Bytes::copy_from_slice(bytes);
    let mut segments = Vec::new();
    let mut event = Event::new(0, 1);
    let mut at = 0;
    for (line, number) in lines(bytes).zip(1..) {
        let text = line.trim_ascii_end();
        if text.is_empty() {
            event.is_over = event.has_text;
        } else {
            if event.is_over {
                segments.push(event.into_segment(&body, at));
                event = Event::new(at, number);
            }
            event.take(text);
        }
        at += line.len();
    }
    if at > event.begin {
        segments.push(event.into_segment(&body, at));
    }
    segments
}

impl Event {
    fn new(begin: usize, line: usize) -> Self {
        Self { begin, line, has_text: false, is_over: false, data: None }
    }

    fn take(&mut self, line: &[u8]) {
        self.has_text = true;
        if let Some(data) = line.strip_prefix(b"data:") {
            match &mut self.data {
                None => self.data = Some(data.to_vec()),
                Some(before) => {
                    before.push(b'\n');
                    before.extend_from_slice(data);
                }
            }
        }
    }

    fn into_segment(self, body: &Bytes, end: usize) -> Segment {
        let content = match self.data {
            None => SegmentContent::Opaque,
            Some(data) if data.trim_ascii() == DONE.as_bytes() => SegmentContent::Done,
            Some(data) => serde_json::from_slice(&data).map_or(SegmentContent::Broken, SegmentContent::Object),
        };
        Segment { bytes: body.slice(self.begin..end), content, line: self.line }
    }
}

/// Returns the lines of `bytes`, each with what ends it: LF, CR, or both.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let at = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let end = at.map_or(rest.len(), |at| if rest[at..].starts_with(b"\r\n") { at + 2 } else { at + 1 });
        let (line, behind) = rest.split_at(end);
        rest = behind;
        (!line.is_empty()).then_some(line)
    })
}
