//! The target of a request as Go sees it: its path decoded and cleaned (`net/url`; `net/http` `cleanPath`).

use std::fmt::Write as _;

/// The path and query of a target in absolute form, as a client sends it that believes in a proxy (RFC 9112 §3.2.2).
pub(super) fn origin_form(target: &str) -> &str {
    let Some(rest) = after_scheme(target) else { return target };
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// The host that a target in absolute form names; it counts more than the field `Host`.
pub(super) fn authority(target: &str) -> Option<&str> {
    let rest = after_scheme(target)?;
    rest.split(['/', '?']).next()
}

fn after_scheme(target: &str) -> Option<&str> {
    target.strip_prefix("http://").or_else(|| target.strip_prefix("https://"))
}

/// The path with its escapes resolved; an escape that is none stays as it is.
pub(super) fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = path.get(at + 1..at + 3).filter(|_| byte == b'%');
        let escaped = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let escaped = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A path as it stands in a `Location` (`net/url` `escape`, `encodePath`).
pub(super) fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The path without `//`, `/./` and `/../`; a trailing slash stays.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let trailing = path.ends_with('/') && !parts.is_empty();
    format!("/{}{}", parts.join("/"), if trailing { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{authority, clean, decode, encode, origin_form};

    #[rstest]
    #[case("/v1/models/ns%2Fx", "/v1/models/ns/x")]
    #[case("/%C3%A9", "/é")]
    #[case("/100%", "/100%")]
    #[case("/%zz", "/%zz")]
    #[case("/é%41", "/éA")]
    fn an_escape_is_resolved_and_what_is_none_stays(#[case] path: &str, #[case] decoded: &str) {
        assert_eq!(decode(path), decoded);
    }

    #[rstest]
    #[case("/api/tags", "/api/tags")]
    #[case("/a b?é", "/a%20b%3F%C3%A9")]
    fn a_location_is_escaped_as_go_does(#[case] path: &str, #[case] encoded: &str) {
        assert_eq!(encode(path), encoded);
    }

    #[rstest]
    #[case("//api/tags", "/api/tags")]
    #[case("/api/./x/../tags/", "/api/tags/")]
    #[case("/..", "/")]
    #[case("", "/")]
    fn a_path_is_cleaned(#[case] path: &str, #[case] cleaned: &str) {
        assert_eq!(clean(path), cleaned);
    }

    #[test]
    fn a_target_in_absolute_form_names_its_host_and_its_path() {
        let target = "http://example.com:80/api/tags?x=1";
        assert_eq!((origin_form(target), authority(target)), ("/api/tags?x=1", Some("example.com:80")));
        assert_eq!((origin_form("http://example.com"), authority("/api/tags")), ("/", None));
    }
}
