//! What is left of texts and bodies.

use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::Scrub;

fn scrub(pattern: &str) -> Scrub {
    Scrub::new([pattern]).unwrap()
}

fn body(pattern: &str, chunks: &[&str]) -> Vec<String> {
    let chunks = chunks.iter().map(|chunk| Bytes::copy_from_slice(chunk.as_bytes())).collect();
    let scrubbed = scrub(pattern).chunks(chunks);
    scrubbed.into_iter().map(|chunk| String::from_utf8(chunk.to_vec()).unwrap()).collect()
}

#[test]
fn every_piece_that_a_split_secret_touches_is_changed() {
    let scrubbed = body(
        "sk-[a-z0-9]+",
        &[
            "{\"response\":\"my key is s\",\"done\":false}\n",
            "{\"response\":\"k-ab\",\"done\":false}\n",
            "{\"response\":\"c9 ok\",\"done\":false}\n",
        ],
    );
    assert_eq!(
        scrubbed,
        [
            "{\"response\":\"my key is *\",\"done\":false}\n",
            "{\"response\":\"****\",\"done\":false}\n",
            "{\"response\":\"** ok\",\"done\":false}\n",
        ]
    );
}

#[test]
fn an_escape_is_one_character_and_texts_of_other_keys_are_not_mixed_in() {
    let scrubbed = body(
        "é<b",
        &[
            "data: {\"choices\":[{\"delta\":{\"content\":\"\\u00e9\\u003c\",\"reasoning\":\"x\"}}]}\n\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"bc\",\"reasoning\":\"y\"}}]}\n\n",
        ],
    );
    assert!(scrubbed[0].contains("\"content\":\"**\""), "{scrubbed:?}");
    assert!(scrubbed[1].contains("\"content\":\"*c\""), "{scrubbed:?}");
}

#[test]
fn texts_of_two_choices_are_not_mixed_in() {
    let of = |index: u32, text: &str| format!("{}\n", json!({ "choices": [{ "text": text, "index": index }] }));
    let chunks = [of(0, "sk-a"), of(1, "hello"), of(0, "b"), of(1, " you")];
    let scrubbed = body("sk-[a-z]+", &chunks.each_ref().map(String::as_str));
    assert_eq!(scrubbed, [of(0, "****"), of(1, "hello"), of(0, "*"), of(1, " you")]);
}

#[rstest]
#[case::a_string(r#"{"model":"sk-1","response":"sk-2 x"}"#, r#"{"model":"****","response":"**** x"}"#)]
#[case::json_in_a_string(
    r#"{"arguments":"{\"k\":\"sk-\\u0041\",\"n\":1}"}"#,
    r#"{"arguments":"{\"k\":\"****\",\"n\":1}"}"#
)]
#[case::a_key(r#"{"sk-1":[{"sk-2":3}]}"#, r#"{"****":[{"****":3}]}"#)]
fn a_pattern_that_runs_on_ends_with_the_string(#[case] text: &str, #[case] left: &str) {
    assert_eq!(body(r"sk-\S+", &[text]), [left]);
}

#[test]
fn a_number_stays_in_a_body_but_not_in_a_text() {
    let scrubbed = body("[0-9]+", &[r#"{"n":12,"arguments":"{\"n\":34}"}"#]);
    assert_eq!(scrubbed, [r#"{"n":12,"arguments":"{\"n\":**}"}"#]);
}

#[test]
fn arguments_in_fragments_stay_json() {
    let of = |piece: &str| format!("{}\n", json!({ "delta": { "arguments": piece } }));
    let chunks = [r#"{"key":"s"#, r#"k-abc","b"#, r#"":1}"#].map(of);
    let scrubbed = body(r"sk-\S+", &chunks.each_ref().map(String::as_str));
    assert_eq!(scrubbed, [r#"{"key":"*"#, r#"*****","b"#, r#"":1}"#].map(of));
}

#[test]
fn bytes_and_alternatives_beside_a_changed_token_are_changed() {
    let scrubbed = body(
        "hi",
        &[
            r#"{"logprobs":[{"token":"hi","logprob":0,"bytes":[104,105],"top_logprobs":[{"token":"yo","bytes":[121,9]}]}]}"#,
        ],
    );
    let left =
        r#"{"logprobs":[{"token":"**","logprob":0,"bytes":[42,42],"top_logprobs":[{"token":"**","bytes":[42,42]}]}]}"#;
    assert_eq!(scrubbed, [left]);
}

#[rstest]
#[case::no_json("secret", "no json, a secret", "no json, a ******")]
#[case::comment("secret", ": a secret\ndata: [DONE]\n\n", ": a ******\ndata: [DONE]\n\n")]
#[case::text_in_events("a b", "data: a\n\ndata:  \n\ndata: b\n\n", "data: *\n\ndata: *\n\ndata: *\n\n")]
#[case::start_of_each_line("^a.", "ab\nac\n", "**\n**\n")]
#[case::several_lines("(?s)BEGIN.*END", "x BEGIN\r\n1\r\nEND", "x *****\r\n*\r\n***")]
#[case::cut_off("secret", "{\"a\":\"se\"}\n{\"a\":\"cre\"}\n{\"a\":\"t", "{\"a\":\"**\"}\n{\"a\":\"***\"}\n{\"a\":\"*")]
#[case::two_escapes_for_one_letter("😀", r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"*"}"#)]
#[case::numbers_stay("[0-9]+", r#"{"a":123,"b":[4,null,true]}"#, r#"{"a":123,"b":[4,null,true]}"#)]
#[case::nothing_matched("x*", r#"{"a":"b"}"#, r#"{"a":"b"}"#)]
fn a_body_of_any_form_is_scrubbed(#[case] pattern: &str, #[case] text: &str, #[case] left: &str) {
    assert_eq!(body(pattern, &[text]), [left]);
}

#[test]
fn what_is_around_a_byte_that_is_no_text_is_scrubbed() {
    let scrubbed = scrub("qz-[a-z]+").chunks(vec![Bytes::from_static(b"{\"a\":\"\xFF qz-ab\"}\n\xFE qz-cd")]);
    assert_eq!(scrubbed[0], b"{\"a\":\"\xFF *****\"}\n\xFE *****".as_slice());
}

#[test]
fn nesting_of_any_depth_is_read() {
    let deep = |inner: &str| [&"[".repeat(100_000), inner, &"]".repeat(100_000)].concat();
    assert_eq!(body("qz", &[&deep("\"qz\"")]), [deep("\"**\"")]);
    assert_eq!(body("qz", &[&"{\"a\":".repeat(100_000)]), ["{\"a\":".repeat(100_000)]);
}

#[rstest]
#[case("/v1/models/qz-1", "/v1/models/****")]
#[case("/v1/models/q%7A%2d1/x", "/v1/models/****/x")]
#[case("/qz-1?a=qz-2", "/****?a=****")]
fn a_target_is_scrubbed_also_where_it_is_encoded(#[case] target: &str, #[case] left: &str) {
    assert_eq!(scrub("qz-[0-9]").target(target), left);
}

#[test]
fn a_target_stays_a_path() {
    assert_eq!(scrub(".+").target("/api/tags"), "/********");
}

#[test]
fn strings_of_a_request_are_scrubbed_and_its_form_is_kept() {
    let request = json!({ "model": "m", "messages": [{ "content": "key sk-1" }], "n": 1 });
    let expected = json!({ "model": "m", "messages": [{ "content": "key ****" }], "n": 1 });
    assert_eq!(scrub("sk-[0-9]").json(&request), expected);
}

#[test]
fn a_bad_pattern_is_named() {
    assert!(Scrub::new(["("]).unwrap_err().starts_with("bad pattern \"(\""));
}

/// Returns a value with every letter of its texts that is a digit replaced.
fn without_digits(value: &Value) -> Value {
    let text = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "*");
    match value {
        Value::String(value) => Value::String(text(value)),
        Value::Array(values) => values.iter().map(without_digits).collect(),
        Value::Object(members) => members.iter().map(|(key, value)| (text(key), without_digits(value))).collect(),
        other => other.clone(),
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z0-9\"\\\\/\u{1}\n\u{e9}\u{1f600}{\\[,: ]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,2}[0-9\"\u{e9}]{0,2}", inner, 0..5)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn exactly_what_matches_in_the_texts_of_json_is_changed(value in values(), pretty in any::<bool>()) {
        // A number alone is a text like any other.
        let value = Value::from(vec![value]);
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        prop_assert_eq!(&scrub("[0-9]").request(&text).parse::<Value>().unwrap(), &without_digits(&value), "{}", text);
    }

    #[test]
    fn what_is_left_is_left_again(text in "[a-z0-9\"\\\\/\u{e9}{}\\[\\],:% \n]{0,40}", pattern in "[a-z0-9]|\\[a-z\\]\\+|[0-9]") {
        let scrub = scrub(&pattern);
        let once = scrub.request(&text);
        prop_assert_eq!(scrub.request(&once), once);
    }

    #[test]
    fn chunks_may_be_cut_anywhere(
        text in "[a-z\u{e9}\"\\\\{}:,\n]{0,40}", cuts in prop::collection::vec(0_usize..80, 0..5),
    ) {
        let scrub = scrub("[a-k\u{e9}]+");
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < text.len()).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|pair| Bytes::copy_from_slice(&text.as_bytes()[pair[0]..pair[1]])).collect();
        prop_assert_eq!(scrub.chunks(chunks).concat(), scrub.request(&text).into_bytes());
    }
}
