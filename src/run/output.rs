//! The report on disk.

use std::fs;
use std::io;
use std::path::Path;

use mock_ollama::files::{NotWritten, is_same, write_together};
use tempfile::NamedTempFile;

use super::RunError;
use crate::report::{OUTPUTS, Report};

/// Makes `folder` and sees whether files can be made in it: better now than after a minute of measuring.
pub fn prepare_folder(folder: &Path) -> Result<(), RunError> {
    fs::create_dir_all(folder).map_err(failed("make the folder", folder))?;
    NamedTempFile::with_prefix_in(".writing-", folder).map_err(failed("make a file in", folder))?;
    Ok(())
}

/// Refuses a folder whose report would be written over one of these inputs.
pub fn spare_inputs<'a>(folder: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<(), RunError> {
    let is_output = |input: &&Path| OUTPUTS.iter().any(|output| is_same(&folder.join(output.file_name), input));
    match inputs.into_iter().find(is_output) {
        Some(input) => Err(RunError::OntoInput { path: input.to_owned() }),
        None => Ok(()),
    }
}

/// Writes every output into `folder`, and returns what the files are called. They are all of this report, also when another
/// run writes there.
pub fn write_report(report: &Report, folder: &Path) -> Result<Vec<&'static str>, RunError> {
    prepare_folder(folder)?;
    let texts: Vec<String> = OUTPUTS.iter().map(|output| (output.render)(report)).collect();
    write_files(folder, OUTPUTS.iter().map(|output| output.file_name).zip(texts.iter().map(String::as_str)))?;
    Ok(OUTPUTS.iter().map(|output| output.file_name).collect())
}

/// Writes files into `folder`, by name and text; they are all of this call, also when another program writes there.
pub fn write_files<'a>(folder: &Path, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), RunError> {
    write_together(folder, files).map_err(|NotWritten { path, source }| RunError::File { what: "write", path, source })
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RunError + use<> {
    let path = path.to_owned();
    move |source| RunError::File { what, path, source }
}
