//! What an answer says, piece by piece.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::generation::{Arguments, Content, ToolCall};

/// The most pieces of an answer.
const MAX_PIECES: usize = 100_000;

/// The longest piece, in bytes.
const MAX_PIECE_BYTES: usize = 1024 * 1024;

/// A piece: a text, or a table that says what else it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a piece that is none; write a text, or a table with one of text, thinking, hex, held and call"
)]
pub(super) enum PieceForm {
    Text(String),
    Table(PieceTable),
}

/// Exactly one of the first five; `times` repeats a text within the piece, `pieces` the piece itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PieceTable {
    pub(super) text: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) hex: Option<String>,
    pub(super) held: Option<bool>,
    pub(super) call: Option<CallForm>,
    pub(super) times: Option<usize>,
    pub(super) pieces: Option<usize>,
}

/// A call of a tool; the arguments are JSON, in the order in which the model gives them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallForm {
    pub(super) name: String,
    pub(super) arguments: String,
    #[serde(default)]
    pub(super) id: Option<String>,
}

/// Returns the pieces that are stated, in order; calls count from zero.
pub(super) fn contents(forms: &[PieceForm]) -> Result<Vec<Content>, String> {
    let (mut out, mut calls) = (Vec::new(), 0);
    for form in forms {
        let (content, count) = match form {
            PieceForm::Text(text) => (Content::Text(text.clone().into_bytes()), 1),
            PieceForm::Table(table) => (content(table, &mut calls)?, table.pieces.unwrap_or(1)),
        };
        if out.len().saturating_add(count) > MAX_PIECES {
            return Err(format!("more than {MAX_PIECES} pieces; state fewer"));
        }
        out.extend(std::iter::repeat_n(content, count));
    }
    Ok(out)
}

fn content(table: &PieceTable, calls: &mut u32) -> Result<Content, String> {
    let PieceTable { text, thinking, hex, held, call, times, .. } = table;
    let times = times.unwrap_or(1);
    let repeated = |text: &str| {
        if text.len().saturating_mul(times) > MAX_PIECE_BYTES {
            return Err(format!("a piece of more than {MAX_PIECE_BYTES} bytes; state a shorter one"));
        }
        Ok(text.repeat(times))
    };
    match (text, thinking, hex, held, call) {
        (Some(text), None, None, None, None) => Ok(Content::Text(repeated(text)?.into_bytes())),
        (None, Some(thinking), None, None, None) => Ok(Content::Thinking(repeated(thinking)?)),
        (None, None, Some(hex), None, None) => Ok(Content::Text(bytes(hex)?)),
        (None, None, None, Some(true), None) => Ok(Content::Held),
        (None, None, None, None, Some(call)) => {
            *calls += 1;
            Ok(Content::Calls(vec![tool_call(call, *calls - 1)?]))
        }
        _ => Err("a piece is exactly one of text, thinking, hex, held = true and call".to_owned()),
    }
}

fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("bad hex {hex:?}; write two digits a byte");
    if !hex.is_ascii() || hex.len() % 2 == 1 {
        return Err(wrong());
    }
    let pairs = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| wrong()));
    pairs.collect()
}

/// Returns the call that is stated, the `index`-th of its answer.
pub(super) fn tool_call(form: &CallForm, index: u32) -> Result<ToolCall, String> {
    let arguments: Map<String, Value> = serde_json::from_str(&form.arguments).map_err(|_| {
        format!("the arguments of {} are no JSON object; write one, such as '{{\"city\":\"Oslo\"}}'", form.name)
    })?;
    Ok(ToolCall { id: form.id.clone(), index, name: form.name.clone(), arguments: Arguments::Object(arguments) })
}
