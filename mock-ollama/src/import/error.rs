//! What can be wrong with an input.

use thiserror::Error;

use crate::recording::WriteError;

/// Why an import failed. Each message names the input, and what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// There is nothing to import.
    #[error("no input; name at least one file")]
    NoInput,
    /// An input cannot be imported.
    #[error("{}{problem}", place(label, *line, problem))]
    Input {
        /// The input.
        label: String,
        /// The line, counted from 1; absent when the problem is in no one line.
        line: Option<usize>,
        /// What is wrong with it.
        problem: InputProblem,
    },
    /// The result breaks a rule of the recording format.
    #[error(transparent)]
    Invalid(#[from] WriteError),
}

/// What is wrong with an input. [`ImportError`] adds where.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputProblem {
    /// The input has nothing but white space.
    #[error("the input is empty; expected the body of an answer, or a raw capture")]
    Empty,
    /// The input is a text in an encoding that is not read.
    #[error("{0}; keep the body with curl -o FILE")]
    Encoding(&'static str),
    /// The input is no body of an answer.
    #[error("this looks like {what}, not like the body of an answer; {advice}")]
    Foreign {
        /// What it looks like.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The input is a recording.
    #[error("this is a recording already; there is nothing to import")]
    AlreadyRecording,
    /// Something in a body is not a JSON object.
    #[error("expected a JSON object of an answer: {0}")]
    NotAnswer(String),
    /// A line of a raw capture is not what its format says.
    #[error("not a line of raw-capture/1: {0}")]
    NotCapture(String),
    /// A raw capture without a response head.
    #[error("the capture holds no response head, so there is nothing to replay")]
    NoResponse,
    /// An object whose `created_at` is missing, is no time, or is before that of its predecessor.
    #[error("{0}")]
    Time(String),
    /// An error alone, whose status is not known.
    #[error(
        "a lone error, and its body does not tell its status; state that with --status, such as --status 404, and the \
         route with --path, such as --path /api/chat"
    )]
    NoStatus,
    /// A line in the head of a response cannot be read.
    #[error("not a line of a response's head: {0:?}; keep the body alone, with curl -o FILE")]
    BadHead(String),
    /// Neither the answer nor the caller tells the endpoint.
    #[error("the answer does not tell its endpoint; give --path, such as --path /api/chat")]
    NoPath,
    /// Neither the answer nor the caller tells the model.
    #[error("the answer does not name its model; give --model")]
    NoModel,
    /// An option that makes sense for a raw body only.
    #[error("{0} is for raw bodies; this input states it itself")]
    OptionOfBody(&'static str),
    /// Anything else: what is missing or wrong, and what to do.
    #[error("{0}")]
    Other(String),
}

/// A problem, and the line that has it. The label of the input is added where it is known.
#[derive(Debug)]
pub(super) struct Located {
    line: Option<usize>,
    pub(super) problem: InputProblem,
}

impl From<InputProblem> for Located {
    fn from(problem: InputProblem) -> Self {
        Self { line: None, problem }
    }
}

impl InputProblem {
    /// Returns the problem at a line, counted from 1.
    pub(super) fn at_line(self, line: usize) -> Located {
        Located { line: Some(line), problem: self }
    }
}

impl Located {
    /// Returns the error that names the input as `label`.
    pub(super) fn of_input(self, label: &str) -> ImportError {
        ImportError::Input { label: label.to_owned(), line: self.line, problem: self.problem }
    }
}

/// Returns what stands before the problem: the input and, where it is known, the line.
fn place(label: &str, line: Option<usize>, problem: &InputProblem) -> String {
    match (line, problem) {
        // Its message begins with a verb.
        (_, InputProblem::Encoding(_)) => format!("{label} "),
        (Some(line), _) => format!("{label}:{line}: "),
        (None, _) => format!("{label}: "),
    }
}
