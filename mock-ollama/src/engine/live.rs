//! An answer that is rendered while it is served, so that its times and counters are those of the served timeline.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Instant, WallAnchor};
use crate::dialect::{self, Ids, Render};
use crate::fault::NextStep;
use crate::generation::{
    Content, Dialect, Done, Ending, Generation, Logprob, Metrics, ParsedRequest, Part, Piece, Reason, ToolCall,
};
use crate::http::Reply;
use crate::models::Card;
use crate::recording::End;
use crate::schedule::Schedule;

/// A generation that is being rendered and sent.
#[derive(Debug)]
pub(super) struct LiveAnswer {
    generation: Arc<Generation>,
    render: Box<dyn Render>,
    ids: Ids,
    stream: bool,
    logprobs: Option<usize>,
    calls: KeptCalls,
    /// The pieces that this dialect shows.
    shown: Vec<usize>,
    /// How many of them have been rendered; whole answers render all at once.
    next: usize,
    ended: bool,
    /// How the connection ends.
    pub(super) end: End,
    /// HTTP chunks that were rendered and have not left.
    ready: VecDeque<Vec<u8>>,
    /// When the first and the last piece so far were due.
    first_due: Option<Instant>,
    last_due: Instant,
}

/// Which tool calls of the model reach the client (`server/routes.go`). Only a built-in parser finds calls where no tools
/// were offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeptCalls {
    /// All.
    All,
    /// Of a stream all, of a folded answer those of its last object: a built-in parser in a chat without tools.
    Last,
    /// Those of the final object, without ids: a built-in parser under `/api/generate`.
    Final,
}

/// When an answer began to be served, and what came before.
pub(super) struct ServedTimes {
    /// The request was complete.
    pub(super) received: Instant,
    /// How long it waited until its model was loaded.
    pub(super) loading: Duration,
    /// It had its slot.
    pub(super) start: Instant,
}

/// What leaves next.
pub(super) enum Rendered {
    /// A chunk of a stream.
    Chunk(Vec<u8>),
    /// The whole answer.
    Whole(Reply),
}

impl LiveAnswer {
    /// Returns the answer to `ask`; `end` is how the connection of its recording ended. A generation that was complete is
    /// served whole, even though the recorded client hung up.
    pub(super) fn new(ask: &ParsedRequest, card: &Card, (generation, end): (Arc<Generation>, End), ids: Ids) -> Self {
        let end = if generation.ending == Ending::Silent { end } else { End::Clean };
        let shown = shown(ask, card, &generation.pieces);
        let calls = match (card.parser.is_some(), ask.is_generate()) {
            (true, true) => KeptCalls::Final,
            (true, false) if ask.tools.is_empty() => KeptCalls::Last,
            _ => KeptCalls::All,
        };
        let sends_context = ask.dialect == Dialect::Generate && !ask.raw;
        let generation = if sends_context || generation.context.is_empty() {
            generation
        } else {
            Arc::new(Generation { context: Vec::new(), ..(*generation).clone() })
        };
        Self {
            generation,
            render: dialect::of(ask.dialect).render(ask, ids),
            ids,
            stream: ask.stream,
            logprobs: ask.logprobs,
            calls,
            shown,
            next: 0,
            ended: false,
            end,
            ready: VecDeque::new(),
            first_due: None,
            last_due: Instant::ZERO,
        }
    }

    /// Returns the fields of the head of a stream. One that ends before its first object still has the type that the
    /// native handler set (`server/routes.go`, `streamResponse`).
    pub(super) fn stream_fields(&self, has_body: bool) -> Vec<(String, String)> {
        let mut fields = self.render.stream_fields();
        if !has_body {
            let kind = fields.iter_mut().find(|(name, _)| name == "Content-Type");
            if let Some((_, kind)) = kind {
                "application/x-ndjson".clone_into(kind);
            }
        }
        fields
    }

    pub(super) fn is_stream(&self) -> bool {
        self.stream
    }

    /// Returns the status and text of a failure that is the whole answer: of a stream, one before its first object.
    pub(super) fn whole_failure(&self) -> Option<(u16, &str)> {
        match &self.generation.ending {
            Ending::Failed { status, text } if self.shown.is_empty() || !self.stream => Some((*status, text)),
            _ => None,
        }
    }

    /// Returns when the next step happens. Must be called once a chunk, in order.
    pub(super) fn next_step(&mut self, schedule: &mut Schedule, start: Instant) -> NextStep {
        // What was rendered with the last chunk leaves at its instant.
        if !self.ready.is_empty() {
            return if schedule.is_stepped() { NextStep::ChunkOnRelease } else { NextStep::ChunkAt(self.last_due) };
        }
        if self.ended {
            return NextStep::End;
        }
        let mut offset = None;
        if self.stream {
            let at = self.shown.get(self.next).map_or(self.generation.last.at, |piece| self.at(*piece));
            offset = schedule.next(at);
        } else {
            // The schedule is asked for every piece all the same, so that the whole answer is due when its stream would end.
            for place in 0..=self.shown.len() {
                let at = self.shown.get(place).map_or(self.generation.last.at, |piece| self.at(*piece));
                offset = schedule.next(at);
                if place == 0 && !self.shown.is_empty() {
                    self.first_due = offset.map(|offset| start.saturating_add(offset));
                }
            }
        }
        offset.map_or(NextStep::ChunkOnRelease, |offset| NextStep::ChunkAt(start.saturating_add(offset)))
    }

    fn at(&self, piece: usize) -> Duration {
        self.generation.pieces[piece].at
    }

    /// Renders what leaves at `due`, stamped with `now`; `None` when this moment has nothing to show.
    pub(super) fn produce(
        &mut self,
        due: Instant,
        now: Instant,
        served: &ServedTimes,
        wall: WallAnchor,
    ) -> Option<Rendered> {
        if let Some(chunk) = self.ready.pop_front() {
            return Some(Rendered::Chunk(chunk));
        }
        self.last_due = due;
        let unix_nanos = wall.unix_nanos(now);
        if !self.stream {
            self.ended = true;
            self.next = self.shown.len();
            let part = self.folded(unix_nanos, due, now, served);
            return Some(Rendered::Whole(self.render.whole(&part)));
        }
        let chunks = if let Some(piece) = self.shown.get(self.next) {
            self.next += 1;
            self.first_due.get_or_insert(due);
            let mut part = Part { unix_nanos, ..Part::default() };
            self.add(&mut part, &self.generation.pieces[*piece]);
            self.render.part(&part)
        } else {
            self.ended = true;
            match &self.generation.ending {
                Ending::Done(reason) => {
                    let done = Some(self.done(*reason, due, now, served));
                    let mut part = Part { unix_nanos, done, ..Part::default() };
                    self.add(&mut part, &self.generation.last);
                    self.render.part(&part)
                }
                Ending::Silent => Vec::new(),
                Ending::Failed { text, .. } => self.render.failure(text),
            }
        };
        self.ready.extend(chunks.into_iter().filter(|chunk| !chunk.is_empty()));
        self.ready.pop_front().map(Rendered::Chunk)
    }

    /// Returns the last words for a client that shut its output down before the end; it may still read them.
    pub(super) fn cancelled(&mut self, begun: bool) -> Option<Vec<u8>> {
        // `llm/llama_server.go`: the context of the request is what the runner's answer is read under.
        let text = "error reading llama-server response: context canceled";
        (self.stream && begun).then(|| self.render.failure(text).concat())
    }

    /// Folds all pieces into one part.
    fn folded(&self, unix_nanos: u64, due: Instant, now: Instant, served: &ServedTimes) -> Part {
        let done = match self.generation.ending {
            Ending::Done(reason) => Some(self.done(reason, due, now, served)),
            Ending::Silent | Ending::Failed { .. } => None,
        };
        let last = done.is_some().then_some(&self.generation.last);
        let is_blank = self.shown.is_empty() && last.is_none();
        let mut part = Part { unix_nanos, is_blank, done, ..Part::default() };
        for piece in self.shown.iter().map(|piece| &self.generation.pieces[*piece]).chain(last) {
            if self.calls != KeptCalls::All {
                part.calls.clear();
            }
            self.add(&mut part, piece);
        }
        part
    }

    fn add(&self, part: &mut Part, piece: &Piece) {
        match &piece.content {
            Content::Text(text) => part.text.extend_from_slice(text),
            Content::Thinking(text) => part.thinking.push_str(text),
            Content::Calls(calls) if self.calls != KeptCalls::Final => {
                part.calls.extend(calls.iter().map(|call| self.with_id(call)));
            }
            Content::Calls(calls) if part.done.is_some() => part.calls.extend_from_slice(calls),
            Content::Held | Content::Calls(_) => {}
        }
        if let Some(top) = self.logprobs {
            let shortened = piece
                .logprobs
                .iter()
                .map(|logprob| Logprob { top: logprob.top.iter().take(top).cloned().collect(), ..logprob.clone() });
            part.logprobs.extend(shortened);
        }
    }

    fn with_id(&self, call: &ToolCall) -> ToolCall {
        let own = || format!("call_{}", self.ids.alphanumeric(&format!("call {}", call.index), 8));
        ToolCall { id: Some(call.id.clone().unwrap_or_else(own)), ..call.clone() }
    }

    fn done(&self, reason: Reason, due: Instant, now: Instant, served: &ServedTimes) -> Done {
        let metrics = Some(self.metrics(due, now, served));
        Done { reason, metrics, context: self.generation.context.clone() }
    }

    /// Returns the counters of the served timeline: the load and prompt times of the recording or script, stretched as its
    /// first piece was. Waiting for a load is in the load time, waiting for a slot in the total alone. Go leaves out
    /// a metric that is zero, so none is.
    fn metrics(&self, due: Instant, now: Instant, &ServedTimes { received, loading, start }: &ServedTimes) -> Metrics {
        let generation = &*self.generation;
        let (served, stated) = match (self.first_due, self.shown.first()) {
            (Some(first), Some(piece)) => (first, self.at(*piece)),
            _ => (due, generation.last.at),
        };
        let served = served.saturating_since(start);
        let load = stretch(generation.load, stated, served);
        let prompt_end = stretch(generation.prompt_end, stated, served).max(load);
        let end = due.saturating_since(start);
        let (load_ns, prompt_eval_ns) = (positive(loading + load), positive(prompt_end.saturating_sub(load)));
        let eval_ns = positive(end.saturating_sub(prompt_end));
        let total_ns = positive(now.saturating_since(received)).max(load_ns + prompt_eval_ns + eval_ns);
        let Generation { prompt_count, eval_count, .. } = *generation;
        Metrics { total_ns, load_ns, prompt_eval_count: prompt_count, prompt_eval_ns, eval_count, eval_ns }
    }
}

/// Returns the places of the pieces that become objects in the dialect of the request (`server/routes.go`).
///
/// With a built-in parser, a piece of which nothing is shown is sent for its logprobs alone. Without one,
/// `/api/generate` sends it in any case; chat sends it for its logprobs, unless it is held for the tags of thinking.
fn shown(ask: &ParsedRequest, card: &Card, pieces: &[Piece]) -> Vec<usize> {
    let (parsed, generate) = (card.parser.is_some(), ask.is_generate());
    let logprobs = ask.logprobs.is_some();
    let thinks = pieces.iter().any(|piece| matches!(piece.content, Content::Thinking(_)));
    let has_content = |piece: &Piece| matches!(piece.content, Content::Text(_) | Content::Calls(_));
    let first_content = pieces.iter().position(has_content).unwrap_or(pieces.len());
    let sends_held = |place| match (parsed, generate) {
        (true, _) => logprobs,
        (false, true) => true,
        (false, false) => logprobs && !(thinks && place < first_content),
    };
    let is_shown = |place: usize| match &pieces[place].content {
        Content::Held => sends_held(place),
        Content::Calls(_) if parsed && generate => logprobs,
        _ => true,
    };
    (0..pieces.len()).filter(|place| is_shown(*place)).collect()
}

/// Returns `time` on a timeline on which `stated` became `served`, rounded down to the nanosecond.
fn stretch(time: Duration, stated: Duration, served: Duration) -> Duration {
    if stated.is_zero() {
        return Duration::ZERO;
    }
    let nanos = time.min(stated).as_nanos() * served.as_nanos() / stated.as_nanos();
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn positive(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1)
}
