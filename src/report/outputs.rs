//! The table of outputs.

use super::model::Report;
use super::{json, markdown, terminal};

/// A form of the report.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// What the command line calls it.
    pub name: &'static str,
    /// The file it is written to.
    pub file_name: &'static str,
    /// Makes it.
    pub render: fn(&Report) -> String,
}

/// Every output. A new one is a file and a row.
pub const OUTPUTS: &[Output] = &[
    Output { name: "json", file_name: "report.json", render: json::render },
    Output { name: "facts", file_name: "facts.json", render: json::render_facts },
    Output { name: "markdown", file_name: "report.md", render: markdown::render },
    Output { name: "terminal", file_name: "report.txt", render: terminal::render },
];

impl Output {
    /// The output called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        OUTPUTS.iter().find(|output| output.name == name)
    }
}
