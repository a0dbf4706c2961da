//! One answer of a model and one parsed request, neutral of dialect.
//!
//! A recording is read into one, a script makes one for a request; each dialect is one file that renders it.
//! Times are those of the recording or the script; the pace turns them into the ones that are served.
//!
//! | file | what |
//! | --- | --- |
//! | `request` | one request for an answer |
//! | `named` | the model that a request names |
//! | `refusal` | a request that is refused |
//! | `part` | what a renderer is given: one native object, with its time and, in the last one, its metrics |

pub(crate) mod named;
mod part;
mod refusal;
mod request;

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

pub use part::{Done, Metrics, Part};
pub use refusal::{Refusal, RefusedBy};
pub(crate) use request::last_said;
pub use request::{Dialect, ParsedRequest, Question};

/// One answer of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generation {
    /// The pieces, in order; times never decrease.
    pub pieces: Vec<Piece>,
    /// What the final object itself carries beside its metrics: nothing on most paths.
    pub last: Piece,
    /// How it ends; `last.at` is when.
    pub ending: Ending,
    /// From the request to the moment the model was ready; at most the time of the first piece.
    pub load: Duration,
    /// From the request to the end of the prompt's evaluation, for an answer without pieces.
    pub prompt_end: Duration,
    /// Tokens of the prompt, cached ones included.
    pub prompt_count: u64,
    /// Tokens that were sampled, the end-of-text token included.
    pub eval_count: u64,
    /// The token ids of prompt and answer, which the final object of `/api/generate` carries.
    pub context: Vec<i64>,
}

impl Generation {
    /// Returns all calls of tools, in order.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        let contents = self.pieces.iter().chain([&self.last]).map(|piece| &piece.content);
        contents.filter_map(|content| if let Content::Calls(calls) = content { Some(calls) } else { None }).flatten()
    }
}

/// The output of one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// When, from the request on.
    pub at: Duration,
    /// What.
    pub content: Content,
    /// One entry a token, with all alternatives that are known.
    pub logprobs: Vec<Logprob>,
}

/// What a piece holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// Nothing that can be shown yet: `/api/generate` sends an empty object, chat none.
    #[default]
    Held,
    /// A piece of the answer; not always whole UTF-8, since models sample bytes.
    Text(Vec<u8>),
    /// A piece of the thinking before it.
    Thinking(String),
    /// Calls of tools.
    Calls(Vec<ToolCall>),
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// The id that the model's runner gave; a parsed call gets one of the server's own.
    pub id: Option<String>,
    /// Counts the calls of one answer from zero.
    pub index: u32,
    /// The tool.
    pub name: String,
    /// What it is called with.
    pub arguments: Arguments,
}

/// What a tool is called with.
#[derive(Clone, Debug, PartialEq)]
pub enum Arguments {
    /// An object, in the model's order.
    Object(Map<String, Value>),
    /// The text that stands for one where a dialect passes arguments as text. It is passed on as it is, JSON or not.
    Text(String),
}

impl Arguments {
    /// Returns the object, or the one that the text holds; `None` where the text holds something else. No text is an
    /// empty object.
    pub fn object(&self) -> Option<Cow<'_, Map<String, Value>>> {
        match self {
            Self::Object(object) => Some(Cow::Borrowed(object)),
            Self::Text(text) if text.trim_ascii().is_empty() => Some(Cow::default()),
            Self::Text(text) => serde_json::from_str(text).ok().map(Cow::Owned),
        }
    }
}

/// How probable a token was.
#[derive(Clone, Debug, PartialEq)]
pub struct Logprob {
    /// The token's bytes.
    pub token: Vec<u8>,
    /// The natural logarithm of its probability.
    pub logprob: f64,
    /// The most probable tokens at its place, likeliest first, at most 20.
    pub top: Vec<(Vec<u8>, f64)>,
}

/// How an answer ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// With a final object.
    Done(Reason),
    /// Without one, and without an error: the stream just ends.
    #[default]
    Silent,
    /// With an error: as the whole answer when there is no piece before it, else as the last line.
    Failed {
        /// The status, where none has been sent yet.
        status: u16,
        /// The text of `error`.
        text: String,
    },
}

/// Why a model stopped (`done_reason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// By itself, at a stop string, or after tool calls.
    Stop,
    /// At a limit.
    Length,
    /// There was nothing to generate: the model was loaded.
    Load,
    /// There was nothing to generate: the model was unloaded.
    Unload,
}

impl Reason {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::Load => "load",
            Self::Unload => "unload",
        }
    }
}
