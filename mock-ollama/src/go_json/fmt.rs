//! Values as Go's `fmt` prints them: `%q`, `%v` and `%#v`.

use std::fmt::Write as _;

use serde_json::Value;

/// A string in Go syntax (`%q`, `strconv.Quote`).
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            // Writing to a string cannot fail.
            c if c.is_ascii() => drop(write!(out, "\\x{:02x}", u32::from(c))),
            c if u32::from(c) <= 0xffff => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => drop(write!(out, "\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Whether Go prints a character as it is; of the marks without a glyph only the common ones are known here.
fn is_printable(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{206f}' | '\u{feff}');
    c == ' ' || !(c.is_control() || c.is_whitespace() || invisible)
}

/// A decoded JSON value (`%v`): numbers are floats, strings stand bare.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => syntax(other),
    }
}

/// A decoded JSON value in Go syntax (`%#v`): numbers are floats, strings are quoted.
pub(crate) fn syntax(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => quote(text),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), float),
        other => other.to_string(),
    }
}

/// The shortest digits, with an exponent below 1e-4 and from 1e6 (`%g`).
fn float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    // Go decides by a precision of six, however many digits there are.
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{plain, quote, syntax};

    #[rstest]
    #[case("bad name!", r#""bad name!""#)]
    #[case("a\"b\\", r#""a\"b\\""#)]
    #[case("\n\t\u{1}\u{7f}", r#""\n\t\x01\x7f""#)]
    #[case("é\u{2028}\u{a0}😀", r#""é\u2028\u00a0😀""#)]
    fn a_string_is_quoted_as_go_does(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(quote(text), expected);
    }

    #[rstest]
    #[case(json!(2048), "2048")]
    #[case(json!(0.5), "0.5")]
    #[case(json!(131_072), "131072")]
    #[case(json!(1_000_000), "1e+06")]
    #[case(json!(1_048_576), "1.048576e+06")]
    #[case(json!(0.00001), "1e-05")]
    #[case(json!(-1), "-1")]
    #[case(json!(0), "0")]
    #[case(json!(true), "true")]
    #[case(json!("a"), "\"a\"")]
    fn a_value_has_the_syntax_of_go(#[case] value: Value, #[case] expected: &str) {
        assert_eq!(syntax(&value), expected);
    }

    #[test]
    fn a_bare_string_is_not_quoted() {
        assert_eq!(plain(&json!("a \"b\"")), "a \"b\"");
    }
}
