//! Each control is wrong in its one way, and in no other.

use std::num::NonZeroUsize;

use runtime_lab::controls::{ALL, Control};
use runtime_lab::runtimes::of;
use runtime_lab::transcript::{ExchangeOutcome, Transcript};

use crate::canned::{Canned, Reply, run};

const TOKEN: &str = "{\"response\":\"a\"}\n";
const DONE: &str = "{\"response\":\"\",\"done\":true}\n";

fn control(name: &str) -> &'static Control {
    ALL.iter().find(|control| control.name == name).expect("a control of that name")
}

fn whole_stream() -> Reply {
    Reply::stream([TOKEN, TOKEN, DONE])
}

/// The control and the variant that it claims to be, on the same job.
fn both(name: &str, reply: &Reply, agents: usize) -> [Transcript; 2] {
    let control = control(name);
    [control.runtime, of(control.claims)].map(|runtime| {
        let mut job = Canned::new(reply.clone()).job(agents, 1);
        job.limit = NonZeroUsize::new(2).filter(|_| agents == 2);
        run(runtime, &job)
    })
}

#[test]
fn every_control_is_a_whole_runtime_that_reads_good_streams() {
    for control in ALL {
        let transcript = run(control.runtime, &Canned::new(whole_stream()).job(3, 2));
        for exchange in transcript.agents.iter().flat_map(|agent| &agent.exchanges) {
            assert!(matches!(exchange.outcome, ExchangeOutcome::Done { .. }), "{}", control.name);
            assert_eq!((&exchange.body, exchange.lines.len()), (&whole_stream().body(), 3), "{}", control.name);
        }
    }
}

#[test]
fn the_mutex_lets_one_agent_through_where_the_limit_is_two() {
    let [control, _] = both("mutex-called-semaphore", &whole_stream(), 2);
    let mut spans: Vec<_> =
        control.agents.iter().map(|agent| (agent.exchanges[0].sent, agent.exchanges[0].ended)).collect();
    spans.sort_unstable();
    assert!(spans[0].1 <= spans[1].0, "{spans:?}");
}

#[test]
fn accumulating_holds_lines_back_until_there_are_1024_bytes() {
    let reply = Reply::stream(vec![TOKEN; 100].into_iter().chain([DONE]));
    let [control, clean] = both("accumulate-1kb", &reply, 1);
    let [control, clean] = [&control, &clean].map(|transcript| &transcript.agents[0].exchanges[0]);
    let (last, rest) = control.pieces.split_last().unwrap();
    assert!(rest.iter().all(|piece| piece.bytes >= 1024) && last.bytes < 1024, "{:?}", control.pieces);
    assert!(clean.pieces.iter().all(|piece| piece.bytes <= 1024));
    assert_eq!(control.body, clean.body);
}

#[test]
fn lossy_decoding_changes_a_character_across_two_pieces() {
    let line = "{\"response\":\"😀\"}\n".as_bytes();
    let reply = Reply::stream([&line[..15], &line[15..], DONE.as_bytes()]);
    let [control, clean] = both("lossy-utf8", &reply, 1);
    assert_eq!(clean.agents[0].exchanges[0].body, reply.body());
    assert_ne!(control.agents[0].exchanges[0].body, reply.body());
}

#[test]
fn a_stream_without_an_end_and_an_error_line_pass_for_done() {
    for reply in [Reply::stream([TOKEN]), Reply::stream([TOKEN, "{\"error\":\"boom\"}\n"])] {
        let done = both("ignores-missing-done", &reply, 1)
            .map(|transcript| matches!(transcript.agents[0].exchanges[0].outcome, ExchangeOutcome::Done { .. }));
        assert_eq!(done, [true, false]);
    }
}

#[test]
fn a_hidden_runtime_shows_in_the_threads_that_wake() {
    let foreign = both("hidden-tokio", &whole_stream(), 1).map(|transcript| {
        let claims = control("hidden-tokio").claims;
        transcript.agents[0].woken_by.iter().any(|name| !claims.owns_thread(name))
    });
    assert_eq!(foreign, [true, false]);
}

#[test]
fn joined_agents_share_a_task_however_many_they_are() {
    for agents in [2, 40] {
        let tasks = both("joined-not-spawned", &whole_stream(), agents).map(|transcript| {
            let mut tasks: Vec<_> = transcript.agents.iter().map(|agent| agent.task).collect();
            tasks.sort_unstable();
            tasks.dedup();
            tasks.len()
        });
        assert_eq!(tasks, [1, agents]);
    }
}
