//! A table as CSV: rows with their lines, or one error with a file and a line.

use csv::{ErrorKind, Reader, StringRecord};
use serde::Deserialize;

use super::Label;

/// A table that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub struct TableError {
    /// The file, as its reader was told to call it.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub why: String,
}

/// A row of a table.
pub(super) trait Row: for<'de> Deserialize<'de> {
    /// The columns that are there, besides the label.
    const COLUMNS: &'static [&'static str];
    /// The columns that may be there.
    const MAY: &'static [&'static str];

    /// Which column holds what cannot be, and what is expected there.
    fn check(&self) -> Result<(), (&'static str, &'static str)>;
}

/// The rows of `text` with the line of each; at least one.
pub(super) fn table<T: Row>(text: &str, file: &str) -> Result<(Label, Vec<(u64, T)>), TableError> {
    let wrong = |line, why| TableError { file: file.to_owned(), line, why };
    let mut reader = Reader::from_reader(text.as_bytes());
    let head = reader.headers().map_err(|error| wrong(1, described(&error, None)))?.clone();
    let label = label_of::<T>(&head).map_err(|why| wrong(1, why))?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(line_of(text, error.position()), described(&error, None)))?;
        let line = line_of(text, record.position());
        let row: T = record.deserialize(Some(&head)).map_err(|error| wrong(line, described(&error, Some(&head))))?;
        row.check().map_err(|(column, why)| wrong(line, format!("column `{column}`: {why}")))?;
        rows.push((line, row));
    }
    if rows.is_empty() {
        Err(wrong(1, "there is no row below the columns' names".to_owned()))
    } else {
        Ok((label, rows))
    }
}

/// What the first column tells apart, if all columns are there and no others.
fn label_of<T: Row>(head: &StringRecord) -> Result<Label, String> {
    let has = |name: &str| head.iter().any(|column| column == name);
    let label = match (has(Label::Runtime.column()), has(Label::Set.column())) {
        (true, false) => Label::Runtime,
        (false, true) => Label::Set,
        (true, true) => return Err("there are both a column `runtime` and a column `set`".to_owned()),
        (false, false) => return Err("there is neither a column `runtime` nor a column `set`".to_owned()),
    };
    if let Some(missing) = T::COLUMNS.iter().find(|name| !has(name)) {
        return Err(format!("there is no column `{missing}`"));
    }
    for (place, column) in head.iter().enumerate() {
        if head.iter().take(place).any(|earlier| earlier == column) {
            return Err(format!("there are two columns `{column}`"));
        }
        let known = column == label.column() || T::COLUMNS.contains(&column) || T::MAY.contains(&column);
        if !known {
            return Err(format!("the column `{column}` is unknown"));
        }
    }
    Ok(label)
}

/// The reader counts a line only when it reads on from its end, and so names the line before; this counts newlines.
fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let byte = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0).min(text.len());
    let bytes = text.as_bytes();
    let blank = bytes[byte..].iter().take_while(|&&byte| matches!(byte, b'\n' | b'\r')).count();
    bytes[..byte + blank].split(|&byte| byte == b'\n').count() as u64
}

fn described(error: &csv::Error, head: Option<&StringRecord>) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("there are {len} cells for {expected_len} columns")
        }
        ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|field| head?.get(usize::try_from(field).ok()?));
            match column {
                Some(column) => format!("column `{column}`: {}", err.kind()),
                None => err.kind().to_string(),
            }
        }
        _ => error.to_string(),
    }
}
