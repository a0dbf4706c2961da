//! Inputs and options in, a recording out.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::error::ImportError;
use super::tags::Tags;
use super::{ndjson, openai, raw_capture};
use crate::recording::answer::Answer;
use crate::recording::{Exchange, Model, Origin, Recording, RequestBody, check};

/// One file to import.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What errors call it, usually its path.
    pub label: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

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
    /// Raw bodies only: the time between chunks, instead of what `created_at` says.
    pub gap: Option<Duration>,
}

/// What one input gave.
pub(super) struct Imported {
    pub(super) exchange: Exchange,
    pub(super) origin: Origin,
    pub(super) server: Option<String>,
    pub(super) model: Option<String>,
}

#[derive(Default, Deserialize)]
struct FirstLine {
    format: Option<String>,
    recording: Option<Value>,
}

/// Makes one recording of `inputs`: an exchange of each, in their order.
///
/// The form of an input is told by its first line: a `raw-capture/1` header, server-sent events
/// or an object of the routes below `/v1`, or else a native NDJSON body.
///
/// # Errors
///
/// [`ImportError`] says which input, where in it, and what to do.
pub fn import(inputs: &[Input<'_>], options: &ImportOptions) -> Result<Recording, ImportError> {
    let mut origin = Origin::Recorded;
    let mut server = options.server.clone();
    let mut model = options.model.clone();
    let mut exchanges = Vec::new();
    for input in inputs {
        let imported = exchange_of(input, options)?;
        if options.server.is_none() {
            agree(input, "server", &mut server, imported.server)?;
        }
        if options.model.is_none() {
            agree(input, "model", &mut model, imported.model)?;
        }
        if imported.origin != Origin::Recorded {
            origin = imported.origin;
        }
        exchanges.push(imported.exchange);
    }
    let Some(last) = inputs.last() else { return Err(ImportError::NoInput) };
    let model = model.ok_or_else(|| ImportError::NoModel { label: last.label.to_owned() })?;
    let recording = Recording {
        name: options.name.clone(),
        origin,
        description: options.description.clone(),
        server,
        model: model_facts(&model, options, &exchanges)?,
        licence: options.licence.clone(),
        source: options.source.clone(),
        scrub: Vec::new(),
        exchanges,
    };
    check(&recording)?;
    Ok(recording)
}

fn exchange_of(input: &Input<'_>, options: &ImportOptions) -> Result<Imported, ImportError> {
    let label = || input.label.to_owned();
    let first = input.bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    let first = first.ok_or_else(|| ImportError::Empty { label: label() })?;
    let first: FirstLine = serde_json::from_slice(first).unwrap_or_default();
    match first.format.as_deref() {
        _ if first.recording.is_some() => Err(ImportError::AlreadyRecording { label: label() }),
        Some(raw_capture::FORMAT) => {
            let given = [
                ("--path", options.path.is_some()),
                ("--request", options.request.is_some()),
                ("--gap", options.gap.is_some()),
            ];
            match given.into_iter().find(|(_, is_given)| *is_given) {
                Some((option, _)) => Err(ImportError::OptionOfBody { label: label(), option }),
                None => raw_capture::import(input),
            }
        }
        _ if openai::is_one(input) => openai::import(input, options),
        _ => ndjson::import(input, options),
    }
}

/// Takes over `found` as the one value of all inputs.
fn agree(
    input: &Input<'_>,
    what: &'static str,
    one: &mut Option<String>,
    found: Option<String>,
) -> Result<(), ImportError> {
    match (&*one, found) {
        (Some(before), Some(found)) if *before != found => {
            Err(ImportError::Differs { label: input.label.to_owned(), what, found, before: before.clone() })
        }
        (None, found @ Some(_)) => {
            *one = found;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn model_facts(name: &str, options: &ImportOptions, exchanges: &[Exchange]) -> Result<Model, ImportError> {
    let mut model = match &options.tags {
        Some(tags) => tags.find(name)?.clone(),
        None => Model { name: Tags::listed_name(name), ..Model::default() },
    };
    if let Some(capabilities) = &options.capabilities {
        model.capabilities.clone_from(capabilities);
    } else if model.capabilities.is_empty() {
        model.capabilities = shown_capabilities(exchanges);
    }
    Ok(model)
}

/// The capabilities that a model must have had to answer as it did, in the order of `/api/tags`.
fn shown_capabilities(exchanges: &[Exchange]) -> Vec<String> {
    let bodies: Vec<Vec<u8>> = exchanges.iter().map(Exchange::body).collect();
    let answers: Vec<Answer> = bodies
        .iter()
        .flat_map(|body| body.split(|byte| *byte == b'\n'))
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    let asks_for_tools = exchanges
        .iter()
        .filter_map(|exchange| exchange.request.as_ref())
        .any(|request| matches!(&request.body, Some(RequestBody::Json(body)) if body.get("tools").is_some()));
    let shown = [
        ("completion", answers.iter().any(|answer| answer.path().is_some())),
        ("tools", asks_for_tools || answers.iter().any(Answer::has_tool_call)),
        ("thinking", answers.iter().any(Answer::has_thinking)),
    ];
    shown.into_iter().filter(|(_, is_shown)| *is_shown).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
