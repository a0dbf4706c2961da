//! What the journal keeps of a request and its answer.

use super::response::ActiveResponse;
use super::source::AnswerSource;
use crate::clock::Instant;
use crate::fault::{Payload, WireEnd};
use crate::http::Request;
use crate::journal::{Answer, ConnId, Entry, Fate, Redactor, RequestSeen, Secrets, SentBody, ServerId, StreamId};

/// Returns the entry of bytes that are no request.
pub(super) fn rejected(stream: StreamId, (conn, server): (ConnId, ServerId), status: u16, now: Instant) -> Entry {
    Entry {
        stream,
        conn,
        server,
        received: now,
        request: RequestSeen::default(),
        answer: Answer::Rejected,
        status,
        chunks: Vec::new(),
        fate: Fate::Complete,
        sent: SentBody::default(),
        secrets: Secrets::default(),
    }
}

/// Returns the entry of a request whose answer begins.
pub(super) fn begun(
    stream: StreamId,
    (conn, server): (ConnId, ServerId),
    (request, secrets): (RequestSeen, Secrets),
    (answer, source): (Answer, &AnswerSource),
    now: Instant,
) -> Entry {
    Entry {
        stream,
        conn,
        server,
        received: now,
        request,
        answer,
        status: source.status(),
        // Room for all of them, so that a chunk that leaves allocates nothing.
        chunks: Vec::with_capacity(source.chunk_count()),
        fate: Fate::Open,
        sent: SentBody::default(),
        secrets,
    }
}

impl From<WireEnd> for Fate {
    fn from(end: WireEnd) -> Self {
        match end {
            WireEnd::Complete => Self::Complete,
            WireEnd::Truncated => Self::Truncated,
            WireEnd::Reset => Self::Reset,
        }
    }
}

/// Keeps the bytes of a chunk that leaves; returns how many of them nobody else holds.
#[inline]
pub(super) fn keep(body: &mut SentBody, payload: Payload, response: &ActiveResponse) -> usize {
    match payload {
        // A recording has them anyway.
        Payload::Encoded(place) => body.push_encoded(place, || response.wire()),
        Payload::Plain { data, .. } => {
            let kept = data.len();
            body.push_plain(data);
            return kept;
        }
    }
    0
}

/// Returns the end of an answer whose client hung up.
pub(super) fn aborted(entry: &Entry) -> Fate {
    Fate::Aborted { after_chunk: entry.chunks_written() }
}

/// Returns a request as the journal keeps it, and its credentials.
pub(super) fn seen(request: &Request, redactor: &mut Redactor) -> (RequestSeen, Secrets) {
    let mut seen = RequestSeen {
        method: request.head.method.clone(),
        target: request.head.target.clone(),
        headers: request.head.headers.clone(),
        body: String::from_utf8_lossy(&request.body).into_owned(),
    };
    let secrets = redactor.redact(&mut seen);
    (seen, secrets)
}
