//! What a test that fails prints.

use std::fmt;

use super::stating::Unmet;
use crate::journal::{Answer, Entry, Fate, Journal};

/// What happened on a server, and what of it nobody stated.
pub(super) struct Report<'a>(pub(super) &'a Journal);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(journal) = self;
        let unmet = journal.rules.iter().filter(|rule| rule.unmet.is_some());
        write!(f, "mock-ollama: {}", counted(journal.requests(), "request"))?;
        write!(f, ", {} unexpected", journal.unexpected_count())?;
        write!(f, ", {} unmet", counted(unmet.clone().count(), "expectation"))?;
        for (place, entry) in journal.entries.iter().enumerate() {
            write!(f, "\n  {:>2}  {}", journal.forgotten.requests + place + 1, Line(entry))?;
        }
        for rule in unmet {
            write!(f, "\n  {}", Unmet(rule))?;
        }
        Ok(())
    }
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A request as a line.
struct Line<'a>(&'a Entry);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(entry) = self;
        write!(f, "{} {}  {}  ", entry.request.method, entry.request.target, entry.status)?;
        match &entry.answer {
            Answer::Matched { recording, exchange } => write!(f, "recording {recording} exchange {exchange}")?,
            Answer::Rule { number, name, .. } if name.is_empty() => write!(f, "rule {number}")?,
            Answer::Rule { number, name, .. } => write!(f, "rule {number} {name:?}")?,
            Answer::Unexpected { .. } => f.write_str("UNEXPECTED")?,
            Answer::Served => f.write_str("served")?,
            Answer::Rejected => f.write_str("UNEXPECTED")?,
        }
        match entry.fate {
            Fate::Aborted { after_chunk } => {
                write!(f, "  client hung up after {}", counted(after_chunk, "chunk"))?;
            }
            Fate::Open | Fate::Complete => {}
        }
        if let Answer::Unexpected { why } = &entry.answer {
            write!(f, "\n      {why}")?;
        }
        Ok(())
    }
}
