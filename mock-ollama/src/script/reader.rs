//! Files and folders, and everything that can be wrong with them.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::ScriptError;
use super::file::{AnswerForm, ModelForm, ScriptFile};
use super::model::{self, Times, Wrong, duration};
use super::pieces::{contents, tool_call};
use super::place::{Block, explained};
use super::scripted::{AnswerRule, AnswerText, Scripted};
use crate::files::{list_folder, read_text};
use crate::models::ModelName;

/// The longest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Reads one file.
///
/// # Errors
/// A file that cannot be read, or is no script.
pub fn read_file(path: &Path) -> Result<Vec<Scripted>, ScriptError> {
    let file = path.display().to_string();
    assemble(&file, &[(file.clone(), read(path)?)])
}

/// Reads every `.toml` file of a folder, in the order of their names, as one script.
///
/// # Errors
/// A folder or file that cannot be read, or that is no script.
pub fn read_folder(folder: &Path) -> Result<Vec<Scripted>, ScriptError> {
    let paths =
        list_folder(folder, &["toml"]).map_err(|source| ScriptError::Read { path: folder.to_owned(), source })?;
    let files = paths.iter().map(|path| Ok((path.display().to_string(), read(path)?)));
    let files = files.collect::<Result<Vec<_>, ScriptError>>()?;
    assemble(&folder.display().to_string(), &files)
}

/// Reads a script from its text; `name` stands for it in errors.
///
/// # Errors
/// A text that is no script.
pub fn parse(text: &str, name: &str) -> Result<Vec<Scripted>, ScriptError> {
    assemble(name, &[(name.to_owned(), text.to_owned())])
}

fn read(path: &Path) -> Result<String, ScriptError> {
    read_text(path, MAX_FILE_BYTES).map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => ScriptError::invalid(
            path.display().to_string(),
            format_args!("larger than {MAX_FILE_BYTES} bytes, the limit of a script"),
        ),
        _ => ScriptError::Read { path: path.to_owned(), source },
    })
}

/// A model as it is stated, and where.
struct Stated<'a> {
    block: Block<'a>,
    name: ModelName,
    form: ModelForm,
}

fn assemble(whole: &str, files: &[(String, String)]) -> Result<Vec<Scripted>, ScriptError> {
    let (mut models, mut answers) = (Vec::<Stated<'_>>::new(), Vec::new());
    for (file, text) in files {
        let parsed: ScriptFile =
            toml::from_str(text).map_err(|error| ScriptError::invalid(file, explained(text, &error)))?;
        for form in parsed.model {
            let block = Block { file, text, start: form.span().start };
            let (form, place) = (form.into_inner(), block.place("name"));
            let Some(name) = ModelName::parse(&form.name) else {
                return Err(ScriptError::bad_name(place, &form.name));
            };
            if models.iter().any(|known| known.name == name) {
                return Err(ScriptError::invalid(place, format_args!("model {name} is stated twice; keep one")));
            }
            models.push(Stated { block, name, form });
        }
        answers.extend(parsed.answer.into_iter().enumerate().map(|(at, form)| {
            let block = Block { file, text, start: form.span().start };
            (block, at + 1, form.into_inner())
        }));
    }
    if models.is_empty() {
        return Err(ScriptError::invalid(whole, "states no model; add a [[model]] with a name"));
    }
    let names: Vec<&ModelName> = models.iter().map(|model| &model.name).collect();
    let mut rules = Vec::with_capacity(answers.len());
    for (block, number, form) in &answers {
        rules.push(rule(*block, *number, form, &names)?);
    }
    models.iter().map(|model| scripted(model, &rules)).collect()
}

fn rule(block: Block<'_>, number: usize, form: &AnswerForm, known: &[&ModelName]) -> Result<AnswerRule, ScriptError> {
    let wrong = |(key, what): Wrong| ScriptError::invalid(block.place(key), format_args!("answer {number}: {what}"));
    let at = |key: &'static str| move |what: String| wrong((key, what));
    let models = match &form.models {
        None => None,
        Some(names) => {
            let unknown = |name: &String| {
                let known = known.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
                let what = format!("is for model {name:?}, which no [[model]] states; there are: {known}");
                ScriptError::invalid(block.place("models"), format_args!("answer {number} {what}"))
            };
            let find = |name: &String| {
                ModelName::parse(name).filter(|name| known.contains(&name)).ok_or_else(|| unknown(name))
            };
            Some(names.iter().map(find).collect::<Result<Vec<_>, _>>()?)
        }
    };
    if form.ends.is_some() && form.error.is_some() {
        return Err(wrong(("ends", "states both `ends` and `error`; keep one".to_owned())));
    }
    let text = if form.pieces.is_some() || form.raw.is_some() || !form.final_calls.is_empty() {
        let raw = form.raw.as_deref().map(contents).transpose().map_err(at("raw"))?;
        let pieces = match &form.pieces {
            Some(pieces) => contents(pieces).map_err(at("pieces"))?,
            None if !form.final_calls.is_empty() => Vec::new(),
            None => raw.clone().unwrap_or_default(),
        };
        let calls = form.final_calls.iter().zip(0..).map(|(call, index)| tool_call(call, index));
        let final_calls = calls.collect::<Result<_, _>>().map_err(at("final_calls"))?;
        Some(AnswerText { pieces, raw, final_calls, tokens: form.tokens })
    } else {
        None
    };
    if text.is_none() && form.ends.is_none() && form.error.is_none() {
        return Err(wrong(("", "says nothing; state pieces, ends or error".to_owned())));
    }
    if let Some(status) = form.error.as_ref().and_then(|error| error.status)
        && !(400..=599).contains(&status)
    {
        return Err(wrong(("error", format!("status {status} is no failure; state one of 400 to 599"))));
    }
    Ok(AnswerRule {
        models,
        words: form.words.clone(),
        endpoint: form.endpoint,
        think: form.think,
        tools: form.tools,
        text,
        gap: form.gap.as_deref().map(duration).transpose().map_err(at("gap"))?,
        ends: form.ends,
        error: form.error.clone(),
    })
}

fn scripted(stated: &Stated<'_>, rules: &[AnswerRule]) -> Result<Scripted, ScriptError> {
    let Stated { block, name, form } = stated;
    let wrong = |(key, what): Wrong| ScriptError::invalid(block.place(key), format_args!("model {name}: {what}"));
    let card = model::card(form, name.clone()).map_err(wrong)?;
    let times = Times::of(form).map_err(wrong)?;
    let of_model = |rule: &&AnswerRule| rule.models.as_ref().is_none_or(|models| models.contains(name));
    let rules: Arc<[AnswerRule]> = rules.iter().filter(of_model).cloned().collect();
    if card.can("completion") && !rules.iter().any(AnswerRule::answers_all) {
        let what = "has no answer without conditions; add an [[answer]] with pieces alone";
        return Err(ScriptError::invalid(block.place("name"), format_args!("model {name} {what}")));
    }
    Ok(Scripted {
        card,
        times,
        rules,
        render: form.render.clone().unwrap_or_else(|| "{prompt}".to_owned()),
        prompt_tokens: form.prompt_tokens.unwrap_or(10),
        logprobs: form.logprobs,
        embedding: form.embedding.clone(),
    })
}
