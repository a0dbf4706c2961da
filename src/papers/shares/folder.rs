//! Which file is what, by the names alone.
//!
//! The words of a name stand between hyphens. A file `REPETITION-solo-AGENT.jsonl` was recorded alone, and
//! `REPETITION-both-AGENT.jsonl` together with those of the same repetition (which may be left out when there is one
//! only). A folder with such files is a set. Or the folders say it: `NAME-solo/AGENT.jsonl` alone, and
//! `NAME-clientsN/AGENT.jsonl` together; each of the latter folders is a set, and the former ones, beside it, are the
//! recordings alone of them all. Files of other kinds, such as `scenario.json`, are passed over.

use std::path::{Path, PathBuf};

use crate::papers::PapersError;

/// A set, by its files.
#[derive(Debug, Default)]
pub(super) struct SetFiles {
    pub(super) name: String,
    /// Recorded alone.
    pub(super) alone: Vec<Labelled>,
    /// Recorded together, by repetition and agent.
    pub(super) together: Vec<Labelled>,
    /// Whether some were perhaps never recorded alone.
    pub(super) is_partial: bool,
}

/// A file and what its name says.
#[derive(Clone, Debug)]
pub(super) struct Labelled {
    pub(super) path: PathBuf,
    pub(super) repetition: String,
    pub(super) agent: String,
}

/// What was recorded in a file or in a folder of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Alone,
    Together,
}

/// Why a folder holds nothing to predict.
const NO_SET: &str = "no recordings of requests alone and together, here or in a folder of it; expected files such as \
                      rep1-solo-a.jsonl and rep1-both-a.jsonl, or folders such as x-solo and x-clients2";

/// Why the name of a file in a set is of no use.
const NO_ROLE: &str = "the name does not say whether this was recorded alone or together, and of whom; expected such as \
                       rep1-solo-a.jsonl or rep1-both-a.jsonl";

/// The only repetition, where names state none.
const ONLY: &str = "1";

/// The sets in `dir`, or the one set that it is.
pub(super) fn sets(dir: &Path) -> Result<Vec<SetFiles>, PapersError> {
    let (files, folders) = listing(dir)?;
    if !files.is_empty() {
        let beside =
            if role_of_folder(dir, &files) == Some(Role::Together) { listing(parent_of(dir))?.1 } else { vec![] };
        return Ok(vec![set_of(dir, files, &alone_in(&beside)?)?]);
    }
    let alone = alone_in(&folders)?;
    let mut sets = Vec::new();
    for folder in folders {
        let (files, _) = listing(&folder)?;
        if !files.is_empty() && role_of_folder(&folder, &files) != Some(Role::Alone) {
            sets.push(set_of(&folder, files, &alone)?);
        }
    }
    if sets.is_empty() { Err(PapersError::unfit(dir, NO_SET)) } else { Ok(sets) }
}

/// The recordings in those of `folders` that say they were made alone.
fn alone_in(folders: &[PathBuf]) -> Result<Vec<Labelled>, PapersError> {
    let mut alone = Vec::new();
    for folder in folders {
        let (files, _) = listing(folder)?;
        if role_of_folder(folder, &files) == Some(Role::Alone) {
            alone.extend(files.into_iter().map(by_folder));
        }
    }
    Ok(alone)
}

/// The set in `dir`, which holds `files`; `alone` are the recordings of folders beside it.
fn set_of(dir: &Path, files: Vec<PathBuf>, alone: &[Labelled]) -> Result<SetFiles, PapersError> {
    if role_of_folder(dir, &files) != Some(Role::Together) {
        return set_of_files(dir, files);
    }
    let together = files.into_iter().map(by_folder).collect();
    Ok(SetFiles { name: name_of(dir), alone: alone.to_vec(), together, is_partial: true })
}

fn parent_of(dir: &Path) -> &Path {
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The recordings and the folders in `dir`, in the order of their names.
fn listing(dir: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), PapersError> {
    let failed = |source| PapersError::Read { path: dir.to_owned(), source };
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in dir.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            folders.push(path);
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    files.sort_unstable();
    folders.sort_unstable();
    Ok((files, folders))
}

fn set_of_files(dir: &Path, files: Vec<PathBuf>) -> Result<SetFiles, PapersError> {
    let mut set = SetFiles { name: name_of(dir), ..SetFiles::default() };
    for path in files {
        match by_name(&path) {
            Some((Role::Alone, labelled)) => set.alone.push(labelled),
            Some((Role::Together, labelled)) => set.together.push(labelled),
            None => return Err(PapersError::unfit(&path, NO_ROLE)),
        }
    }
    // `rep10` comes after `rep2`.
    set.together.sort_by_key(|file| (file.repetition.len(), file.repetition.clone(), file.agent.clone()));
    let is_known = |repetition: &str| set.together.iter().any(|file| file.repetition == repetition);
    match set.alone.iter().find(|file| !is_known(&file.repetition)) {
        Some(Labelled { path, repetition, .. }) => {
            Err(PapersError::unfit(path, format!("recorded alone, but there is no recording of {repetition} together")))
        }
        None => Ok(set),
    }
}

/// What the name of a file in a set says.
fn by_name(path: &Path) -> Option<(Role, Labelled)> {
    let stem = stem_of(path);
    let words: Vec<&str> = stem.split('-').collect();
    let role_of = |word: &str| match word {
        "solo" => Some(Role::Alone),
        "both" => Some(Role::Together),
        _ => None,
    };
    let (at, role) = words.iter().enumerate().find_map(|(at, word)| Some((at, role_of(word)?)))?;
    let (repetition, agent) = (words[..at].join("-"), words[at + 1..].join("-"));
    if agent.is_empty() {
        return None;
    }
    let repetition = if repetition.is_empty() { ONLY.to_owned() } else { repetition };
    Some((role, Labelled { path: path.to_owned(), repetition, agent }))
}

/// What the name of a folder says of the `files` in it; nothing where they say it themselves.
fn role_of_folder(dir: &Path, files: &[PathBuf]) -> Option<Role> {
    if files.iter().any(|file| by_name(file).is_some()) {
        return None;
    }
    name_of(dir).split('-').find_map(|word| {
        if word == "solo" {
            return Some(Role::Alone);
        }
        let count = word.strip_prefix("clients")?;
        (!count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit())).then_some(Role::Together)
    })
}

/// A file of which the folder says how it was recorded.
fn by_folder(path: PathBuf) -> Labelled {
    Labelled { agent: stem_of(&path), repetition: ONLY.to_owned(), path }
}

fn stem_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn name_of(dir: &Path) -> String {
    dir.file_name().map_or_else(|| dir.display().to_string(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str) -> Option<(bool, String, String)> {
        let (role, labelled) = by_name(Path::new(name))?;
        Some((role == Role::Alone, labelled.repetition, labelled.agent))
    }

    #[test]
    fn a_name_says_the_repetition_then_alone_or_together_then_the_agent() {
        let is = |alone, repetition: &str, agent: &str| Some((alone, repetition.to_owned(), agent.to_owned()));
        assert_eq!(said("x/rep1-solo-a.jsonl"), is(true, "rep1", "a"));
        assert_eq!(said("x/rep2-both-b.jsonl"), is(false, "rep2", "b"));
        assert_eq!(said("both-agent-7.jsonl"), is(false, "1", "agent-7"));
        assert_eq!(
            ["rep1-a.jsonl", "rep1-solo.jsonl", "rep1-both-.jsonl", "solos-a.jsonl"].map(said),
            [const { None }; 4]
        );
    }

    #[test]
    fn a_folder_says_alone_or_together_or_nothing() {
        let alone = |name| role_of_folder(Path::new(name), &["r1.jsonl".into()]).map(|role| role == Role::Alone);
        assert_eq!(
            ["x-solo", "x-clients4", "small-one-core", "x-clients", "x-clientsmany"].map(alone),
            [Some(true), Some(false), None, None, None]
        );
        assert!(role_of_folder(Path::new("x-solo"), &["rep1-solo-a.jsonl".into()]).is_none(), "the files say it");
    }
}
