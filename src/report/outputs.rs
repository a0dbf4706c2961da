//! Tables of outputs: which files a report has, and how they are written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mock_ollama::files::{NotWritten, is_same, write_together};
use tempfile::NamedTempFile;

use super::error::{Classified, ErrorClass};
use super::model::Report;
use super::{json, markdown, terminal};

/// A file of a report.
#[derive(Clone, Copy, Debug)]
pub struct Output<R> {
    /// The name of the file.
    pub file_name: &'static str,
    /// Makes its text.
    pub render: fn(&R) -> String,
}

/// Every output of `run`. A new one is a file and a row.
pub const OUTPUTS: &[Output<Report>] = &[
    Output { file_name: "report.json", render: json::pretty },
    Output { file_name: "facts.json", render: |report| json::pretty(&report.facts) },
    Output { file_name: "report.md", render: markdown::render },
    Output { file_name: "report.txt", render: terminal::render },
];

/// A report that is not written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The report would be written over an input.
    #[error("{} is an input, and the report would be written over it; take another folder for `--out`", path.display())]
    OntoInput {
        /// The input.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("cannot {what} {}", path.display())]
    File {
        /// `write`, …
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Classified for OutputError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::OntoInput { .. } => ErrorClass::Usage,
            Self::File { .. } => ErrorClass::Io,
        }
    }
}

/// Makes `folder` and tries whether files can be made in it: better before a minute of measuring than after it.
pub fn prepare_folder(folder: &Path) -> Result<(), OutputError> {
    let failed = |what| move |source| OutputError::File { what, path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(failed("make the folder"))?;
    NamedTempFile::with_prefix_in(".writing-", folder).map_err(failed("make a file in"))?;
    Ok(())
}

/// Refuses a folder in which `outputs` would be written over one of `inputs`.
pub fn spare_inputs<R>(
    outputs: &[Output<R>],
    folder: &Path,
    inputs: impl IntoIterator<Item = PathBuf>,
) -> Result<(), OutputError> {
    let is_output = |input: &PathBuf| outputs.iter().any(|output| is_same(&folder.join(output.file_name), input));
    inputs.into_iter().find(is_output).map_or(Ok(()), |path| Err(OutputError::OntoInput { path }))
}

/// Writes every one of `outputs` into `folder`. The files are all of this report, also when another program writes there.
pub fn write<R>(outputs: &[Output<R>], report: &R, folder: &Path) -> Result<(), OutputError> {
    prepare_folder(folder)?;
    let texts: Vec<(&str, String)> = outputs.iter().map(|output| (output.file_name, (output.render)(report))).collect();
    write_together(folder, texts.iter().map(|(name, text)| (*name, text.as_str())))
        .map_err(|NotWritten { path, source }| OutputError::File { what: "write", path, source })
}
