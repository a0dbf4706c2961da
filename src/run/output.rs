//! The report on disk.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use mock_ollama::files::{Existing, write_whole};
use tempfile::NamedTempFile;

use super::RunError;
use crate::report::{OUTPUTS, Report};

/// Makes `folder` and sees whether files can be made in it: better now than after a minute of measuring.
pub fn prepare_folder(folder: &Path) -> Result<(), RunError> {
    fs::create_dir_all(folder).map_err(failed("make the folder", folder))?;
    NamedTempFile::with_prefix_in(".writing-", folder).map_err(failed("make a file in", folder))?;
    Ok(())
}

/// Writes every output into `folder`, each whole or not at all, and says what the files are called.
pub fn write_report(report: &Report, folder: &Path) -> Result<Vec<&'static str>, RunError> {
    prepare_folder(folder)?;
    let mut written = Vec::new();
    for output in OUTPUTS {
        let path = folder.join(output.file_name);
        let text = (output.render)(report);
        write_whole(&path, Existing::Replace, |file| file.write_all(text.as_bytes()))
            .map_err(failed("write", &path))?;
        written.push(output.file_name);
    }
    Ok(written)
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RunError + use<> {
    let path = path.to_owned();
    move |source| RunError::File { what, path, source }
}
