//! Inputs and options in, a recording out.

use std::time::Duration;

use serde_json::Value;

use super::error::{ImportError, InputProblem, Located};
use super::format::InputFormat;
use super::imported::{ImportedExchange, KnownFacts};
use super::input::{Input, Utf8Input};
use super::tags::{Tags, listed_name};
use super::{archive, body, object, raw_capture, response};
use crate::dialect::native::answer::Answer;
use crate::recording::{Exchange, Model, Origin, Recording, RequestBody, check};

/// What the inputs do not say themselves, and what to say instead.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The name of the recording.
    pub name: String,
    /// The model's name, instead of what the inputs say.
    pub model: Option<String>,
    /// The model's capabilities, instead of what the tags say or the answer shows.
    pub capabilities: Option<Vec<String>>,
    /// An `/api/tags` answer that lists the model.
    pub tags: Option<Tags>,
    /// The server, such as `ollama 0.33.0`, instead of what the inputs say.
    pub server: Option<String>,
    /// The licence of the bytes, as an SPDX expression.
    pub licence: Option<String>,
    /// One sentence on what the recording is for.
    pub description: Option<String>,
    /// Where the bytes were taken from.
    pub source: Option<String>,
    /// Raw bodies only: the request's path. When absent, the shape of the answer tells it.
    pub path: Option<String>,
    /// Raw bodies only: the request's JSON body.
    pub request: Option<Value>,
    /// Raw bodies only: the status of the response. When absent it is 200, but an error that stands alone must have one.
    pub status: Option<u16>,
    /// Raw bodies and archives: the time between chunks, instead of what `created_at` says.
    pub gap: Option<Duration>,
}

/// A recording made of inputs.
#[derive(Clone, Debug)]
pub struct Import {
    /// The recording.
    pub recording: Recording,
    /// What the user should know of it, a line each.
    pub notes: Vec<String>,
}

/// The name of the model where none answered, as in a listing. The recorder uses the same one.
const NO_MODEL: &str = "none";

/// Makes one recording of `inputs`: the exchanges of each, in their order. The beginning of an input tells its format.
///
/// # Errors
///
/// [`ImportError`] says which input, where in it, and what to do.
pub fn import(inputs: &[Input<'_>], options: &ImportOptions) -> Result<Import, ImportError> {
    let mut found = Vec::new();
    for input in inputs {
        found.extend(exchanges_of(input, options)?.into_iter().map(|imported| (input.label, imported)));
    }
    recording_of(found, options)
}

/// Makes a recording of each exchange of `input`. Its name is that of `options`; where the input has several exchanges, their
/// numbers follow, as in `chat-001`.
///
/// # Errors
///
/// [`ImportError`] says where in the input, and what to do.
pub fn import_each(input: &Input<'_>, options: &ImportOptions) -> Result<Vec<Import>, ImportError> {
    let found = exchanges_of(input, options)?;
    let is_one = found.len() == 1;
    let recording = |(imported, number): (ImportedExchange, usize)| {
        let name = if is_one { options.name.clone() } else { format!("{}-{number:03}", options.name) };
        recording_of(vec![(input.label, imported)], &ImportOptions { name, ..options.clone() })
    };
    found.into_iter().zip(1..).map(recording).collect()
}

/// One recording of these exchanges, each with the input that it is of.
fn recording_of(found: Vec<(&str, ImportedExchange)>, options: &ImportOptions) -> Result<Import, ImportError> {
    let Some(&(last, _)) = found.last() else { return Err(ImportError::NoInput) };
    let mut origin = Origin::Recorded;
    let mut server = options.server.clone();
    let mut model = options.model.clone();
    let mut exchanges = Vec::new();
    let mut notes = Vec::new();
    for (label, imported) in found {
        if options.server.is_none() {
            agree(label, "server", &mut server, imported.server)?;
        }
        if options.model.is_none() {
            agree(label, "model", &mut model, imported.model)?;
        }
        if imported.origin != Origin::Recorded {
            origin = imported.origin;
        }
        notes.extend(imported.notes.iter().map(|note| format!("{label}: {note}")));
        exchanges.push(imported.exchange);
    }
    if model.is_none() && exchanges.iter().any(is_of_model) {
        if exchanges.iter().any(|exchange| exchange.response.status == 200 && is_of_model(exchange)) {
            return Err(Located::from(InputProblem::NoModel).of_input(last));
        }
        notes.push(format!("{last}: the answer names no model, which is kept as `{NO_MODEL}`; state it with --model"));
    }
    let model = model_facts(model.as_deref(), options, &exchanges)?;
    let recording = Recording {
        description: options.description.clone(),
        server,
        model,
        licence: options.licence.clone(),
        source: options.source.clone(),
        ..Recording::new(&options.name, origin, "", exchanges)
    };
    check(&recording)?;
    Ok(Import { recording, notes })
}

/// Returns the exchanges of an input: one, unless its format holds several.
fn exchanges_of(input: &Input<'_>, options: &ImportOptions) -> Result<Vec<ImportedExchange>, ImportError> {
    exchanges_in(input.bytes, options).map_err(|error| error.of_input(input.label))
}

fn exchanges_in(bytes: &[u8], options: &ImportOptions) -> Result<Vec<ImportedExchange>, Located> {
    let text = Utf8Input::of(bytes)?;
    let bytes = text.bytes.as_ref();
    let mut imported = match InputFormat::of(bytes) {
        InputFormat::Recording => return Err(InputProblem::AlreadyRecording.into()),
        InputFormat::Empty => return Err(InputProblem::Empty.into()),
        InputFormat::Foreign { what, advice } => return Err(InputProblem::Foreign { what, advice }.into()),
        InputFormat::Archive => {
            options.refuse_stated(&["--path", "--request", "--status"])?;
            archive::read(bytes, options.gap)?
        }
        InputFormat::Capture => {
            options.refuse_stated(&["--path", "--request", "--status", "--gap"])?;
            vec![raw_capture::import(bytes)?]
        }
        InputFormat::Response => {
            options.refuse_stated(&["--status"])?;
            let (response, bytes) = response::read(bytes)?;
            let known = KnownFacts { status: Some(response.status), fields: response.headers, ..options.known_facts() };
            vec![body::import(bytes, InputFormat::of(bytes), known, options.gap)?]
        }
        format @ (InputFormat::Events | InputFormat::Objects) => {
            vec![body::import(bytes, format, options.known_facts(), options.gap)?]
        }
    };
    if let (Some(first), Some(note)) = (imported.first_mut(), text.note) {
        first.notes.insert(0, note.to_owned());
    }
    Ok(imported)
}

impl ImportOptions {
    /// Returns what the options state of a raw body.
    fn known_facts(&self) -> KnownFacts {
        KnownFacts {
            path: self.path.clone(),
            request: self.request.clone().map(RequestBody::Json),
            status: self.status,
            ..KnownFacts::default()
        }
    }

    /// Returns an error when one of `options` is given, which the input states itself.
    fn refuse_stated(&self, options: &[&'static str]) -> Result<(), InputProblem> {
        let given = [
            ("--path", self.path.is_some()),
            ("--request", self.request.is_some()),
            ("--status", self.status.is_some()),
            ("--gap", self.gap.is_some()),
        ];
        match given.into_iter().find(|(option, is_given)| *is_given && options.contains(option)) {
            Some((option, _)) => Err(InputProblem::OptionOfBody(option)),
            None => Ok(()),
        }
    }
}

/// Returns whether the exchange is of a route that answers with what a model says.
fn is_of_model(exchange: &Exchange) -> bool {
    exchange.request.as_ref().is_none_or(|request| object::is_of_model(&request.path))
}

/// Makes `found` the one value of all inputs; an error where another one stands already.
fn agree(label: &str, what: &'static str, one: &mut Option<String>, found: Option<String>) -> Result<(), ImportError> {
    match (&*one, found) {
        (Some(before), Some(found)) if *before != found => {
            let message = format!(
                "the {what} is {found:?}, but {before:?} before it; a recording has one; name a folder as OUT to get a \
                 recording of each exchange"
            );
            Err(Located::from(InputProblem::Other(message)).of_input(label))
        }
        (None, found @ Some(_)) => {
            *one = found;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn model_facts(name: Option<&str>, options: &ImportOptions, exchanges: &[Exchange]) -> Result<Model, ImportError> {
    let mut model = match (name, &options.tags) {
        (Some(name), Some(tags)) => tags.find(name)?.clone(),
        (name, _) => Model { name: listed_name(name.unwrap_or(NO_MODEL)), ..Model::default() },
    };
    if let Some(capabilities) = &options.capabilities {
        model.capabilities.clone_from(capabilities);
    } else if model.capabilities.is_empty() {
        model.capabilities = shown_capabilities(exchanges);
    }
    Ok(model)
}

/// Returns the capabilities that a model must have had to answer as it did, in the order of `/api/tags`; none when no
/// answer is native, since those of the other dialects are not looked at.
fn shown_capabilities(exchanges: &[Exchange]) -> Vec<String> {
    let bodies: Vec<Vec<u8>> = exchanges.iter().map(Exchange::body).collect();
    let answers: Vec<Answer> = bodies
        .iter()
        .flat_map(|body| serde_json::Deserializer::from_slice(body).into_iter().map_while(Result::ok))
        .collect();
    if answers.iter().all(|answer| answer.path().is_none()) {
        return Vec::new();
    }
    let asks_for_tools = exchanges
        .iter()
        .filter_map(|exchange| exchange.request.as_ref())
        .any(|request| matches!(&request.body, Some(RequestBody::Json(body)) if body.get("tools").is_some()));
    let shown = [
        ("completion", true),
        ("tools", asks_for_tools || answers.iter().any(Answer::has_tool_call)),
        ("thinking", answers.iter().any(Answer::has_thinking)),
    ];
    shown.into_iter().filter(|(_, is_shown)| *is_shown).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
