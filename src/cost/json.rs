//! All of it for programs.

use crate::report::json::pretty;

use super::CostReport;

/// The whole report, the content of `cost.json`: text that ends in a newline, keys in the order of the types.
pub fn json(report: &CostReport) -> String {
    pretty(report)
}

/// The JSON schema of a report, the content of `docs/cost.schema.json`.
pub fn schema() -> String {
    pretty(&schemars::schema_for!(CostReport))
}
