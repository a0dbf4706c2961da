//! The scripts themselves on the backend behind the server: no client, no executor, no limiter.

use std::collections::BTreeMap;
use std::time::Duration;

use mock_ollama::clock::Instant;
use mock_ollama::engine::{Action, Config, Engine};
use mock_ollama::journal::{CALLER_HEADER, ConnId, Fate, ServerId, StreamId};

use crate::workload::AgentPlan;

/// The wall time of agents that all begin at once, each sending its requests one after the other and thinking as its
/// behavior says, when client code costs nothing and limits nothing.
///
/// It is what the engine itself takes: the same slots, loads and shares as in every other run.
pub fn wall(config: Config, agents: &[AgentPlan]) -> Duration {
    let mut player =
        ScriptPlayer { engine: Engine::new(config), now: Instant::ZERO, turns: BTreeMap::new(), plans: agents };
    for (agent, plan) in agents.iter().enumerate() {
        player.engine.handle_connected(conn(agent), ServerId(0), Instant::ZERO);
        player.turn_to(agent, 0, Instant::ZERO.saturating_add(plan.behavior.think));
    }
    player.play();
    player.now.saturating_since(Instant::ZERO)
}

struct ScriptPlayer<'a> {
    engine: Engine,
    now: Instant,
    /// Requests that are due, in the order of their instants and of the workload.
    turns: BTreeMap<(Instant, usize), usize>,
    plans: &'a [AgentPlan],
}

/// A request that has not been answered, and its entry in the journal.
#[derive(Clone, Copy)]
struct Asked {
    agent: usize,
    request: usize,
    entry: usize,
}

/// Each agent has one connection.
fn conn(agent: usize) -> ConnId {
    ConnId(agent as u64 + 1)
}

impl ScriptPlayer<'_> {
    fn turn_to(&mut self, agent: usize, request: usize, at: Instant) {
        if request < self.plans[agent].requests.len() {
            self.turns.insert((at, agent), request);
        }
    }

    fn play(&mut self) {
        let mut asked: BTreeMap<StreamId, Asked> = BTreeMap::new();
        loop {
            let turn = self.turns.first_key_value().map(|((at, agent), request)| (*at, *agent, *request));
            match (turn, self.engine.poll_due()) {
                (None, None) => return,
                (Some((at, agent, request)), due) if due.is_none_or(|due| at <= due) => {
                    self.turns.remove(&(at, agent));
                    self.now = self.now.max(at);
                    let stream = self.ask(agent, request);
                    // The journal only grows, so the place of the entry stays.
                    let entry = self.engine.journal().entries.len() - 1;
                    asked.insert(stream, Asked { agent, request, entry });
                }
                (_, Some(due)) => {
                    self.now = self.now.max(due);
                    self.step(&mut asked);
                }
                (Some(_), None) => {}
            }
        }
    }

    fn ask(&mut self, agent: usize, request: usize) -> StreamId {
        let plan = &self.plans[agent];
        let asked = &plan.requests[request];
        let bytes = format!(
            "POST {} HTTP/1.1\r\nHost: localhost\r\n{CALLER_HEADER}: {}\r\nContent-Length: {}\r\n\r\n{}",
            asked.path,
            plan.name,
            asked.body.len(),
            asked.body
        );
        self.engine.handle_input(conn(agent), bytes.as_bytes(), self.now);
        StreamId::of(&plan.name, u32::try_from(request).unwrap_or(u32::MAX))
    }

    /// Lets one event happen. An agent whose answer has ended thinks about its next request.
    fn step(&mut self, asked: &mut BTreeMap<StreamId, Asked>) {
        let Some(step) = self.engine.poll_step(self.now) else { return };
        match step.action {
            Some(Action::Write { conn, bytes }) => self.engine.handle_written(conn, bytes.len(), self.now),
            Some(Action::Close { conn } | Action::Reset { conn } | Action::Abandon { conn }) => {
                self.engine.handle_closed(conn, self.now);
            }
            Some(Action::Shutdown { .. }) | None => {}
        }
        let Some(Asked { agent, request, entry }) = asked.get(&step.stream).copied() else { return };
        if self.engine.journal().entries[entry].fate == Fate::Open {
            return;
        }
        asked.remove(&step.stream);
        // A connection that the server gives up takes no further request; clients open another one.
        if self.engine.is_leaving(conn(agent)) {
            self.engine.handle_closed(conn(agent), self.now);
            self.engine.handle_connected(conn(agent), ServerId(0), self.now);
        }
        let think = self.plans[agent].behavior.think;
        self.turn_to(agent, request + 1, self.now.saturating_add(think));
    }
}
