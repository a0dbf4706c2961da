//! The target of a request as Go reads it (`net/url` `ParseRequestURI`), and the forms of its path (`net/http` `cleanPath`).

use std::fmt::Write as _;
use std::net::Ipv6Addr;

/// What a request target says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Url {
    /// The path, with its escapes resolved.
    pub(super) path: String,
    /// The path as it was sent, or as Go escapes it where something in it had to be (`net/url` `EscapedPath`).
    pub(super) escaped_path: String,
    /// What follows the first `?`.
    pub(super) query: Option<String>,
    /// The host, of a target in absolute form (RFC 9112 §3.2.2); empty in every other.
    pub(super) host: String,
}

impl Url {
    /// The parts of a target; `None` for what is none.
    pub(super) fn parse(method: &str, target: &str) -> Option<Self> {
        if target == "*" && method != "CONNECT" {
            return Some(Self { path: target.to_owned(), escaped_path: target.to_owned(), ..Self::default() });
        }
        // A tunnel is asked for by its authority alone.
        let is_authority = method == "CONNECT" && !target.starts_with('/');
        let target = if is_authority { format!("http://{target}") } else { target.to_owned() };
        if target.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        let (scheme, rest) = split_scheme(&target)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        if !rest.starts_with('/') {
            // `mailto:x` has no path.
            return (!scheme.is_empty()).then(|| Self { query, ..Self::default() });
        }
        let (host, path) = match rest.strip_prefix("//") {
            Some(rest) if !scheme.is_empty() => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (parse_authority(authority)?, path)
            }
            _ => (String::new(), rest),
        };
        let sent = path;
        let path = unescape(sent, |_, _| true)?;
        let is_escaped = sent.bytes().all(|byte| is_plain(byte) || b"!'()*[]%".contains(&byte));
        let escaped_path = if is_escaped { sent.to_owned() } else { encode(&path) };
        Some(Self { path, escaped_path, query, host })
    }
}

/// The scheme, and what follows its colon; without a scheme it is empty, and everything follows.
fn split_scheme(target: &str) -> Option<(&str, &str)> {
    let end = target.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
    match end.map(|end| target.split_at(end)) {
        Some(("", rest)) if rest.starts_with(':') => None,
        Some((scheme, rest)) if rest.starts_with(':') && scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Some((scheme, &rest[1..]))
        }
        _ => Some(("", target)),
    }
}

/// The host and port, without the name of a user.
fn parse_authority(authority: &str) -> Option<String> {
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let is_user = user.chars().all(|c| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c));
    unescape(user, |_, _| true).filter(|_| is_user)?;
    let Some((_, address)) = host.rsplit_once('[') else {
        let port = host.find(':').map_or("", |at| &host[at..]);
        return unescape(host, is_host_byte).filter(|_| is_port(port));
    };
    let (address, port) = address.rsplit_once(']')?;
    let (address, zone) = address.split_at(address.find("%25").unwrap_or(address.len()));
    // More may be escaped in a zone, and less has to be.
    let is_zone_byte = |byte: u8, escaped| {
        if escaped {
            b" %".contains(&byte) || (byte.is_ascii() && is_host_byte(byte, false))
        } else {
            is_host_byte(byte, false)
        }
    };
    let zone = unescape(zone, is_zone_byte)?;
    let address = unescape(address, is_host_byte)?;
    let is_address = address.parse::<Ipv6Addr>().is_ok() && zone != "%" && is_port(port);
    is_address.then(|| format!("[{address}{zone}]{port}"))
}

/// Nothing, or a colon and any number of digits.
fn is_port(port: &str) -> bool {
    port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What may stand in a host; escaped only what is no ASCII, and `%` itself.
fn is_host_byte(byte: u8, escaped: bool) -> bool {
    if escaped {
        return !byte.is_ascii() || byte == b'%';
    }
    !byte.is_ascii() || byte.is_ascii_alphanumeric() || b"!$&'()*+,;=:[]<>\"-_.~".contains(&byte)
}

/// The text with its escapes resolved; `None` where one is malformed, or a byte is not `allowed`, escaped or not.
fn unescape(text: &str, allowed: impl Fn(u8, bool) -> bool) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let escaped = byte == b'%';
        let byte = if escaped { hex(bytes.next()?)? << 4 | hex(bytes.next()?)? } else { byte };
        if !allowed(byte, escaped) {
            return None;
        }
        out.push(byte);
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A path as it stands in a `Location` (`net/url` `escape`, `encodePath`).
pub(super) fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// What Go does not escape in a path.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte)
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
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{Url, clean, encode};

    #[rstest]
    #[case::path("GET", "/api/tags?x=1", "/api/tags", Some("x=1"), "")]
    #[case::escapes("GET", "/v1/models/ns%2Fx%C3%A9", "/v1/models/ns/xé", None, "")]
    #[case::escape_in_a_query("GET", "/?%zz", "/", Some("%zz"), "")]
    #[case::two_slashes("GET", "//a/b", "//a/b", None, "")]
    #[case::empty_query("GET", "/?", "/", Some(""), "")]
    #[case::server("OPTIONS", "*", "*", None, "")]
    #[case::absolute("GET", "http://example.com:80/api/tags?x=1", "/api/tags", Some("x=1"), "example.com:80")]
    #[case::capitals("GET", "HTTP://Example.com/", "/", None, "Example.com")]
    #[case::no_path("GET", "http://example.com", "", None, "example.com")]
    #[case::no_host("GET", "http:///x", "/x", None, "")]
    #[case::user("GET", "http://me:pw%20@a/", "/", None, "a")]
    #[case::address("GET", "http://[::1]:80/", "/", None, "[::1]:80")]
    #[case::zone("GET", "http://[fe80::1%25en%20]/", "/", None, "[fe80::1%en ]")]
    #[case::escaped_host("GET", "http://%C3%A9/", "/", None, "é")]
    #[case::opaque("GET", "mailto:x", "", None, "")]
    #[case::tunnel("CONNECT", "a:80", "", None, "a:80")]
    #[case::tunnel_with_a_path("CONNECT", "/a", "/a", None, "")]
    fn a_target_says_its_path_query_and_host(
        #[case] method: &str,
        #[case] target: &str,
        #[case] path: &str,
        #[case] query: Option<&str>,
        #[case] host: &str,
    ) {
        let url = Url::parse(method, target).unwrap();
        assert_eq!((url.path.as_str(), url.query.as_deref(), url.host.as_str()), (path, query, host));
    }

    #[rstest]
    #[case::empty("")]
    #[case::relative("api/tags")]
    #[case::backslash("\\api\\tags")]
    #[case::no_scheme(":x")]
    #[case::digit_as_scheme("1:x")]
    #[case::no_escape("/api/%zz")]
    #[case::half_an_escape("/100%")]
    #[case::control_character("/a\u{7f}")]
    #[case::control_character_in_a_query("/?\u{1}")]
    #[case::escape_in_a_host("http://%41/")]
    #[case::character_in_a_host("http://a^b/")]
    #[case::port("http://a:x/")]
    #[case::two_ports("http://a:1:2/")]
    #[case::bracket("http://[::1/")]
    #[case::name_in_brackets("http://[localhost]/")]
    #[case::old_address_in_brackets("http://[127.0.0.1]/")]
    #[case::empty_zone("http://[::1%25]/")]
    #[case::user("http://a b@c/")]
    fn what_go_refuses_is_no_target(#[case] target: &str) {
        assert_eq!(Url::parse("GET", target), None);
    }

    #[rstest]
    #[case::as_sent("/%41/[!]", "/%41/[!]")]
    #[case::escaped_anew("/%41<", "/A%3C")]
    fn a_path_is_escaped_where_it_had_to_be(#[case] target: &str, #[case] escaped: &str) {
        assert_eq!(Url::parse("GET", target).unwrap().escaped_path, escaped);
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

    proptest! {
        #[test]
        fn any_path_survives_being_escaped(path in "/[^\\p{Cc}]{0,20}") {
            prop_assert_eq!(Url::parse("GET", &encode(&path)).map(|url| url.path), Some(path));
        }
    }
}
