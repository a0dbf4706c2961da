//! Replayed streams: when each byte leaves, and what the journal says of it.

use std::num::NonZeroUsize;
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use super::{CONN, TestEngine, WALL, ask, at_ms, chunks_of, generate, post};
use crate::clock::Instant;
use crate::engine::{Action, Batch};
use crate::journal::{Answer, CALLER_HEADER, ConnId, Fate, ServerId};
use crate::recording::{Chunk, End};
use crate::schedule::Pace;
use crate::seed::Seed;

fn hi() -> crate::recording::Recording {
    generate("hi", "tiny", "Say hi", &["Hi", "!"])
}

#[test]
fn every_recorded_chunk_leaves_at_its_time_as_one_http_chunk() {
    let recorded = hi();
    let mut bench = TestEngine::new(vec![recorded.clone()], |_| {});
    bench.send(ask("tiny", "Say hi")).run();
    let times: Vec<Instant> = bench.writes(CONN).iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [at_ms(100), at_ms(110), at_ms(120), at_ms(120)]);
    let expected: Vec<&[u8]> = recorded.exchanges[0].chunks.iter().map(|chunk| &*chunk.bytes).collect();
    assert_eq!(chunks_of(&bench.output()).iter().map(String::as_bytes).collect::<Vec<_>>(), expected);
}

#[test]
fn no_byte_of_the_head_goes_out_before_the_first_chunk_is_due() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.send(ask("tiny", "Say hi"));
    bench.now = at_ms(99);
    bench.act();
    assert_eq!(bench.written, []);
    bench.now = at_ms(100);
    let first = bench.act().output();
    assert!(first.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nDate: "), "{first}");
    assert!(first.contains("\r\nTransfer-Encoding: chunked\r\n\r\n"), "{first}");
    assert!(first.contains("\"response\":\"Hi\""), "{first}");
}

#[test]
fn deadlines_are_absolute_so_that_a_late_driver_does_not_make_the_rest_late() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.send(ask("tiny", "Say hi"));
    bench.now = at_ms(109);
    bench.act();
    assert_eq!(bench.engine.poll_due(), Some(at_ms(110)));
}

/// What the events that are due by `now` have to write, event by event: to whom, and how many chunks.
fn writes_of_events(bench: &mut TestEngine, now: Instant, most: usize) -> Vec<(ConnId, usize)> {
    let turn = Batch { max_chunks: NonZeroUsize::new(most).unwrap(), separate_writes: true };
    let mut actions = Vec::new();
    let mut events = Vec::new();
    while bench.engine.poll_batch(now, turn, &mut actions).is_some() {
        let writes: Vec<(ConnId, usize)> = actions
            .drain(..)
            .filter_map(|action| match action {
                Action::Write { conn, bytes } => Some((conn, bytes.len())),
                _ => None,
            })
            .collect();
        events.extend(writes.first().map(|(conn, _)| (*conn, writes.len())));
        for (conn, bytes) in writes {
            bench.engine.handle_written(conn, bytes, now);
        }
    }
    events
}

#[test]
fn a_stream_that_is_late_catches_up_in_one_event_and_keeps_its_deadlines() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.engine.handle_input(CONN, ask("tiny", "Say hi").as_bytes(), Instant::ZERO);
    // Three chunks, and what ends the body.
    assert_eq!(writes_of_events(&mut bench, at_ms(500), 64), [(CONN, 4)]);
    let chunks = &bench.engine.journal().entries[0].chunks;
    assert_eq!(chunks.iter().map(|chunk| chunk.due).collect::<Vec<_>>(), [at_ms(100), at_ms(110), at_ms(120)]);
}

#[test]
fn chunks_that_lie_together_leave_as_one_piece_with_each_its_place_in_the_journal() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.engine.handle_input(CONN, ask("tiny", "Say hi").as_bytes(), Instant::ZERO);
    let (turn, mut actions) =
        (Batch { max_chunks: NonZeroUsize::new(64).unwrap(), separate_writes: false }, Vec::new());
    bench.engine.poll_batch(at_ms(500), turn, &mut actions);
    let written: Vec<Vec<u8>> = actions
        .into_iter()
        .map(|action| match action {
            Action::Write { bytes, .. } => bytes.to_vec(),
            other => panic!("{other:?}"),
        })
        .collect();
    // The head and the first chunk, the other two, and what ends the body.
    assert_eq!(written.len(), 3);
    bench.engine.handle_written(CONN, written[0].len() + 1, at_ms(501));
    let whole = String::from_utf8(written.concat()).unwrap();
    assert_eq!(chunks_of(&whole).len(), 3, "each is an HTTP chunk all the same");
    let chunks = &bench.engine.journal().entries[0].chunks;
    let written: Vec<bool> = chunks.iter().map(|chunk| chunk.written.is_some()).collect();
    assert_eq!(written, [true, false, false], "a chunk of which a part was taken has not been written");
    let entry = &bench.engine.journal().entries[0];
    assert_eq!(entry.body(), hi().exchanges[0].chunks[0].bytes, "nor has it been answered");
}

proptest! {
    #[test]
    fn however_streams_take_turns_their_bytes_and_deadlines_are_the_same(
        turns in prop::collection::vec((1_usize..5, any::<bool>(), 0_u64..40), 1..20)
    ) {
        let other = ConnId(2);
        let outcome = |turns: &[(usize, bool, u64)]| {
            let mut bench = TestEngine::new(vec![hi()], |_| {});
            bench.engine.handle_connected(other, ServerId(0), Instant::ZERO);
            for conn in [CONN, other] {
                bench.engine.handle_input(conn, ask("tiny", "Say hi").as_bytes(), Instant::ZERO);
            }
            let (mut actions, mut turns) = (Vec::new(), turns.iter().cycle());
            while let Some(due) = bench.engine.poll_due() {
                let (most, apart, late) = *turns.next().unwrap();
                let turn = Batch { max_chunks: NonZeroUsize::new(most).unwrap(), separate_writes: apart };
                bench.now = bench.now.max(due.saturating_add(Duration::from_millis(late)));
                bench.engine.poll_batch(bench.now, turn, &mut actions);
                for action in actions.drain(..) {
                    if let Action::Write { conn, bytes } = action {
                        bench.engine.handle_written(conn, bytes.len(), bench.now);
                        bench.written.push((bench.now, conn, bytes.to_vec()));
                    }
                }
            }
            let bytes = [CONN, other].map(|conn| {
                let bytes: Vec<u8> = bench.writes(conn).into_iter().flat_map(|(_, bytes)| bytes).collect();
                // The seconds of `Date` are those of the first write.
                String::from_utf8(bytes).unwrap().split_once("\r\n\r\n").unwrap().1.to_owned()
            });
            let entries = bench.engine.journal().entries.iter();
            let dues: Vec<Vec<Instant>> =
                entries.map(|entry| entry.chunks.iter().map(|chunk| chunk.due).collect()).collect();
            (bytes, dues)
        };
        prop_assert_eq!(outcome(&turns), outcome(&[(1, true, 0)]));
    }
}

#[test]
fn chunks_that_are_not_due_yet_do_not_leave_with_those_that_are() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.engine.handle_input(CONN, ask("tiny", "Say hi").as_bytes(), Instant::ZERO);
    assert_eq!(writes_of_events(&mut bench, at_ms(110), 64), [(CONN, 2)]);
    assert_eq!(bench.engine.poll_due(), Some(at_ms(120)));
}

#[test]
fn of_two_streams_that_are_late_neither_waits_until_the_other_has_caught_up() {
    let other = ConnId(2);
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.engine.handle_connected(other, ServerId(0), Instant::ZERO);
    for conn in [CONN, other] {
        bench.engine.handle_input(conn, ask("tiny", "Say hi").as_bytes(), Instant::ZERO);
    }
    let events = writes_of_events(&mut bench, at_ms(500), 2);
    assert_eq!(events, [(CONN, 2), (other, 2), (CONN, 2), (other, 2)]);
    for entry in &bench.engine.journal().entries {
        let due: Vec<Instant> = entry.chunks.iter().map(|chunk| chunk.due).collect();
        assert_eq!(due, [at_ms(100), at_ms(110), at_ms(120)], "what waits for its turn is not due later for that");
    }
}

#[test]
fn the_journal_tells_due_and_written_of_every_chunk() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.now = at_ms(5);
    bench.send(ask("tiny", "Say hi"));
    bench.transport_takes = false;
    bench.run();
    let chunks = &bench.engine.journal().entries[0].chunks;
    assert_eq!(chunks.iter().map(|chunk| chunk.due).collect::<Vec<_>>(), [at_ms(105), at_ms(115), at_ms(125)]);
    assert!(chunks.iter().all(|chunk| chunk.written.is_none()));
    assert_eq!(bench.engine.journal().entries[0].fate, Fate::Open);
    let total: usize = bench.writes(CONN).iter().map(|(_, bytes)| bytes.len()).sum();
    bench.engine.handle_written(CONN, total, at_ms(400));
    let entry = &bench.engine.journal().entries[0];
    assert!(entry.chunks.iter().all(|chunk| chunk.written == Some(at_ms(400))));
    assert_eq!(entry.fate, Fate::Complete);
    assert_eq!(entry.chunks[2].body_end, hi().exchanges[0].body_len());
    assert_eq!(entry.answer, Answer::Matched { recording: "hi".to_owned(), exchange: 0 });
}

#[test]
fn a_hang_up_is_told_with_the_chunks_that_were_written() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.send(ask("tiny", "Say hi"));
    bench.now = at_ms(110);
    bench.act();
    bench.engine.handle_closed(CONN, at_ms(111));
    let journal = bench.engine.journal();
    assert_eq!(journal.entries[0].fate, Fate::Aborted { after_chunk: 2 });
    assert_eq!((journal.in_flight, journal.max_in_flight), (0, 1));
    assert_eq!(bench.engine.poll_place(), None, "nothing is left on the timeline");
}

#[rstest]
#[case::eof(End::Eof, "shutdown", Fate::Truncated)]
#[case::reset(End::Reset, "reset", Fate::Reset)]
#[case::client_closed(End::ClientClosed, "shutdown", Fate::Truncated)]
#[case::timeout(End::Timeout, "shutdown", Fate::Truncated)]
fn a_body_that_was_cut_off_is_cut_off_again(#[case] end: End, #[case] told: &str, #[case] fate: Fate) {
    let mut recording = hi();
    recording.exchanges[0].end = end;
    let mut bench = TestEngine::new(vec![recording], |_| {});
    bench.send(ask("tiny", "Say hi")).run();
    assert!(!bench.output().ends_with("0\r\n\r\n"));
    assert_eq!(bench.told[0].1, told);
    bench.engine.handle_closed(CONN, at_ms(1_000));
    assert_eq!(bench.engine.journal().entries[0].fate, fate);
}

#[test]
fn an_answer_that_ends_in_a_reset_is_open_until_its_bytes_have_left() {
    let mut recording = hi();
    recording.exchanges[0].end = End::Reset;
    let mut bench = TestEngine::new(vec![recording], |_| {});
    bench.transport_takes = false;
    bench.send(ask("tiny", "Say hi")).run();
    assert_eq!(bench.engine.journal().entries[0].fate, Fate::Open);
    bench.engine.handle_closed(CONN, at_ms(1_000));
    assert_eq!(bench.engine.journal().entries[0].fate, Fate::Aborted { after_chunk: 0 });
}

#[test]
fn what_is_open_when_the_server_is_stopped_is_no_hang_up() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.send(ask("tiny", "Say hi")).run();
    bench.send(ask("tiny", "Say hi"));
    bench.engine.handle_stopped(CONN, bench.now);
    let fates: Vec<Fate> = bench.engine.journal().entries.iter().map(|entry| entry.fate).collect();
    assert_eq!(fates, [Fate::Complete, Fate::Stopped]);
    assert_eq!(bench.engine.journal().in_flight, 0);
}

#[test]
fn not_streamed_it_is_one_object_when_the_stream_would_have_ended() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.send(post("/api/generate", "{\"model\":\"tiny\",\"prompt\":\"Say hi\",\"stream\":false}", "")).run();
    assert_eq!(bench.writes(CONN).len(), 1);
    assert_eq!(bench.writes(CONN)[0].0, at_ms(120));
    insta::assert_snapshot!(bench.output().replace("\r\n", "\n"), @r#"
    HTTP/1.1 200 OK
    Content-Type: application/json; charset=utf-8
    Date: Sat, 01 Aug 2026 10:00:00 GMT
    Content-Length: 98

    {"model":"tiny","created_at":"t","response":"Hi!","done":true,"done_reason":"stop","eval_count":3}
    "#);
}

#[test]
fn a_client_that_does_not_read_holds_its_own_stream_back_and_gets_all_of_it_later() {
    let mut recording = hi();
    let big = "x".repeat(64 * 1024);
    recording.exchanges[0].chunks =
        (0..20_u64).map(|k| Chunk { at_us: k, bytes: format!("{{\"k\":{k},\"t\":\"{big}\"}}\n").into() }).collect();
    let mut bench = TestEngine::new(vec![recording], |config| config.pace = Pace::instant());
    bench.transport_takes = false;
    bench.send(ask("tiny", "Say hi")).run();
    let held_back = bench.writes(CONN).len();
    assert!(held_back < 7, "{held_back} chunks of 64 KiB were handed out");
    bench.transport_takes = true;
    let taken: usize = bench.writes(CONN).iter().map(|(_, bytes)| bytes.len()).sum();
    bench.engine.handle_written(CONN, taken, at_ms(1));
    bench.run();
    assert_eq!(chunks_of(&bench.output()).len(), 20);
}

#[test]
fn a_client_that_pipelines_without_end_is_no_longer_read() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    bench.send(ask("tiny", "Say hi"));
    assert!(bench.engine.is_accepting_input(CONN));
    bench.engine.handle_input(CONN, &vec![b'x'; 70 * 1024], at_ms(0));
    assert!(!bench.engine.is_accepting_input(CONN));
}

#[test]
fn the_same_inputs_give_the_same_actions() {
    let run = || {
        let mut bench = TestEngine::new(vec![hi()], |config| {
            config.seed = Seed(7);
            config.pace = Pace::recorded().jitter(0.5);
        });
        bench.send(ask("tiny", "Say hi")).run();
        (bench.written, bench.told)
    };
    assert_eq!(run(), run());
}

#[test]
fn events_of_one_instant_are_in_the_order_of_stream_ids_not_of_accepts() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    let body = "{\"model\":\"tiny\",\"prompt\":\"Say hi\"}";
    bench.engine.handle_connected(ConnId(2), ServerId(0), Instant::ZERO);
    bench.send(post("/api/generate", body, &format!("{CALLER_HEADER}: z\r\n")));
    bench.send_on(ConnId(2), post("/api/generate", body, &format!("{CALLER_HEADER}: a\r\n")));
    bench.run();
    let first: Vec<ConnId> = bench.written.iter().take(2).map(|(_, conn, _)| *conn).collect();
    assert_eq!(first, [ConnId(2), CONN]);
}

#[test]
fn a_model_is_listed_as_loaded_from_its_answer_on_until_its_keep_alive_is_over() {
    let mut bench = TestEngine::new(vec![hi()], |_| {});
    let ps = "GET /api/ps HTTP/1.1\r\nHost: a\r\n\r\n";
    bench.send(ps).send(ask("tiny", "Say hi")).run();
    bench.send(ps);
    let ended = at_ms(120).saturating_add(Duration::from_secs(300));
    let expires = crate::go_json::rfc3339(WALL.unix_nanos(ended));
    assert_eq!(bench.output().matches("\"name\":\"tiny:latest\"").count(), 1);
    assert!(bench.output().contains(&format!("\"expires_at\":\"{expires}\"")), "{}", bench.output());
    bench.now = ended;
    bench.written.clear();
    assert!(bench.send(ps).output().ends_with("{\"models\":[]}"));
}
