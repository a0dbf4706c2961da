//! What can be wrong with an input.

use thiserror::Error;

use crate::recording::WriteError;

/// Why an import failed. Each message names the input, and what to do.
#[derive(Debug, Error)]
pub enum ImportError {
    /// There is nothing to import.
    #[error("no input; name at least one file")]
    NoInput,
    /// The input has nothing but white space.
    #[error("{label}: the input is empty; expected the body of an answer, or a raw capture")]
    Empty {
        /// The input.
        label: String,
    },
    /// The input is a text in an encoding that is not read.
    #[error("{label} {what}; keep the body with curl -o FILE")]
    Encoding {
        /// The input.
        label: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The input is no body of an answer.
    #[error("{label}: this looks like {what}, not like the body of an answer; {advice}")]
    Foreign {
        /// The input.
        label: String,
        /// What it looks like.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The input is a recording.
    #[error("{label}: this is a recording already; there is nothing to import")]
    AlreadyRecording {
        /// The input.
        label: String,
    },
    /// Something in a body is not a JSON object.
    #[error("{label}:{line}: expected a JSON object of an answer: {message}")]
    NotAnswer {
        /// The input.
        label: String,
        /// The line, counted from 1.
        line: usize,
        /// What the JSON parser said.
        message: String,
    },
    /// A line of a raw capture is not what its format says.
    #[error("{label}:{line}: not a line of raw-capture/1: {message}")]
    NotCapture {
        /// The input.
        label: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A raw capture without a response head.
    #[error("{label}: the capture holds no response head, so there is nothing to replay")]
    NoResponse {
        /// The input.
        label: String,
    },
    /// An object without `created_at`, and no gap was given.
    #[error(
        "{label}:{line}: the object has no created_at, so its time is not known; state the time between chunks with \
         --gap (--gap 0: all at once)"
    )]
    NoTime {
        /// The input.
        label: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// A `created_at` that is not a time.
    #[error("{label}:{line}: created_at {found:?} is not an RFC 3339 time; give --gap to set times yourself")]
    BadTime {
        /// The input.
        label: String,
        /// The line, counted from 1.
        line: usize,
        /// The text.
        found: String,
    },
    /// A `created_at` before its predecessor.
    #[error(
        "{label}:{line}: created_at {found:?} is before that of the previous object; give --gap to set times yourself"
    )]
    TimeDecreases {
        /// The input.
        label: String,
        /// The line, counted from 1.
        line: usize,
        /// The text.
        found: String,
    },
    /// An error alone, whose status nobody tells.
    #[error(
        "{label}: a lone error, and its body does not tell its status; state that with --status, such as --status 404, \
         and the route with --path, such as --path /api/chat"
    )]
    NoStatus {
        /// The input.
        label: String,
    },
    /// The head of a response cannot be read.
    #[error("{label}:{line}: not a line of a response's head: {found:?}; keep the body alone, with curl -o FILE")]
    BadHead {
        /// The input.
        label: String,
        /// The line, counted from 1.
        line: usize,
        /// The line.
        found: String,
    },
    /// Neither the answer nor the caller tells the endpoint.
    #[error("{label}: the answer does not tell its endpoint; give --path, such as --path /api/chat")]
    NoPath {
        /// The input.
        label: String,
    },
    /// Neither the answer nor the caller tells the model.
    #[error("{label}: the answer does not name its model; give --model")]
    NoModel {
        /// The input.
        label: String,
    },
    /// An exchange of an archive is not as its tool writes it.
    #[error("{label}: {place}: {message}; mend the file, or take this exchange out of it")]
    BadExchange {
        /// The input.
        label: String,
        /// Which exchange of it, and what it is.
        place: String,
        /// What is missing or wrong, and what to do.
        message: String,
    },
    /// An archive is not the JSON or YAML that its first lines promise.
    #[error("{label}:{line}: this {file} cannot be read: {message}")]
    BadArchive {
        /// The input.
        label: String,
        /// The line, counted from 1.
        line: usize,
        /// What it looks like.
        file: &'static str,
        /// What the parser said.
        message: String,
    },
    /// An archive without an exchange that this server would answer.
    #[error("{}", nothing_served(label, file, first.as_deref()))]
    NothingServed {
        /// The input.
        label: String,
        /// What it is.
        file: &'static str,
        /// Why the first one is passed over; `None` when there is no exchange at all.
        first: Option<String>,
    },
    /// An archive in YAML, and this build reads none.
    #[cfg(not(feature = "import-yaml"))]
    #[error(
        "{label}: this is a {file} in YAML, and this build has no YAML reader; build it with `--features import-yaml`, or \
         keep the file as JSON"
    )]
    NoYaml {
        /// The input.
        label: String,
        /// What it is.
        file: &'static str,
    },
    /// Two exchanges disagree in what a recording has once.
    #[error(
        "{label}: the {what} is {found:?}, but {before:?} before it; a recording has one; name a folder as OUT to get a \
         recording of each exchange"
    )]
    Differs {
        /// The input.
        label: String,
        /// What differs: model or server.
        what: &'static str,
        /// What this one says.
        found: String,
        /// What the previous one says.
        before: String,
    },
    /// An option that makes sense for a raw body only.
    #[error("{label}: {option} is for raw bodies; this input states it itself")]
    OptionOfBody {
        /// The input.
        label: String,
        /// The option.
        option: &'static str,
    },
    /// The tags do not list the model.
    #[error("{label}: no model {model:?} is listed; listed are {listed}")]
    NotListed {
        /// The tags.
        label: String,
        /// The model that was looked for.
        model: String,
        /// The models that are listed.
        listed: String,
    },
    /// The result breaks a rule of the recording format.
    #[error(transparent)]
    Invalid(#[from] WriteError),
}

fn nothing_served(label: &str, file: &str, first: Option<&str>) -> String {
    match first {
        None => format!("{label}: this {file} holds no exchange"),
        Some(first) => {
            format!("{label}: no exchange of this {file} is of a route that mock-ollama has; the first: {first}")
        }
    }
}
