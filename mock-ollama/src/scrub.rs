//! Making secrets unreadable: every character that a pattern matches becomes `*`.
//!
//! A secret may be split over several tokens, each in a chunk of its own; so the patterns are also run over the text that
//! the pieces of an answer make together, and each match is followed back to the bytes it came from.

use bytes::Bytes;
use regex::Regex;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The keys of the strings that hold the text of an answer, in any dialect; each makes a text of its own.
const TEXTS: &[&str] = &["response", "content", "thinking", "reasoning", "text", "delta", "arguments", "partial_json"];

/// Patterns, compiled.
#[derive(Clone, Debug, Default)]
pub struct Scrub(Vec<Regex>);

impl Scrub {
    /// Compiles patterns.
    ///
    /// # Errors
    /// The first pattern that is no regular expression, and why.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let compile = |pattern: &str| Regex::new(pattern).map_err(|error| format!("bad pattern {pattern:?}: {error}"));
        patterns.into_iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The patterns.
    pub fn patterns(&self) -> Vec<String> {
        self.0.iter().map(|pattern| pattern.as_str().to_owned()).collect()
    }

    /// A text with every match made unreadable.
    pub fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, pattern| {
            pattern.replace_all(&text, |found: &regex::Captures<'_>| "*".repeat(found[0].chars().count())).into_owned()
        })
    }

    /// A JSON value with every match within one of its strings made unreadable.
    pub fn json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(values) => values.iter().map(|value| self.json(value)).collect(),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(key, value)| (key.clone(), self.json(value))).collect())
            }
            other => other.clone(),
        }
    }

    /// The chunks of a body with every match made unreadable: in the texts that the answer makes, in each other string of
    /// its JSON, and in each line that is none. What a pattern would match across strings stays, so that JSON stays JSON.
    /// A chunk that holds nothing but the rest of a character may come out empty.
    pub fn body(&self, chunks: &[Bytes]) -> Vec<Bytes> {
        if self.is_empty() {
            return chunks.to_vec();
        }
        let body: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.iter().copied()).collect();
        let mut fate = vec![Fate::Kept; body.len()];
        for text in Assembled::of(&body).into_values() {
            self.mark(&text, &mut fate);
        }
        let mut at = 0;
        let scrubbed = chunks.iter().map(|chunk| {
            let range = at..at + chunk.len();
            at = range.end;
            let bytes = range.filter_map(|place| match fate[place] {
                Fate::Kept => Some(body[place]),
                Fate::Star => Some(b'*'),
                Fate::Gone => None,
            });
            bytes.collect()
        });
        scrubbed.collect()
    }

    fn mark(&self, text: &Assembled, fate: &mut [Fate]) {
        for found in self.0.iter().flat_map(|pattern| pattern.find_iter(&text.text)) {
            for (offset, _) in found.as_str().char_indices() {
                let Some((start, end)) = text.places.get(&(found.start() + offset)).copied() else { continue };
                fate[start..end].fill(Fate::Gone);
                fate[start] = Fate::Star;
            }
        }
    }
}

/// What becomes of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    /// It is the first of a character that is made unreadable.
    Star,
    /// It is another of its bytes.
    Gone,
}

/// A text that pieces make together, and where in the body each of its characters stands.
#[derive(Debug, Default)]
struct Assembled {
    text: String,
    /// Offset in the text, and range in the body.
    places: BTreeMap<usize, (usize, usize)>,
}

impl Assembled {
    /// The texts of a body: of its lines, or of its `data:` lines.
    fn of(body: &[u8]) -> BTreeMap<String, Self> {
        let mut texts = BTreeMap::new();
        let mut start = 0;
        for line in body.split_inclusive(|&byte| byte == b'\n') {
            let offset = start;
            start += line.len();
            let Ok(text) = std::str::from_utf8(line) else { continue };
            let (json, offset) = match text.strip_prefix("data: ") {
                Some(data) => (data, offset + "data: ".len()),
                None => (text, offset),
            };
            match serde_json::from_str::<&RawValue>(json) {
                Ok(value) => visit(value.get(), "", offset + place(json, value.get()), &mut texts),
                Err(_) => {
                    texts.entry(format!("line at {offset}")).or_default().add_plain(json, offset);
                }
            }
        }
        texts
    }

    /// Adds the characters of a text that is no JSON.
    fn add_plain(&mut self, text: &str, offset: usize) {
        for (at, character) in text.char_indices() {
            self.places.insert(self.text.len(), (offset + at, offset + at + character.len_utf8()));
            self.text.push(character);
        }
    }

    /// Adds the characters of a JSON string that stands at `offset`.
    fn add(&mut self, json: &str, offset: usize) {
        let inner = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
        let mut at = 0;
        while at < inner.len() {
            let length = character(&inner[at..]);
            let written = &inner[at..at + length];
            let decoded: String = serde_json::from_str(&format!("\"{written}\"")).unwrap_or_default();
            self.places.insert(self.text.len(), (offset + 1 + at, offset + 1 + at + length));
            self.text.push_str(&decoded);
            at += length;
        }
    }
}

/// How many bytes of a JSON string its first character takes; two escapes that make one character are one.
fn character(text: &str) -> usize {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.get(1)) {
        (Some(b'\\'), Some(b'u')) => {
            let high = text.get(2..6).and_then(|digits| u16::from_str_radix(digits, 16).ok()).unwrap_or(0);
            let is_pair = (0xd800..0xdc00).contains(&high) && text[6..].starts_with("\\u");
            if is_pair { 12.min(text.len()) } else { 6.min(text.len()) }
        }
        (Some(b'\\'), Some(_)) => 2,
        _ => text.chars().next().map_or(1, char::len_utf8),
    }
}

/// Where `part` stands in `whole`, of which it is a slice.
fn place(whole: &str, part: &str) -> usize {
    part.as_ptr() as usize - whole.as_ptr() as usize
}

fn visit(json: &str, key: &str, offset: usize, texts: &mut BTreeMap<String, Assembled>) {
    match json.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
            for (key, value) in fields {
                visit(value.get(), &key, offset + place(json, value.get()), texts);
            }
        }
        Some(b'[') => {
            let values: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            for value in values {
                visit(value.get(), key, offset + place(json, value.get()), texts);
            }
        }
        Some(b'"') if TEXTS.contains(&key) => texts.entry(key.to_owned()).or_default().add(json, offset),
        Some(b'"') => texts.entry(format!("string at {offset}")).or_default().add(json, offset),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use serde_json::json;

    use super::Scrub;

    fn scrub(pattern: &str) -> Scrub {
        Scrub::new([pattern]).unwrap()
    }

    fn body(pattern: &str, chunks: &[&str]) -> Vec<String> {
        let chunks: Vec<Bytes> = chunks.iter().map(|chunk| Bytes::from((*chunk).to_owned())).collect();
        let scrubbed = scrub(pattern).body(&chunks);
        scrubbed.into_iter().map(|chunk| String::from_utf8(chunk.to_vec()).unwrap()).collect()
    }

    #[test]
    fn a_secret_that_is_split_over_several_tokens_is_found_in_every_piece_it_touches() {
        let scrubbed = body(
            "sk-[a-z0-9]+",
            &[
                "{\"response\":\"my key is s\",\"done\":false}\n",
                "{\"response\":\"k-ab\",\"done\":false}\n",
                "{\"response\":\"c9 ok\",\"done\":false}\n",
            ],
        );
        assert_eq!(
            scrubbed,
            [
                "{\"response\":\"my key is *\",\"done\":false}\n",
                "{\"response\":\"****\",\"done\":false}\n",
                "{\"response\":\"** ok\",\"done\":false}\n",
            ]
        );
    }

    #[test]
    fn escapes_are_one_character_and_texts_of_other_keys_are_not_mixed_in() {
        let scrubbed = body(
            "é<b",
            &[
                "data: {\"choices\":[{\"delta\":{\"content\":\"\\u00e9\\u003c\",\"reasoning\":\"x\"}}]}\n\n",
                "data: {\"choices\":[{\"delta\":{\"content\":\"bc\",\"reasoning\":\"y\"}}]}\n\n",
            ],
        );
        assert!(scrubbed[0].contains("\"content\":\"**\""), "{scrubbed:?}");
        assert!(scrubbed[1].contains("\"content\":\"*c\""), "{scrubbed:?}");
    }

    #[test]
    fn a_pattern_that_would_run_past_the_end_of_a_string_leaves_the_json_whole() {
        let scrubbed = body(r"sk-\S+", &["{\"model\":\"sk-1\",\"response\":\"sk-2 x\",\"done\":true}\n"]);
        assert_eq!(scrubbed, ["{\"model\":\"****\",\"response\":\"**** x\",\"done\":true}\n"]);
    }

    #[test]
    fn a_match_within_a_chunk_is_found_whatever_the_chunk_is() {
        assert_eq!(body("secret", &["no json, a secret"]), ["no json, a ******"]);
    }

    #[test]
    fn strings_of_a_request_are_scrubbed_and_its_form_is_kept() {
        let request = json!({ "model": "m", "messages": [{ "content": "key sk-1" }], "n": 1 });
        let expected = json!({ "model": "m", "messages": [{ "content": "key ****" }], "n": 1 });
        assert_eq!(scrub("sk-[0-9]").json(&request), expected);
    }

    #[test]
    fn a_bad_pattern_is_named() {
        assert!(Scrub::new(["("]).unwrap_err().starts_with("bad pattern \"(\""));
    }

    proptest! {
        #[test]
        fn no_match_is_left_in_the_text_and_every_line_is_still_json(
            before in "[a-z é]{0,6}", after in "[a-z é<>]{0,6}", cuts in prop::collection::vec(1_usize..5, 0..6),
        ) {
            let text = format!("{before}KEY123{after}");
            let mut rest: Vec<char> = text.chars().collect();
            let mut chunks = Vec::new();
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let piece: String = rest.drain(..cut.min(rest.len())).collect();
                chunks.push(Bytes::from(json!({ "message": { "content": piece } }).to_string() + "\n"));
            }
            let scrubbed = scrub("KEY[0-9]+").body(&chunks);
            let mut said = String::new();
            for chunk in &scrubbed {
                let object: serde_json::Value = serde_json::from_slice(chunk).unwrap();
                said += object["message"]["content"].as_str().unwrap();
            }
            prop_assert_eq!(said, format!("{before}******{after}"));
        }
    }
}
