//! The lines of one body, from the first to the final object.

use super::{Framer, Object, StreamError};

/// Reads one native Ollama stream, in pieces of any size, and skips nothing.
#[derive(Debug, Default)]
pub struct NdjsonStream {
    framer: Framer,
    progress: Progress,
}

/// What the final object of a stream said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Final {
    /// The number of tokens as the server counted them, where it said so.
    pub eval_count: Option<u64>,
    /// Why the model stopped, where it said so.
    pub done_reason: Option<String>,
}

/// A line that was an object of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectSummary {
    /// The number of body bytes up to its end, its newline included where it has one.
    pub body_end: u64,
    /// Whether it carries a token.
    pub token: bool,
}

/// How far the stream has come, in objects.
#[derive(Debug, Default)]
struct Progress {
    lines: u64,
    last: Option<Final>,
}

impl NdjsonStream {
    /// Takes a piece and calls `each` with every object that it completes, in order.
    ///
    /// Fails with the first thing that is wrong. The stream is over then.
    #[inline]
    pub fn push(&mut self, piece: &[u8], mut each: impl FnMut(ObjectSummary)) -> Result<(), StreamError> {
        let Self { framer, progress } = self;
        framer.push(piece, |line| {
            let token = progress.line(line.bytes)?;
            each(ObjectSummary { body_end: line.body_end, token });
            Ok(())
        })
    }

    /// Ends the stream, at the end of the body. A last line without a newline is a line.
    ///
    /// Fails when that line is wrong, or when there was no final object.
    pub fn finish(mut self, mut each: impl FnMut(ObjectSummary)) -> Result<Final, StreamError> {
        if let Some(line) = self.framer.finish() {
            let token = self.progress.line(line.bytes)?;
            each(ObjectSummary { body_end: line.body_end, token });
        }
        let lines = self.progress.lines;
        self.progress.last.ok_or(StreamError::MissingDone { lines })
    }
}

impl Progress {
    /// Reads the next line. Returns whether it carries a token.
    fn line(&mut self, bytes: &[u8]) -> Result<bool, StreamError> {
        self.lines += 1;
        if self.last.is_some() {
            return Err(StreamError::AfterDone { line: self.lines });
        }
        let object = Object::parse(bytes, self.lines)?;
        if object.done {
            self.last = Some(Final { eval_count: object.eval_count, done_reason: object.done_reason });
        }
        Ok(object.token)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::ndjson::testing::{cut_at, cuts};

    fn read(pieces: &[&[u8]]) -> (Vec<ObjectSummary>, Result<Final, StreamError>) {
        let mut seen = Vec::new();
        let mut stream = NdjsonStream::default();
        for piece in pieces {
            if let Err(error) = stream.push(piece, |object| seen.push(object)) {
                return (seen, Err(error));
            }
        }
        let end = stream.finish(|object| seen.push(object));
        (seen, end)
    }

    /// Bodies of good and bad lines, in any order, with or without a final newline.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            8 => "[a-z😀é\"\\\\]{0,5}".prop_map(|text| serde_json::json!({"response": text, "done": false}).to_string()),
            2 => Just(r#"{"message":{"content":"","tool_calls":[{}]}}"#.to_owned()),
            2 => Just(r#"{"response":"","done":true,"done_reason":"length","eval_count":3}"#.to_owned()),
            1 => Just(r#"{"error":"boom"}"#.to_owned()),
            1 => "[a-z{]{0,3}",
        ];
        (prop::collection::vec(line, 0..8), any::<bool>()).prop_map(|(lines, newline)| {
            let mut body = lines.join("\n");
            if newline {
                body.push('\n');
            }
            body.into_bytes()
        })
    }

    proptest! {
        #[test]
        fn what_a_stream_says_never_depends_on_the_cuts(body in body(), cuts in cuts()) {
            prop_assert_eq!(read(&cut_at(&body, &cuts)), read(&[&body]));
        }

        #[test]
        fn every_object_of_a_good_stream_is_seen(texts in prop::collection::vec("[a-zé😀]{0,4}", 0..20), cuts in cuts()) {
            let mut lines: Vec<String> = texts.iter().map(|text| serde_json::json!({"response": text}).to_string()).collect();
            lines.push("{\"done\":true}\n".to_owned());
            let body = lines.join("\n");
            let (seen, end) = read(&cut_at(body.as_bytes(), &cuts));
            let tokens: Vec<bool> = seen.iter().map(|object| object.token).collect();
            let expected: Vec<bool> = texts.iter().map(|text| !text.is_empty()).chain([false]).collect();
            prop_assert_eq!(tokens, expected);
            prop_assert_eq!(seen.last().map(|object| object.body_end), Some(body.len() as u64));
            prop_assert_eq!(end, Ok(Final::default()));
        }
    }

    #[rstest]
    #[case::nothing("", "missing-done")]
    #[case::only_tokens("{\"response\":\"a\"}\n", "missing-done")]
    #[case::a_second_final_object("{\"done\":true}\n{\"done\":true}\n", "after-done")]
    #[case::an_empty_line_after_the_end("{\"done\":true}\n\n", "after-done")]
    #[case::an_empty_line_between("{\"response\":\"a\"}\n\n{\"done\":true}\n", "empty-line")]
    #[case::an_error_line("{\"response\":\"a\"}\n{\"error\":\"boom\"}\n", "error-line")]
    #[case::half_a_last_line("{\"response\":\"a\"}\n{\"done\":tr", "not-json")]
    fn a_stream_that_is_not_whole_is_a_typed_error(#[case] body: &str, #[case] kind: &str) {
        assert_eq!(read(&[body.as_bytes()]).1.unwrap_err().kind(), kind);
    }

    #[test]
    fn a_final_object_without_a_newline_ends_the_stream() {
        let (seen, end) = read(&[b"{\"response\":\"a\"}\n{\"done\":true,\"eval_count\":1}"]);
        assert_eq!(seen.len(), 2);
        assert_eq!(end, Ok(Final { eval_count: Some(1), done_reason: None }));
    }

    #[test]
    fn objects_before_an_error_are_still_seen() {
        let (seen, end) = read(&[b"{\"response\":\"a\"}\n{\"error\":\"boom\"}\n"]);
        assert_eq!(seen, [ObjectSummary { body_end: 17, token: true }]);
        assert_eq!(end, Err(StreamError::ErrorLine { line: 2, message: "boom".to_owned() }));
    }
}
