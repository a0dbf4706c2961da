//! Why a recorded answer can be served only as it was recorded.

use thiserror::Error;

/// The most characters of what a JSON parser says.
const MAX_MESSAGE_CHARS: usize = 160;

/// Why a recorded answer can be neither folded into one object nor rendered in another dialect. Each reads as the rest
/// of a sentence about the recording.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// Something that is no JSON, or no object of the dialect.
    #[error("value {number} of its body is none of its dialect: {message}")]
    Value {
        /// Which, counted from 1.
        number: usize,
        /// What the JSON parser said.
        message: String,
    },
    /// A line that no event has.
    #[error("line {number} of its body is no line of an event stream")]
    Line {
        /// Which, counted from 1.
        number: usize,
    },
    /// The body has none of the objects that make an answer.
    #[error("its body holds no answer of its dialect")]
    NoAnswer,
    /// A failure whose body has no text that could be passed on.
    #[error("its status is {status}, and its body is no error of any dialect")]
    NoError {
        /// The status code.
        status: u16,
    },
    /// Something was said after the end.
    #[error("it goes on after its answer ended")]
    AfterEnd,
    /// The answer has several choices, and the dialects have one.
    #[error("it has several choices, and one is all that can be rendered")]
    Choices,
    /// A piece of a tool call that has no name.
    #[error("it has a piece of a tool call whose beginning is missing")]
    StrayCall,
    /// Arguments where a dialect has an object.
    #[error("the arguments of its call of {name:?} are no JSON object")]
    Arguments {
        /// The tool.
        name: String,
    },
    /// The connection broke before the end, so that the whole is not known.
    #[error("it breaks off before its answer ends")]
    BreaksOff,
    /// A stream was asked for.
    #[error("only a whole answer was recorded, asked \"stream\":true")]
    Whole,
}

impl Unreadable {
    /// What is wrong with the value of this number.
    pub(crate) fn value(number: usize, error: &serde_json::Error) -> Self {
        Self::Value { number, message: error.to_string().chars().take(MAX_MESSAGE_CHARS).collect() }
    }
}
