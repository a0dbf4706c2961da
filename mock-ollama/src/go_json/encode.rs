//! JSON as Go's `encoding/json` writes it.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use serde_json::ser::{Formatter, Serializer};
use serde_json::value::RawValue;

/// Serialises `value` without spaces, with `< > &` U+2028 and U+2029 escaped, and with Go's number forms.
///
/// The empty text where `Serialize` fails, which it does for none of this crate's own types.
pub(crate) fn to_string<T: Serialize>(value: &T) -> String {
    let mut out = Vec::new();
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, GoFormatter));
    written.map(|()| String::from_utf8_lossy(&out).into_owned()).unwrap_or_default()
}

/// Returns the native error, `{"error":"…"}`.
pub(crate) fn error_body(text: &str) -> String {
    to_string(&json!({ "error": text }))
}

/// Whether Go's `omitempty` leaves a number out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
pub(crate) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Returns a time as RFC 3339 in UTC, without the trailing zeros of its fraction, as Go prints it.
pub(crate) fn rfc3339(unix_nanos: u64) -> String {
    Timestamp::from_nanosecond(i128::from(unix_nanos)).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// The bytes of a Go string as a JSON string: each byte that is not UTF-8 becomes the escape `\ufffd`, while a
/// U+FFFD that was there is sent as it is.
pub(crate) fn string(bytes: &[u8]) -> Box<RawValue> {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        // What this gives for a string is the string in quotes.
        let quoted = to_string(&chunk.valid());
        text.push_str(quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default());
        text.push_str(&"\\ufffd".repeat(chunk.invalid().len()));
    }
    text.push('"');
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The bytes of a Go string as a client of Go's decoder sees them: U+FFFD for each byte that is not UTF-8.
pub(crate) fn lossy_text(bytes: &[u8]) -> String {
    let chunks = bytes.utf8_chunks();
    chunks.fold(String::new(), |text, chunk| text + chunk.valid() + &"\u{fffd}".repeat(chunk.invalid().len()))
}

struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let escaped = rest[at..].chars().next().unwrap_or_default();
            write!(writer, "\\u{:04x}", u32::from(escaped))?;
            rest = &rest[at + escaped.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(float(value, &format!("{value:e}"), &format!("{value}")).as_bytes())
    }

    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        writer.write_all(float(f64::from(value), &format!("{value:e}"), &format!("{value}")).as_bytes())
    }
}

/// Go's form of a float (`encoding/json` `floatEncoder`): the shortest digits, an exponent below 1e-6 and
/// from 1e21, written with a sign and without padding.
fn float(value: f64, exponent: &str, plain: &str) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        return if exponent.contains("e-") { exponent.to_owned() } else { exponent.replace('e', "e+") };
    }
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{error_body, lossy_text, rfc3339, string, to_string};

    #[rstest]
    #[case::html("<b>&</b>", r#""\u003cb\u003e\u0026\u003c/b\u003e""#)]
    #[case::line_separators("a\u{2028}b\u{2029}", r#""a\u2028b\u2029""#)]
    #[case::short_escapes("\u{8}\u{c}\n\r\t\"\\", r#""\b\f\n\r\t\"\\""#)]
    #[case::control("\u{1}\u{1f}", r#""\u0001\u001f""#)]
    #[case::raw("é 😀 \u{7f} \u{85} \u{feff} / '", "\"é 😀 \u{7f} \u{85} \u{feff} / '\"")]
    fn a_string_is_escaped_as_go_does(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(to_string(&text), expected);
    }

    #[rstest]
    #[case(1.0, "1")]
    #[case(-0.5, "-0.5")]
    #[case(0.000_001, "0.000001")]
    #[case(3e-8, "3e-8")]
    #[case(1e20, "100000000000000000000")]
    #[case(1e21, "1e+21")]
    #[case(0.0, "0")]
    fn a_float_has_gos_form(#[case] value: f64, #[case] expected: &str) {
        assert_eq!(to_string(&value), expected);
    }

    #[test]
    fn each_byte_that_is_not_utf_8_is_escaped_and_a_real_replacement_character_is_not() {
        assert_eq!(string(b"a\xf0\x9f<\"\xef\xbf\xbd").get(), "\"a\\ufffd\\ufffd\\u003c\\\"\u{fffd}\"");
        assert_eq!(string(b"\"\"").get(), r#""\"\"""#);
        assert_eq!(lossy_text(b"a\xf0\x9f"), "a\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_time_has_the_trailing_zeros_of_its_fraction_removed() {
        assert_eq!(rfc3339(1_785_578_400_120_000_000), "2026-08-01T10:00:00.12Z");
        assert_eq!(rfc3339(1_785_578_400_000_000_000), "2026-08-01T10:00:00Z");
    }

    #[test]
    fn an_error_text_is_escaped_as_go_does() {
        assert_eq!(error_body("boom <x>"), r#"{"error":"boom \u003cx\u003e"}"#);
    }

    proptest! {
        #[test]
        fn any_string_reads_back_and_shows_none_of_what_go_escapes(text in any::<String>()) {
            let json = to_string(&text);
            prop_assert_eq!(&serde_json::from_str::<String>(&json).unwrap(), &text);
            let escaped = ['<', '>', '&', '\u{2028}', '\u{2029}'];
            prop_assert!(!json.contains(escaped));
            prop_assert!(json.bytes().all(|byte| byte >= 0x20));
            let plain = |c: &char| !c.is_ascii() && !matches!(c, '\u{2028}' | '\u{2029}');
            prop_assert_eq!(json.chars().filter(plain).count(), text.chars().filter(plain).count());
            let of_bytes = string(text.as_bytes());
            prop_assert_eq!(of_bytes.get(), json);
        }

        #[test]
        fn any_bytes_make_a_json_string(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let read: String = serde_json::from_str(string(&bytes).get()).unwrap();
            prop_assert_eq!(read, lossy_text(&bytes));
        }

        #[test]
        fn any_float_reads_back_in_gos_form(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            let text = to_string(&value);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
            let has_exponent = value != 0.0 && !(1e-6..1e21).contains(&value.abs());
            prop_assert_eq!(text.contains('e'), has_exponent, "{}", text);
            prop_assert!(!text.ends_with(".0") && !text.contains("e-0") && !text.contains("e+0") && !text.contains('E'));
        }

        #[test]
        fn any_32_bit_float_has_the_shortest_digits_that_read_back(bits: u32) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = to_string(&value);
            prop_assert_eq!(text.parse::<f32>().unwrap().to_bits(), value.to_bits());
            let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
            prop_assert!(text.contains('e') || value.abs() >= 1e9 || digits(&text) <= 17, "{}", text);
        }
    }

    #[test]
    fn a_32_bit_float_has_its_own_shortest_digits() {
        assert_eq!(to_string(&0.1_f32), "0.1");
        assert_eq!(to_string(&f64::from(0.1_f32)), "0.10000000149011612");
    }
}
