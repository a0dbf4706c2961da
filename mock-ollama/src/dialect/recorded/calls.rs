//! Calls of tools: each in one object, or in pieces as most servers of `OpenAI`'s dialect stream them.

use serde::Deserialize;
use serde_json::Value;

use super::draft::Draft;
use crate::dialect::unreadable::Unreadable;
use crate::generation::{Arguments, ToolCall};

/// A call, or a piece of one. Its arguments are an object (native) or its JSON text (`OpenAI`).
#[derive(Debug, Deserialize)]
pub(crate) struct WireCall {
    id: Option<String>,
    index: Option<i64>,
    function: WireFunction,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireFunction {
    index: Option<u32>,
    name: Option<String>,
    arguments: Value,
}

impl From<WireFunction> for WireCall {
    /// The form of a call before there could be several (`function_call`).
    fn from(function: WireFunction) -> Self {
        Self { id: None, index: Some(0), function }
    }
}

/// The calls of one object, each of them whole.
pub(crate) fn calls(wire: Option<Vec<WireCall>>, draft: &mut Draft) -> Result<Vec<ToolCall>, Unreadable> {
    let read = |WireCall { id, index, function }: WireCall| {
        let name = function.name.ok_or(Unreadable::StrayCall)?;
        let arguments = match function.arguments {
            Value::Null => Arguments::Object(serde_json::Map::new()),
            Value::Object(arguments) => Arguments::Object(arguments),
            Value::String(text) => Arguments::Text(text),
            _ => return Err(Unreadable::Arguments { name }),
        };
        let index = function.index.or(index.and_then(|index| index.try_into().ok()));
        Ok(draft.call(id, index, name, arguments))
    };
    wire.unwrap_or_default().into_iter().map(read).collect()
}

/// Calls that are put together from pieces.
#[derive(Debug, Default)]
pub(crate) struct Joiner(Vec<JoinedCall>);

/// A call that has been put together.
#[derive(Debug, Default)]
pub(crate) struct JoinedCall {
    pub(crate) id: String,
    pub(crate) name: String,
    /// All pieces of the text, in order; `None` where there was none.
    pub(crate) arguments: Option<String>,
    /// The object after which this call and all calls before it are complete.
    pub(crate) complete: usize,
    index: Option<i64>,
}

impl Joiner {
    /// Takes a piece that stands in the `object`-th object.
    pub(crate) fn take(&mut self, piece: WireCall, object: usize) {
        let WireCall { id, index, function } = piece;
        let (id, name) = (id.unwrap_or_default(), function.name.unwrap_or_default());
        let place = self.place(index, &id, &name).unwrap_or_else(|| {
            self.0.push(JoinedCall { index, ..JoinedCall::default() });
            self.0.len() - 1
        });
        let call = &mut self.0[place];
        call.complete = object;
        if !id.is_empty() {
            call.id = id;
        }
        // Some servers repeat the name in each piece.
        if call.name != name {
            call.name.push_str(&name);
        }
        let arguments = call.arguments.as_mut();
        match (arguments, function.arguments) {
            (_, Value::Null) => {}
            (Some(text), Value::String(piece)) => text.push_str(&piece),
            (None, Value::String(piece)) => call.arguments = Some(piece),
            (_, other) => call.arguments = Some(other.to_string()),
        }
    }

    /// Which of the calls so far a piece belongs to; `None` where it begins one.
    ///
    /// The index tells. Where there is none the id does, and a piece without either belongs to the last call. Some
    /// servers count no index up: a second id begins a second call.
    fn place(&self, index: Option<i64>, id: &str, name: &str) -> Option<usize> {
        let is_same = |call: &&JoinedCall| id.is_empty() || call.id.is_empty() || call.id == id;
        match index {
            Some(_) => {
                let place = self.0.iter().rposition(|call| call.index == index)?;
                is_same(&&self.0[place]).then_some(place)
            }
            None if !id.is_empty() => self.0.iter().rposition(|call| call.id == id),
            None if name.is_empty() => self.0.len().checked_sub(1),
            None => None,
        }
    }

    /// The calls in the order in which they began.
    pub(crate) fn finish(mut self) -> Result<Vec<JoinedCall>, Unreadable> {
        let mut complete = 0;
        for call in &mut self.0 {
            if call.name.is_empty() {
                return Err(Unreadable::StrayCall);
            }
            complete = complete.max(call.complete);
            call.complete = complete;
        }
        Ok(self.0)
    }
}

impl JoinedCall {
    /// The call as a generation has it.
    pub(crate) fn call(self, draft: &mut Draft) -> ToolCall {
        let arguments = self.arguments.map_or_else(|| Arguments::Object(serde_json::Map::new()), Arguments::Text);
        draft.call(Some(self.id), None, self.name, arguments)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{Joiner, WireCall};

    /// Every call as its id, name and arguments, and the piece that completes it.
    fn joined(pieces: Value) -> Result<Vec<String>, String> {
        let pieces: Vec<WireCall> = serde_json::from_value(pieces).unwrap();
        let mut joiner = Joiner::default();
        for (at, piece) in pieces.into_iter().enumerate() {
            joiner.take(piece, at);
        }
        let calls = joiner.finish().map_err(|why| why.to_string())?;
        let show = |call: &super::JoinedCall| {
            format!("{} {} {} {}", call.id, call.name, call.arguments.as_deref().unwrap_or("-"), call.complete)
        };
        Ok(calls.iter().map(show).collect())
    }

    fn piece(index: impl Into<Value>, id: impl Into<Value>, name: impl Into<Value>, text: &str) -> Value {
        json!({ "index": index.into(), "id": id.into(), "function": { "name": name.into(), "arguments": text } })
    }

    const NO: Value = Value::Null;

    #[rstest]
    #[case::one(json!([piece(0, "a", "f", ""), piece(0, NO, NO, "{\"x\""), piece(0, NO, NO, ":1}")]), &["a f {\"x\":1} 2"])]
    #[case::interleaved(
        json!([piece(0, "a", "f", "1"), piece(1, "b", "g", "2"), piece(0, NO, NO, "3"), piece(1, NO, NO, "4")]),
        &["a f 13 2", "b g 24 3"]
    )]
    #[case::a_later_call_that_is_complete_first(
        json!([piece(0, "a", "f", "1"), piece(1, "b", "g", "2"), piece(0, NO, NO, "3")]),
        &["a f 13 2", "b g 2 2"]
    )]
    #[case::id_and_name_repeated(json!([piece(0, "a", "f", "1"), piece(0, "a", "f", "2")]), &["a f 12 1"])]
    #[case::empty_id_and_name(json!([piece(0, "a", "f", "1"), piece(0, "", "", "2")]), &["a f 12 1"])]
    #[case::index_never_counted(json!([piece(0, "a", "f", "1"), piece(0, "b", "f", "2")]), &["a f 1 0", "b f 2 1"])]
    #[case::no_index(json!([piece(NO, "a", "f", "1"), piece(NO, NO, NO, "2"), piece(NO, "b", "g", "3")]), &["a f 12 1", "b g 3 2"])]
    #[case::no_index_but_ids(
        json!([piece(NO, "a", "f", "1"), piece(NO, "b", "g", "2"), piece(NO, "a", NO, "3")]),
        &["a f 13 2", "b g 2 2"]
    )]
    #[case::neither_index_nor_id(json!([piece(NO, NO, "f", "1"), piece(NO, NO, "g", "2")]), &[" f 1 0", " g 2 1"])]
    #[case::id_first_and_name_later(json!([piece(0, "a", NO, ""), piece(0, NO, "f", "1")]), &["a f 1 1"])]
    #[case::no_arguments(json!([{ "index": 0, "id": "a", "function": { "name": "f" } }]), &["a f - 0"])]
    #[case::an_object(json!([{ "function": { "name": "f", "arguments": { "x": 1 } } }]), &[" f {\"x\":1} 0"])]
    fn pieces_of_one_call_are_joined(#[case] pieces: Value, #[case] calls: &[&str]) {
        assert_eq!(joined(pieces).unwrap(), calls);
    }

    #[rstest]
    #[case::first(json!([piece(NO, NO, NO, "1")]))]
    #[case::of_another_index(json!([piece(0, "a", "f", "1"), piece(1, NO, NO, "2")]))]
    fn a_piece_whose_beginning_is_missing_is_no_call(#[case] pieces: Value) {
        assert_eq!(joined(pieces).unwrap_err(), "it has a piece of a tool call whose beginning is missing");
    }
}
