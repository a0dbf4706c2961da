//! A journal while it is written, and what bounds it.

use std::num::NonZeroUsize;

use super::{Answer, ChunkSent, Entry, Journal, SentBody};

/// The bytes of a journal where nobody says otherwise.
pub const DEFAULT_JOURNAL_BYTES: NonZeroUsize = NonZeroUsize::new(256 * 1024 * 1024).unwrap();

/// How much a journal keeps. What is above either limit is forgotten, the oldest requests first, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// At least this number of the last requests, at most twice that.
    pub requests: NonZeroUsize,
    /// At most this number of bytes, as indented JSON, with the bytes of rendered answers; when there would be more, half of them go
    /// at once. The memory is less.
    pub bytes: NonZeroUsize,
}

impl Keep {
    /// Everything: memory grows with every request.
    pub const ALL: Self = Self { requests: NonZeroUsize::MAX, bytes: NonZeroUsize::MAX };

    /// The requests with which it is full.
    pub(super) fn most_requests(self) -> usize {
        self.requests.get().saturating_mul(2)
    }
}

impl Default for Keep {
    /// All requests, as far as they fit into [`DEFAULT_JOURNAL_BYTES`].
    fn default() -> Self {
        Self { bytes: DEFAULT_JOURNAL_BYTES, ..Self::ALL }
    }
}

/// A journal while it is written.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) journal: Journal,
    keep: Keep,
    /// The bytes of each entry, and of all together.
    sizes: Vec<usize>,
    bytes: usize,
    /// The number of the first entry that is kept.
    first: usize,
}

/// What surrounds the entries.
const FRAME_BYTES: usize = 256;

/// The most bytes of JSON that say what an entry's answer says.
pub(crate) const MAX_ANSWERED_BYTES: usize = 2048;

/// The keys, numbers and indentation of an entry, and what its answer says.
const ENTRY_BYTES: usize = 1024 + MAX_ANSWERED_BYTES;

/// Those of a header field.
const FIELD_BYTES: usize = 64;

/// Those of a chunk.
const CHUNK_BYTES: usize = 160;

impl Ledger {
    /// Returns an empty journal with these bounds.
    pub(crate) fn new(keep: Keep) -> Self {
        Self { journal: Journal::default(), keep, sizes: Vec::new(), bytes: FRAME_BYTES, first: 0 }
    }

    /// Adds an entry and returns its number, from 0; forgets what is not to be kept.
    pub(crate) fn add(&mut self, entry: Entry) -> usize {
        let kept = self.journal.entries.len();
        if kept >= self.keep.most_requests() {
            self.forget(kept - self.keep.requests.get());
        }
        let bytes = size_of_entry(&entry);
        self.journal.entries.push(entry);
        self.sizes.push(bytes);
        self.grew(bytes);
        self.first + self.journal.entries.len() - 1
    }

    /// The entry of this number, unless it is forgotten.
    #[inline]
    pub(crate) fn entry_mut(&mut self, number: usize) -> Option<&mut Entry> {
        let place = self.place(number)?;
        self.journal.entries.get_mut(place)
    }

    /// Notes a chunk of the entry of this number, unless that is forgotten: returns whether it was noted. `keep` keeps its bytes, and
    /// returns how many of them nobody else holds.
    #[inline]
    pub(crate) fn add_chunk(
        &mut self,
        number: usize,
        chunk: ChunkSent,
        keep: impl FnOnce(&mut SentBody) -> usize,
    ) -> bool {
        let Some(place) = self.place(number) else { return false };
        let Some(entry) = self.journal.entries.get_mut(place) else { return false };
        entry.chunks.push(chunk);
        let bytes = CHUNK_BYTES + keep(&mut entry.sent);
        self.sizes[place] += bytes;
        self.grew(bytes);
        true
    }

    fn place(&self, number: usize) -> Option<usize> {
        number.checked_sub(self.first)
    }

    /// Forgets all entries, uncounted. What open streams do later is noted nowhere.
    pub(crate) fn reset(&mut self) {
        self.first += self.journal.entries.len();
        let in_flight = self.journal.in_flight;
        self.journal = Journal { in_flight, max_in_flight: in_flight, ..Journal::default() };
        (self.sizes, self.bytes) = (Vec::new(), FRAME_BYTES);
    }

    fn grew(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes > self.keep.bytes.get() {
            self.forget_half();
        }
    }

    /// Forgets the oldest entries until half of the bytes are left. One that takes more than half stays while it fits.
    fn forget_half(&mut self) {
        let (most, mut left, mut first) = (self.keep.bytes.get(), self.bytes, 0);
        for (older, bytes) in self.sizes.iter().enumerate() {
            let is_last = older + 1 == self.sizes.len();
            if left <= if is_last { most } else { most / 2 } {
                break;
            }
            (left, first) = (left - bytes, older + 1);
        }
        self.forget(first);
    }

    fn forget(&mut self, first: usize) {
        self.bytes -= self.sizes.drain(..first).sum::<usize>();
        self.journal.forget(first);
        self.first += first;
    }
}

/// The most that an entry takes as indented JSON, but for its chunks.
fn size_of_entry(entry: &Entry) -> usize {
    let request = &entry.request;
    let fields = request.headers.iter().map(|(name, value)| FIELD_BYTES + size_of_text(name) + size_of_text(value));
    let answer = match &entry.answer {
        Answer::Matched { recording, .. } => size_of_text(recording),
        Answer::Unexpected { why } => size_of_text(why),
        Answer::Rule { name, .. } => size_of_text(name),
        Answer::Served | Answer::Rejected => 0,
    };
    let caller = match &entry.stream.caller {
        super::Caller::Agent(name) => size_of_text(name),
        super::Caller::Connection(_) => 0,
    };
    let texts = [&request.method, &request.target, &request.body].map(|text| size_of_text(text));
    ENTRY_BYTES + fields.sum::<usize>() + texts.iter().sum::<usize>() + answer + caller
}

/// The length of a text as JSON, at most.
pub(crate) fn size_of_text(text: &str) -> usize {
    let count = |is: fn(&u8) -> bool| text.as_bytes().iter().filter(|byte| is(byte)).count();
    // Two sums rather than one match: each is a loop that the compiler makes of wide instructions.
    text.len() + count(|byte| matches!(byte, b'"' | b'\\')) + 5 * count(|byte| *byte < 0x20)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Instant;
    use crate::journal::{ConnId, Fate, RequestSeen, Secrets, ServerId, StreamId};

    fn entry(exchange: u32, body: &str, headers: Vec<(String, String)>) -> Entry {
        Entry {
            stream: StreamId::of("an agent", exchange),
            conn: ConnId(u64::MAX),
            server: ServerId(u32::MAX),
            received: Instant::from_nanos(u64::MAX),
            request: RequestSeen { method: "POST".to_owned(), target: body.to_owned(), headers, body: body.to_owned() },
            answer: Answer::Unexpected { why: body.to_owned() },
            status: 404,
            chunks: Vec::new(),
            fate: Fate::Aborted { after_chunk: usize::MAX },
            sent: SentBody::default(),
            secrets: Secrets::default(),
        }
    }

    fn of_bytes(bytes: usize) -> Ledger {
        Ledger::new(Keep { bytes: NonZeroUsize::new(bytes).unwrap(), ..Keep::ALL })
    }

    fn kept(ledger: &Ledger) -> Vec<u32> {
        ledger.journal.entries.iter().map(|entry| entry.stream.exchange).collect()
    }

    #[test]
    fn when_the_bytes_are_full_the_oldest_half_is_forgotten_and_counted() {
        let one = size_of_entry(&entry(0, "", vec![]));
        let mut ledger = of_bytes(2 * (FRAME_BYTES + 2 * one));
        for exchange in 0..4 {
            ledger.add(entry(exchange, "", vec![]));
        }
        assert_eq!(kept(&ledger), [0, 1, 2, 3]);
        assert_eq!(ledger.add(entry(4, "", vec![])), 4);
        assert_eq!(kept(&ledger), [3, 4]);
        assert_eq!((ledger.journal.requests(), ledger.journal.unexpected_count()), (5, 5));
    }

    #[test]
    fn chunks_count_and_those_of_a_forgotten_request_are_not_noted() {
        let chunk = ChunkSent { due: Instant::ZERO, written: None, body_end: 0 };
        let mut ledger = of_bytes(FRAME_BYTES + size_of_entry(&entry(0, "", vec![])) + CHUNK_BYTES);
        let number = ledger.add(entry(0, "", vec![]));
        assert_eq!([(); 3].map(|()| ledger.add_chunk(number, chunk, |_| 0)), [true, true, false]);
        assert_eq!((kept(&ledger), ledger.journal.requests()), (vec![], 1));
    }

    #[test]
    fn kept_bytes_of_answers_count() {
        let chunk = ChunkSent { due: Instant::ZERO, written: None, body_end: 0 };
        let mut ledger = of_bytes(FRAME_BYTES + size_of_entry(&entry(0, "", vec![])) + 2 * CHUNK_BYTES + 9);
        let number = ledger.add(entry(0, "", vec![]));
        assert_eq!([(); 2].map(|()| ledger.add_chunk(number, chunk, |_| 5)), [true, true]);
        assert!(kept(&ledger).is_empty());
    }

    #[test]
    fn an_entry_above_the_limit_is_forgotten_alone() {
        let mut ledger = of_bytes(10_000);
        ledger.add(entry(0, &"x".repeat(10_000), vec![]));
        ledger.add(entry(1, "", vec![]));
        assert_eq!((kept(&ledger), ledger.journal.requests()), (vec![1], 2));
    }

    proptest! {
        #[test]
        fn a_written_journal_is_never_above_its_limit(
            bytes in 1_usize..40_000,
            seen in prop::collection::vec((any::<String>(), prop::collection::vec(any::<(String, String)>(), 0..3), 0_u64..9), 0..30),
        ) {
            let mut ledger = of_bytes(bytes);
            let count = seen.len();
            for (exchange, (body, headers, chunks)) in (0..).zip(seen) {
                let number = ledger.add(entry(exchange, &body, headers));
                for _ in 0..chunks {
                    let at = Instant::from_nanos(u64::MAX);
                    ledger.add_chunk(number, ChunkSent { due: at, written: Some(at), body_end: u64::MAX }, |_| 0);
                }
                let sizes: usize = ledger.sizes.iter().sum();
                prop_assert_eq!(ledger.bytes, FRAME_BYTES + sizes);
                let written = serde_json::to_string_pretty(&ledger.journal).unwrap().len();
                prop_assert!(written <= ledger.bytes.min(bytes.max(FRAME_BYTES)), "{written}");
            }
            prop_assert_eq!(ledger.journal.requests(), count);
        }
    }
}
