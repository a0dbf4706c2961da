//! The strict streaming reader.

use std::io::BufRead;

use super::error::ReadError;
use super::lines::Lines;
use super::model::Recording;
use super::parser::Parser;

/// Reads a recording, a line at a time.
///
/// The reader is strict: unknown keys, decreasing offsets, wrong sums and files that were cut off are errors.
/// `label` names the input in errors, usually its path.
///
/// # Errors
///
/// [`ReadError`] names `label:line`, what was expected and what was found.
///
/// # Examples
///
/// ```
/// let text = concat!(
///     r#"{"recording":1,"name":"hello","origin":"synthetic","model":{"name":"m:latest","capabilities":[]}}"#, "\n",
///     r#"{"response":{"status":200,"headers":[["Content-Type","text/plain"]]}}"#, "\n",
///     r#"[250,"abc"]"#, "\n",
///     r#"{"end":{"how":"clean","chunks":1,"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}"#, "\n",
/// );
/// let recording = mock_ollama::read(text.as_bytes(), "hello.jsonl")?;
/// assert_eq!(recording.exchanges[0].chunks[0].at_us, 250);
/// # Ok::<(), mock_ollama::ReadError>(())
/// ```
pub fn read(reader: impl BufRead, label: &str) -> Result<Recording, ReadError> {
    let mut lines = Lines::new(reader, label);
    let mut parser = Parser::default();
    while let Some(text) = lines.next()? {
        let parsed = parser.line(text);
        parsed.map_err(|problem| lines.malformed(problem))?;
    }
    parser.finish().map_err(|problem| lines.malformed(problem))
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
