use bytes::Bytes;

use super::{GapQuantiles, Summary};
use crate::recording::{Chunk, End, Exchange, Origin, Recording, Response};

fn of_chunks(chunks: &[(u64, &'static str)]) -> Summary {
    let exchange = Exchange {
        request: None,
        sent_us: None,
        response: Response { status: 200, headers: vec![] },
        chunks: chunks.iter().map(|(at_us, text)| Chunk { at_us: *at_us, bytes: Bytes::from(*text) }).collect(),
        end: End::Eof,
    };
    Summary::of(&Recording::new("t", Origin::Synthetic, "m:latest", vec![exchange]))
}

#[test]
fn a_quantile_is_a_gap_that_occurred_at_its_nearest_rank() {
    let quantiles = GapQuantiles::of((1..=100).rev().collect());
    assert_eq!(quantiles, Some(GapQuantiles { p50_us: 50, p90_us: 90, p99_us: 99, max_us: 100 }));
    let two = GapQuantiles::of(vec![7, 3]);
    assert_eq!(two, Some(GapQuantiles { p50_us: 3, p90_us: 7, p99_us: 7, max_us: 7 }));
    assert_eq!(GapQuantiles::of(vec![]), None);
}

#[test]
fn a_token_counts_where_its_line_is_complete() {
    let summary = of_chunks(&[
        (10, "{\"response\":\"\"}\n{\"respo"),
        (20, "nse\":\"a\"}\n{\"response\":\"b\"}\n"),
        (50, "{\"response\":\"\",\"thinking\":\"hm\"}\n"),
        (90, "{\"response\":\"\",\"done\":true,\"eval_count\":4}"),
    ]);
    let exchange = &summary.exchanges[0];
    assert_eq!((exchange.tokens, exchange.eval_count, exchange.ttft_us), (Some(3), Some(4), Some(20)));
    assert_eq!(exchange.gaps.map(|gaps| (gaps.p50_us, gaps.max_us)), Some((0, 30)));
}

#[test]
fn an_answer_over_several_lines_is_one_token() {
    let summary = of_chunks(&[(7, "{\n  \"response\": \"a\",\n  \"done\": true,\n  \"eval_count\": 1\n}\n")]);
    let exchange = &summary.exchanges[0];
    assert_eq!((exchange.tokens, exchange.eval_count, exchange.ttft_us), (Some(1), Some(1), Some(7)));
}

#[test]
fn a_body_that_is_no_native_answer_has_no_token_count() {
    let summary = of_chunks(&[(5, "{\"error\":\"model not found\"}")]);
    assert_eq!((summary.exchanges[0].tokens, summary.exchanges[0].ttft_us), (None, None));
    insta::assert_snapshot!(summary);
}

#[test]
fn a_conversation_is_summarised_turn_by_turn() {
    let text = include_str!("../../fixtures/recordings/conversation-four-turns.jsonl");
    let recording = crate::recording::read(text.as_bytes(), "conversation-four-turns.jsonl").unwrap();
    insta::assert_snapshot!(Summary::of(&recording));
}
