//! Where recordings go, and what they are called.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::NotRecorded;
use crate::files::Existing;
use crate::recording::{Recording, WriteError, write_file};

/// A folder of numbered recordings. Numbers continue after those that are there. Several recorders may share one.
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
        Ok(Self { path: path.to_owned(), next: Mutex::new(last.saturating_add(1)) })
    }

    /// Writes a recording whole, under the next number; its name is that of the file. A name that another recorder has
    /// taken means the next number.
    pub(super) fn write(&self, mut recording: Recording) -> Result<PathBuf, NotRecorded> {
        let name = recording.name.clone();
        loop {
            recording.name = format!("{:04}-{name}", self.take_number());
            let path = self.path.join(format!("{}.jsonl", recording.name));
            // Most names that are taken are seen here, before anything is written.
            if path.exists() {
                continue;
            }
            match write_file(&recording, &path, Existing::Keep) {
                Ok(()) => return Ok(path),
                Err(WriteError::Io(error)) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(NotRecorded::Write { path, source }),
            }
        }
    }

    fn take_number(&self) -> u32 {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *next;
        *next = next.saturating_add(1);
        number
    }
}

/// Returns a text as a part of a file's name.
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
    use std::path::Path;

    use super::{Folder, slug};
    use crate::record::error::NotRecorded;
    use crate::recording::{End, Exchange, Origin, Recording, Response, read_file};

    fn recording(name: &str) -> Recording {
        let response = Response { status: 200, headers: vec![] };
        let exchange = Exchange { request: None, sent_us: None, response, chunks: vec![], end: End::Clean };
        Recording::new(name, Origin::Recorded, "m", vec![exchange])
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_name_has_only_what_every_file_system_takes() {
        assert_eq!(slug("/api/chat"), "api-chat");
        assert_eq!(slug("hf.co/User/Model:Q4_K"), "hf.co-user-model-q4_k");
        assert_eq!(slug("../../etc"), "..-..-etc");
    }

    #[test]
    fn recorders_of_one_folder_lose_nothing_to_each_other() {
        let path = tempfile::tempdir().unwrap();
        let folders = [(); 4].map(|()| Folder::open(path.path()).unwrap());
        std::thread::scope(|scope| {
            for folder in &folders {
                scope.spawn(|| (0..10).for_each(|_| drop(folder.write(recording("same")).unwrap())));
            }
        });
        let names = names(path.path());
        assert_eq!(names.len(), 40, "{names:?}");
        for name in &names {
            assert_eq!(format!("{}.jsonl", read_file(path.path().join(name)).unwrap().name), *name);
        }
    }

    #[test]
    fn what_cannot_be_written_is_named_with_what_the_system_said() {
        let path = tempfile::tempdir().unwrap();
        let folder = Folder::open(&path.path().join("out")).unwrap();
        std::fs::remove_dir(path.path().join("out")).unwrap();
        let error = folder.write(recording("x")).unwrap_err();
        let message = error.chain();
        assert!(matches!(error, NotRecorded::Write { .. }) && error.is_loss());
        assert!(message.contains("0001-x.jsonl: ") && message.contains("os error"), "{message}");
        assert_eq!(names(path.path()).len(), 0);
    }
}
