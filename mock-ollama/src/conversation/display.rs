//! A journal as one line a request.

use std::fmt;

use super::asked::Asked;
use super::{how_it_ended, who_answered, why_unexpected};
use crate::journal::{Entry, Fate, Journal};

/// The most characters of a prompt in a line.
const MAX_PROMPT_CHARS: usize = 60;

/// The columns of a line, but for the last one: number, route, model, what was asked, status, who answered.
type Columns = [String; 6];

/// One line a request, each with its line end: what was asked, the status, who answered, and how it ended. Why nothing answered stands below it.
impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        if self.forgotten.requests > 0 {
            lines.push(format!("  (the journal has forgotten the {} requests before these)", self.forgotten.requests));
        }
        let rows: Vec<Columns> =
            self.iter().zip(self.forgotten.requests + 1..).map(|(entry, number)| columns(entry, number)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 6] = std::array::from_fn(width);
        for (entry, row) in self.iter().zip(&rows) {
            let number = format!(" {:>1$}", row[0], widths[0] + 1);
            let used = row.iter().zip(widths).skip(1).filter(|(_, width)| *width > 0);
            let columns: Vec<String> = used.map(|(text, width)| format!("{text:width$}  ")).collect();
            lines.push(format!("{number}  {}{}", columns.concat(), ending(entry)));
            let why = why_unexpected(&entry.answer).into_iter().flat_map(str::lines);
            lines.extend(why.map(|why| format!("       {why}")));
        }
        lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn columns(entry: &Entry, number: usize) -> Columns {
    let asked = Asked::of(entry);
    let request = &entry.request;
    let what = if request.method.is_empty() {
        "(no request)".to_owned()
    } else {
        format!("{} {}", request.method, request.target)
    };
    let said = match (asked.result_of(), asked.prompt()) {
        (Some(tool), _) => format!("(result of {tool})"),
        (None, Some(prompt)) => format!("{:?}", shortened(&entry.secrets.concealed(prompt))),
        (None, None) => String::new(),
    };
    [number.to_string(), what, asked.model().to_owned(), said, entry.status.to_string(), who_answered(&entry.answer)]
}

/// Returns the beginning of a text, with a mark where there is more.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_PROMPT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns the number of chunks, and how the answer ended.
fn ending(entry: &Entry) -> String {
    let chunks = match entry.chunks.len() {
        1 => "1 chunk".to_owned(),
        chunks => format!("{chunks} chunks"),
    };
    match entry.fate {
        Fate::Aborted { after_chunk } => format!("{chunks}, {} after {after_chunk}", how_it_ended(entry.fate)),
        fate => format!("{chunks}, {}", how_it_ended(fate)),
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_PROMPT_CHARS, shortened};

    #[test]
    fn a_long_prompt_is_cut_between_two_characters() {
        let exact = "é".repeat(MAX_PROMPT_CHARS);
        assert_eq!(shortened(&exact), exact);
        assert_eq!(shortened(&(exact.clone() + "!")), exact + "…");
    }
}
