//! How long a model stays loaded after an answer: seconds, or a Go duration (`api/types.go`, `Duration.UnmarshalJSON`;
//! Go `time.ParseDuration`).

use std::time::Duration;

use serde_json::Value;

use crate::go_json::{DecodeError, Json};

/// The longest Go duration, 2^63 - 1 nanoseconds.
const MAX_NANOS: f64 = 9_223_372_036_854_775_807.0;

/// Go's units, in nanoseconds.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("\u{b5}s", 1e3),
    ("\u{3bc}s", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// How long a model stays loaded after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// For this time; zero unloads it when the answer ends.
    For(Duration),
    /// For ever: a negative number or duration.
    Forever,
}

impl KeepAlive {
    /// What holds until a request says otherwise (`OLLAMA_KEEP_ALIVE`).
    pub const DEFAULT: Self = Self::For(Duration::from_secs(5 * 60));

    /// Whether the model is to be unloaded at once.
    pub const fn is_zero(self) -> bool {
        matches!(self, Self::For(time) if time.is_zero())
    }

    /// Reads `OLLAMA_KEEP_ALIVE`: seconds, or a Go duration; `None` where it is neither.
    pub fn from_env(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches(['"', '\'']);
        let seconds = text.parse::<i64>().ok().map(|seconds| Value::from(seconds.saturating_mul(1_000_000_000)));
        Self::of_value(seconds.or_else(|| parse(text).ok().map(Value::from)).as_ref())
    }

    /// Checks the `keep_alive` of a request and returns its nanoseconds.
    pub(crate) fn decode(json: &Json<'_>) -> Result<Value, DecodeError> {
        let nanos = match json {
            Json::Null => return Ok(Value::Null),
            Json::Number(text) => match json.to_value().ok().and_then(|value| value.as_f64()) {
                Some(seconds) => seconds * 1e9,
                None => return Err(DecodeError::mistyped(format!("number {text}"), "float64")),
            },
            Json::Text(text) => parse(text).map_err(DecodeError::Other)?,
            Json::Bool(_) => return Err(unsupported("bool")),
            Json::List(_) => return Err(unsupported("[]interface {}")),
            Json::Object(_) => return Err(unsupported("map[string]interface {}")),
        };
        Ok(Value::from(nanos.clamp(-MAX_NANOS, MAX_NANOS)))
    }

    /// Reads what [`Self::decode`] returned.
    pub(crate) fn of_value(value: Option<&Value>) -> Option<Self> {
        let nanos = value?.as_f64()?;
        if nanos < 0.0 {
            return Some(Self::Forever);
        }
        // Go keeps whole nanoseconds, so less than one is zero and unloads.
        Duration::try_from_secs_f64((nanos / 1e9).min(1e10)).ok().map(Self::For)
    }
}

fn unsupported(kind: &str) -> DecodeError {
    DecodeError::Other(format!("Unsupported type: '{kind}'"))
}

/// Nanoseconds of a Go duration.
fn parse(text: &str) -> Result<f64, String> {
    let invalid = || format!("time: invalid duration {}", go_quoted(text));
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if unsigned == "0" {
        return Ok(0.0);
    }
    if unsigned.is_empty() {
        return Err(invalid());
    }
    let mut rest = unsigned;
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        // A second point ends the number, and then the unit begins with it.
        let end = rest[..end].match_indices('.').nth(1).map_or(end, |(at, _)| at);
        let (number, after) = rest.split_at(end);
        if !number.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", go_quoted(text)));
        }
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("time: unknown unit {} in duration {}", go_quoted(unit), go_quoted(text)));
        };
        total += number.parse::<f64>().map_err(|_| invalid())? * nanos;
        if total > MAX_NANOS {
            return Err(invalid());
        }
        rest = next;
    }
    Ok(sign * total.trunc())
}

/// The quoting of Go's `time` package: bytes outside of printable ASCII as `\xNN`.
fn go_quoted(text: &str) -> String {
    let mut out = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..0x80 => out.push(char::from(byte)),
            _ => out.extend([format!("\\x{byte:02x}")]),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::KeepAlive;
    use crate::go_json::parse;

    fn read(text: &str) -> Result<KeepAlive, String> {
        let value = KeepAlive::decode(&parse(text.as_bytes())).map_err(|fault| fault.text())?;
        Ok(KeepAlive::of_value(Some(&value)).unwrap())
    }

    #[rstest]
    #[case("0", 0)]
    #[case("1.5", 1500)]
    #[case("300", 300_000)]
    #[case(r#""0""#, 0)]
    #[case(r#""0s""#, 0)]
    #[case(r#""-0""#, 0)]
    #[case(r#""5m""#, 300_000)]
    #[case(r#""1h30m""#, 5_400_000)]
    #[case(r#""300ms""#, 300)]
    #[case(r#""1.5s""#, 1500)]
    #[case(r#"".5s""#, 500)]
    #[case(r#""1.s""#, 1000)]
    #[case(r#""+2s""#, 2000)]
    fn w_044_a_keep_alive_is_a_number_of_seconds_or_a_go_duration(#[case] text: &str, #[case] millis: u64) {
        assert_eq!(read(text), Ok(KeepAlive::For(Duration::from_millis(millis))));
    }

    #[rstest]
    #[case("-1")]
    #[case(r#""-1m""#)]
    #[case(r#""-1ns""#)]
    fn a_negative_keep_alive_is_for_ever(#[case] text: &str) {
        assert_eq!(read(text), Ok(KeepAlive::Forever));
    }

    #[rstest]
    #[case(r#""5""#, r#"time: missing unit in duration "5""#)]
    #[case(r#""1m5""#, r#"time: missing unit in duration "1m5""#)]
    #[case(r#""1d""#, r#"time: unknown unit "d" in duration "1d""#)]
    #[case(r#""5 m""#, r#"time: unknown unit " m" in duration "5 m""#)]
    #[case(r#""bogus""#, r#"time: invalid duration "bogus""#)]
    #[case(r#""""#, r#"time: invalid duration """#)]
    #[case(r#"".s""#, r#"time: invalid duration ".s""#)]
    #[case(r#""1é""#, r#"time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9""#)]
    #[case(r#""9999999h""#, r#"time: invalid duration "9999999h""#)]
    #[case("true", "Unsupported type: 'bool'")]
    #[case("[]", "Unsupported type: '[]interface {}'")]
    #[case("{}", "Unsupported type: 'map[string]interface {}'")]
    fn a_bad_keep_alive_has_gos_text(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(read(text), Err(expected.to_owned()));
    }
}
