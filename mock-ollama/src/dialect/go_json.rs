//! JSON as Go's `encoding/json` writes it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Serialises `value` without spaces, with `< > &` U+2028 and U+2029 escaped, and with Go's number forms.
///
/// # Errors
/// Those of the value's own `Serialize`.
pub fn to_string<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, GoFormatter))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
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

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        let short = match escape {
            CharEscape::Quote => "\\\"",
            CharEscape::ReverseSolidus => "\\\\",
            CharEscape::Solidus => "/",
            CharEscape::Backspace => "\\b",
            CharEscape::FormFeed => "\\f",
            CharEscape::LineFeed => "\\n",
            CharEscape::CarriageReturn => "\\r",
            CharEscape::Tab => "\\t",
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04x}"),
        };
        writer.write_all(short.as_bytes())
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
    use rstest::rstest;

    use super::to_string;

    #[rstest]
    #[case::html("<b>&</b>", r#""\u003cb\u003e\u0026\u003c/b\u003e""#)]
    #[case::line_separators("a\u{2028}b\u{2029}", r#""a\u2028b\u2029""#)]
    #[case::short_escapes("\u{8}\u{c}\n\r\t\"\\", r#""\b\f\n\r\t\"\\""#)]
    #[case::control("\u{1}\u{1f}", r#""\u0001\u001f""#)]
    #[case::raw("é 😀 \u{7f} \u{85} \u{feff} / '", "\"é 😀 \u{7f} \u{85} \u{feff} / '\"")]
    fn a_string_is_escaped_as_go_does(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(to_string(&text).unwrap(), expected);
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
        assert_eq!(to_string(&value).unwrap(), expected);
    }

    #[test]
    fn a_32_bit_float_has_its_own_shortest_digits() {
        assert_eq!(to_string(&0.1_f32).unwrap(), "0.1");
        assert_eq!(to_string(&f64::from(0.1_f32)).unwrap(), "0.10000000149011612");
    }
}
