//! `runtime-lab papers`.

use std::path::PathBuf;

use clap::Args;
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
    paper: Option<Paper>,
    /// A folder with runs.csv and summary.csv in place of the built-in tables
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A folder for the page and a runs.csv with the prediction of each run
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the verb.
pub(super) fn papers(args: &PapersArgs) -> Result<Completion, CommandError> {
    if let (Some(out), Some(tables)) = (&args.out, &args.data) {
        spare_inputs(OUTPUTS, out, [RUNS, SUMMARY].map(|name| tables.join(name)))?;
    }
    let page = page(args.paper, args.data.as_deref())?;
    if let Some(folder) = &args.out {
        write(OUTPUTS, &page, folder)?;
    }
    say(&page.markdown)?;
    Ok(Completion::Done)
}
