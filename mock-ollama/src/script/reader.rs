//! Files and folders, and everything that can be wrong with them.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::ScriptError;
use super::file::{ModelForm, ScriptFile};
use super::model;
use super::place::{Block, explained};
use super::scripted::{Script, Scripted};
use crate::files::{list_folder, read_text};
use crate::models::ModelName;
use crate::rules::Rule;
use crate::rules::form::{RuleForm, Wrong};

/// The longest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Reads one file.
///
/// # Errors
/// A file that cannot be read, or is no script.
pub fn read_file(path: &Path) -> Result<Script, ScriptError> {
    let file = path.display().to_string();
    assemble(&file, &[(file.clone(), read(path)?)])
}

/// Reads every `.toml` file of a folder, in the order of their names, as one script.
///
/// # Errors
/// A folder or file that cannot be read, or that is no script.
pub fn read_folder(folder: &Path) -> Result<Script, ScriptError> {
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
pub fn parse(text: &str, name: &str) -> Result<Script, ScriptError> {
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

fn assemble(whole: &str, files: &[(String, String)]) -> Result<Script, ScriptError> {
    let (mut models, mut rules) = (Vec::<Stated<'_>>::new(), Vec::new());
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
        rules.extend(parsed.rule.into_iter().enumerate().map(|(at, form)| {
            let block = Block { file, text, start: form.span().start };
            (block, at + 1, form.into_inner())
        }));
    }
    if models.is_empty() && rules.is_empty() {
        return Err(ScriptError::invalid(whole, "states nothing; add a [[model]] with a name, or a [[rule]]"));
    }
    let names: Vec<ModelName> = models.iter().map(|model| model.name.clone()).collect();
    let rules = rules.iter().map(|(block, number, form)| rule(*block, *number, form, &names));
    Ok(Script {
        rules: rules.collect::<Result<_, _>>()?,
        models: models.iter().map(scripted).collect::<Result<_, _>>()?,
    })
}

fn rule(block: Block<'_>, number: usize, form: &RuleForm, known: &[ModelName]) -> Result<Arc<Rule>, ScriptError> {
    let wrong = |(key, what): Wrong| ScriptError::invalid(block.place(key), format_args!("rule {number}: {what}"));
    // A name that is no pattern and that nobody states is a slip, where models are stated at all.
    let names = form.when.model.as_slice().iter().filter(|name| !known.is_empty() && !name.contains('*'));
    for name in names {
        if ModelName::parse(name).is_none_or(|name| !known.contains(&name)) {
            let known = known.iter().map(ModelName::as_str).collect::<Vec<_>>().join(", ");
            let what = format!("is for model {name:?}, which no [[model]] states; there are: {known}");
            return Err(ScriptError::invalid(block.place("when"), format_args!("rule {number} {what}")));
        }
    }
    form.rule(known).map(Arc::new).map_err(wrong)
}

fn scripted(stated: &Stated<'_>) -> Result<Scripted, ScriptError> {
    let Stated { block, name, form } = stated;
    let wrong = |(key, what): Wrong| ScriptError::invalid(block.place(key), format_args!("model {name}: {what}"));
    Ok(Scripted {
        card: model::card(form, name.clone()).map_err(wrong)?,
        defaults: model::defaults(form).map_err(wrong)?,
        embedding: form.embedding.clone(),
    })
}
