//! A stepped pace: chunks leave when they are released, and releases wait for streams.

use proptest::prelude::*;

use super::{CONN, TestEngine, ask, at_ms, chunks_of, generate, post};
use crate::clock::Instant;
use crate::engine::Release;
use crate::journal::{CALLER_HEADER, ConnId, ServerId, StreamId};
use crate::recording::Recording;
use crate::schedule::Pace;

/// The chunks of the recording: two words and the final object.
const CHUNKS: u64 = 3;

fn hi() -> Recording {
    generate("hi", "tiny", "Say hi", &["Hi", "!"])
}

fn stepped() -> TestEngine {
    TestEngine::new(vec![hi()], |config| config.pace = Pace::stepped())
}

/// The request of an agent.
fn ask_as(agent: &str) -> String {
    post("/api/generate", "{\"model\":\"tiny\",\"prompt\":\"Say hi\"}", &format!("{CALLER_HEADER}: {agent}\r\n"))
}

fn release(bench: &mut TestEngine, which: &Release, chunks: u64) {
    bench.engine.handle_release(which, chunks, bench.now);
    bench.act();
}

#[test]
fn under_a_stepped_pace_a_chunk_leaves_only_when_released_and_the_end_is_free() {
    let mut bench = stepped();
    bench.send(ask("tiny", "Say hi")).run();
    assert_eq!(bench.written, []);
    bench.engine.handle_release(&Release::All, 1, at_ms(7));
    bench.run();
    assert_eq!(bench.writes(CONN).len(), 1);
    assert_eq!(bench.engine.journal().entries[0].chunks[0].due, at_ms(7));
    bench.engine.handle_release(&Release::All, 2, at_ms(8));
    bench.run();
    assert_eq!(chunks_of(&bench.output()).len(), 3, "the last release ends the body too");
}

#[test]
fn a_release_is_for_the_named_stream_alone() {
    let other = ConnId(2);
    let mut bench = stepped();
    bench.engine.handle_connected(other, ServerId(0), Instant::ZERO);
    bench.send(ask_as("a")).send_on(other, ask_as("b"));
    assert_eq!(bench.engine.journal().max_in_flight, 2);
    bench.engine.handle_release(&Release::Stream(StreamId::of("b", 0)), 1, at_ms(1));
    bench.run();
    assert_eq!((bench.writes(CONN).len(), bench.writes(other).len()), (0, 1));
}

/// "All that is left", asked for twice, once overflowed and ended the server's thread.
#[test]
fn more_chunks_than_there_are_may_be_released_and_more_than_once() {
    let mut bench = stepped();
    bench.send(ask("tiny", "Say hi"));
    bench.engine.handle_release(&Release::All, u64::MAX, at_ms(1));
    bench.engine.handle_release(&Release::All, u64::MAX, at_ms(1));
    bench.run();
    assert_eq!(chunks_of(&bench.output()).len(), 3);
}

#[test]
fn a_release_means_nothing_to_a_paced_stream() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.send(ask("tiny", "Say hi"));
    bench.engine.handle_release(&Release::All, 3, at_ms(0));
    bench.run();
    assert_eq!(chunks_of(&bench.output()).len(), 3);
}

#[test]
fn a_release_before_the_request_waits_for_it() {
    let mut bench = stepped();
    release(&mut bench, &Release::All, 2);
    release(&mut bench, &Release::All, 1);
    bench.send(ask("tiny", "Say hi"));
    assert_eq!(chunks_of(&bench.output()).len(), 3);
}

#[test]
fn what_an_ended_stream_left_is_not_for_the_next_one() {
    let mut bench = stepped();
    bench.send(ask("tiny", "Say hi"));
    release(&mut bench, &Release::All, 10);
    bench.send(ask("tiny", "Say hi"));
    assert!(bench.engine.journal().entries[1].chunks.is_empty());
}

#[test]
fn a_release_does_not_wait_for_an_answer_that_no_release_holds() {
    let mut bench = stepped();
    release(&mut bench, &Release::All, 3);
    bench.send("GET /api/tags HTTP/1.1\r\nHost: a\r\n\r\n");
    bench.written.clear();
    bench.send(ask("tiny", "Say hi"));
    assert_eq!(chunks_of(&bench.output()).len(), 3);
}

/// What a test does.
#[derive(Clone, Debug)]
enum Act {
    /// An agent asks, once.
    Ask(usize),
    Release(u64),
    ReleaseOn(usize, u64),
}

const AGENTS: [&str; 3] = ["a", "b", "c"];

fn act() -> impl Strategy<Value = Act> {
    let (agent, chunks) = (|| 0..AGENTS.len(), || 0..5_u64);
    prop_oneof![
        agent().prop_map(Act::Ask),
        chunks().prop_map(Act::Release),
        (agent(), chunks()).prop_map(|(agent, chunks)| Act::ReleaseOn(agent, chunks)),
    ]
}

/// The rule as documented: a release is for each open stream, or else for the next one; a named one for that stream alone.
#[derive(Default)]
struct Rule {
    asked: [bool; AGENTS.len()],
    /// Chunks that each may send.
    allowed: [u64; AGENTS.len()],
    waiting: u64,
}

impl Rule {
    fn is_over(&self, agent: usize) -> bool {
        self.asked[agent] && self.allowed[agent] >= CHUNKS
    }

    fn apply(&mut self, act: &Act) {
        match *act {
            Act::Ask(agent) => {
                self.asked[agent] = true;
                self.allowed[agent] += std::mem::take(&mut self.waiting);
            }
            Act::Release(chunks) => {
                let open: Vec<usize> =
                    (0..AGENTS.len()).filter(|agent| self.asked[*agent] && !self.is_over(*agent)).collect();
                if open.is_empty() {
                    self.waiting += chunks;
                }
                for agent in open {
                    self.allowed[agent] += chunks;
                }
            }
            Act::ReleaseOn(agent, chunks) => self.allowed[agent] += chunks,
        }
    }
}

proptest! {
    #[test]
    fn releases_and_requests_in_any_order_give_what_the_rule_says(acts in prop::collection::vec(act(), 0..20)) {
        let (mut bench, mut rule) = (stepped(), Rule::default());
        let conns = [CONN, ConnId(2), ConnId(3)];
        for conn in &conns[1..] {
            bench.engine.handle_connected(*conn, ServerId(0), Instant::ZERO);
        }
        for (act, ms) in acts.into_iter().zip(1..) {
            bench.now = at_ms(ms);
            match act {
                Act::Ask(agent) if rule.asked[agent] => continue,
                Act::Ask(agent) => {
                    bench.send_on(conns[agent], ask_as(AGENTS[agent]));
                }
                Act::Release(chunks) => release(&mut bench, &Release::All, chunks),
                Act::ReleaseOn(agent, chunks) => {
                    release(&mut bench, &Release::Stream(StreamId::of(AGENTS[agent], 0)), chunks);
                }
            }
            rule.apply(&act);
            let journal = bench.engine.journal();
            for (agent, name) in AGENTS.iter().enumerate() {
                let sent = journal.stream(&StreamId::of(name, 0)).map(|entry| entry.chunks.len() as u64);
                prop_assert_eq!(sent, rule.asked[agent].then(|| rule.allowed[agent].min(CHUNKS)), "{}", name);
            }
        }
    }
}
