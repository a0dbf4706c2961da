//! The recordings that every server offers by default.

use crate::recording::{ReadError, Recording, read};

/// Name and text of each built-in recording, in the order of names; `fixtures/README.md` of this crate says what each is.
static BUILTIN: &[(&str, &str)] = &[
    ("base-cold-load", include_str!("../../fixtures/recordings/base-cold-load.jsonl")),
    ("base-greedy", include_str!("../../fixtures/recordings/base-greedy.jsonl")),
    ("conversation-four-turns", include_str!("../../fixtures/recordings/conversation-four-turns.jsonl")),
    ("json-generate", include_str!("../../fixtures/recordings/json-generate.jsonl")),
    ("pair-a", include_str!("../../fixtures/recordings/pair-a.jsonl")),
    ("pair-b", include_str!("../../fixtures/recordings/pair-b.jsonl")),
    ("small-client-closed", include_str!("../../fixtures/recordings/small-client-closed.jsonl")),
    ("small-error-mid-stream", include_str!("../../fixtures/recordings/small-error-mid-stream.jsonl")),
    ("small-greedy", include_str!("../../fixtures/recordings/small-greedy.jsonl")),
    ("small-html", include_str!("../../fixtures/recordings/small-html.jsonl")),
    ("small-multibyte", include_str!("../../fixtures/recordings/small-multibyte.jsonl")),
    ("think-default", include_str!("../../fixtures/recordings/think-default.jsonl")),
    ("think-length-cut", include_str!("../../fixtures/recordings/think-length-cut.jsonl")),
    ("tiny-emoji", include_str!("../../fixtures/recordings/tiny-emoji.jsonl")),
    ("tiny-japanese", include_str!("../../fixtures/recordings/tiny-japanese.jsonl")),
    ("tiny-long", include_str!("../../fixtures/recordings/tiny-long.jsonl")),
    ("tiny-raw-no-context", include_str!("../../fixtures/recordings/tiny-raw-no-context.jsonl")),
    ("tiny-short", include_str!("../../fixtures/recordings/tiny-short.jsonl")),
    ("tools-call", include_str!("../../fixtures/recordings/tools-call.jsonl")),
    ("tools-result", include_str!("../../fixtures/recordings/tools-result.jsonl")),
];

/// Returns the names of the built-in recordings, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// Returns the built-in recording called `name`; `None` when there is no such recording.
pub fn recording(name: &str) -> Option<Result<Recording, ReadError>> {
    let (name, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
    Some(read(text.as_bytes(), name))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::BUILTIN;
    use crate::recording::{read, to_string};

    #[test]
    fn the_list_holds_every_recording_of_the_folder_in_order() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/recordings"));
        let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        files.sort_unstable();
        let listed: Vec<String> = BUILTIN.iter().map(|(name, _)| format!("{name}.jsonl")).collect();
        assert_eq!(listed, files);
    }

    #[test]
    fn every_built_in_recording_is_canonical_and_bears_its_own_name() {
        for (name, text) in BUILTIN {
            let recording = read(text.as_bytes(), name).unwrap();
            assert_eq!(recording.name, *name);
            assert_eq!(to_string(&recording).unwrap(), *text, "{name}");
            assert_eq!(recording.licence.as_deref(), Some("CC0-1.0"), "{name}");
            assert!(recording.model.digest.is_some(), "{name}");
        }
    }
}
