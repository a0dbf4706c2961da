//! A recording in a few lines, for people.

use std::fmt;

use crate::dialect::native::answer::Answer;
use crate::recording::{End, Exchange, Method, Origin, Recording};
use crate::terminal::in_line;

/// What a recording holds, derived from its bytes and times alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The recording's name.
    pub name: String,
    /// How the times came about.
    pub origin: Origin,
    /// The server that answered, where it is known.
    pub server: Option<String>,
    /// The model as the server lists it.
    pub model: String,
    /// One summary an exchange, in order.
    pub exchanges: Vec<ExchangeSummary>,
}

/// What one exchange holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExchangeSummary {
    /// Method and path, where the request is known.
    pub endpoint: Option<(Method, String)>,
    /// The model that was asked for: by the request, else by what the answer states.
    pub model: Option<String>,
    /// The response's status code.
    pub status: u16,
    /// The number of chunks.
    pub chunks: usize,
    /// The body's length in bytes.
    pub bytes: u64,
    /// Objects that carry text, thinking or a tool call; absent when the body is not a native answer.
    pub tokens: Option<usize>,
    /// The `eval_count` that the answer states.
    pub eval_count: Option<u64>,
    /// The `done_reason` that the answer states.
    pub done_reason: Option<String>,
    /// From the request to the first token, in microseconds.
    pub ttft_us: Option<u64>,
    /// From the request to the last chunk, in microseconds.
    pub last_us: Option<u64>,
    /// The gaps between tokens; absent when there are fewer than two.
    pub gaps: Option<GapQuantiles>,
    /// How the body ended.
    pub end: End,
}

/// Quantiles of gaps by nearest rank, in microseconds: each is a gap that occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GapQuantiles {
    /// Half of the gaps are at most this long.
    pub p50_us: u64,
    /// Nine of ten.
    pub p90_us: u64,
    /// Ninety-nine of a hundred.
    pub p99_us: u64,
    /// The longest gap.
    pub max_us: u64,
}

impl Summary {
    /// Summarises `recording`.
    pub fn of(recording: &Recording) -> Self {
        Self {
            name: recording.name.clone(),
            origin: recording.origin,
            server: recording.server.clone(),
            model: recording.model.name.clone(),
            exchanges: recording.exchanges.iter().map(ExchangeSummary::of).collect(),
        }
    }
}

impl ExchangeSummary {
    /// Summarises `exchange`.
    pub fn of(exchange: &Exchange) -> Self {
        let answers = answers(exchange);
        let is_native = answers.iter().any(|(_, answer)| answer.path().is_some());
        let tokens: Vec<u64> =
            answers.iter().filter(|(_, answer)| answer.has_token()).map(|(at_us, _)| *at_us).collect();
        let gaps = tokens.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let request = exchange.request.as_ref();
        let asked_for = request.and_then(|request| request.body.as_ref()?.string("model"));
        Self {
            endpoint: exchange.request.as_ref().map(|request| (request.method, request.path.clone())),
            model: asked_for.or_else(|| answers.iter().find_map(|(_, answer)| answer.model.clone())),
            status: exchange.response.status,
            chunks: exchange.chunks.len(),
            bytes: exchange.body_len(),
            tokens: is_native.then_some(tokens.len()),
            eval_count: answers.iter().rev().find_map(|(_, answer)| answer.eval_count),
            done_reason: answers.iter().rev().find_map(|(_, answer)| answer.done_reason.clone()),
            ttft_us: tokens.first().copied(),
            last_us: exchange.chunks.last().map(|chunk| chunk.at_us),
            gaps: GapQuantiles::of(gaps),
            end: exchange.end,
        }
    }
}

impl GapQuantiles {
    fn of(mut gaps: Vec<u64>) -> Option<Self> {
        gaps.sort_unstable();
        let rank = |percent: usize| gaps.get((gaps.len() * percent).div_ceil(100).checked_sub(1)?).copied();
        Some(Self { p50_us: rank(50)?, p90_us: rank(90)?, p99_us: rank(99)?, max_us: rank(100)? })
    }
}

/// Returns the objects of a native body, each with the offset of the chunk that completed it; what is not a native
/// object is passed over.
fn answers(exchange: &Exchange) -> Vec<(u64, Answer)> {
    let chunks = &exchange.chunks;
    if let [only] = chunks.as_slice()
        && let Ok(answer) = serde_json::from_slice(&only.bytes)
    {
        // One object, which may span lines.
        return vec![(only.at_us, answer)];
    }
    let mut answers = Vec::new();
    let mut pending = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        for piece in chunk.bytes.split_inclusive(|byte| *byte == b'\n') {
            pending.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                answers.extend(serde_json::from_slice(&pending).ok().map(|answer| (chunk.at_us, answer)));
                pending.clear();
            }
        }
        if index + 1 == chunks.len() {
            answers.extend(serde_json::from_slice(&pending).ok().map(|answer| (chunk.at_us, answer)));
        }
    }
    answers
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = in_line(self.server.as_deref().unwrap_or("an unknown server"));
        let (name, model) = (in_line(&self.name), in_line(&self.model));
        writeln!(f, "{name}: {} from {server}, model {model}", self.origin.as_str())?;
        for (index, exchange) in self.exchanges.iter().enumerate() {
            write!(f, "{:>3}. {exchange}", index + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for ExchangeSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Some((method, path)) => write!(f, "{} {}", method.as_str(), in_line(path))?,
            None => f.write_str("request not known")?,
        }
        if let Some(model) = &self.model {
            write!(f, " ({})", in_line(model))?;
        }
        writeln!(f, " -> {}", self.status)?;
        write!(f, "     body    chunks {}, bytes {}", self.chunks, self.bytes)?;
        if let Some(tokens) = self.tokens {
            write!(f, ", tokens {tokens}")?;
        }
        if let Some(count) = self.eval_count {
            write!(f, ", eval_count {count}")?;
        }
        writeln!(f)?;
        if let Some(last) = self.last_us {
            f.write_str("     times   ")?;
            if let Some(ttft) = self.ttft_us {
                write!(f, "first token {}, ", Millis(ttft))?;
            }
            writeln!(f, "last chunk {}", Millis(last))?;
        }
        if let Some(gaps) = &self.gaps {
            let [p50, p90, p99, max] = [gaps.p50_us, gaps.p90_us, gaps.p99_us, gaps.max_us].map(Millis);
            writeln!(f, "     gaps    p50 {p50}, p90 {p90}, p99 {p99}, max {max}")?;
        }
        let how = match self.end {
            End::Clean => "clean",
            End::Eof => "the server closed before the end",
            End::Reset => "the server reset the connection",
            End::ClientClosed => "the recorder closed before the end",
            End::Timeout => "the recorder gave up waiting",
        };
        let reason = self.done_reason.as_deref().map(|reason| format!(", done_reason {}", in_line(reason)));
        writeln!(f, "     end     {how}{}", reason.unwrap_or_default())
    }
}

/// Microseconds, shown as milliseconds.
struct Millis(u64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} ms", self.0 / 1000, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests;
