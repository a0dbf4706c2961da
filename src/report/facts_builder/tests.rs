use mock_ollama::journal::Journal;
use proptest::prelude::*;

use super::*;
use crate::measure::fixture::failed;
use crate::report::fixture::{run, workload};
use crate::transcript::Transcript;

/// The facts of these transcripts, each a variant of its own, and where they differ. The server did nothing wrong.
fn of(transcripts: &[Transcript]) -> (Facts, Vec<Disagreement>) {
    of_with(&run(3).1, transcripts)
}

fn of_with(journal: &Journal, transcripts: &[Transcript]) -> (Facts, Vec<Disagreement>) {
    let names = ["a", "b", "c", "d"];
    let seen: Vec<Run<'_>> = transcripts
        .iter()
        .zip(names)
        .map(|(transcript, variant)| Run::alone(variant, 0, transcript, journal))
        .collect();
    facts(&workload(), "x1", None, &seen)
}

/// Differences as (variant, agent, what, byte).
fn told(disagreements: &[Disagreement]) -> Vec<(&str, &str, Difference, Option<u64>)> {
    disagreements.iter().map(|d| (d.variant.as_str(), d.agent.as_str(), d.what, d.first_differing_byte)).collect()
}

fn good() -> Transcript {
    run(3).0
}

/// A good transcript with something done to the collector's exchange.
fn but(change: impl FnOnce(&mut ExchangeLog)) -> Transcript {
    let mut transcript = good();
    change(&mut transcript.agents[0].exchanges[0]);
    transcript
}

#[test]
fn runs_that_agree_have_facts_and_no_differences() {
    let (facts, differences) = of(&[good(), run(50).0]);
    assert_eq!(differences, []);
    let exchange = &facts.agents[0].exchanges[0];
    assert_eq!((exchange.bytes, exchange.lines, exchange.tokens, exchange.status), (30, 3, 2, 200));
    // printf '123456789\n123456789\n123456789\n' | sha256sum
    assert_eq!(exchange.sha256, SHA256_OF_THREE_LINES);
}

const SHA256_OF_THREE_LINES: &str = "0c6b6f620c7d5fe6d0ad5f28394f8500e55affe85f88bf2f69c5e7a2da610c54";

#[test]
fn a_changed_byte_is_found_at_its_offset() {
    let (_, differences) = of(&[good(), but(|log| log.body[17] = b'?')]);
    assert_eq!(told(&differences), [("b", "collector", Difference::Bytes, Some(17))]);
}

#[test]
fn a_body_that_stops_early_differs_where_it_stops() {
    let (_, differences) = of(&[good(), but(|log| log.body.truncate(20))]);
    assert_eq!(told(&differences), [("b", "collector", Difference::Bytes, Some(20))]);
}

#[test]
fn the_recordings_bytes_are_the_reference_even_against_a_majority() {
    let bad = || but(|log| log.body[0] = b'?');
    let (facts, differences) = of(&[bad(), bad(), good()]);
    assert_eq!(facts.agents[0].exchanges[0].sha256, SHA256_OF_THREE_LINES);
    let blamed: Vec<_> = told(&differences).into_iter().map(|found| found.0).collect();
    assert_eq!(blamed, ["a", "b"]);
}

#[test]
fn where_no_run_delivered_the_recording_most_runs_are_the_reference() {
    let other = |byte: u8| but(move |log| log.body[0] = byte);
    let (_, differences) = of(&[other(b'x'), other(b'y'), other(b'y')]);
    assert_eq!(told(&differences), [("a", "collector", Difference::Bytes, Some(0))]);
    let (_, differences) = of(&[other(b'x'), other(b'y')]);
    assert_eq!(told(&differences), [("b", "collector", Difference::Bytes, Some(0))]);
}

#[test]
fn a_client_that_makes_other_tokens_of_the_same_bytes_is_found() {
    let (_, differences) = of(&[good(), good(), but(|log| log.lines[0].token = false)]);
    assert_eq!(told(&differences), [("c", "collector", Difference::Lines, None)]);
    assert_eq!(differences[0].detail, "3 lines with 2 tokens expected, 3 with 1 seen");
}

#[test]
fn a_client_that_reports_another_end_is_found() {
    let lost =
        but(|log| log.outcome = ExchangeOutcome::Failed { kind: "truncated".into(), message: "at byte 30".into() });
    let (_, differences) = of(&[good(), good(), lost]);
    assert_eq!(told(&differences), [("c", "collector", Difference::Outcome, None)]);
    insta::assert_snapshot!(differences[0].detail, @"status 200, done (stop, no eval_count) expected, status 200, failed (truncated) seen");
}

#[test]
fn what_clients_say_of_a_failure_in_words_is_no_fact() {
    let failing = |message: &str| {
        but(|log| {
            *log = ExchangeLog { recording: log.recording.clone(), ..failed(0, 5) };
            log.outcome = ExchangeOutcome::Failed { kind: "refused".into(), message: message.into() };
        })
    };
    let (facts, differences) = of(&[failing("os error 111"), failing("connection refused")]);
    assert_eq!(differences, []);
    assert_eq!(facts.agents[0].exchanges[0].outcome, OutcomeFacts::Failed { error: "refused".into() });
}

#[test]
fn an_exchange_that_did_not_happen_is_missing() {
    let mut short = good();
    short.agents[1].exchanges.clear();
    let (_, differences) = of(&[short, good()]);
    assert_eq!(told(&differences), [("a", "insight", Difference::Missing, None)]);
}

#[test]
fn an_exchange_that_nobody_had_is_a_fact() {
    let mut short = good();
    short.agents[1].exchanges.clear();
    let (facts, differences) = of(&[short]);
    assert_eq!(facts.agents[1].exchanges[0].outcome, OutcomeFacts::Missing);
    assert_eq!(told(&differences), [("a", "insight", Difference::Missing, None)]);
}

#[test]
fn an_exchange_that_was_not_asked_for_is_extra() {
    let mut long = good();
    let mut again = long.agents[0].exchanges[0].clone();
    again.request = 1;
    long.agents[0].exchanges.push(again);
    let (_, differences) = of(&[long]);
    assert_eq!(told(&differences), [("a", "collector", Difference::Extra, None)]);
}

#[test]
fn another_request_than_the_planned_one_is_found() {
    let (_, differences) = of(&[good(), but(|log| log.recording = "other".into())]);
    assert_eq!(told(&differences), [("b", "collector", Difference::Request, None)]);
}

#[test]
fn an_answer_from_another_recording_is_found_even_when_its_bytes_are_the_same() {
    let mut journal = run(3).1;
    journal.entries[1].answer = Answer::Matched { recording: "made-up-twin".into(), exchange: 0 };
    let (_, differences) = of_with(&journal, &[good()]);
    assert_eq!(told(&differences), [("a", "insight", Difference::Answer, None)]);
    insta::assert_snapshot!(differences[0].detail, @"taken from made-up-insight#0, answered from made-up-twin#0");
}

#[test]
fn a_request_that_no_recording_answers_is_found_with_the_reason() {
    let mut journal = run(3).1;
    journal.entries[0].answer = Answer::Unexpected { why: "the model differs".into() };
    let (_, differences) = of_with(&journal, &[good()]);
    assert_eq!(told(&differences), [("a", "collector", Difference::Answer, None)]);
    assert_eq!(differences[0].detail, "nobody stated the request: the model differs");
}

proptest! {
    #[test]
    fn facts_do_not_depend_on_times_threads_or_pieces(late in 0_u64..500, piece in 1_u64..30) {
        let mut other = run(late).0;
        let log = &mut other.agents[0].exchanges[0];
        log.pieces = vec![crate::transcript::PieceArrival { at: log.ended, bytes: piece }];
        other.agents[0].polled_on.clear();
        let (mine, differences) = of(&[good()]);
        prop_assert_eq!(differences, vec![]);
        prop_assert_eq!(of(&[other]).0, mine);
    }

    #[test]
    fn any_changed_byte_is_found_where_it_is(at in 0_usize..30, byte in any::<u8>()) {
        let (_, differences) = of(&[good(), but(|log| log.body[at] = byte)]);
        let changed = good().agents[0].exchanges[0].body[at] != byte;
        prop_assert_eq!(differences.first().and_then(|found| found.first_differing_byte), changed.then_some(at as u64));
    }
}
