//! How long clients waited: for the first piece, the first token, the next token and the end.
//!
//! Everything is counted from the instant just before the request was handed to the client, after any limiter; what
//! an agent waited for the limiter is in the wall time, not here.

use std::time::Duration;

use mock_ollama::clock::Instant;

use crate::transcript::{AgentLog, ExchangeLog, ExchangeOutcome, Transcript};

/// What one exchange took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExchangeLatency {
    /// Request sent to first piece of the body; absent when none came.
    pub first_chunk: Option<Duration>,
    /// Request sent to the piece that completed the first line with a token; absent when none came.
    pub ttft: Option<Duration>,
    /// The gaps between tokens: one fewer than tokens. Tokens that were handed on together are zero apart.
    pub itl: Vec<Duration>,
    /// Time per output token, (total − TTFT) / (tokens − 1); absent below two tokens.
    pub tpot: Option<Duration>,
    /// Request sent to end of exchange.
    pub total: Duration,
    /// Lines with a token.
    pub tokens: u64,
}

/// What one agent's exchanges took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AgentLatency {
    /// The agent's name.
    pub agent: String,
    /// First poll to end, the time waited for a limiter included.
    pub elapsed: Duration,
    /// One entry an exchange that was done, in order. Failed exchanges have no place among latencies.
    pub exchanges: Vec<ExchangeLatency>,
    /// Exchanges that failed.
    pub failed: usize,
}

/// The latencies of `exchange`.
pub(crate) fn of_exchange(exchange: &ExchangeLog) -> ExchangeLatency {
    let since_sent = |at: Instant| at.saturating_since(exchange.sent);
    let tokens: Vec<_> = exchange.lines.iter().filter(|line| line.token).map(|line| line.at).collect();
    let ttft = tokens.first().map(|&at| since_sent(at));
    let total = since_sent(exchange.ended);
    let gaps = u32::try_from(tokens.len().saturating_sub(1)).unwrap_or(u32::MAX);
    ExchangeLatency {
        first_chunk: exchange.pieces.first().map(|piece| since_sent(piece.at)),
        ttft,
        itl: tokens.windows(2).map(|pair| pair[1].saturating_since(pair[0])).collect(),
        tpot: ttft.and_then(|ttft| total.saturating_sub(ttft).checked_div(gaps)),
        total,
        tokens: tokens.len() as u64,
    }
}

/// The latencies of `agent`.
pub(crate) fn of_agent(agent: &AgentLog) -> AgentLatency {
    let done = |exchange: &&ExchangeLog| matches!(exchange.outcome, ExchangeOutcome::Done { .. });
    let exchanges: Vec<_> = agent.exchanges.iter().filter(done).map(of_exchange).collect();
    AgentLatency {
        agent: agent.agent.clone(),
        elapsed: agent.ended.saturating_since(agent.started),
        failed: agent.exchanges.len() - exchanges.len(),
        exchanges,
    }
}

/// The latencies of every agent, in the order of the workload.
pub(crate) fn of_transcript(transcript: &Transcript) -> Vec<AgentLatency> {
    transcript.agents.iter().map(of_agent).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::measure::fixture::{agent, exchange, failed};

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_stream_of_three_tokens_is_timed_from_the_moment_it_was_sent() {
        // Sent at 100 ms; an empty first line at 110, tokens at 130, 140, 170, the final object at 175 ms.
        let log = exchange(100, &[(110, false), (130, true), (140, true), (170, true), (175, false)]);
        let expected = ExchangeLatency {
            first_chunk: Some(ms(10)),
            ttft: Some(ms(30)),
            itl: vec![ms(10), ms(30)],
            tpot: Some(Duration::from_micros(22_500)),
            total: ms(75),
            tokens: 3,
        };
        assert_eq!(of_exchange(&log), expected);
    }

    #[test]
    fn a_single_token_has_a_first_but_no_time_per_token() {
        let latency = of_exchange(&exchange(0, &[(5, true), (9, false)]));
        assert_eq!((latency.ttft, latency.tpot, latency.itl), (Some(ms(5)), None, vec![]));
    }

    #[test]
    fn a_body_without_tokens_has_no_first_token() {
        let latency = of_exchange(&exchange(0, &[(5, false)]));
        assert_eq!((latency.first_chunk, latency.ttft, latency.tokens), (Some(ms(5)), None, 0));
    }

    #[test]
    fn a_failed_exchange_is_counted_and_kept_out_of_the_latencies() {
        let log = agent("a0", 0, vec![exchange(0, &[(5, true)]), failed(6, 7)]);
        let latency = of_agent(&log);
        assert_eq!((latency.exchanges.len(), latency.failed), (1, 1));
    }

    #[test]
    fn an_agents_time_includes_what_it_waited_before_sending() {
        let log = agent("a0", 0, vec![exchange(40, &[(50, true)])]);
        assert_eq!(of_agent(&log).elapsed, ms(50));
        assert_eq!(of_agent(&log).exchanges[0].total, ms(10));
    }

    proptest! {
        #[test]
        fn gaps_and_first_token_add_up_to_the_last_token(gaps in prop::collection::vec(0_u64..500, 1..50)) {
            let mut now = 7;
            let lines: Vec<(u64, bool)> = gaps.iter().map(|gap| { now += gap; (now, true) }).collect();
            let latency = of_exchange(&exchange(7, &lines));
            let sum = latency.ttft.unwrap() + latency.itl.iter().sum::<Duration>();
            prop_assert_eq!(sum, latency.total);
            prop_assert_eq!(latency.itl.len() as u64 + 1, latency.tokens);
        }
    }
}
