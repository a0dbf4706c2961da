//! Recordings for property tests: everything the format can hold.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

use super::limits::FRAMING_HEADERS;
use super::rules::is_bodiless;
use super::{Chunk, Details, End, Exchange, Method, Model, Origin, Recording, Request, RequestBody, Response};

/// Any recording of up to three exchanges.
pub(crate) fn recording() -> impl Strategy<Value = Recording> {
    let origins = [Origin::Recorded, Origin::Imported, Origin::Reconstructed, Origin::Synthetic];
    let texts = (option::of(".*"), option::of(".*"), option::of(".*"), option::of(".*"));
    (label(), prop::sample::select(origins.to_vec()), texts, model(), vec(exchange(), 1..4)).prop_map(
        |(name, origin, (server, licence, description, source), model, exchanges)| Recording {
            name,
            origin,
            description,
            server,
            model,
            licence,
            source,
            scrub: Vec::new(),
            exchanges,
        },
    )
}

fn label() -> impl Strategy<Value = String> {
    "\\PC{0,8}[a-z\u{e9}\u{4e00}]\\PC{0,8}"
}

fn model() -> impl Strategy<Value = Model> {
    let times = prop::sample::select(vec!["2026-11-20T22:44:24.13Z", "1999-01-01T00:00:00+02:00"]);
    let facts = (option::of(details()), option::of(any::<u64>()), option::of("[0-9a-f]{64}"), option::of(times));
    (label(), vec("[a-z]{0,9}", 0..3), facts).prop_map(|(name, capabilities, (details, size, digest, modified_at))| {
        Model { name, capabilities, details, size, digest, modified_at: modified_at.map(ToOwned::to_owned) }
    })
}

fn details() -> impl Strategy<Value = Details> {
    let lengths = (option::of(any::<u64>()), option::of(any::<u64>()));
    (".*", option::of(vec("[a-z]{0,9}", 0..3)), lengths).prop_map(
        |(parent_model, families, (context_length, embedding_length))| Details {
            parent_model,
            format: "gguf".to_owned(),
            family: "llama".to_owned(),
            families,
            parameter_size: "2.11M".to_owned(),
            quantization_level: "F16".to_owned(),
            context_length,
            embedding_length,
        },
    )
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let ends = vec![End::Clean, End::Eof, End::Reset, End::ClientClosed, End::Timeout];
    let steps = vec((0..100_000u64, chunk_bytes()), 0..12);
    (option::of(request()), option::of(any::<u64>()), response(), steps, prop::sample::select(ends)).prop_map(
        |(request, sent_us, response, steps, end)| {
            let times = steps.iter().scan(0, |at_us, (step, _)| {
                *at_us += step;
                Some(*at_us)
            });
            let chunks = times.zip(&steps).map(|(at_us, (_, bytes))| Chunk { at_us, bytes: bytes.clone() });
            let chunks = if is_bodiless(response.status) { Vec::new() } else { chunks.collect() };
            Exchange { request, sent_us, response, chunks, end }
        },
    )
}

/// Texts with everything that JSON escapes, and bytes that are not UTF-8.
fn chunk_bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        3 => "[a-z\"\\\\/\u{0}-\u{1f}\u{7f}\u{2028}\u{e9}\u{1f600}]{1,12}".prop_map(Bytes::from),
        1 => vec(any::<u8>(), 1..12).prop_map(Bytes::from),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let methods = vec![Method::Get, Method::Head, Method::Post, Method::Delete];
    let exact = prop::sample::select(vec!["[1e400]", r#"{"a":1,"a":2.50}"#]).prop_map(RequestBody::of);
    let body = prop_oneof![json().prop_map(RequestBody::Json), exact, ".*".prop_map(RequestBody::Text)];
    (prop::sample::select(methods), "/[a-z0-9/._%-]{0,12}", option::of(body)).prop_map(|(method, path, body)| Request {
        method,
        path,
        body,
    })
}

fn response() -> impl Strategy<Value = Response> {
    let name = "[A-Za-z][A-Za-z0-9-]{0,9}"
        .prop_filter("framing", |name| !FRAMING_HEADERS.iter().any(|framing| framing.eq_ignore_ascii_case(name)));
    let value = "([!-~]([ -~]{0,9}[!-~])?)?";
    (200..=599u16, vec((name, value), 0..3)).prop_map(|(status, headers)| Response { status, headers })
}

pub(super) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((".{0,6}", inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}
