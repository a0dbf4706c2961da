//! What a refused request gets, in every envelope.

use serde::Serialize;

use super::Ids;
use super::request::{Dialect, Envelope};
use crate::generation::{Refusal, RefusedBy};
use crate::go_json::{error_body, to_string};
use crate::http::{BARE_JSON, JSON, Reply};

/// What a refused request for an answer gets; `stream` is whether it asked for one.
pub fn refuse(dialect: Dialect, refusal: &Refusal, stream: bool, ids: Ids) -> Reply {
    let mut reply = refuse_in(dialect.envelope(), refusal, ids);
    if refusal.by == RefusedBy::Runner && stream {
        // By way of the stream writer, which flushes.
        BARE_JSON.clone_into(&mut reply.fields[0].1);
        reply.flushed = true;
    }
    if stream && dialect.flushes_events() && matches!(refusal.by, RefusedBy::Handler | RefusedBy::Runner) {
        reply.fields.extend(super::sse_fields(true).into_iter().filter(|(name, _)| name != "Content-Type"));
    }
    reply
}

/// What a refused request gets on a route with this envelope.
pub fn refuse_in(envelope: Envelope, refusal: &Refusal, ids: Ids) -> Reply {
    let envelope = if refusal.by == RefusedBy::Cloud { Envelope::Native } else { envelope };
    let body = match envelope {
        Envelope::Native => error_body(&refusal.text),
        Envelope::OpenAi => open_ai(refusal),
        Envelope::Anthropic => anthropic(refusal, ids),
    };
    let by_writer = envelope != Envelope::Native && refusal.by != RefusedBy::Parser;
    if by_writer {
        return Reply::wrapped(refusal.status, &body);
    }
    Reply::new(refusal.status, JSON, body)
}

/// `openai.NewError`
fn open_ai(refusal: &Refusal) -> String {
    #[derive(Serialize)]
    struct Outer<'a> {
        error: Inner<'a>,
    }
    #[derive(Serialize)]
    struct Inner<'a> {
        message: &'a str,
        #[serde(rename = "type")]
        kind: &'static str,
        param: (),
        code: (),
    }
    let kind = match refusal.status {
        400 => "invalid_request_error",
        404 => "not_found_error",
        _ => "api_error",
    };
    to_string(&Outer { error: Inner { message: &refusal.text, kind, param: (), code: () } })
}

/// `anthropic.NewError`
fn anthropic(refusal: &Refusal, ids: Ids) -> String {
    #[derive(Serialize)]
    struct Outer<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        error: Inner<'a>,
        request_id: String,
    }
    #[derive(Serialize)]
    struct Inner<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        message: &'a str,
    }
    let kind = match refusal.status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        _ => "api_error",
    };
    let request_id = format!("req_{}", ids.hex("request", 24));
    to_string(&Outer { kind: "error", error: Inner { kind, message: &refusal.text }, request_id })
}
