//! The answer, encoded once.

use anyhow::ensure;

/// What comes before the first chunk.
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
    Transfer-Encoding: chunked\r\n\r\n";

/// The most lines of an answer.
const MAX_LINES: usize = 100_000;

/// The sends of an answer: one for each line, or one for all of them. The head leaves with the first, the end with the last.
pub(super) fn encode(body: &str, coalesced: bool) -> anyhow::Result<Vec<Vec<u8>>> {
    let lines = body.split_inclusive('\n').count();
    ensure!((1..=MAX_LINES).contains(&lines), "an answer has 1 to {MAX_LINES} lines, this one has {lines}");
    let mut frames: Vec<Vec<u8>> = body
        .split_inclusive('\n')
        .map(|line| [format!("{:x}\r\n", line.len()).as_bytes(), line.as_bytes(), b"\r\n"].concat())
        .collect();
    frames[0] = [HEAD, &frames[0]].concat();
    frames[lines - 1].extend_from_slice(b"0\r\n\r\n");
    Ok(if coalesced { vec![frames.concat()] } else { frames })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::{Counts, ResponseProgress, ResponseStatus, TokenCounter};

    #[test]
    fn an_answer_is_one_send_a_line_or_one_in_all_and_the_counter_reads_both() {
        let body = "one\ntwo\nthree\n";
        for (coalesced, sends) in [(false, 3), (true, 1)] {
            let frames = encode(body, coalesced).unwrap();
            assert_eq!(frames.len(), sends);
            let mut counter = TokenCounter::new();
            let progress = counter.feed(&frames.concat()).unwrap();
            assert_eq!(progress, ResponseProgress::Done(ResponseStatus { code: 200, close: false }));
            assert_eq!(counter.counts(), Counts { tokens: 3, chunks: 3 });
        }
    }

    #[test]
    fn an_answer_without_lines_is_refused() {
        assert!(encode("", false).is_err());
    }
}
