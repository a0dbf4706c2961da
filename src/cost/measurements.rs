//! One measurement, per token and per agent.

use std::collections::BTreeMap;

use mock_ollama::journal::{Caller, ChunkSent, Journal};

use crate::measure::lag;
use crate::stats::quantile::Sorted;
use crate::transcript::Transcript;

use super::meter::Spent;
use super::{Metric, Subject};

/// One measurement: its subject, and what it cost.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured {
    pub(super) subject: Subject,
    pub(super) agents: usize,
    /// Counted from zero.
    pub(super) round: usize,
    /// How the executor describes itself.
    pub(super) executor: String,
    pub(super) values: BTreeMap<Metric, f64>,
    /// Why system calls are not among the values, where they were to be counted.
    pub(super) uncounted: Option<String>,
}

/// What a client did and saw, of all its agents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Observations {
    pub(super) agents: u64,
    pub(super) tokens: u64,
    pub(super) pieces: u64,
    pub(super) lag_ns: Vec<i64>,
    pub(super) lateness_ns: Vec<i64>,
}

/// What was used, per token and per agent. What was not counted is absent.
pub(super) fn values(spent: &Spent, system_calls: Option<u64>, seen: Observations) -> BTreeMap<Metric, f64> {
    let per_token = |count: u64| real(count) / real(seen.tokens.max(1));
    let nanos = u64::try_from(spent.cpu.as_nanos()).unwrap_or(u64::MAX);
    let mut values = BTreeMap::from([
        (Metric::Cpu, per_token(nanos)),
        (Metric::Waited, per_token(spent.waited)),
        (Metric::Displaced, per_token(spent.displaced)),
        (Metric::Calls, per_token(spent.calls)),
        (Metric::Pieces, per_token(seen.pieces)),
        (Metric::Resident, real(spent.grown_kib) * 1024.0 / real(seen.agents.max(1))),
    ]);
    if let Some(allocated) = spent.allocated {
        values.insert(Metric::Allocations, per_token(allocated.count));
        values.insert(Metric::AllocatedBytes, per_token(allocated.bytes));
    }
    if let Some(calls) = system_calls {
        values.insert(Metric::SystemCalls, per_token(calls));
    }
    if let Some(lag) = Sorted::new(seen.lag_ns) {
        values.insert(Metric::LagP50, signed(lag.permille(500)));
        values.insert(Metric::LagP99, signed(lag.permille(990)));
    }
    if let Some(late) = Sorted::new(seen.lateness_ns) {
        values.insert(Metric::LatenessP99, signed(late.permille(990)));
    }
    values
}

/// What a client saw, joined with what the server wrote; an error where something was not seen at all.
pub(super) fn seen(journal: &Journal, transcript: &Transcript, tokens: u64) -> Result<Observations, String> {
    let joined = lag::join(journal, transcript);
    let unobserved: usize = joined.streams.iter().map(|stream| stream.unobserved).sum();
    if joined.streams.len() != transcript.agents.len() || unobserved > 0 {
        let streams = joined.streams.len();
        return Err(format!("the server knows {streams} streams, and {unobserved} chunks of them were never seen"));
    }
    let exchanges = transcript.agents.iter().flat_map(|agent| &agent.exchanges);
    let mut seen = Observations {
        agents: transcript.agents.len() as u64,
        tokens,
        pieces: exchanges.map(|exchange| exchange.pieces.len() as u64).sum(),
        ..Observations::default()
    };
    for stream in joined.streams {
        seen.lag_ns.extend(stream.lag_ns);
        seen.lateness_ns.extend(stream.lateness_ns);
    }
    Ok(seen)
}

/// The longest head that an answer may have.
const MOST_HEAD_BYTES: u64 = 4096;

/// Counts the journal's offsets from the first byte on the wire, head and framing included, as the floor counts what it reads:
/// every chunk is `SIZE\r\n…\r\n`, the body ends with `0\r\n\r\n` (RFC 9112 §7.1), and the head is what is left of all bytes.
pub(super) fn on_the_wire(journal: &mut Journal, transcript: &Transcript) -> Result<(), String> {
    let received: BTreeMap<&str, u64> = transcript
        .agents
        .iter()
        .map(|agent| {
            let pieces = agent.exchanges.iter().flat_map(|exchange| &exchange.pieces);
            (agent.agent.as_str(), pieces.map(|piece| piece.bytes).sum())
        })
        .collect();
    for entry in &mut journal.entries {
        let Caller::Agent(agent) = &entry.stream.caller else { continue };
        let Some(&received) = received.get(&**agent) else { continue };
        let framed: u64 = sizes(&entry.chunks).map(framed_size).sum();
        let head = received.checked_sub(framed + 5).filter(|head| (1..=MOST_HEAD_BYTES).contains(head));
        let head = head.ok_or_else(|| format!("{received} bytes are no answer whose chunks take {framed}"))?;
        let mut end = head;
        let sizes: Vec<u64> = sizes(&entry.chunks).collect();
        for (chunk, size) in entry.chunks.iter_mut().zip(sizes) {
            end += framed_size(size);
            chunk.body_end = end;
        }
    }
    Ok(())
}

/// The size of a chunk of that many bytes on the wire, with its head and its end.
fn framed_size(bytes: u64) -> u64 {
    let digits = u64::from(bytes.max(1).ilog2() / 4 + 1);
    digits + 2 + bytes + 2
}

fn sizes(chunks: &[ChunkSent]) -> impl Iterator<Item = u64> + '_ {
    let before = std::iter::once(0).chain(chunks.iter().map(|chunk| chunk.body_end));
    chunks.iter().zip(before).map(|(chunk, before)| chunk.body_end - before)
}

#[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of one run are far below 2^53")]
fn signed(nanos: i64) -> f64 {
    nanos as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cost::Allocated;
    use crate::measure::fixture::{agent, entry, exchange, journal, transcript};
    use crate::transcript::PieceArrival;

    fn spent() -> Spent {
        Spent {
            cpu: Duration::from_micros(400),
            waited: 50,
            displaced: 5,
            calls: 20,
            allocated: Some(Allocated { count: 250, bytes: 10_000 }),
            grown_kib: 8,
        }
    }

    fn two_agents() -> Observations {
        Observations { agents: 2, tokens: 100, pieces: 80, lag_ns: (1..=100).rev().collect(), lateness_ns: vec![-3] }
    }

    #[test]
    fn what_was_used_is_divided_by_the_tokens_and_memory_by_the_agents() {
        let expected = [
            (Metric::Cpu, 4_000.0),
            (Metric::Allocations, 2.5),
            (Metric::AllocatedBytes, 100.0),
            (Metric::Waited, 0.5),
            (Metric::Displaced, 0.05),
            (Metric::SystemCalls, 3.1),
            (Metric::Calls, 0.2),
            (Metric::Pieces, 0.8),
            (Metric::Resident, 4_096.0),
            (Metric::LagP50, 50.0),
            (Metric::LagP99, 99.0),
            (Metric::LatenessP99, -3.0),
        ];
        assert_eq!(values(&spent(), Some(310), two_agents()), BTreeMap::from(expected));
    }

    #[test]
    fn what_nothing_counted_is_absent() {
        let uncounted = Spent { allocated: None, ..spent() };
        let values = values(&uncounted, None, Observations { lag_ns: Vec::new(), ..two_agents() });
        let absent = [Metric::Allocations, Metric::AllocatedBytes, Metric::SystemCalls, Metric::LagP50, Metric::LagP99];
        for metric in absent {
            assert!(!values.contains_key(&metric), "{metric:?}");
        }
    }

    #[test]
    fn a_framed_chunk_has_the_digits_of_its_size_in_hexadecimal() {
        for size in [1_u64, 15, 16, 109, 255, 256, 4095, 4096] {
            assert_eq!(framed_size(size), format!("{size:x}\r\n\r\n").len() as u64 + size, "{size}");
        }
    }

    #[test]
    fn offsets_on_the_wire_begin_behind_the_head_and_count_the_framing() {
        let mut journal = journal(1, vec![entry("a0", 0, 0, &[(10, 10), (20, 20)])]);
        let sizes: Vec<u64> = sizes(&journal.entries[0].chunks).collect();
        let (head, first, second) = (90, framed_size(sizes[0]), framed_size(sizes[1]));
        let mut log = exchange(0, &[]);
        let at = log.sent;
        log.pieces = [head + first, second + 5].map(|bytes| PieceArrival { at, bytes }).to_vec();
        let transcript = transcript(vec![agent("a0", 0, vec![log])]);
        on_the_wire(&mut journal, &transcript).unwrap();
        let ends: Vec<u64> = journal.entries[0].chunks.iter().map(|chunk| chunk.body_end).collect();
        assert_eq!(ends, [head + first, head + first + second]);
    }

    #[test]
    fn an_answer_that_is_too_short_for_its_chunks_is_refused() {
        let mut journal = journal(1, vec![entry("a0", 0, 0, &[(10, 10)])]);
        let mut log = exchange(0, &[]);
        log.pieces = vec![PieceArrival { at: log.sent, bytes: 3 }];
        let refused = on_the_wire(&mut journal, &transcript(vec![agent("a0", 0, vec![log])])).unwrap_err();
        assert!(refused.starts_with("3 bytes are no answer"), "{refused}");
    }
}
