//! Which page, and the files.

use std::path::Path;

use super::data::{PapersError, read_folder, sets, tr113_tr114};
use super::judge::{Judged, judge};
use super::published::{Label, Published, RUNS, SUMMARY, TableError};
use super::{servers, tr115};
use crate::report::Output;

/// A paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Paper {
    /// One server
    Tr113,
    /// Two servers on one device, beside one
    Tr114,
    /// Five runtimes
    Tr115,
    /// All of them
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

const HEAD: [&str; 5] = ["scenario", "run", "published_efficiency_pct", "predicted_efficiency_pct", "warm"];

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
    let mut rows = vec![[label.column()].into_iter().chain(HEAD).map(str::to_owned).collect::<Vec<_>>()];
    rows.extend(judged.iter().map(|Judged { run, predicted_pct, .. }| {
        let (row, predicted) = (run.row, format!("{predicted_pct:.3}"));
        let numbers = [row.run.to_string(), row.efficiency_pct.to_string(), predicted, run.is_warm().to_string()];
        [row.runtime.clone(), row.scenario.clone()].into_iter().chain(numbers).collect()
    }));
    let mut text = Vec::new();
    let mut writer = csv::Writer::from_writer(&mut text);
    let written = rows.iter().try_for_each(|row| writer.write_record(row)).and_then(|()| Ok(writer.flush()?));
    drop(writer);
    match written {
        Ok(()) => String::from_utf8_lossy(&text).into_owned(),
        // The rows have one length and go into memory: nothing but a defect here leads there.
        Err(error) => unreachable!("a table in memory is always written: {error}"),
    }
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
