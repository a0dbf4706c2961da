//! What a test that fails prints.

use std::fmt;

use super::stating::Unmet;
use crate::journal::Journal;

/// What happened on a server, and what of it nobody stated.
pub(super) struct Report<'a>(pub(super) &'a Journal);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(journal) = self;
        let unmet = journal.rules.iter().filter(|rule| rule.unmet.is_some());
        write!(f, "mock-ollama: {}", counted(journal.requests(), "request"))?;
        write!(f, ", {} unexpected", journal.unexpected_count())?;
        write!(f, ", {} unmet", counted(unmet.clone().count(), "expectation"))?;
        // The caller ends the last line.
        for line in journal.to_string().lines() {
            write!(f, "\n{line}")?;
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
