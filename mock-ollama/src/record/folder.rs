//! Where recordings go, and what they are called.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::files::Existing;
use crate::recording::{Recording, WriteError, write_file};

/// A folder of numbered recordings; numbers go on after those that are there.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    next: Mutex<u32>,
}

impl Folder {
    /// Opens a folder, which is made where it is missing.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let mut last = 0;
        for entry in path.read_dir()? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let number: u32 = name.split('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(0);
            last = last.max(number);
        }
        Ok(Self { path: path.to_owned(), next: Mutex::new(last + 1) })
    }

    /// Writes a recording whole, under the next number; its name is that of the file.
    pub(super) fn write(&self, recording: Recording) -> Result<PathBuf, WriteError> {
        let number = {
            let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *next += 1;
            *next - 1
        };
        let recording = Recording { name: format!("{number:04}-{}", recording.name), ..recording };
        let path = self.path.join(format!("{}.jsonl", recording.name));
        write_file(&recording, &path, Existing::Keep)?;
        Ok(path)
    }
}

/// A text as a part of a file's name.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.to_ascii_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '.' | '_' => out.push(c),
            _ if out.ends_with('-') || out.is_empty() => {}
            _ => out.push('-'),
        }
    }
    out.trim_end_matches('-').chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_name_has_only_what_every_file_system_takes() {
        assert_eq!(slug("/api/chat"), "api-chat");
        assert_eq!(slug("hf.co/User/Model:Q4_K"), "hf.co-user-model-q4_k");
        assert_eq!(slug("../../etc"), "..-..-etc");
    }
}
