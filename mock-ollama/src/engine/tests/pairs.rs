//! Property: whatever a model says reads the same from a recording in any dialect, asked for in any dialect and form.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{TestEngine, post, recording};
use crate::catalog::Matching;
use crate::dialect::{DIALECTS, Ids, of, read};
use crate::generation::Dialect;
use crate::generation::{Arguments, Content, Done, Ending, Generation, Metrics, Part, Reason, ToolCall};
use crate::recording::{Chunk, End, Exchange, Recording, Response};
use crate::schedule::Pace;
use crate::seed::Seed;

/// What was said, whatever the pieces were.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    thinking: Vec<String>,
    text: Vec<String>,
    calls: Vec<(String, Map<String, Value>)>,
    reason: Reason,
    /// Tokens of the prompt and of the answer.
    counts: (u64, u64),
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        // Go writes a whole float as an integer.
        any::<i32>().prop_map(|n| Value::from(f64::from(n) + 0.5)),
        ".{0,6}".prop_map(Value::from),
        Just(json!([null, true, {"<&>": "\u{2028}"}])),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    let arguments = btree_map("[a-z\"\\\\\u{e9} ]{0,4}", leaf(), 0..3).prop_map(|map| map.into_iter().collect());
    let calls = vec(("[a-z]{1,5}", arguments), 0..3);
    let reason = prop::sample::select(vec![Reason::Stop, Reason::Length]);
    (vec(".{1,6}", 0..3), vec(".{1,6}", 0..4), calls, reason, (1..99_u64, 1..99_u64))
        .prop_map(|(thinking, text, calls, reason, counts)| Said { thinking, text, calls, reason, counts })
}

impl Said {
    fn of(generation: &Generation) -> Self {
        let Ending::Done(reason) = generation.ending else { panic!("{generation:?}") };
        let counts = (generation.prompt_count, generation.eval_count);
        let mut said = Self { thinking: Vec::new(), text: Vec::new(), calls: Vec::new(), reason, counts };
        for piece in generation.pieces.iter().chain([&generation.last]) {
            match &piece.content {
                Content::Held => {}
                Content::Text(text) => said.text.push(String::from_utf8(text.clone()).unwrap()),
                Content::Thinking(text) => said.thinking.push(text.clone()),
                Content::Calls(calls) => said.calls.extend(
                    calls.iter().map(|call| (call.name.clone(), call.arguments.object().unwrap().into_owned())),
                ),
            }
        }
        said
    }

    /// The same with its texts joined.
    fn joined(self) -> Self {
        Self { thinking: vec![self.thinking.concat()], text: vec![self.text.concat()], ..self }
    }

    /// What is left of it in an answer of this dialect.
    fn shown_in(mut self, dialect: Dialect) -> Self {
        if dialect == Dialect::OpenAiCompletions {
            self.thinking.clear();
            self.calls.clear();
        }
        self
    }

    /// The stream of it as Ollama writes it.
    fn rendered(&self, dialect: Dialect) -> Vec<Vec<u8>> {
        let part = || Part { unix_nanos: 1_000_000_000, ..Part::default() };
        let thinking = self.thinking.iter().map(|text| Part { thinking: text.clone(), ..part() });
        let text = self.text.iter().map(|text| Part { text: text.clone().into(), ..part() });
        let calls = self.calls.iter().zip(0..).map(|((name, arguments), index)| {
            let arguments = Arguments::Object(arguments.clone());
            let call = ToolCall { id: Some(format!("call_{index}")), index, name: name.clone(), arguments };
            Part { calls: vec![call], ..part() }
        });
        let (prompt_eval_count, eval_count) = self.counts;
        let metrics = Some(Metrics { prompt_eval_count, eval_count, ..Metrics::default() });
        let last = Part { done: Some(Done { reason: self.reason, metrics, context: Vec::new() }), ..part() };
        let ask = of(dialect).decode("", request(dialect, true).to_string().as_bytes()).unwrap();
        let mut render = of(dialect).render(&ask, Ids::new(Seed(1)));
        thinking.chain(text).chain(calls).chain([last]).flat_map(|part| render.part(&part)).collect()
    }

    /// The stream of it as other servers write it: calls in pieces of `cut` characters. `None` where none but Ollama
    /// speaks the dialect.
    fn foreign(&self, dialect: Dialect, cut: usize) -> Option<Vec<Vec<u8>>> {
        let events = match dialect {
            Dialect::OpenAiChat => self.openai(cut),
            Dialect::Responses => self.responses(cut),
            Dialect::Messages => self.messages(cut),
            Dialect::Generate | Dialect::Chat | Dialect::OpenAiCompletions => return None,
        };
        Some(events.iter().map(|event| format!("data:{event}\r\n\r\n").into_bytes()).collect())
    }

    /// All calls begin, and then their pieces come in turns.
    fn openai(&self, cut: usize) -> Vec<Value> {
        let chunk = |delta: Value, finish: Value| json!({ "id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
        let call = |call: Value| chunk(json!({ "tool_calls": [call] }), Value::Null);
        let mut events = vec![chunk(json!({ "role": "assistant" }), Value::Null)];
        events.extend(self.thinking.iter().map(|text| chunk(json!({ "reasoning_content": text }), Value::Null)));
        events.extend(self.text.iter().map(|text| chunk(json!({ "content": text }), Value::Null)));
        let mut pieces = Vec::new();
        for (index, (name, arguments)) in self.calls.iter().enumerate() {
            let function = json!({ "name": name, "arguments": "" });
            events.push(call(json!({ "index": index, "id": format!("call_{index}"), "function": function })));
            let text = cut_up(arguments, cut);
            pieces.extend(text.into_iter().enumerate().map(|(place, piece)| (place, index, piece)));
        }
        pieces.sort();
        events.extend(
            pieces
                .into_iter()
                .map(|(_, index, piece)| call(json!({ "index": index, "function": { "arguments": piece } }))),
        );
        let finish = if self.reason == Reason::Stop { "stop" } else { "length" };
        events.push(chunk(json!({}), json!(finish)));
        let (prompt, eval) = self.counts;
        events.push(json!({ "choices": [], "usage": { "prompt_tokens": prompt, "completion_tokens": eval } }));
        events
    }

    fn messages(&self, cut: usize) -> Vec<Value> {
        let (prompt, eval) = self.counts;
        let usage = json!({ "input_tokens": prompt, "output_tokens": 0 });
        let message = json!({ "id": "msg", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": null, "usage": usage });
        let mut events = vec![json!({ "type": "message_start", "message": message }), json!({ "type": "ping" })];
        let mut index = 0;
        let mut block = |content_block: Value, deltas: Vec<Value>| {
            events.push(json!({ "type": "content_block_start", "index": index, "content_block": content_block }));
            events.extend(
                deltas.iter().map(|delta| json!({ "type": "content_block_delta", "index": index, "delta": delta })),
            );
            events.push(json!({ "type": "content_block_stop", "index": index }));
            index += 1;
        };
        for text in &self.thinking {
            let signature = json!({ "type": "signature_delta", "signature": "s" });
            let delta = json!({ "type": "thinking_delta", "thinking": text });
            block(json!({ "type": "thinking", "thinking": "", "signature": "" }), vec![delta, signature]);
        }
        for text in &self.text {
            block(json!({ "type": "text", "text": "" }), vec![json!({ "type": "text_delta", "text": text })]);
        }
        for (number, (name, arguments)) in self.calls.iter().enumerate() {
            let id = format!("t{number}");
            let piece = |text: &String| json!({ "type": "input_json_delta", "partial_json": text });
            let pieces = [String::new()].iter().chain(&cut_up(arguments, cut)).map(piece).collect();
            block(json!({ "type": "tool_use", "id": id, "name": name, "input": {} }), pieces);
        }
        let stop = if self.reason == Reason::Stop { "end_turn" } else { "max_tokens" };
        events.push(
            json!({ "type": "message_delta", "delta": { "stop_reason": stop }, "usage": { "output_tokens": eval } }),
        );
        events.push(json!({ "type": "message_stop" }));
        events
    }

    fn responses(&self, cut: usize) -> Vec<Value> {
        let mut events = Vec::new();
        let mut output = Vec::new();
        for text in &self.thinking {
            events.push(
                json!({ "type": "response.reasoning_summary_text.delta", "output_index": output.len(), "delta": text }),
            );
            output.push(json!({ "type": "reasoning", "summary": [{ "type": "summary_text", "text": text }] }));
        }
        for text in &self.text {
            events.push(json!({ "type": "response.output_text.delta", "output_index": output.len(), "delta": text }));
            output.push(json!({ "type": "message", "content": [{ "type": "output_text", "text": text }] }));
        }
        for (name, arguments) in &self.calls {
            let index = output.len();
            let id = format!("c{index}");
            let item = |text: &str| json!({ "type": "function_call", "call_id": id, "name": name, "arguments": text });
            events.push(json!({ "type": "response.output_item.added", "output_index": index, "item": item("") }));
            events.extend(cut_up(arguments, cut).iter().map(
                |piece| json!({ "type": "response.function_call_arguments.delta", "output_index": index, "delta": piece }),
            ));
            output.push(item(&Value::Object(arguments.clone()).to_string()));
        }
        let (input_tokens, output_tokens) = self.counts;
        let details = (self.reason == Reason::Length).then(|| json!({ "reason": "max_output_tokens" }));
        let kind = if details.is_some() { "response.incomplete" } else { "response.completed" };
        let usage = json!({ "input_tokens": input_tokens, "output_tokens": output_tokens });
        let response = json!({ "object": "response", "output": output, "incomplete_details": details, "usage": usage });
        events.push(json!({ "type": kind, "response": response }));
        events
    }
}

/// The JSON of arguments, cut into pieces of `length` characters.
fn cut_up(arguments: &Map<String, Value>, length: usize) -> Vec<String> {
    let text: Vec<char> = Value::Object(arguments.clone()).to_string().chars().collect();
    text.chunks(length).map(|piece| piece.iter().collect()).collect()
}

fn request(dialect: Dialect, stream: bool) -> Value {
    let messages = json!([{ "role": "user", "content": "q" }]);
    let usage = json!({ "include_usage": true });
    match dialect {
        Dialect::Generate => json!({ "model": "m", "prompt": "q", "stream": stream }),
        Dialect::Chat => json!({ "model": "m", "messages": messages, "stream": stream }),
        Dialect::OpenAiChat => json!({ "model": "m", "messages": messages, "stream": stream, "stream_options": usage }),
        Dialect::OpenAiCompletions => json!({ "model": "m", "prompt": "q", "stream": stream, "stream_options": usage }),
        Dialect::Responses => json!({ "model": "m", "input": "q", "stream": stream }),
        Dialect::Messages => json!({ "model": "m", "messages": messages, "stream": stream, "max_tokens": 9 }),
    }
}

/// A recording of a stream in this dialect.
fn recorded(dialect: Dialect, chunks: Vec<Vec<u8>>) -> Recording {
    let mut recording = recording("r", "m", of(dialect).route(), request(dialect, true), &[]);
    let exchange = &mut recording.exchanges[0];
    if !of(dialect).is_native() {
        exchange.response.headers[0].1 = "text/event-stream".to_owned();
    }
    exchange.chunks = chunks.into_iter().map(|bytes| Chunk { at_us: 0, bytes: bytes.into() }).collect();
    recording
}

/// What a client reads that asks for a stream or for none.
fn asked(recording: &Recording, dialect: Dialect, stream: bool) -> Said {
    let mut bench = TestEngine::new(vec![recording.clone()], |config| {
        config.matching = Matching::Any;
        config.pace = Pace::instant();
    });
    bench.send(post(of(dialect).route(), &request(dialect, stream).to_string(), "Connection: close\r\n")).run();
    let answer = bench.output();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let kind = head.lines().find_map(|line| line.strip_prefix("Content-Type: ")).unwrap();
    assert_eq!(["application/x-ndjson", "text/event-stream"].contains(&kind), stream, "{dialect:?}: {kind}");
    let is_chunked = head.contains("Transfer-Encoding: chunked");
    let body = if is_chunked { super::chunks_of(&answer).concat() } else { body.to_owned() };
    let response = Response { status: 200, headers: vec![("Content-Type".to_owned(), kind.to_owned())] };
    let chunks = vec![Chunk { at_us: 0, bytes: body.into() }];
    let exchange = Exchange { request: None, sent_us: None, response, chunks, end: End::Clean };
    Said::of(&read(of(dialect), &exchange).unwrap_or_else(|why| panic!("{why}: {answer}")))
}

proptest! {
    #[test]
    fn a_recorded_stream_says_the_same_in_every_dialect_and_form(
        said in said(), from in prop::sample::select(DIALECTS.map(|row| row.name()).to_vec()), cut in prop::option::of(1..9_usize),
    ) {
        let foreign = cut.and_then(|cut| said.foreign(from, cut));
        let is_foreign = foreign.is_some();
        let recording = recorded(from, foreign.unwrap_or_else(|| said.rendered(from)));
        for dialect in DIALECTS.map(|row| row.name()) {
            for stream in [true, false] {
                let shown = said.clone().shown_in(from);
                let mut expected = shown.clone().shown_in(dialect);
                // Ollama's form of responses states no limit.
                let is_by_ollama = if dialect == from { !is_foreign } else { true };
                if dialect == Dialect::Responses && is_by_ollama || from == Dialect::Responses && !is_foreign {
                    expected.reason = Reason::Stop;
                }
                // A message of Ollama's that has calls ends with them, whatever stopped the model.
                let is_message = from == Dialect::Messages && !is_foreign && !shown.calls.is_empty()
                    || dialect == Dialect::Messages && is_by_ollama && !expected.calls.is_empty();
                if is_message {
                    expected.reason = Reason::Stop;
                }
                // A whole response with calls has no text (`openai/responses.go`); the one that ends a stream has.
                if dialect == Dialect::Responses && !stream && from != dialect && !expected.calls.is_empty() {
                    expected.text.clear();
                }
                prop_assert_eq!(
                    asked(&recording, dialect, stream).joined(), expected.joined(), "{:?} from {:?}", dialect, from
                );
            }
        }
    }
}
