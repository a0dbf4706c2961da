//! The time of recorded objects, replaced in place.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
}

/// Replaces the text of `created_at` at the top level of each JSON object of `body`, and nothing else.
///
/// A body, or a chunk of one, that is anything but whole objects is returned as it is.
pub fn patch_created_at<'a>(body: &'a [u8], rfc3339: &str) -> Cow<'a, [u8]> {
    let Some(spans) = spans(body) else { return Cow::Borrowed(body) };
    let mut patched = Vec::with_capacity(body.len() + spans.len() * rfc3339.len());
    let mut copied = 0;
    for (begin, end) in spans {
        patched.extend_from_slice(&body[copied..begin]);
        patched.extend_from_slice(rfc3339.as_bytes());
        copied = end;
    }
    if copied == 0 {
        return Cow::Borrowed(body);
    }
    patched.extend_from_slice(&body[copied..]);
    Cow::Owned(patched)
}

/// Where the texts of `created_at` stand, without their quotes.
fn spans(body: &[u8]) -> Option<Vec<(usize, usize)>> {
    let mut spans = Vec::new();
    let mut objects = serde_json::Deserializer::from_slice(body).into_iter::<Object<'_>>();
    loop {
        // Serde would take an array for an object without names.
        let is_array = body[objects.byte_offset()..].trim_ascii_start().starts_with(b"[");
        let Some(object) = objects.next() else { break };
        let Some(value) = object.ok().filter(|_| !is_array)?.created_at else { continue };
        let text = value.get();
        if text.starts_with('"') {
            // The value is a slice of the body, so its place follows from its address.
            let begin = text.as_ptr().addr() - body.as_ptr().addr();
            spans.push((begin + 1, begin + text.len() - 1));
        }
    }
    Some(spans)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::patch_created_at;

    const NOW: &str = "2030-01-02T03:04:05.6Z";

    fn patched(body: &str) -> String {
        String::from_utf8(patch_created_at(body.as_bytes(), NOW).into_owned()).unwrap()
    }

    #[rstest]
    #[case::one_line("{\"model\":\"m\",\"created_at\":\"2026-08-01T10:00:00Z\",\"response\":\"a\",\"done\":false}\n")]
    #[case::two_lines("{\"created_at\":\"1\",\"x\":1}\n{\"x\":2,\"created_at\":\"22\"}\n")]
    #[case::first_and_last_member("{\"created_at\":\"\"}")]
    #[case::spaces("{ \"created_at\" :\t\"2026\" , \"n\" : 1.0 }\r\n")]
    #[case::inside_a_string("{\"response\":\"{\\\"created_at\\\":\\\"no\\\"}\",\"created_at\":\"2026\"}")]
    #[case::inside_an_object(
        "{\"message\":{\"created_at\":\"no\"},\"created_at\":\"2026\",\"a\":[{\"created_at\":\"no\"}]}"
    )]
    #[case::an_escape_in_the_old_text("{\"created_at\":\"a\\\"b\",\"x\":\"y\"}")]
    fn only_the_outer_text_changes(#[case] body: &str) {
        let expected: Vec<Value> = serde_json::Deserializer::from_str(body)
            .into_iter::<Value>()
            .map(|object| {
                let mut object = object.unwrap();
                object["created_at"] = json!(NOW);
                object
            })
            .collect();
        let patched = patched(body);
        let found = serde_json::Deserializer::from_str(&patched).into_iter::<Value>();
        assert_eq!(found.collect::<Result<Vec<_>, _>>().unwrap(), expected);
        assert_eq!(patched.matches("no").count(), body.matches("no").count());
    }

    #[test]
    fn the_bytes_around_it_stay() {
        let body = "{ \"a\":1.50e1,\"created_at\":\"x\",\"b\":\"\\u003c\\/\" }\n\n{\"created_at\":\"y\"}";
        let expected =
            format!("{{ \"a\":1.50e1,\"created_at\":\"{NOW}\",\"b\":\"\\u003c\\/\" }}\n\n{{\"created_at\":\"{NOW}\"}}");
        assert_eq!(patched(body), expected);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::cut_at_the_end("{\"created_at\":\"x\"}\n{\"created_at\":\"y\"")]
    #[case::cut_at_the_start("created_at\":\"x\"}\n{\"created_at\":\"y\"}\n")]
    #[case::event("data: {\"created_at\":\"x\"}\n\n")]
    #[case::no_text("{\"created_at\":1795213704}\n")]
    #[case::null("{\"created_at\":null}\n")]
    #[case::none("{\"error\":\"created_at\"}\n")]
    #[case::array("[\"x\"]")]
    fn anything_else_is_left_alone(#[case] body: &str) {
        assert!(matches!(patch_created_at(body.as_bytes(), NOW), Cow::Borrowed(same) if same == body.as_bytes()));
    }

    #[test]
    fn bytes_that_are_not_utf_8_stay() {
        let body = b"{\"response\":\"\xff\",\"created_at\":\"2030-01-02T03:04:05.7Z\"}\n";
        let patched = patch_created_at(body, NOW);
        let changed: Vec<usize> = (0..body.len()).filter(|n| body[*n] != patched[*n]).collect();
        assert_eq!((body.len(), changed), (patched.len(), vec![body.len() - 5]));
    }

    proptest! {
        #[test]
        fn any_bytes_survive(body: Vec<u8>) {
            prop_assert_eq!(&*patch_created_at(&body, NOW), &*body);
        }

        #[test]
        fn a_patch_that_is_patched_back_is_the_body(before in "[a-z\"\\\\{}]{0,9}", after in ".{0,9}") {
            let line = |at: &str| format!("{}\n", json!({"response": before, "created_at": at, "thinking": after}));
            prop_assert_eq!(patched(&line("2026")), line(NOW));
        }
    }
}
