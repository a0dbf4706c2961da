//! All that can be read in what a recorder wrote. It shares nothing with what scrubs.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::Value;

use super::bodies::Scene;
use crate::recording::{Recording, RequestBody, read};

/// Returns the places where the secret of a scene can be read.
pub(super) fn views(recording: Option<&Recording>, file: &str, said: &str, scene: &Scene) -> Vec<String> {
    let mut views = BTreeMap::from([("file".to_owned(), file.to_owned()), ("stderr".to_owned(), said.to_owned())]);
    let mut values = Vec::new();
    if let Some(recording) = recording {
        assert_eq!(read(file.as_bytes(), "x").unwrap(), *recording);
        views.insert("name".to_owned(), recording.name.clone());
        let exchange = &recording.exchanges[0];
        for chunk in &exchange.chunks {
            views.entry("chunks".to_owned()).or_default().push_str(&String::from_utf8_lossy(&chunk.bytes));
        }
        let body = unpacked(&exchange.body());
        views.insert("body".to_owned(), body.clone());
        let data: Vec<&str> = body.split(['\r', '\n']).map(|line| line.trim_start_matches('\u{feff}')).collect();
        let data: Vec<&str> = data.iter().map(|line| line.strip_prefix("data:").unwrap_or(line)).collect();
        views.insert("data".to_owned(), data.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect());
        values =
            serde_json::Deserializer::from_str(&data.join(" ")).into_iter::<Value>().map_while(Result::ok).collect();
        if let Some(RequestBody::Json(value)) = exchange.request.as_ref().and_then(|request| request.body.as_ref()) {
            join(value, "request", &mut views, false);
        }
    }
    for value in &values {
        join(value, "by index", &mut views, false);
        join(value, "by position", &mut views, true);
    }
    for (_, view) in views.iter_mut().filter(|(name, _)| name.starts_with("bytes of ")) {
        let bytes: Vec<u8> = view.chars().filter_map(|byte| u8::try_from(u32::from(byte)).ok()).collect();
        *view = String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut found: Vec<String> =
        views.iter().filter(|(_, view)| shows(view, &scene.secret)).map(|(name, _)| name.clone()).collect();
    if spells_out(&values, &scene.pieces) {
        found.push("alternatives".to_owned());
    }
    found
}

fn unpacked(body: &[u8]) -> String {
    let mut text = Vec::new();
    let unpacked = flate2::read::MultiGzDecoder::new(body).read_to_end(&mut text);
    String::from_utf8_lossy(if unpacked.is_ok() && !text.is_empty() { &text } else { body }).into_owned()
}

/// Returns whether a text shows a secret, as it is or with its escapes undone.
fn shows(text: &str, secret: &str) -> bool {
    let mut layer = text.to_owned();
    for _ in 0..4 {
        let plain = percent_decoded(&layer);
        if layer.contains(secret) || plain.contains(secret) || plain.replace('+', " ").contains(secret) {
            return true;
        }
        layer = unescaped(&layer);
    }
    false
}

/// Joins all strings, keys and bytes of a value to those of other values at the same place.
fn join(value: &Value, place: &str, views: &mut BTreeMap<String, String>, positions: bool) {
    match value {
        Value::String(text) => views.entry(place.to_owned()).or_default().push_str(text),
        Value::Array(values) => {
            let bytes: Option<Vec<u8>> =
                values.iter().map(|value| value.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect();
            if let Some(bytes) = bytes {
                // A character a byte, since those of the text may be cut in two.
                let text = bytes.into_iter().map(char::from);
                views.entry(format!("bytes of {place}")).or_default().extend(text);
            }
            for (at, value) in values.iter().enumerate() {
                let at = if positions { at } else { 0 };
                join(value, &format!("{place}[{at}]"), views, positions);
            }
        }
        Value::Object(members) => {
            let said = |key: &str| members.get(key).and_then(Value::as_u64).map(|index| format!("#{index}"));
            // Numbered events count up, and are one text.
            let own = if members.contains_key("id") { None } else { said("index").or_else(|| said("output_index")) };
            for (key, value) in members {
                views.entry(format!("keys of {place}")).or_default().extend([key.as_str(), "\n"]);
                join(value, &format!("{place}{}.{key}", own.clone().unwrap_or_default()), views, positions);
            }
        }
        _ => {}
    }
}

/// Returns whether the alternatives of successive tokens hold the pieces of a secret, one after the other.
fn spells_out(values: &[Value], pieces: &[String]) -> bool {
    let of = |value: &Value| -> Vec<String> {
        let legacy = value["logprobs"]["top_logprobs"][0].as_object();
        let ranked = value["logprobs"][0]["top_logprobs"].as_array();
        let tokens = ranked.into_iter().flatten().flat_map(|rank| {
            let bytes = rank["bytes"].as_array().into_iter().flatten();
            let bytes: Vec<u8> = bytes.filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            [rank["token"].as_str().unwrap_or_default().to_owned(), String::from_utf8_lossy(&bytes).into_owned()]
        });
        tokens.chain(legacy.into_iter().flat_map(|map| map.keys().cloned())).collect()
    };
    values.len() >= pieces.len() && values.iter().zip(pieces).all(|(value, piece)| of(value).contains(piece))
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn unescaped(text: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (unit, length) = match (letter, rest.as_bytes().get(1)) {
            ('\\', Some(b'u')) => (rest.get(2..6).and_then(|digits| u16::from_str_radix(digits, 16).ok()), 6),
            ('\\', Some(b'n')) => (Some(10), 2),
            ('\\', Some(&byte @ (b'"' | b'\\' | b'/'))) => (Some(byte.into()), 2),
            _ => (None, 0),
        };
        if let Some(unit) = unit {
            units.push(unit);
            rest = &rest[length..];
        } else {
            units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
            rest = &rest[letter.len_utf8()..];
        }
    }
    String::from_utf16_lossy(&units)
}
