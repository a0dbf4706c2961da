//! Which page, and the files.

use std::fmt::Write as _;
use std::path::Path;

use super::data::{PapersError, read_folder, sets, tr113_tr114};
use super::judge::{Judged, judge};
use super::published::{Label, Published, RUNS, SUMMARY, TableError};
use super::{servers, tr115};
use crate::report::Output;

/// A paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// One server.
    Tr113,
    /// Two servers on one device.
    Tr114,
    /// Five runtimes.
    Tr115,
    /// All three.
    All,
}

/// A page, and the runs that it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The page as Markdown.
    pub markdown: String,
    /// A row a run as CSV.
    pub runs_csv: String,
}

/// The files of a page.
pub const OUTPUTS: &[Output<Page>] = &[
    Output { file_name: "papers.md", render: |page| page.markdown.clone() },
    Output { file_name: RUNS, render: |page| page.runs_csv.clone() },
];

const HEAD: &str = "scenario,run,published_efficiency_pct,predicted_efficiency_pct,warm";

/// The page of a paper, on the tables in `folder` or those that come with the program. Without a paper the tables
/// decide, and without tables TR115 it is.
pub fn page(paper: Option<Paper>, folder: Option<&Path>) -> Result<Page, PapersError> {
    let Some(folder) = folder else {
        let built_in = |paper| {
            let (published, place) = match paper {
                Paper::Tr115 => (Published::built_in()?, "fixtures/papers/tr115"),
                _ => (tr113_tr114()?, "fixtures/papers/tr113-tr114"),
            };
            page_of(&published, paper, place)
        };
        return match paper.unwrap_or(Paper::Tr115) {
            Paper::All => Ok(built_in(Paper::Tr114)?.and(&built_in(Paper::Tr115)?)),
            paper => built_in(paper),
        };
    };
    let published = read_folder(folder)?;
    let fitting = match (published.label, paper) {
        (Label::Runtime, None | Some(Paper::All | Paper::Tr115)) => Paper::Tr115,
        (Label::Set, None | Some(Paper::All | Paper::Tr114)) => Paper::Tr114,
        (Label::Set, Some(Paper::Tr113)) => Paper::Tr113,
        (label, _) => {
            let why = format!("the column `{}` belongs to the tables of another paper", label.column());
            return Err(TableError { file: folder.join(RUNS).display().to_string(), line: 1, why }.into());
        }
    };
    page_of(&published, fitting, &folder.display().to_string())
}

fn page_of(published: &Published, paper: Paper, place: &str) -> Result<Page, PapersError> {
    let sets = sets(published, "tr115");
    let mut judged = judge(&sets, place)?;
    if paper == Paper::Tr113 {
        judged.retain(|judged| !judged.run.overlaps());
    }
    if judged.is_empty() {
        let why = "no run of it is on one server".to_owned();
        return Err(TableError { file: format!("{place}/{SUMMARY}"), line: 1, why }.into());
    }
    let markdown = match published.label {
        Label::Runtime => tr115::page(&judged)?,
        Label::Set => servers::page(&judged),
    };
    Ok(Page { markdown, runs_csv: runs_csv(published.label, &judged) })
}

fn runs_csv(label: Label, judged: &[Judged<'_>]) -> String {
    let mut text = format!("{},{HEAD}\n", label.column());
    for judged in judged {
        let row = judged.run.row;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{},{},{},{},{:.3},{}",
            quoted(&row.runtime),
            quoted(&row.scenario),
            row.run,
            row.efficiency_pct,
            judged.predicted_pct,
            judged.run.is_warm()
        );
    }
    text
}

/// A cell of CSV.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

impl Page {
    /// Both pages, one after the other. Their rows are told apart by the first column, whatever it is called.
    fn and(self, other: &Self) -> Self {
        let rows = other.runs_csv.split_once('\n').map_or("", |(_, rows)| rows);
        Self {
            markdown: format!("{}\n{}", self.markdown, other.markdown),
            runs_csv: format!("{}{rows}", self.runs_csv),
        }
    }
}

#[cfg(test)]
mod tests;
