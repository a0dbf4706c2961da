//! Exchanges with a secret in them.

use std::fmt::Write as _;
use std::io::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

/// Where a secret is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plant {
    Path,
    /// The path of an exchange that is not recorded, and so printed on standard error.
    LostPath,
    Query,
    RequestString,
    RequestKey,
    RequestText,
    EmbeddingInput,
    KeptField,
    OtherField,
    Text,
    Thinking,
    ToolName,
    ToolArguments,
    OpenAiContent,
    ReasoningContent,
    Refusal,
    Completion,
    OpenAiArguments,
    ResponsesDelta,
    MessagesText,
    MessagesJson,
    Error,
    AnswerKey,
    Choices,
    Calls,
    ChoicesWithoutIndex,
    NumberedEvents,
    Tokens,
    ManyTokens,
    Alternatives,
    HalfCharacters,
    LegacyTokens,
    PlainText,
    PlainEvents,
}

impl Plant {
    pub(super) const ALL: [Self; 34] = [
        Self::Path,
        Self::LostPath,
        Self::Query,
        Self::RequestString,
        Self::RequestKey,
        Self::RequestText,
        Self::EmbeddingInput,
        Self::KeptField,
        Self::OtherField,
        Self::Text,
        Self::Thinking,
        Self::ToolName,
        Self::ToolArguments,
        Self::OpenAiContent,
        Self::ReasoningContent,
        Self::Refusal,
        Self::Completion,
        Self::OpenAiArguments,
        Self::ResponsesDelta,
        Self::MessagesText,
        Self::MessagesJson,
        Self::Error,
        Self::AnswerKey,
        Self::Choices,
        Self::Calls,
        Self::ChoicesWithoutIndex,
        Self::NumberedEvents,
        Self::Tokens,
        Self::ManyTokens,
        Self::Alternatives,
        Self::HalfCharacters,
        Self::LegacyTokens,
        Self::PlainText,
        Self::PlainEvents,
    ];
}

/// How objects are written.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each may come with each other")]
pub(super) struct Framing {
    /// 0: a line each; 1: `data: `; 2: `data:`; 3: two on a line; 4: pretty-printed; 5: pretty-printed in events.
    pub(super) kind: usize,
    /// 0: LF; 1: CRLF; 2: CR.
    pub(super) line_end: usize,
    pub(super) byte_order_mark: bool,
    /// Every character of a string is an escape.
    pub(super) escaped: bool,
    /// A byte that is no UTF-8 stands in the text.
    pub(super) bad_byte: bool,
    pub(super) gzip: bool,
}

/// One exchange.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) secret: String,
    /// The secret as tokens.
    pub(super) pieces: Vec<String>,
    pub(super) target: String,
    pub(super) header_value: String,
    pub(super) request: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) chunks: Vec<Vec<u8>>,
}

pub(super) fn scenes() -> impl Strategy<Value = Scene> {
    let letters = prop::sample::select("abc019ABé😀\"\\/ %+<-".chars().collect::<Vec<_>>());
    let secret = prop::collection::vec(letters, 6..12).prop_map(|letters| letters.into_iter().collect::<String>());
    let flags = any::<(bool, bool, bool, bool)>();
    let framing = (0_usize..6, 0_usize..3, flags).prop_map(|(kind, line_end, (mark, escaped, bad, zip))| Framing {
        kind,
        line_end,
        byte_order_mark: mark,
        escaped,
        bad_byte: bad,
        gzip: zip,
    });
    let plant = prop::sample::select(Plant::ALL.to_vec());
    let cuts = prop::collection::vec(0_usize..400, 0..4);
    (plant, secret, framing, 1_usize..5, cuts).prop_map(|(plant, secret, framing, size, cuts)| {
        Scene::new(plant, &format!("q{secret}z"), framing, size, &cuts)
    })
}

impl Scene {
    /// `size` characters make a token; chunks are cut at `cuts`.
    pub(super) fn new(plant: Plant, secret: &str, framing: Framing, size: usize, cuts: &[usize]) -> Self {
        let letters: Vec<char> = secret.chars().collect();
        let pieces: Vec<String> = letters.chunks(size).map(|piece| piece.iter().collect()).collect();
        let mut scene = Self {
            secret: secret.to_owned(),
            pieces,
            target: "/api/chat".to_owned(),
            header_value: "x".to_owned(),
            request: json!({ "model": "m" }).to_string(),
            fields: vec![("Content-Type".to_owned(), "application/x-ndjson".to_owned())],
            chunks: Vec::new(),
        };
        let mut body = match plant {
            Plant::PlainText => format!("a line\nanother with {secret} in it\n").into_bytes(),
            Plant::PlainEvents => {
                scene.pieces.iter().fold(String::new(), |body, piece| body + "data: " + piece + "\n\n").into_bytes()
            }
            _ => framing.write(&scene.objects(plant)),
        };
        scene.plant(plant, framing);
        if framing.gzip {
            scene.fields.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&body).unwrap();
            body = encoder.finish().unwrap();
        }
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut % body.len()).chain([0, body.len()]).collect();
        places.sort_unstable();
        scene.chunks = places.windows(2).map(|pair| body[pair[0]..pair[1]].to_vec()).collect();
        scene.chunks.retain(|chunk| !chunk.is_empty());
        scene
    }

    /// Plants the secret outside the answer.
    fn plant(&mut self, plant: Plant, framing: Framing) {
        let secret = &self.secret;
        let json = |value: Value| if framing.escaped { escaped(&value.to_string()) } else { value.to_string() };
        match plant {
            Plant::Path => self.target = format!("/v1/models/{}", percent(secret)),
            Plant::LostPath => {
                self.target = format!("/v1/models/{}", percent(secret));
                self.fields.push(("Content-Encoding".to_owned(), "br".to_owned()));
            }
            Plant::Query => self.target = format!("/api/tags?a=b&key={}", percent(secret)),
            Plant::OtherField => {
                self.header_value = percent(secret);
                self.fields.push(("X-Token".to_owned(), percent(secret)));
            }
            Plant::KeptField => self.fields.push(("Location".to_owned(), format!("/x/{}", percent(secret)))),
            Plant::RequestString => {
                self.request = json(json!({ "model": "m", "messages": [{ "role": "user", "content": secret }] }));
            }
            Plant::RequestKey => self.request = json(json!({ "model": "m", "options": { secret.as_str(): 1 } })),
            Plant::RequestText => self.request = format!("{{ no JSON {secret}"),
            Plant::EmbeddingInput => {
                self.request = json(json!({ "model": "m", "input": ["a", format!("is {secret}.")] }));
            }
            _ => {}
        }
    }

    /// Returns the objects of an answer.
    fn objects(&self, plant: Plant) -> Vec<Value> {
        let secret = self.secret.as_str();
        let each = |object: &dyn Fn(&str) -> Value| {
            let pieces = ["\u{bf} is "].into_iter().chain(self.pieces.iter().map(String::as_str)).chain([", ok"]);
            pieces.map(object).collect()
        };
        let delta = |key: &'static str| each(&|piece| json!({ "choices": [{ "index": 0, "delta": { key: piece } }] }));
        match plant {
            Plant::Text => each(&|piece| json!({ "model": "m", "response": piece, "done": false })),
            Plant::Thinking => each(&|piece| json!({ "message": { "content": "", "thinking": piece } })),
            Plant::OpenAiContent => delta("content"),
            Plant::ReasoningContent => delta("reasoning_content"),
            Plant::Refusal => delta("refusal"),
            Plant::Completion => each(&|piece| json!({ "choices": [{ "text": piece, "index": 0 }] })),
            Plant::ResponsesDelta => {
                let kind = "response.output_text.delta";
                let mut number = 0;
                let mut delta = |output: u32, piece: &str| {
                    number += 1;
                    json!({ "type": kind, "sequence_number": number, "output_index": output, "delta": piece })
                };
                self.pieces.iter().flat_map(|piece| [delta(0, piece), delta(1, "no")]).collect()
            }
            Plant::MessagesText => each(
                &|piece| json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "t", "text": piece } }),
            ),
            Plant::ToolName => vec![json!({ "message": { "tool_calls": [{ "function": { "name": secret } }] } })],
            Plant::ToolArguments => {
                let call = |value: &str| json!({ "function": { "name": "f", "arguments": { "a": { "b": [value] } } } });
                vec![json!({ "message": { "tool_calls": [call("x"), call(secret)] } })]
            }
            Plant::OpenAiArguments => self.arguments(&|piece| {
                let call = json!({ "index": 0, "function": { "arguments": piece } });
                json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [call] } }] })
            }),
            Plant::MessagesJson => self.arguments(
                &|piece| json!({ "type": "content_block_delta", "index": 1, "delta": { "partial_json": piece } }),
            ),
            Plant::Error => vec![json!({ "error": { "message": format!("bad key {secret}"), "type": "x" } })],
            Plant::AnswerKey => vec![json!({ "a": { secret: { "b": 1 } } })],
            _ => self.many(plant),
        }
    }

    /// Returns the secret in fragments of the JSON of a call, with all its characters escaped.
    fn arguments(&self, object: &dyn Fn(&str) -> Value) -> Vec<Value> {
        let text = escaped(&json!({ "key": self.secret, "n": 1 }).to_string());
        text.as_bytes().chunks(5).map(|piece| object(std::str::from_utf8(piece).unwrap())).collect()
    }

    /// Returns the objects of an answer in which several texts take turns, or of one that spells its tokens out.
    fn many(&self, plant: Plant) -> Vec<Value> {
        let pieces = self.pieces.iter().map(String::as_str);
        let token = |piece: &str| json!({ "token": piece, "logprob": -0.5, "bytes": piece.as_bytes() });
        let turns = |object: &dyn Fn(u32, &str) -> Value| -> Vec<Value> {
            pieces.clone().flat_map(|piece| [object(0, "no"), object(1, piece)]).collect()
        };
        match plant {
            Plant::Choices => {
                turns(&|index, piece| json!({ "choices": [{ "delta": { "content": piece }, "index": index }] }))
            }
            Plant::Calls => turns(&|index, piece| {
                let call = json!({ "index": index, "function": { "arguments": piece } });
                json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [call] } }] })
            }),
            Plant::ChoicesWithoutIndex => {
                pieces.map(|piece| json!({ "choices": [{ "text": "no" }, { "text": piece }] })).collect()
            }
            Plant::NumberedEvents => pieces
                .enumerate()
                .map(|(at, piece)| json!({ "index": at, "id": at.to_string(), "text": piece }))
                .collect(),
            Plant::Tokens => pieces.map(|piece| json!({ "logprobs": [token(piece)] })).collect(),
            Plant::ManyTokens => {
                let tokens: Vec<Value> = pieces.map(token).collect();
                tokens.chunks(2).map(|two| json!({ "choices": [{ "logprobs": { "content": two } }] })).collect()
            }
            Plant::Alternatives => {
                let ranked = |(at, piece): (usize, &str)| {
                    let mut ranks = vec![token("no"), token("nor")];
                    ranks.insert(at % 3, token(piece));
                    json!({ "logprobs": [{ "token": piece, "top_logprobs": ranks }] })
                };
                pieces.enumerate().map(ranked).collect()
            }
            Plant::HalfCharacters => {
                let token = |byte: &u8| json!({ "logprobs": [{ "token": "\u{fffd}", "bytes": [byte] }] });
                self.secret.as_bytes().iter().map(token).collect()
            }
            Plant::LegacyTokens => {
                let token = |(at, piece): (usize, &str)| {
                    let other = if at % 2 == 0 { "a" } else { "{" };
                    json!({ "logprobs": { "tokens": [piece], "top_logprobs": [{ other: -2, piece: -1 }] } })
                };
                pieces.enumerate().map(token).collect()
            }
            _ => vec![json!({ "message": { "content": "nothing" }, "done": true })],
        }
    }
}

impl Framing {
    fn write(self, objects: &[Value]) -> Vec<u8> {
        let end = ["\n", "\r\n", "\r"][self.line_end];
        let mut body = String::from(if self.byte_order_mark { "\u{feff}" } else { "" });
        for (at, object) in objects.iter().enumerate() {
            let text = if matches!(self.kind, 4 | 5) { format!("{object:#}") } else { object.to_string() };
            let text = if self.escaped { escaped(&text) } else { text };
            let text = text.replace('\n', if self.kind == 5 { "\ndata: " } else { "\n" }).replace('\n', end);
            let (before, after) = match self.kind {
                1 | 5 => ("data: ", [end, end].concat()),
                2 => ("data:", [end, end].concat()),
                3 if at % 2 == 0 => ("", " ".to_owned()),
                _ => ("", end.to_owned()),
            };
            body += &[before, &text, &after].concat();
        }
        let bytes = body.into_bytes();
        if !self.bad_byte {
            return bytes;
        }
        // The mark in each text.
        let mut out = Vec::new();
        let mut rest = bytes.as_slice();
        while let Some((byte, after)) = rest.split_first() {
            let is_mark = rest.starts_with("\u{bf}".as_bytes());
            out.push(if is_mark { 0xFF } else { *byte });
            rest = if is_mark { &after[1..] } else { after };
        }
        out
    }
}

/// JSON with every letter of its strings as an escape.
fn escaped(json: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut letters) = (false, json.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                inside = !inside;
                out.push('"');
            }
            '\\' => out.extend(['\\', letters.next().unwrap()]),
            letter if inside => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").unwrap();
                }
            }
            letter => out.push(letter),
        }
    }
    out
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out
}
