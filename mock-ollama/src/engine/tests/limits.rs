//! Clients that are slow, silent or too many, and what a server bears of them.

use std::num::NonZeroUsize;
use std::time::Duration;

use rstest::rstest;

use super::{CONN, TestEngine, ask, at_ms, generate, post};
use crate::catalog::Catalog;
use crate::clock::Instant;
use crate::engine::Limits;
use crate::journal::{ConnId, Fate, Keep, ServerId};
use crate::recording::Recording;
use crate::script::Script;

const SECOND: Duration = Duration::from_secs(1);

fn hi() -> Recording {
    generate("hi", "tiny", "Say hi", &["Hi", "!"])
}

fn limited(limits: Limits) -> TestEngine {
    TestEngine::new(vec![hi()], |config| config.limits = limits)
}

/// A catalog with one scripted model.
fn scripted() -> std::sync::Arc<Catalog> {
    let tiny = Script::says("tiny", ["Hi", "!"].map(str::to_owned)).unwrap();
    Catalog::with_scripts(Vec::new(), vec![tiny]).into()
}

/// What the driver was told beside writes, and when, in milliseconds.
fn told(bench: &TestEngine) -> Vec<(u64, &'static str)> {
    bench.told.iter().map(|(at, what)| (at.as_nanos() / 1_000_000, *what)).collect()
}

#[test]
fn without_limits_of_time_a_silent_client_is_waited_for_for_ever() {
    let mut bench = limited(Limits::default());
    bench.send("POST /api/gen");
    assert_eq!(bench.engine.poll_due(), None);
}

#[test]
fn an_idle_connection_is_closed_when_its_time_is_up() {
    let mut bench = limited(Limits { idle: Some(SECOND), ..Limits::default() });
    bench.run();
    assert_eq!(told(&bench), [(1_000, "close")]);
    assert_eq!(bench.written, []);
}

#[test]
fn the_time_between_requests_counts_from_the_end_of_the_answer() {
    let mut bench = limited(Limits { idle: Some(SECOND), ..Limits::default() });
    bench.now = at_ms(900);
    bench.send(ask("tiny", "Say hi")).run();
    // The answer ends 120 ms after its request.
    assert_eq!(told(&bench), [(2_020, "close")]);
    assert_eq!(bench.engine.journal().entries[0].fate, Fate::Complete);
}

/// Slowloris: a byte every now and then keeps no connection open.
#[test]
fn a_request_that_dribbles_in_has_its_time_from_the_first_byte_on() {
    let mut bench = limited(Limits { idle: Some(10 * SECOND), request: Some(SECOND), ..Limits::default() });
    for (byte, at) in ask("tiny", "Say hi").bytes().zip((500..).step_by(300)) {
        bench.now = at_ms(at);
        bench.send([byte]);
        if !bench.told.is_empty() {
            break;
        }
    }
    assert_eq!(bench.told.last().map(|(_, what)| *what), Some("close"));
    let closed = told(&bench)[0].0;
    assert!((1_500..1_800).contains(&closed), "{closed}: looked at with the next byte at the latest");
    assert_eq!(bench.engine.journal().entries, []);
}

#[test]
fn a_request_that_is_complete_in_time_is_answered() {
    let mut bench = limited(Limits { request: Some(SECOND), ..Limits::default() });
    let request = ask("tiny", "Say hi");
    let (head, rest) = request.split_at(20);
    bench.now = at_ms(5_000);
    bench.send(head);
    bench.now = at_ms(5_999);
    bench.send(rest);
    for _ in 0..10 {
        let Some(due) = bench.engine.poll_due().filter(|due| *due < at_ms(9_000)) else { break };
        bench.now = due;
        bench.act();
    }
    assert_eq!((told(&bench), bench.engine.journal().entries[0].fate), (vec![], Fate::Complete));
}

#[test]
fn a_client_that_takes_nothing_is_dropped_and_its_answer_counts_as_broken_off() {
    let mut bench = limited(Limits { stall: Some(SECOND), ..Limits::default() });
    bench.transport_takes = false;
    bench.send(ask("tiny", "Say hi"));
    while bench.told.is_empty() {
        bench.now = bench.engine.poll_due().unwrap();
        bench.act();
    }
    let (at, what) = told(&bench)[0];
    assert_eq!(what, "abandon");
    // It has been looked at once a second, and has taken nothing since the first chunk at 100 ms.
    assert!((1_100..2_200).contains(&at), "{at}");
    bench.engine.handle_closed(CONN, bench.now);
    assert_eq!(bench.engine.journal().entries[0].fate, Fate::Reset, "this side reset it");
}

#[test]
fn a_client_that_says_it_is_done_and_takes_nothing_is_dropped_as_well() {
    let mut bench = TestEngine::new(vec![hi()], |config| {
        config.limits = Limits { stall: Some(SECOND), ..Limits::default() };
        config.catalog = scripted();
    });
    bench.transport_takes = false;
    bench.send(ask("tiny", "Say hi"));
    assert!(bench.engine.handle_half_closed(CONN, at_ms(1)), "a scripted answer breaks off with words");
    for _ in 0..20 {
        let Some(due) = bench.engine.poll_due() else { break };
        bench.now = due;
        bench.act();
    }
    assert!(bench.told.iter().any(|(_, what)| *what == "abandon"), "{:?}", bench.told);
}

#[test]
fn a_client_that_takes_a_little_now_and_then_is_not_dropped() {
    let mut bench = limited(Limits { stall: Some(SECOND), ..Limits::default() });
    bench.transport_takes = false;
    bench.send(ask("tiny", "Say hi"));
    for step in 1..100 {
        bench.now = at_ms(step * 900);
        bench.act();
        bench.engine.handle_written(CONN, 1, bench.now);
    }
    assert_eq!(told(&bench), []);
}

#[test]
fn an_answer_that_is_slow_by_itself_is_no_stall() {
    let mut bench = limited(Limits {
        stall: Some(Duration::from_millis(1)),
        request: Some(Duration::from_millis(1)),
        ..Limits::default()
    });
    bench.send(ask("tiny", "Say hi"));
    while bench.engine.journal().entries[0].fate == Fate::Open {
        bench.now = bench.engine.poll_due().unwrap();
        bench.act();
    }
    assert_eq!((told(&bench), bench.engine.journal().entries[0].fate), (vec![], Fate::Complete));
}

#[rstest]
#[case::head(Limits { head_bytes: 100, ..Limits::default() }, 431)]
#[case::body(Limits { body_bytes: 10, ..Limits::default() }, 413)]
fn a_request_beyond_a_limit_of_size_is_refused(#[case] limits: Limits, #[case] status: u16) {
    let mut bench = limited(limits);
    bench.send(post("/api/generate", &"x".repeat(80), &format!("X: {}\r\n", "y".repeat(80))));
    assert!(bench.output().starts_with(&format!("HTTP/1.1 {status} ")), "{}", bench.output());
}

#[test]
fn who_is_one_too_many_is_told_so_whatever_it_asks_and_let_go() {
    let mut bench = limited(Limits::default());
    let other = ConnId(2);
    bench.engine.handle_refused(other, ServerId(0), Instant::ZERO);
    bench.send_on(other, ask("tiny", "Say hi")).run();
    let told: Vec<u8> = bench.writes(other).into_iter().flat_map(|(_, bytes)| bytes).collect();
    let told_text = String::from_utf8(told).unwrap();
    assert!(told_text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{told_text}");
    assert!(told_text.ends_with("{\"error\":\"server busy, please try again.  maximum pending requests exceeded\"}"));
    let ends: Vec<&str> = bench.told.iter().map(|(_, what)| *what).collect();
    assert_eq!((ends, bench.engine.journal().requests()), (vec!["shutdown", "close"], 0));
}

#[test]
fn a_journal_that_keeps_the_last_ones_still_counts_them_all() {
    let last = NonZeroUsize::new(2).unwrap();
    let mut bench = TestEngine::new(vec![hi()], |config| config.keep = Keep { requests: last, ..Keep::ALL });
    for number in 0..9 {
        let prompt = if number == 1 { "no such prompt" } else { "Say hi" };
        bench.send(ask("tiny", prompt)).run();
        assert!(bench.engine.journal().entries.len() <= 4);
    }
    let journal = bench.engine.journal();
    assert_eq!((journal.requests(), journal.unexpected_count(), journal.unexpected().count()), (9, 1, 0));
    let kept: Vec<u32> = journal.entries.iter().map(|entry| entry.stream.exchange).collect();
    assert_eq!(kept.last(), Some(&8));
    assert!(journal.entries.iter().all(|entry| entry.fate == Fate::Complete && entry.chunks.len() == 3));
}

#[test]
fn what_becomes_of_a_request_that_the_journal_has_forgotten_is_nobodys_business() {
    let mut bench =
        TestEngine::new(vec![hi()], |config| config.keep = Keep { requests: NonZeroUsize::MIN, ..Keep::ALL });
    bench.send(ask("tiny", "Say hi"));
    for number in 2..6 {
        bench.engine.handle_connected(ConnId(number), ServerId(0), Instant::ZERO);
        bench.send_on(ConnId(number), ask("tiny", "Say hi"));
    }
    bench.run();
    assert!(bench.output().ends_with("0\r\n\r\n"));
    assert_eq!(bench.engine.journal().requests(), 5);
}

#[rstest]
fn a_request_of_any_depth_is_answered(
    #[values(
        "/api/generate",
        "/api/chat",
        "/api/embed",
        "/api/show",
        "/api/create",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/messages"
    )]
    path: &str,
    #[values(900, 100_000)] levels: usize,
) {
    let deep = format!("{}1{}", "[{\"a\":".repeat(levels / 2), "}]".repeat(levels / 2));
    let tool = format!(r#"{{"type":"function","name":"t","input_schema":{deep},"parameters":{deep}}}"#);
    let message = format!(
        r#"{{"role":"user","content":"Say hi","tool_calls":[{{"function":{{"name":"t","arguments":{{"a":{deep}}}}}}}]}}"#
    );
    let places = [
        deep.clone(),
        format!(
            r#"{{"model":"tiny","prompt":"Say hi","input":"x","max_tokens":1,"messages":[{message}],"options":{{"a":{deep}}}}}"#
        ),
        format!(
            r#"{{"model":"tiny","prompt":"Say hi","max_tokens":1,"messages":[{message}],"tools":[{tool}],"format":{deep}}}"#
        ),
        format!(
            r#"{{"model":"tiny","prompt":"no such prompt","max_tokens":1,"messages":[{{"role":"user","content":{deep}}}],"input":{deep}}}"#
        ),
    ];
    for body in places {
        let mut bench = limited(Limits::default());
        bench.send(post(path, &body, "")).run();
        let answer = bench.output();
        assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
    }
}
