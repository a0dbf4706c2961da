//! Statuses and when they come (`server/routes.go`, `streamResponse` and `waitForStream`).

use std::time::Duration;

use serde::Serialize;

use crate::generation::Refusal;
use crate::go_json::{error_body, is_zero, to_string};
use crate::http::{BARE_JSON, Reply};
use crate::models::Card;

/// How long the steps between transfers take.
pub(super) const STEP: Duration = Duration::from_millis(1);

const NDJSON: &str = "application/x-ndjson";

/// What a pull, push or create does over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Statuses as JSON without a line end, each with its time since the request.
    pub lines: Vec<(Duration, String)>,
    /// How it failed, after the statuses. Its status counts where none was sent before.
    pub failure: Option<Refusal>,
    /// When it is over, since the request.
    pub took: Duration,
    /// The model that is there when it is over; the owner of the store sets when it was modified.
    pub outcome: Option<Box<Card>>,
}

/// A streamed answer: always chunked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streamed {
    /// The status code.
    pub status: u16,
    /// The fields that the handler set.
    pub fields: Vec<(String, String)>,
    /// The HTTP chunks, each with its time since the request.
    pub chunks: Vec<(Duration, String)>,
}

/// A status object; fields in wire order (`api/types.go`, `ProgressResponse`).
#[derive(Serialize)]
struct Line<'a> {
    status: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    digest: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    total: u64,
    #[serde(skip_serializing_if = "is_zero")]
    completed: u64,
}

impl Progress {
    /// What these steps say, and how they end.
    pub(super) fn of(steps: impl FnOnce(&mut Self) -> Result<Option<Box<Card>>, Refusal>) -> Self {
        let mut progress = Self::default();
        match steps(&mut progress) {
            Ok(outcome) => progress.outcome = outcome,
            Err(failure) => progress.failure = Some(failure),
        }
        progress
    }

    /// Adds a status at the present time.
    pub(super) fn say(&mut self, status: &str) {
        self.transferred(status, "", 0, 0);
    }

    /// Says how far the transfer of a layer is; a zero is left out.
    pub(super) fn transferred(&mut self, status: &str, digest: &str, total: u64, completed: u64) {
        self.lines.push((self.took, to_string(&Line { status, digest, total, completed })));
    }

    /// Lets time pass before the next status.
    pub(super) fn wait(&mut self, time: Duration) {
        self.took = self.took.saturating_add(time);
    }

    /// Adds a status, and lets the time of a step pass.
    pub(super) fn step(&mut self, status: &str) {
        self.say(status);
        self.wait(STEP);
    }

    /// The streamed answer.
    pub fn streamed(&self) -> Streamed {
        let answer = |status, kind: &str, chunks| {
            let fields = vec![("Content-Type".to_owned(), kind.to_owned())];
            Streamed { status, fields, chunks }
        };
        let mut chunks: Vec<_> = self.lines.iter().map(|(at, line)| (*at, format!("{line}\n"))).collect();
        match &self.failure {
            Some(failure) if chunks.is_empty() => {
                answer(failure.status, BARE_JSON, vec![(self.took, error_body(&failure.text))])
            }
            failure => {
                chunks.extend(failure.iter().map(|failure| (self.took, error_body(&failure.text) + "\n")));
                answer(200, NDJSON, chunks)
            }
        }
    }

    /// The answer to a request that did not ask for a stream: the last status, or the error.
    pub fn whole(&self) -> Reply {
        match (&self.failure, self.lines.last()) {
            (Some(failure), _) => Reply::new(failure.status, BARE_JSON, error_body(&failure.text)),
            (None, last) => Reply::new(200, BARE_JSON, last.map(|(_, line)| line.clone()).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Progress, STEP};
    use crate::generation::Refusal;

    fn two_statuses() -> Progress {
        let mut progress = Progress::default();
        progress.say("one <1>");
        progress.wait(STEP);
        progress.transferred("two", "sha256:ab", 5, 0);
        progress
    }

    #[test]
    fn w_081_a_zero_is_left_out_and_each_line_has_its_time() {
        let streamed = two_statuses().streamed();
        let one = "{\"status\":\"one \\u003c1\\u003e\"}\n".to_owned();
        let two = "{\"status\":\"two\",\"digest\":\"sha256:ab\",\"total\":5}\n".to_owned();
        assert_eq!(streamed.chunks, [(std::time::Duration::ZERO, one), (STEP, two)]);
        assert_eq!(streamed.fields[0].1, "application/x-ndjson");
    }

    #[test]
    fn w_082_a_late_failure_is_the_last_line_of_a_stream() {
        let mut progress = two_statuses();
        progress.failure = Some(Refusal::by_handler(500, "boom"));
        let streamed = progress.streamed();
        assert_eq!((streamed.status, streamed.chunks[2].1.as_str()), (200, "{\"error\":\"boom\"}\n"));
        let whole = progress.whole();
        assert_eq!((whole.status, whole.body.as_slice()), (500, br#"{"error":"boom"}"#.as_slice()));
    }

    #[test]
    fn an_early_failure_keeps_its_status_and_has_no_line_end() {
        let streamed = Progress::of(|_| Err(Refusal::by_handler(400, "bad"))).streamed();
        assert_eq!((streamed.status, streamed.fields[0].1.as_str()), (400, "application/json"));
        assert_eq!(streamed.chunks, [(std::time::Duration::ZERO, r#"{"error":"bad"}"#.to_owned())]);
    }

    #[test]
    fn without_a_stream_only_the_last_status_is_said() {
        let whole = two_statuses().whole();
        assert_eq!(whole.body, br#"{"status":"two","digest":"sha256:ab","total":5}"#);
        assert_eq!(whole.fields[0].1, "application/json");
    }
}
