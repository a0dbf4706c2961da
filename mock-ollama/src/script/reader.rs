//! Files and folders, and everything that can be wrong with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ScriptError;
use super::file::{AnswerForm, ModelForm, ScriptFile};
use super::model::{self, Times, duration};
use super::pieces::{contents, tool_call};
use super::scripted::{Rule, Said, Scripted};
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
    let failed = |source| ScriptError::Read { path: folder.to_owned(), source };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        files.push((path.display().to_string(), read(&path)?));
    }
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
    let failed = |source| ScriptError::Read { path: path.to_owned(), source };
    let length = path.metadata().map_err(failed)?.len();
    if length > MAX_FILE_BYTES {
        return Err(ScriptError::TooLarge { file: path.display().to_string(), limit: MAX_FILE_BYTES });
    }
    std::fs::read_to_string(path).map_err(failed)
}

/// A model as it is stated, and where.
struct Stated {
    file: String,
    name: ModelName,
    form: ModelForm,
}

fn assemble(whole: &str, files: &[(String, String)]) -> Result<Vec<Scripted>, ScriptError> {
    let (mut models, mut answers) = (Vec::<Stated>::new(), Vec::new());
    for (file, text) in files {
        let parsed: ScriptFile = toml::from_str(text)
            .map_err(|error| ScriptError::Form { file: file.clone(), what: place(text, &error) })?;
        for form in parsed.model {
            let Some(name) = ModelName::parse(&form.name) else {
                return Err(ScriptError::BadName { file: file.clone(), name: form.name });
            };
            if models.iter().any(|known| known.name == name) {
                return Err(ScriptError::Twice { file: file.clone(), name: name.to_string() });
            }
            models.push(Stated { file: file.clone(), name, form });
        }
        answers.extend(parsed.answer.into_iter().enumerate().map(|(at, form)| (file.clone(), at + 1, form)));
    }
    if models.is_empty() {
        return Err(ScriptError::NoModel { file: whole.to_owned() });
    }
    let names: Vec<&ModelName> = models.iter().map(|model| &model.name).collect();
    let mut rules = Vec::with_capacity(answers.len());
    for (file, number, form) in &answers {
        rules.push(rule(file, *number, form, &names)?);
    }
    models.iter().map(|model| scripted(whole, model, &rules)).collect()
}

/// One line: where TOML went wrong, and how.
fn place(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    format!("line {line}: {}", error.message().replace('\n', "; "))
}

fn rule(file: &str, number: usize, form: &AnswerForm, known: &[&ModelName]) -> Result<Rule, ScriptError> {
    let wrong = |what: String| ScriptError::Answer { file: file.to_owned(), number, what };
    let models = match &form.models {
        None => None,
        Some(names) => {
            let unknown =
                |name: &String| ScriptError::UnknownModel { file: file.to_owned(), number, name: name.clone() };
            let find = |name: &String| {
                ModelName::parse(name).filter(|name| known.contains(&name)).ok_or_else(|| unknown(name))
            };
            Some(names.iter().map(find).collect::<Result<Vec<_>, _>>()?)
        }
    };
    if form.ends.is_some() && form.error.is_some() {
        return Err(wrong("states both `ends` and `error`; keep one".to_owned()));
    }
    let said = if form.pieces.is_some() || form.raw.is_some() || !form.final_calls.is_empty() {
        let raw = form.raw.as_deref().map(contents).transpose().map_err(wrong)?;
        let pieces = match &form.pieces {
            Some(pieces) => contents(pieces).map_err(wrong)?,
            None if !form.final_calls.is_empty() => Vec::new(),
            None => raw.clone().unwrap_or_default(),
        };
        let calls = form.final_calls.iter().zip(0..).map(|(call, index)| tool_call(call, index));
        Some(Said { pieces, raw, final_calls: calls.collect::<Result<_, _>>().map_err(wrong)?, tokens: form.tokens })
    } else {
        None
    };
    if said.is_none() && form.ends.is_none() && form.error.is_none() {
        return Err(wrong("says nothing; state pieces, ends or error".to_owned()));
    }
    if let Some(status) = form.error.as_ref().and_then(|error| error.status)
        && !(400..=599).contains(&status)
    {
        return Err(wrong(format!("status {status} is no failure; state one of 400 to 599")));
    }
    Ok(Rule {
        models,
        words: form.words.clone(),
        endpoint: form.endpoint,
        think: form.think,
        tools: form.tools,
        said,
        gap: form.gap.as_deref().map(duration).transpose().map_err(wrong)?,
        ends: form.ends,
        error: form.error.clone(),
    })
}

fn scripted(whole: &str, stated: &Stated, rules: &[Rule]) -> Result<Scripted, ScriptError> {
    let Stated { file, name, form } = stated;
    let wrong = |what: String| ScriptError::Model { file: file.clone(), name: name.to_string(), what };
    let card = model::card(form, name.clone()).map_err(wrong)?;
    let times = Times::of(form).map_err(wrong)?;
    let of_model = |rule: &&Rule| rule.models.as_ref().is_none_or(|models| models.contains(name));
    let rules: Arc<[Rule]> = rules.iter().filter(of_model).cloned().collect();
    if card.can("completion") && !rules.iter().any(Rule::answers_all) {
        return Err(ScriptError::NoDefault { file: whole.to_owned(), name: name.to_string() });
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
