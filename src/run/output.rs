//! The report on disk.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use mock_ollama::files::{Existing, write_whole};

use super::RunError;
use crate::report::{OUTPUTS, Report};

/// Writes every output into `folder`, each whole or not at all, and says which files these are.
pub fn write_report(report: &Report, folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let failed = |what, path: &Path| {
        let path = path.to_owned();
        move |source| RunError::File { what, path, source }
    };
    fs::create_dir_all(folder).map_err(failed("make the folder", folder))?;
    let mut written = Vec::new();
    for output in OUTPUTS {
        let path = folder.join(output.file_name);
        let text = (output.render)(report);
        write_whole(&path, Existing::Replace, |file| file.write_all(text.as_bytes()))
            .map_err(failed("write", &path))?;
        written.push(path);
    }
    Ok(written)
}
