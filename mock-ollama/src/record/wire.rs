//! What the recorder writes itself: the head of a request on its way on, and answers in the upstream's stead.

use std::io;

use super::upstream::UpstreamUrl;
use crate::driver::{Monotonic, TimeSource as _};
use crate::go_json::error_body;
use crate::http::{Fields, Framing, RequestHead, ResponseHead, Version};

/// Request fields that are not forwarded: those of one connection, and what would have the answer compressed.
const NOT_FORWARDED: &[&str] =
    &["host", "connection", "keep-alive", "transfer-encoding", "content-length", "expect", "accept-encoding"];

/// Returns the head of a request as it is forwarded: the fields of one connection are made anew.
pub(super) fn forwarded(head: &RequestHead, body_length: usize, upstream: &UpstreamUrl) -> Vec<u8> {
    let RequestHead { method, target, headers, .. } = head;
    let version = if head.version == Version::Http10 { "HTTP/1.0" } else { "HTTP/1.1" };
    let mut out = format!("{method} {target} {version}\r\nHost: {}\r\nConnection: close\r\n", upstream.authority);
    for (name, value) in headers {
        if !NOT_FORWARDED.contains(&name.to_ascii_lowercase().as_str()) {
            for part in [name.as_str(), ": ", value, "\r\n"] {
                out.push_str(part);
            }
        }
    }
    if body_length > 0 || matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        out.push_str("Content-Length: ");
        out.push_str(&body_length.to_string());
        out.push_str("\r\n");
    }
    (out + "\r\n").into_bytes()
}

/// Returns what a client gets whose `Origin` or `Host` is not let in: what the real server says.
pub(super) fn forbidden(head: &RequestHead, fields: Fields, body: String) -> Vec<u8> {
    let framing = Framing::of_whole(head.version, &head.method, 403, body.len() as u64);
    let date_unix_s = Some(Monotonic.wall().unix_nanos / 1_000_000_000);
    let head =
        ResponseHead { version: head.version, status: 403, fields, date_unix_s, framing, connection: Some("close") };
    [head.encode(), body.into_bytes()].concat()
}

/// Returns what a client gets when the upstream cannot be reached.
pub(super) fn unreachable(upstream: &UpstreamUrl, why: &io::Error) -> Vec<u8> {
    let body = error_body(&format!("mock-ollama record: cannot reach {upstream}: {why}"));
    let fields = format!("Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    format!("HTTP/1.1 502 Bad Gateway\r\n{fields}\r\n{body}").into_bytes()
}
