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
    /// An object without `created_at`, and no gap was given.
    #[error(
        "the object has no created_at, so its time is not known; state the time between chunks with --gap (--gap 0: all \
         at once)"
    )]
    NoTime,
    /// A `created_at` that is not a time.
    #[error("created_at {0:?} is not an RFC 3339 time; give --gap to set times yourself")]
    BadTime(String),
    /// A `created_at` before its predecessor.
    #[error("created_at {0:?} is before that of the previous object; give --gap to set times yourself")]
    TimeDecreases(String),
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
    /// An exchange of an archive is not as its tool writes it.
    #[error("{place}: {message}; mend the file, or take this exchange out of it")]
    BadExchange {
        /// Which exchange of the input, and what it is.
        place: String,
        /// What is missing or wrong, and what to do.
        message: String,
    },
    /// An archive is not the JSON or YAML that its first lines promise.
    #[error("this {file} cannot be read: {message}")]
    BadArchive {
        /// What it looks like.
        file: &'static str,
        /// The parser's message.
        message: String,
    },
    /// An archive without an exchange that this server would answer.
    #[error("{}", nothing_served(file, first_skipped.as_deref()))]
    NothingServed {
        /// What it is.
        file: &'static str,
        /// Why the first one is passed over; `None` when there is no exchange at all.
        first_skipped: Option<String>,
    },
    /// Two exchanges disagree in what a recording has once.
    #[error(
        "the {what} is {found:?}, but {before:?} before it; a recording has one; name a folder as OUT to get a recording \
         of each exchange"
    )]
    Differs {
        /// What differs: model or server.
        what: &'static str,
        /// What this one says.
        found: String,
        /// What the previous one says.
        before: String,
    },
    /// An option that makes sense for a raw body only.
    #[error("{0} is for raw bodies; this input states it itself")]
    OptionOfBody(&'static str),
    /// The tags do not list the model.
    #[error("no model {model:?} is listed; listed are {listed}")]
    NotListed {
        /// The model that was looked for.
        model: String,
        /// The models that are listed.
        listed: String,
    },
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

fn nothing_served(file: &str, first_skipped: Option<&str>) -> String {
    match first_skipped {
        None => format!("this {file} holds no exchange"),
        Some(first) => format!("no exchange of this {file} is of a route that mock-ollama has; the first: {first}"),
    }
}
