use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::super::node::Node;
use super::{MAX_NESTING, documents};

fn only(text: &str) -> Node {
    documents(text).unwrap().into_iter().next().unwrap()
}

fn error(text: &str) -> String {
    let bad = documents(text).unwrap_err();
    format!("{}: {}", bad.line, bad.message)
}

#[rstest]
#[case::plain_words("a: hello\nb: 1\nc: true\nd: null\ne: 1.5\nf:\n", json!({"a": "hello", "b": 1, "c": true, "d": null, "e": 1.5, "f": null}))]
#[case::quoted_words_are_texts("a: '1'\nb: \"true\"\nc: !!str 1\n", json!({"a": "1", "b": "true", "c": "1"}))]
#[case::number_by_its_tag("a: !!int 1\n", json!({"a": 1}))]
#[case::literal("a: |+\n  x\n\n   y\n\nb: |-\n  z\n", json!({"a": "x\n\n y\n\n", "b": "z"}))]
#[case::folded("a: >-\n  x\n  y\n\n  z\n", json!({"a": "x y\nz"}))]
#[case::single_quoted_over_lines("a: 'x\n\n  y\n  z'\n", json!({"a": "x\ny z"}))]
#[case::double_quoted_over_lines("a: \"x\\\n  \\ y\\n\\u00e9\\U0001F600\"\n", json!({"a": "x y\né😀"}))]
#[case::lists("- 1\n- - 2\n  - [3, {a: 4}]\n", json!([1, [2, [3, {"a": 4}]]]))]
#[case::aliases("a: &x [1, 2]\nb: *x\nc: &y t\nd: *y\n", json!({"a": [1, 2], "b": [1, 2], "c": "t", "d": "t"}))]
#[case::tags_of_other_languages("a: !ruby/object:X\n  b: !!python/unicode 'c'\n", json!({"a": {"b": "c"}}))]
fn yaml_is_read_as_its_value(#[case] text: &str, #[case] value: Value) {
    assert_eq!(only(text).to_json(), value);
}

#[rstest]
#[case::of_yaml("!!binary |\n  /wB/\n  gA==\n")]
#[case::of_ruby("!binary |-\n  /wB/gA==\n")]
#[case::in_one_line("!!binary /wB/gA\n")]
fn binary_is_read_as_its_bytes(#[case] text: &str) {
    assert_eq!(only(text), Node::Bytes(vec![0xFF, 0, 0x7F, 0x80]));
}

#[test]
fn each_document_of_a_file_is_read() {
    let texts: Vec<Value> = documents("a: 1\n---\na: 2\n...\n---\na: 3\n").unwrap().iter().map(Node::to_json).collect();
    assert_eq!(texts, [json!({"a": 1}), json!({"a": 2}), json!({"a": 3})]);
}

/// Nine levels of nine aliases each stand for 9^9 = 387 million texts.
#[test]
fn a_billion_laughs_are_refused() {
    let level = |level: usize| format!("a{level}: &a{level} [{}]", format!("*a{}, ", level - 1).repeat(9));
    let lines: Vec<String> = std::iter::once("a0: &a0 ha".to_owned()).chain((1..10).map(level)).collect();
    insta::assert_snapshot!(error(&lines.join("\n")), @"7: more than 1000000 values, the limit; aliases count as what they stand for");
}

#[test]
fn aliases_of_a_long_text_are_refused_when_they_stand_for_too_much() {
    let text = format!("- &a {}\n{}", "x".repeat(1_000_000), "- *a\n".repeat(200));
    insta::assert_snapshot!(error(&text), @"134: texts of more than 134217728 bytes, the limit; aliases count as what they stand for");
}

#[rstest]
#[case::within_itself("a: &a [*a]\n")]
#[case::before_its_anchor("a: *b\nb: &b 1\n")]
#[case::two_within_each_other("a: &a [&b [*a], *b]\n")]
fn an_alias_of_what_is_not_whole_is_refused(#[case] text: &str) {
    assert!(documents(text).is_err());
}

#[rstest]
#[case::lists("- ")]
#[case::flow("[")]
#[case::maps("{a: ")]
#[case::keys("? ")]
fn deep_nesting_is_refused(#[case] level: &str) {
    assert!(documents(&level.repeat(200_000)).is_err());
}

#[test]
fn the_deepest_nesting_is_read() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(documents(&nested(MAX_NESTING)).is_ok());
    insta::assert_snapshot!(error(&nested(MAX_NESTING + 1)), @"1: nested more than 110 deep, the limit");
}

#[rstest]
#[case::bad_base64("a: !!binary '#'\n")]
#[case::list_as_key("? [a]\n: b\n")]
#[case::tab("a:\n\t- b\n")]
#[case::open_quote("a: 'b\n")]
fn what_is_no_yaml_is_refused_with_its_line(#[case] text: &str) {
    assert!(documents(text).unwrap_err().line >= 1);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter_map("no JSON number", |number| serde_json::Number::from_f64(number).map(Value::Number)),
        "[ -~é😀\n\t]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z:#\" -]{0,6}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_read_as_yaml_is_the_same_value(value in json_value()) {
        prop_assert_eq!(only(&value.to_string()).to_json(), value);
    }

    #[test]
    fn arbitrary_yaml_never_panics(
        pieces in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                "- ", "? ", ": ", "a: ", "\n", "  ", "\t", "&a ", "*a", "!!binary ", "!x ", "|\n", ">-\n", "'", "\"", "\\", "{",
                "}", "[", "]", ",", "---\n", "...\n", "%YAML 1.2\n", "%TAG ! x\n", "#", "\u{FEFF}", "\r", "<<: ", "=",
            ]).prop_map(str::to_owned),
            ".{0,3}",
        ], 0..40),
    ) {
        let _ = documents(&pieces.concat());
    }
}
