//! The agents, and the order of events.

use std::collections::VecDeque;

use mock_ollama::backend::{Curve, Settings};
use mock_ollama::clock::Instant;
use mock_ollama::journal::StreamId;
use mock_ollama::schedule::{Pace, Schedule};
use mock_ollama::seed::Seed;

use super::super::player::{Player, Rank};
use super::error::ModelError;
use super::scripts::Scripts;
use crate::clients::AgentEvent;
use crate::ndjson::ObjectSummary;
use crate::transcript::ExchangeOutcome;
use crate::workload::{AgentPlan, Workload};

/// A workload that is being played.
pub(super) struct Play<'a, S> {
    agents: Agents<'a, S>,
    /// Agents by their place in the order of their names, which is that of their streams. Each waits for one thing at a
    /// time, so its exchange and sequence decide nothing.
    player: Player,
}

/// The agents and all that they share.
struct Agents<'a, S> {
    plans: &'a [AgentPlan],
    /// The agents by rank, as places in the workload.
    order: Vec<u32>,
    states: Vec<AgentState>,
    scripts: Scripts<'a>,
    pace: Pace,
    seed: Seed,
    permits: usize,
    /// Agents without a permit, in the order in which they asked.
    waiting: VecDeque<Rank>,
    /// Takes each event: its instant, the agent's name, the exchange and what happened.
    sink: S,
}

/// Where an agent is.
#[derive(Default)]
struct AgentState {
    /// When its last request was sent.
    sent: Instant,
    /// Only under a pace with jitter; all other schedules are those of the scripts.
    schedule: Option<Box<Schedule>>,
    request: u32,
    exchange: u32,
    /// How many times more it may send its request.
    retries: u32,
    script: u32,
    chunk: u32,
    tokens: u32,
    next: Next,
}

/// What an agent waits for.
#[derive(Clone, Copy, Default)]
enum Next {
    /// The end of its pause.
    #[default]
    Send,
    /// The next chunk, or the end of the response.
    Chunk,
    /// Its own timeout, before the next chunk.
    Timeout,
}

impl<'a, S: FnMut(Instant, &str, u32, AgentEvent)> Play<'a, S> {
    pub(super) fn new(workload: &'a Workload, pace: Pace, seed: Seed, sink: S) -> Result<Self, ModelError> {
        if workload.backend != Settings::default() {
            return Err(ModelError::Backend);
        }
        let plans = workload.agents.as_slice();
        let count: u32 = plans.len().try_into().map_err(|_| ModelError::TooMany)?;
        let name = |place: u32| plans[place as usize].name.as_str();
        // Ranks are compared at every event: a number in place of a name.
        let mut order: Vec<u32> = (0..count).collect();
        order.sort_unstable_by_key(|place| name(*place));
        if let Some(same) = order.windows(2).find(|pair| name(pair[0]) == name(pair[1])) {
            return Err(ModelError::SameName { name: name(same[0]).to_owned() });
        }
        let states = plans.iter().map(|_| AgentState::default()).collect();
        let scripts = Scripts::new(workload, pace)?;
        let permits = workload.limit.map_or(usize::MAX, usize::from);
        let agents = Agents { plans, order, states, scripts, pace, seed, permits, waiting: VecDeque::new(), sink };
        Ok(Self { agents, player: Player::new(Curve::Independent) })
    }

    /// Plays it to its end.
    pub(super) fn play(mut self) {
        self.begin();
        let Self { mut agents, mut player } = self;
        while let Some((at, rank)) = player.advance() {
            // One that leaves hands its permit on at the same instant.
            let next = agents.step(at, rank).map(|next| (next, rank)).or_else(|| agents.admit(at));
            if let Some((at, rank)) = next {
                player.wait_until(rank, at);
            }
        }
    }

    /// Every agent begins, in the order of the workload, before anything is sent.
    fn begin(&mut self) {
        let Self { agents, player } = self;
        let mut ranks = vec![0; agents.order.len()];
        for (rank, place) in (0..).zip(&agents.order) {
            ranks[*place as usize] = rank;
        }
        for rank in ranks {
            agents.note(Instant::ZERO, rank, AgentEvent::Started);
            agents.waiting.push_back(rank);
            if let Some((at, rank)) = agents.admit(Instant::ZERO) {
                player.wait_until(rank, at);
            }
        }
    }
}

impl<S: FnMut(Instant, &str, u32, AgentEvent)> Agents<'_, S> {
    fn plan(&self, rank: Rank) -> &AgentPlan {
        &self.plans[self.order[rank as usize] as usize]
    }

    fn note(&mut self, at: Instant, rank: Rank, event: AgentEvent) {
        let plan = &self.plans[self.order[rank as usize] as usize];
        (self.sink)(at, &plan.name, self.states[rank as usize].exchange, event);
    }

    /// Gives the next waiting agent a permit, if there is one; agents without requests hand theirs on at once.
    fn admit(&mut self, at: Instant) -> Option<(Instant, Rank)> {
        while self.permits > 0 {
            let rank = self.waiting.pop_front()?;
            self.permits -= 1;
            if let Some(first) = self.turn_to_request(at, rank, 0) {
                return Some((first, rank));
            }
        }
        None
    }

    /// Lets an agent think about a request, or leave when there is none. Returns when it has thought.
    fn turn_to_request(&mut self, at: Instant, rank: Rank, request: u32) -> Option<Instant> {
        let plan = self.plan(rank);
        let (asks, behavior) = ((request as usize) < plan.requests.len(), plan.behavior);
        if !asks {
            self.note(at, rank, AgentEvent::Left);
            // Handed on by `admit`, after the event of leaving.
            self.permits += 1;
            return None;
        }
        let agent = &mut self.states[rank as usize];
        agent.request = request;
        agent.retries = behavior.retries;
        agent.next = Next::Send;
        Some(at.saturating_add(behavior.think))
    }

    /// Lets happen what an agent waits for. Returns until when it waits next, or nothing when it has left.
    fn step(&mut self, at: Instant, rank: Rank) -> Option<Instant> {
        match self.states[rank as usize].next {
            Next::Send => Some(self.send(at, rank)),
            Next::Chunk => self.read(at, rank),
            Next::Timeout => self.end(at, rank, ExchangeOutcome::TIMED_OUT),
        }
    }

    fn send(&mut self, at: Instant, rank: Rank) -> Instant {
        self.note(at, rank, AgentEvent::Sent);
        let agent = &mut self.states[rank as usize];
        let plan = &self.plans[self.order[rank as usize] as usize];
        agent.script = self.scripts.answer(rank, &plan.requests[agent.request as usize]);
        // Without jitter all streams of a script share its schedule, so that a million agents keep none.
        agent.schedule = (self.pace.jitter > 0.0).then(|| {
            let stream = StreamId::of(&plan.name, agent.exchange);
            Box::new(Schedule::of_stream(self.pace, self.seed, &stream))
        });
        agent.sent = at;
        agent.chunk = 0;
        agent.tokens = 0;
        self.wait(at, rank)
    }

    /// Until when a reading agent waits: for the next chunk, or for its timeout where that comes before.
    fn wait(&mut self, at: Instant, rank: Rank) -> Instant {
        let timeout = self.plan(rank).behavior.timeout;
        let agent = &mut self.states[rank as usize];
        let script = self.scripts.get(agent.script);
        let offset = script.due(agent.chunk as usize, agent.schedule.as_deref_mut());
        // A body ends at the instant of its last chunk.
        let due = offset.map_or(at, |offset| agent.sent.saturating_add(offset));
        match timeout.map(|limit| agent.sent.saturating_add(limit)) {
            Some(deadline) if deadline < due => {
                agent.next = Next::Timeout;
                deadline
            }
            _ => {
                agent.next = Next::Chunk;
                due
            }
        }
    }

    /// The next chunk comes, or the end of the response. The head comes with the first of them.
    fn read(&mut self, at: Instant, rank: Rank) -> Option<Instant> {
        let place = self.order[rank as usize] as usize;
        let AgentPlan { name, behavior, .. } = &self.plans[place];
        let agent = &mut self.states[rank as usize];
        let script = self.scripts.get(agent.script);
        let chunk = agent.chunk as usize;
        let mut note = |event| (self.sink)(at, name, agent.exchange, event);
        if chunk == 0 {
            note(AgentEvent::Head { status: script.status });
        }
        let mut line = |object: &ObjectSummary| {
            note(AgentEvent::Line { body_end: object.body_end, token: object.token });
        };
        if chunk < script.chunks() {
            let lines = script.lines(chunk);
            for object in lines {
                line(object);
                agent.tokens += u32::from(object.token);
            }
            agent.chunk += 1;
            let is_stream = (200..300).contains(&script.status);
            if is_stream && behavior.cancel_after.is_some_and(|enough| agent.tokens >= enough.get()) {
                return self.end(at, rank, ExchangeOutcome::HUNG_UP);
            }
            if chunk + 1 < script.chunks() || !script.ends_with_chunk {
                return Some(self.wait(at, rank));
            }
        }
        script.last_lines().iter().for_each(line);
        let how = script.how;
        self.end(at, rank, how)
    }

    /// An exchange ends: the agent asks again, turns to its next request, or leaves.
    fn end(&mut self, at: Instant, rank: Rank, how: &'static str) -> Option<Instant> {
        self.note(at, rank, AgentEvent::Ended { how: how.into() });
        let pause = self.plan(rank).behavior.retry_pause;
        let agent = &mut self.states[rank as usize];
        agent.exchange += 1;
        agent.schedule = None;
        if agent.retries > 0 && ExchangeOutcome::kind_is_worth_another_try(how) {
            agent.retries -= 1;
            agent.next = Next::Send;
            return Some(at.saturating_add(pause));
        }
        let request = agent.request + 1;
        self.turn_to_request(at, rank, request)
    }
}
