//! Reports for programs.
//!
//! Keys keep the order of the types; the text ends in a newline; the same report gives the same bytes.

use schemars::JsonSchema;
use serde::Serialize;

/// The JSON schema of a report, the content of a file `docs/….schema.json`.
pub fn schema<R: JsonSchema>() -> String {
    pretty(&schemars::schema_for!(R))
}

/// JSON as it stands in files.
pub fn pretty<T: Serialize>(value: &T) -> String {
    match serde_json::to_string_pretty(value) {
        Ok(text) => text + "\n",
        // The report's types have text keys and no fallible serialiser; nothing but a defect in them leads here.
        Err(error) => unreachable!("a report is always JSON: {error}"),
    }
}
