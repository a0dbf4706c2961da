//! A journal as JSON, with what was answered.

use serde::Serialize;

use super::answered::AnswerContent;
use crate::journal::{Entry, Forgotten, Journal, MAX_ANSWERED_BYTES, RuleUse, size_of_text};

/// A journal as `serve --journal` writes it: each entry says in a small form what was answered, too.
#[derive(Serialize)]
pub struct JournalFile<'a> {
    entries: Vec<FileEntry<'a>>,
    #[serde(skip_serializing_if = "Forgotten::is_none")]
    forgotten: Forgotten,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    rules: &'a [RuleUse],
    in_flight: usize,
    max_in_flight: usize,
}

#[derive(Serialize)]
struct FileEntry<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    #[serde(skip_serializing_if = "AnswerSummary::is_empty")]
    answered: AnswerSummary,
}

/// What was answered, at most [`MAX_ANSWERED_BYTES`] of JSON.
#[derive(Default, Serialize)]
struct AnswerSummary {
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    thinking: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
}

/// What is kept back for keys and indentation.
const FRAME_BYTES: usize = 256;

/// What a call needs beside its text.
const CALL_BYTES: usize = 32;

impl<'a> JournalFile<'a> {
    /// Returns the form of a journal that is written.
    pub fn new(journal: &'a Journal) -> Self {
        let entries =
            journal.iter().map(|entry| FileEntry { entry, answered: AnswerSummary::of(AnswerContent::of(entry)) });
        // Every field by name: one that is added must be written, too.
        let Journal { entries: _, forgotten, rules, in_flight, max_in_flight } = journal;
        let (forgotten, in_flight, max_in_flight) = (*forgotten, *in_flight, *max_in_flight);
        Self { entries: entries.collect(), forgotten, rules, in_flight, max_in_flight }
    }
}

impl AnswerSummary {
    /// Returns as much of an answer as there is room for.
    fn of(content: AnswerContent) -> Self {
        let AnswerContent { text, thinking, calls, error, .. } = content;
        let mut room = MAX_ANSWERED_BYTES - FRAME_BYTES;
        let error = fit(&error.unwrap_or_default(), &mut room);
        let mut summary = Self { error, ..Self::default() };
        for call in calls {
            if room < CALL_BYTES {
                break;
            }
            room -= CALL_BYTES;
            summary.calls.push(fit(&format!("{} {}", call.name, call.arguments), &mut room));
        }
        summary.text = fit(&text, &mut room);
        summary.thinking = fit(&thinking, &mut room);
        summary
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.thinking.is_empty() && self.calls.is_empty() && self.error.is_empty()
    }
}

/// Returns as much of a text as there is room for, and takes that room. A mark shows where there was more.
fn fit(text: &str, room: &mut usize) -> String {
    const MARK: &str = "…";
    if size_of_text(text) <= *room {
        *room -= size_of_text(text);
        return text.to_owned();
    }
    let mut left = room.saturating_sub(MARK.len());
    let fits = |character: &char| {
        let size = size_of_text(character.encode_utf8(&mut [0; 4]));
        let fits = size <= left;
        left = left.saturating_sub(if fits { size } else { 0 });
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    if *room >= MARK.len() {
        kept.push_str(MARK);
    }
    *room = 0;
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::conversation::CalledTool;

    proptest! {
        #[test]
        fn a_summary_is_never_above_its_limit(
            text in ".{0,900}", thinking in "[\"\\\\\u{1}a]{0,900}", names in prop::collection::vec(".{0,99}", 0..99),
            error in prop::option::of(".{0,900}"),
        ) {
            let call = |name: &String| CalledTool { name: name.clone(), arguments: name.clone().into() };
            let calls = names.iter().map(call).collect();
            let answered = AnswerSummary::of(AnswerContent { text, thinking, calls, error, unreadable: None });
            let written = |value| serde_json::to_string_pretty(&serde_json::json!({ "entries": [value] })).unwrap().len();
            let with = written(serde_json::json!({ "status": 200, "answered": answered }));
            prop_assert!(with - written(serde_json::json!({ "status": 200 })) <= MAX_ANSWERED_BYTES, "{with}");
        }

        #[test]
        fn what_fits_is_a_beginning_and_takes_no_more_than_the_room(text in any::<String>(), room in 0_usize..60) {
            let mut left = room;
            let kept = fit(&text, &mut left);
            prop_assert!(size_of_text(&kept) + left <= room.max(size_of_text(&kept)) && size_of_text(&kept) <= room);
            prop_assert!(kept == text || text.starts_with(kept.trim_end_matches('…')));
        }
    }
}
