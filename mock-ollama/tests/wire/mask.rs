//! What a comparison with a capture leaves out: exactly what the captures' README lists.

use std::sync::LazyLock;

use regex::Regex;

/// Fields whose value is masked, and the values that are.
static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules = [
        (r#""(created_at|modified_at|expires_at)":"[^"]*""#, r#""$1":"T""#),
        (r#""(created|created_at|completed_at)":\d+"#, r#""$1":0"#),
        (r#""(total_duration|load_duration)":\d+"#, r#""$1":0"#),
        (r#""(chatcmpl|cmpl|resp|rs_resp|msg|rs|fc_resp|fc)[-_]\d+(_\d+)?""#, r#""$1-N$2""#),
        (r#""msg_[0-9a-f]{24}""#, r#""msg_H""#),
        (r#""req_[0-9a-f]{24}""#, r#""req_H""#),
        (r#""call_[a-z0-9]{8}""#, r#""call_A""#),
        (r#""digest":"[0-9a-f]{64}""#, r#""digest":"D""#),
        (r#""size":\d+"#, r#""size":0"#),
        (r"\\nFROM /[^\\]*\\n", r"\nFROM /B\n"),
    ];
    rules.into_iter().map(|(pattern, with)| (Regex::new(pattern).unwrap(), with)).collect()
});

/// A text with everything masked that differs from run to run. What does not have the form of such a value stays.
pub(crate) fn mask(text: &str) -> String {
    MASKS.iter().fold(text.to_owned(), |text, (pattern, with)| pattern.replace_all(&text, *with).into_owned())
}

#[test]
fn a_value_of_another_form_is_not_masked() {
    for text in [r#""created_at":null"#, r#""created":"now""#, r#""id":"chatcmpl-x""#, r#""id":"call_ABCDEFGH""#] {
        assert_eq!(mask(text), text);
    }
}
