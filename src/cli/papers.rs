//! `runtime-lab papers`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use runtime_lab::papers::published::{RUNS, SUMMARY};
use runtime_lab::papers::{OUTPUTS, Paper, page};
use runtime_lab::report::outputs::{spare_inputs, write};

use super::exit::{CommandError, Completion};
use super::stdout::say;

/// Replay the published runs of TR113, TR114 and TR115, and say what explains them.
///
/// Prints a page of tables: what was published, the same predicted from queueing, loads and a shared device, and which
/// component moves the figure.
#[derive(Args, Debug)]
pub(crate) struct PapersArgs {
    /// The paper [default: what the tables in --data are of, else tr115]
    paper: Option<Which>,
    /// A folder with runs.csv and summary.csv in place of the built-in tables
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A folder for the page and a runs.csv with the prediction of each run
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// One server
    Tr113,
    /// Two servers on one device, beside one
    Tr114,
    /// Five runtimes
    Tr115,
    /// All of them
    All,
}

/// Runs the verb.
pub(super) fn papers(args: &PapersArgs) -> Result<Completion, CommandError> {
    let paper = args.paper.map(|which| match which {
        Which::Tr113 => Paper::Tr113,
        Which::Tr114 => Paper::Tr114,
        Which::Tr115 => Paper::Tr115,
        Which::All => Paper::All,
    });
    if let (Some(out), Some(tables)) = (&args.out, &args.data) {
        spare_inputs(OUTPUTS, out, [RUNS, SUMMARY].map(|name| tables.join(name)))?;
    }
    let page = page(paper, args.data.as_deref())?;
    if let Some(folder) = &args.out {
        write(OUTPUTS, &page, folder)?;
    }
    say(&page.markdown)?;
    Ok(Completion::Done)
}
