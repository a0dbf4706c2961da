//! `report.json` and `facts.json`: the same report for programs.
//!
//! Keys keep the order of the types; the text ends in a newline; the same report gives the same bytes.

use serde::Serialize;

use super::model::Report;

/// The whole report.
pub fn render(report: &Report) -> String {
    pretty(report)
}

/// The facts alone: equal between any two invocations of the same workload, whatever the host and the variants.
pub fn render_facts(report: &Report) -> String {
    pretty(&report.facts)
}

/// The JSON schema of a report, the content of `docs/report.schema.json`.
pub fn schema() -> String {
    pretty(&schemars::schema_for!(Report))
}

/// JSON as it stands in files.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    match serde_json::to_string_pretty(value) {
        Ok(text) => text + "\n",
        // The report's types have text keys and no fallible serialiser; nothing but a defect in them leads here.
        Err(error) => unreachable!("a report is always JSON: {error}"),
    }
}
