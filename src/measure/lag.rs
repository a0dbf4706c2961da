//! Whose delay it was: the server's journal joined with what clients saw.
//!
//! The two meet in a stream (agent name and exchange number) and a byte offset of its body, never in time or order.
//!
//! - *lateness* of a chunk: written − due; the server's fault, or its host's;
//! - *lag* of a chunk: the instant at which a client had been handed its last byte − written; the client's.
//!
//! Both are signed: a chunk that left before it was due is a defect of the server that must not read as zero, and a
//! client on another core may observe bytes shortly before the server has noted that they left.

use std::collections::BTreeMap;

use mock_ollama::clock::Instant;
use mock_ollama::journal::{Entry, Journal, StreamId};

use crate::transcript::{AgentLog, PieceArrival, Transcript};

/// Lateness and lag of the chunks of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamLag {
    /// The stream.
    pub stream: StreamId,
    /// Nanoseconds from due to written, of every chunk that was written, in order.
    pub lateness_ns: Vec<i64>,
    /// Nanoseconds from written to observed, of every chunk that was written and observed, in order.
    pub lag_ns: Vec<i64>,
    /// Chunks that were written and that the client never saw in full.
    pub unobserved: usize,
    /// Chunks that the agent had been handed when it saw its first token; absent when it saw none. 1 when each chunk
    /// is handed on as it comes and the first one has a token.
    pub first_token_chunks: Option<usize>,
}

impl StreamLag {
    /// How late the stream's last chunk left, in nanoseconds; 0 when it left early or none was written.
    pub fn last_lateness_ns(&self) -> u64 {
        self.lateness_ns.last().map_or(0, |&late| u64::try_from(late).unwrap_or(0))
    }
}

/// A journal joined with a transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JoinedStreams {
    /// One entry a stream that both sides know, in the order of the workload.
    pub streams: Vec<StreamLag>,
    /// Exchanges that an agent logged and the server never got.
    pub unknown_to_server: Vec<StreamId>,
}

/// Joins what the server wrote with what the clients saw.
pub fn join(journal: &Journal, transcript: &Transcript) -> JoinedStreams {
    let entries: BTreeMap<&StreamId, &Entry> = journal.entries.iter().map(|entry| (&entry.stream, entry)).collect();
    let mut joined = JoinedStreams::default();
    for agent in &transcript.agents {
        for number in 0..agent.exchanges.len() {
            let stream = stream_of(agent, number);
            match entries.get(&stream) {
                Some(entry) => joined.streams.push(join_stream(stream, entry, agent, number)),
                None => joined.unknown_to_server.push(stream),
            }
        }
    }
    joined
}

/// How much of an agent's time is the server's lateness, in nanoseconds: the sum over its exchanges of how late the
/// last chunk left. Exchanges follow one another, so what a late last chunk costs is never made up for.
pub fn lateness_on_path_ns(joined: &JoinedStreams, agent: &AgentLog) -> u64 {
    let ids: Vec<StreamId> = (0..agent.exchanges.len()).map(|number| stream_of(agent, number)).collect();
    joined.streams.iter().filter(|lag| ids.contains(&lag.stream)).map(StreamLag::last_lateness_ns).sum()
}

fn stream_of(agent: &AgentLog, number: usize) -> StreamId {
    StreamId::of(&agent.agent, u32::try_from(number).unwrap_or(u32::MAX))
}

fn join_stream(stream: StreamId, entry: &Entry, agent: &AgentLog, number: usize) -> StreamLag {
    let log = &agent.exchanges[number];
    let mut lag = StreamLag {
        stream,
        lateness_ns: Vec::with_capacity(entry.chunks.len()),
        lag_ns: Vec::with_capacity(entry.chunks.len()),
        unobserved: 0,
        first_token_chunks: None,
    };
    let mut handed_on = handed_on(&log.pieces);
    for chunk in &entry.chunks {
        let Some(written) = chunk.written else { continue };
        lag.lateness_ns.push(signed_since(written, chunk.due));
        match handed_on(chunk.body_end) {
            Some(at) => lag.lag_ns.push(signed_since(at, written)),
            None => lag.unobserved += 1,
        }
    }
    lag.first_token_chunks = log.lines.iter().find(|line| line.token).map(|line| {
        let handed_on: u64 = log.pieces.iter().take_while(|piece| piece.at <= line.at).map(|piece| piece.bytes).sum();
        entry.chunks.iter().take_while(|chunk| chunk.body_end <= handed_on).count()
    });
    lag
}

/// Returns what answers with the instant of the first piece with which at least an offset of the body had come. It is
/// asked with offsets that never decrease, so each piece is taken once.
fn handed_on(pieces: &[PieceArrival]) -> impl FnMut(u64) -> Option<Instant> {
    let (mut pieces, mut end, mut at) = (pieces.iter(), 0, None);
    move |offset| {
        while at.is_none() || end < offset {
            let piece = pieces.next()?;
            end += piece.bytes;
            at = Some(piece.at);
        }
        at
    }
}

/// Nanoseconds from `earlier` to `later`, negative when they are the other way round.
fn signed_since(later: Instant, earlier: Instant) -> i64 {
    let nanos = i128::from(later.as_nanos()) - i128::from(earlier.as_nanos());
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::measure::fixture::{LINE_BYTES, agent, at_ms, entry, exchange, journal, transcript};

    const MS: i64 = 1_000_000;

    #[test]
    fn lateness_is_the_servers_and_lag_is_the_clients() {
        let seen = transcript(vec![agent("a0", 0, vec![exchange(0, &[(13, true), (25, true)])])]);
        let joined = join(&journal(1, vec![entry("a0", 0, 0, &[(10, 12), (20, 20)])]), &seen);
        assert_eq!(joined.streams[0].lateness_ns, [2 * MS, 0]);
        assert_eq!(joined.streams[0].lag_ns, [MS, 5 * MS]);
    }

    #[test]
    fn a_client_that_hands_on_two_chunks_at_once_delays_the_first() {
        let mut log = exchange(0, &[(20, true), (20, true)]);
        log.pieces = vec![PieceArrival { at: at_ms(20), bytes: 2 * LINE_BYTES }];
        let joined = join(
            &journal(1, vec![entry("a0", 0, 0, &[(10, 10), (19, 19)])]),
            &transcript(vec![agent("a0", 0, vec![log])]),
        );
        assert_eq!(joined.streams[0].lag_ns, [10 * MS, MS]);
        assert_eq!(joined.streams[0].first_token_chunks, Some(2));
    }

    #[test]
    fn a_chunk_cut_in_two_is_observed_with_its_second_half() {
        let mut log = exchange(0, &[(14, true)]);
        log.pieces = vec![PieceArrival { at: at_ms(11), bytes: 4 }, PieceArrival { at: at_ms(14), bytes: 6 }];
        let joined =
            join(&journal(1, vec![entry("a0", 0, 0, &[(10, 10)])]), &transcript(vec![agent("a0", 0, vec![log])]));
        assert_eq!(joined.streams[0].lag_ns, [4 * MS]);
        assert_eq!(joined.streams[0].first_token_chunks, Some(1));
    }

    #[test]
    fn bytes_that_left_early_have_negative_lateness() {
        let seen = transcript(vec![agent("a0", 0, vec![exchange(0, &[(9, true)])])]);
        let joined = join(&journal(1, vec![entry("a0", 0, 0, &[(10, 8)])]), &seen);
        assert_eq!(joined.streams[0].lateness_ns, [-2 * MS]);
        assert_eq!(joined.streams[0].last_lateness_ns(), 0);
    }

    #[test]
    fn chunks_that_never_arrived_are_counted() {
        let seen = transcript(vec![agent("a0", 0, vec![exchange(0, &[(11, true)])])]);
        let joined = join(&journal(1, vec![entry("a0", 0, 0, &[(10, 10), (20, 20)])]), &seen);
        assert_eq!((joined.streams[0].lag_ns.len(), joined.streams[0].unobserved), (1, 1));
    }

    #[test]
    fn streams_meet_by_name_and_number_whatever_the_order_of_requests() {
        let logs = vec![exchange(0, &[(11, true)]), exchange(20, &[(32, true)])];
        let entries = vec![entry("a0", 1, 20, &[(30, 30)]), entry("a0", 0, 0, &[(10, 10)])];
        let joined = join(&journal(1, entries), &transcript(vec![agent("a0", 0, logs)]));
        let found: Vec<_> = joined.streams.iter().map(|lag| (lag.stream.exchange, lag.lag_ns[0])).collect();
        assert_eq!(found, [(0, MS), (1, 2 * MS)]);
    }

    #[test]
    fn an_exchange_that_the_server_never_got_is_named() {
        let seen = transcript(vec![agent("a7", 0, vec![exchange(0, &[])])]);
        assert_eq!(join(&journal(0, vec![]), &seen).unknown_to_server, [StreamId::of("a7", 0)]);
    }

    #[test]
    fn lateness_on_an_agents_path_is_that_of_its_last_chunks_alone() {
        let log = agent("a0", 0, vec![exchange(0, &[(15, true), (23, true)]), exchange(23, &[(40, true)])]);
        let entries = vec![
            entry("a0", 0, 0, &[(10, 15), (20, 23)]),
            entry("a0", 1, 23, &[(33, 40)]),
            entry("a1", 0, 0, &[(1, 99)]),
        ];
        let joined = join(
            &journal(1, entries),
            &transcript(vec![log.clone(), agent("a1", 0, vec![exchange(0, &[(99, true)])])]),
        );
        assert_eq!(lateness_on_path_ns(&joined, &log), 10_000_000);
    }

    proptest! {
        #[test]
        fn every_offset_is_observed_by_the_first_piece_that_reaches_it(
            sizes in prop::collection::vec(0_u64..9, 1..20),
            offsets in prop::collection::vec(0_u64..100, 1..20),
        ) {
            let pieces: Vec<PieceArrival> = (1..).zip(&sizes).map(|(at, &bytes)| PieceArrival { at: at_ms(at), bytes }).collect();
            let mut offsets = offsets;
            offsets.sort_unstable();
            let mut handed_on = handed_on(&pieces);
            for offset in offsets {
                let naive = (0..pieces.len())
                    .find(|&last| sizes[..=last].iter().sum::<u64>() >= offset)
                    .map(|last| pieces[last].at);
                prop_assert_eq!(handed_on(offset), naive);
            }
        }
    }
}
