//! The files of the workspace, and what a check says about them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories whose name begins with a dot and which are ours all the same.
const DOTTED: &[&str] = &[".cargo", ".ci", ".config", ".github"];

/// A file, by its path from the root with `/` between the parts.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    /// Its text; bytes that are not UTF-8 are shown lossily.
    pub(crate) text: String,
}

impl File {
    /// A file for a control.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        has_extension(&self.path, "rs")
    }
}

/// Something that a check rejects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    /// Counted from one; zero where no line is meant.
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// Whether `path` ends in `.extension`.
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

/// The root of the workspace; what cargo says at run time goes first, since a checkout may have moved after the build.
pub(crate) fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()).into()
}

/// Every file of the workspace in the order of paths.
///
/// The directories are walked, git is not asked: an unpacked archive is judged like a checkout, and a snapshot that waits for
/// review is seen although git ignores it. Build directories tell themselves by their `CACHEDIR.TAG`, which cargo leaves out of a
/// `target` that somebody else made.
pub(crate) fn files() -> Vec<File> {
    let mut files = Vec::new();
    walk(&root(), "", &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.iter().any(|file| file.path == "src/lib.rs"), "the walk did not find the workspace");
    files
}

fn walk(dir: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(dir).unwrap_or_else(|error| panic!("cannot list {}: {error}", dir.display())) {
        let entry = entry.expect("a directory entry can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let kind = entry.file_type().expect("the type of a directory entry can be read");
        if kind.is_dir() {
            let foreign = name.starts_with('.') && !DOTTED.contains(&name.as_str());
            let built = path.join("CACHEDIR.TAG").exists() || (prefix.is_empty() && name == "target");
            if !foreign && !built {
                walk(&path, &format!("{prefix}{name}/"), files);
            }
        } else if kind.is_file() && name != ".git" {
            let bytes = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            files.push(File { path: format!("{prefix}{name}"), text: String::from_utf8_lossy(&bytes).into_owned() });
        }
    }
}

#[test]
fn the_walk_sees_sources_settings_and_nothing_that_was_built() {
    let files = files();
    let has = |path: &str| files.iter().any(|file| file.path == path);
    assert!(has("mock-ollama/src/lib.rs") && has("nextest.toml") && has(".ci/run"));
    assert!(!files.iter().any(|file| file.path.starts_with("target/") || file.path.starts_with(".git/")));
}
