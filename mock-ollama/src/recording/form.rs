//! Whether an answer is a stream, and of which form.

use serde::de::IgnoredAny;

use super::model::Exchange;
use super::request_body::RequestBody;

/// What a response body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A stream of JSON lines.
    Lines,
    /// A stream of server-sent events.
    Events,
    /// One answer that is no stream.
    Whole,
}

/// What a line of server-sent events begins with.
const EVENT_FIELDS: [&[u8]; 5] = [b"data:", b"event:", b"id:", b"retry:", b":"];

/// The byte order mark of UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Form {
    /// Returns the form of the body of `exchange`.
    ///
    /// The content type tells it, where it is that of a stream. Else the bytes do: events, or more than one JSON value.
    /// One value without a content type is a stream where the request asked a native route for one.
    pub fn of(exchange: &Exchange) -> Self {
        let kind = exchange.response.header("content-type");
        let is = |stream: &str| kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with(stream));
        if is("application/x-ndjson") {
            return Self::Lines;
        }
        if is("text/event-stream") {
            return Self::Events;
        }
        let body = exchange.body();
        let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body).trim_ascii_start();
        if EVENT_FIELDS.iter().any(|field| text.starts_with(field)) {
            return Self::Events;
        }
        let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
        let (first, second) = (values.next(), values.next());
        let is_stream = match (first, second) {
            (Some(Ok(_)), Some(_)) => true,
            (Some(Ok(_)), None) => {
                kind.is_none() && exchange.response.status == 200 && asked_for_lines(exchange, &body)
            }
            _ => false,
        };
        if is_stream { Self::Lines } else { Self::Whole }
    }

    /// Returns whether it is one of the two forms of a stream.
    pub fn is_stream(self) -> bool {
        self != Self::Whole
    }
}

/// Returns whether JSON lines were asked for. Where the request is not known, the newline that ends each line tells.
fn asked_for_lines(exchange: &Exchange, body: &[u8]) -> bool {
    let request = exchange.request.as_ref();
    if request.is_some_and(|request| !request.path.starts_with("/api/")) {
        return false;
    }
    match request.and_then(|request| request.body.as_ref()) {
        Some(RequestBody::Json(asked)) => asked["stream"].as_bool().unwrap_or(true),
        _ => body.ends_with(b"\n"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::Form;
    use crate::recording::{Chunk, End, Exchange, Method, Request, RequestBody, Response};

    const LINE: &str = "{\"response\":\"x\",\"done\":true}\n";

    fn exchange(status: u16, kind: Option<&str>, body: &str) -> Exchange {
        let headers = kind.map(|kind| ("content-type".to_owned(), kind.to_owned()));
        let response = Response { status, headers: headers.into_iter().collect() };
        let chunks = vec![Chunk { at_us: 0, bytes: body.to_owned().into() }];
        Exchange { request: None, sent_us: None, response, chunks, end: End::Clean }
    }

    #[rstest]
    #[case::lines(Some("application/x-ndjson"), "", Form::Lines)]
    #[case::events(Some("text/event-stream; charset=utf-8"), "", Form::Events)]
    #[case::events_by_name(Some("Text/Event-Stream"), "", Form::Events)]
    #[case::events_called_json(Some("application/json"), "data: {}\n\n", Form::Events)]
    #[case::events_after_a_comment(None, ": hi\n\ndata: {}\n\n", Form::Events)]
    #[case::events_after_a_byte_order_mark(None, "\u{feff}event: a\ndata:{}\n\n", Form::Events)]
    #[case::lines_called_json(Some("application/json"), "{}\n{}\n", Form::Lines)]
    #[case::lines_of_which_the_last_is_cut(None, "{}\n{\"a", Form::Lines)]
    #[case::one_value(Some("application/json"), LINE, Form::Whole)]
    #[case::one_line(None, LINE, Form::Lines)]
    #[case::one_value_without_a_newline(None, "{\"response\":\"x\"}", Form::Whole)]
    #[case::a_page(None, "<html>", Form::Whole)]
    #[case::nothing(None, "", Form::Whole)]
    fn content_type_or_else_the_bytes_tell_the_form(
        #[case] kind: Option<&str>,
        #[case] body: &str,
        #[case] form: Form,
    ) {
        assert_eq!(Form::of(&exchange(200, kind, body)), form);
    }

    #[rstest]
    #[case::by_default("/api/generate", json!({}), Form::Lines)]
    #[case::asked_for("/api/chat", json!({ "stream": true }), Form::Lines)]
    #[case::not_asked_for("/api/chat", json!({ "stream": false }), Form::Whole)]
    #[case::elsewhere("/v1/chat/completions", json!({ "stream": true }), Form::Whole)]
    fn of_one_value_without_a_content_type_the_request_tells(
        #[case] path: &str,
        #[case] body: serde_json::Value,
        #[case] form: Form,
    ) {
        let request = Request { method: Method::Post, path: path.to_owned(), body: Some(RequestBody::Json(body)) };
        assert_eq!(Form::of(&Exchange { request: Some(request), ..exchange(200, None, LINE) }), form);
    }

    #[test]
    fn a_failure_of_one_value_is_no_stream() {
        assert_eq!(Form::of(&exchange(500, None, "{\"error\":\"boom\"}\n")), Form::Whole);
    }
}
