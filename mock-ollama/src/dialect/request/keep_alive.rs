//! `keep_alive` as requests give it (`api/types.go`, `Duration.UnmarshalJSON`; Go `time.ParseDuration`).

use std::time::Duration;

use serde_json::Value;

use crate::dialect::go_fmt::quote;
use crate::models::KeepAlive;

/// Why a value is no keep-alive, in Go's words.
pub(super) fn check(value: &Value) -> Result<(), String> {
    read(value).map(|_| ())
}

/// Reads a number of seconds or a duration of Go; what is negative is for ever.
pub(super) fn read(value: &Value) -> Result<KeepAlive, String> {
    match value {
        Value::Number(number) => Ok(of_seconds(number.as_f64().unwrap_or(0.0))),
        Value::String(text) => Ok(match parse_duration(text)? {
            (true, length) if !length.is_zero() => KeepAlive::Forever,
            (_, length) => KeepAlive::For(length),
        }),
        Value::Bool(_) => Err("Unsupported type: 'bool'".to_owned()),
        Value::Array(_) => Err("Unsupported type: '[]interface {}'".to_owned()),
        Value::Object(_) => Err("Unsupported type: 'map[string]interface {}'".to_owned()),
        Value::Null => Ok(KeepAlive::DEFAULT),
    }
}

fn of_seconds(seconds: f64) -> KeepAlive {
    if seconds < 0.0 {
        return KeepAlive::Forever;
    }
    Duration::try_from_secs_f64(seconds).map_or(KeepAlive::Forever, KeepAlive::For)
}

/// The sign and the length of a duration of Go.
fn parse_duration(text: &str) -> Result<(bool, Duration), String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok((negative, Duration::ZERO));
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        if number.is_empty() || number == "." || number.matches('.').count() > 1 {
            return Err(invalid());
        }
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quote(text)));
        }
        let nanos: f64 = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return Err(format!("time: unknown unit {} in duration {}", quote(unit), quote(text))),
        };
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let part = Duration::try_from_secs_f64(number * nanos / 1e9).map_err(|_| invalid())?;
        total = total.saturating_add(part);
        rest = after;
    }
    Ok((negative, total))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;
    use serde_json::{Value, json};

    use super::read;
    use crate::models::KeepAlive;

    #[rstest]
    #[case(json!("5m"), 300_000)]
    #[case(json!("1h30m"), 5_400_000)]
    #[case(json!("300ms"), 300)]
    #[case(json!("1.5s"), 1_500)]
    #[case(json!("0"), 0)]
    #[case(json!("-0s"), 0)]
    #[case(json!("0s"), 0)]
    #[case(json!(1.5), 1_500)]
    #[case(json!(0), 0)]
    fn w_044_a_number_is_seconds_and_a_text_a_duration_of_go(#[case] value: Value, #[case] millis: u64) {
        assert_eq!(read(&value), Ok(KeepAlive::For(Duration::from_millis(millis))));
    }

    #[rstest]
    #[case(json!(-1))]
    #[case(json!("-5m"))]
    fn what_is_negative_is_for_ever(#[case] value: Value) {
        assert_eq!(read(&value), Ok(KeepAlive::Forever));
    }

    #[rstest]
    #[case(json!("5"), "time: missing unit in duration \"5\"")]
    #[case(json!("1d"), "time: unknown unit \"d\" in duration \"1d\"")]
    #[case(json!("bogus"), "time: invalid duration \"bogus\"")]
    #[case(json!(""), "time: invalid duration \"\"")]
    #[case(json!("1h5"), "time: missing unit in duration \"1h5\"")]
    #[case(json!([]), "Unsupported type: '[]interface {}'")]
    fn anything_else_gets_gos_words(#[case] value: Value, #[case] text: &str) {
        assert_eq!(read(&value), Err(text.to_owned()));
    }
}
