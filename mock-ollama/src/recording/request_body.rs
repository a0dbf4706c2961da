//! A recorded request body, with its numbers and keys as they were sent.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::limits::MAX_BODY_NESTING;

/// A recorded request body.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestBody {
    /// A JSON value; its keys keep their order.
    Json(Value),
    /// A JSON text that a [`Value`] would change: a number such as `1e400` or `1.00`, or equal keys.
    Exact(ExactJson),
    /// The exact text of a body that is not JSON, or that is nested more than [`MAX_BODY_NESTING`] levels deep.
    Text(String),
}

impl RequestBody {
    /// Returns the body of this text.
    ///
    /// ```
    /// use mock_ollama::RequestBody;
    ///
    /// assert!(matches!(RequestBody::of(r#"{"seed": 1}"#), RequestBody::Json(_)));
    /// assert!(matches!(RequestBody::of(r#"{"seed": 1e400}"#), RequestBody::Exact(_)));
    /// assert!(matches!(RequestBody::of("seed=1"), RequestBody::Text(_)));
    /// ```
    pub fn of(text: &str) -> Self {
        let shallow = !is_nested_deeper(text, MAX_BODY_NESTING);
        let json = shallow.then(|| serde_json::from_str::<&RawValue>(text).ok()).flatten();
        json.map_or_else(|| Self::Text(text.to_owned()), Self::of_json)
    }

    /// Returns the body of a JSON text that is not nested too deeply.
    pub(super) fn of_json(json: &RawValue) -> Self {
        match serde_json::from_str::<Value>(json.get()) {
            Ok(value) if outline(json.get()).eq(outline(&value.to_string())) => Self::Json(value),
            _ => Self::Exact(ExactJson::new(json)),
        }
    }

    /// Returns the string under `key` of a JSON object; the last one of equal keys.
    pub fn string(&self, key: &str) -> Option<String> {
        if let Self::Json(value) = self {
            return value[key].as_str().map(str::to_owned);
        }
        // Values as they are written: among the others may be some that no value holds.
        let text = self.text();
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(&text).ok()?;
        serde_json::from_str(fields.get(key)?.get()).ok()
    }

    /// Returns the text to send, without blanks where it is JSON.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Json(value) => Cow::Owned(value.to_string()),
            Self::Exact(json) => Cow::Borrowed(json.as_str()),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

/// A JSON text without blanks outside of its strings.
#[derive(Clone, Debug)]
pub struct ExactJson(Box<RawValue>);

impl ExactJson {
    fn new(json: &RawValue) -> Self {
        let text: String = pieces(json.get()).map(|(between, literal)| without_blanks(between) + literal).collect();
        // Without its blanks a JSON text stays one.
        Self(RawValue::from_string(text).unwrap_or_else(|_| json.to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    pub(super) fn raw(&self) -> &RawValue {
        &self.0
    }
}

impl PartialEq for ExactJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// Returns whether arrays and objects are nested more than `levels` deep in a text, as far as it is JSON.
pub(super) fn is_nested_deeper(json: &str, levels: usize) -> bool {
    let mut depth = 0_usize;
    pieces(json).flat_map(|(between, _)| between.bytes()).any(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > levels
    })
}

/// Returns a JSON text without what stands in its strings: two texts of one outline have the same numbers, and as many
/// keys.
fn outline(json: &str) -> impl Iterator<Item = u8> {
    pieces(json).flat_map(|(between, literal)| {
        let kept = between.bytes().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        kept.chain(literal.bytes().next())
    })
}

fn without_blanks(text: &str) -> String {
    text.replace([' ', '\t', '\n', '\r'], "")
}

/// Returns what stands before each string literal of a JSON text, and the literal with its quotes; an empty one at the
/// end.
pub(super) fn pieces(json: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = json;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let start = rest.find('"').unwrap_or(rest.len());
        let (between, after) = rest.split_at(start);
        let (literal, after) = after.split_at(literal_length(after));
        rest = after;
        Some((between, literal))
    })
}

/// Returns the length of the string literal that a text begins with, in bytes; all of the text where it does not end.
fn literal_length(text: &str) -> usize {
    let mut at = 1;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('"')) {
        let before = &text[at..at + found];
        at += found + 1;
        // Behind an odd number of backslashes it is a quote in the string. None of them escapes the quote before these.
        if (before.len() - before.trim_end_matches('\\').len()).is_multiple_of(2) {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{RequestBody, is_nested_deeper};
    use crate::recording::arbitrary;

    #[rstest]
    #[case::too_large("[1e400]")]
    #[case::many_digits(r#"{"seed":12345678901234567890123}"#)]
    #[case::zeros(r#"{"temperature":1.00}"#)]
    #[case::an_exponent("[1E2]")]
    #[case::equal_keys(r#"{"a":1,"a":2}"#)]
    #[case::equal_keys_written_differently(r#"{"a":1,"\u0061":2}"#)]
    #[case::half_a_pair(r#"["\ud800"]"#)]
    fn what_a_value_would_change_is_kept_as_it_was_sent(#[case] text: &str) {
        let body = RequestBody::of(text);
        assert!(matches!(body, RequestBody::Exact(_)), "{body:?}");
        assert_eq!(body.text(), text);
    }

    #[rstest]
    #[case(r#"{"b":[1,1.0,-2.5,1e-7],"a":"\u00e9\/"}"#)]
    #[case(" [ ] ")]
    #[case(r#""\\""#)]
    fn what_a_value_holds_is_a_value(#[case] text: &str) {
        assert_eq!(RequestBody::of(text), RequestBody::Json(serde_json::from_str(text).unwrap()));
    }

    #[rstest]
    #[case("")]
    #[case("{")]
    #[case("\"")]
    #[case("\"\\")]
    #[case("{} {}")]
    fn what_is_no_json_is_a_text(#[case] text: &str) {
        assert_eq!(RequestBody::of(text), RequestBody::Text(text.to_owned()));
    }

    #[rstest]
    #[case::arrays("[", "]")]
    #[case::objects("{\"a\":", "}")]
    fn a_hundred_thousand_levels_are_a_text(#[case] open: &str, #[case] close: &str) {
        let text = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(RequestBody::of(&text), RequestBody::Text(text));
    }

    #[test]
    fn brackets_in_strings_are_no_levels() {
        assert!(!is_nested_deeper(r#"["[[[\"[[["]"#, 1));
        assert!(is_nested_deeper("[[1],[2]]", 1));
    }

    #[rstest]
    #[case(r#"{"model":"m"}"#)]
    #[case(r#"{"model":"l","n":[1e400],"model":"m"}"#)]
    fn a_string_is_found_by_its_key(#[case] text: &str) {
        assert_eq!(RequestBody::of(text).string("model").as_deref(), Some("m"));
        assert_eq!(RequestBody::of(text).string("n"), None);
    }

    #[test]
    fn blanks_go_and_those_in_strings_stay() {
        assert_eq!(RequestBody::of("{ \"a b\" :\n1e400 }").text(), r#"{"a b":1e400}"#);
    }

    proptest! {
        #[test]
        fn a_value_comes_back_however_it_is_spaced(value in arbitrary::json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            prop_assert_eq!(RequestBody::of(&text.unwrap()), RequestBody::Json(value));
        }

        #[test]
        fn numbers_and_keys_come_back_as_they_were_sent(
            members in prop::collection::vec(("[ab]", "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?"), 0..6)
        ) {
            let members: Vec<String> = members.iter().map(|(key, number)| format!("{key:?}:{number}")).collect();
            let text = format!("{{{}}}", members.join(","));
            let body = RequestBody::of(&text);
            prop_assert_eq!(body.text(), text.as_str());
        }

        #[test]
        fn any_text_is_some_body(text in "[\\[\\]{}\",:\\\\a1 e.é\n]{0,20}") {
            let body = RequestBody::of(&text);
            prop_assert!(matches!(&body, RequestBody::Text(same) if *same == text) || serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok());
            prop_assert_eq!(RequestBody::of(&body.text()), body);
        }
    }
}
