//! The workspace's own chores: `cargo xtask <chore>`.
//!
//! | chore | what |
//! | --- | --- |
//! | `test` | every test, on a host that has only Rust |
//! | `clients` | unmodified clients against the built server |
//! | `tree` | what may and may not be in the dependency trees |
//! | `features` | the builds in which one feature of a package stands alone, for `.ci/run` to loop over |
//! | `package` | that the published crates can be packed, and the packed one used |
//! | `startup` | that the released server starts fast and is small |
//! | `instructions` | that hot functions execute as many instructions as their baseline says |
//! | `pace` | that the server is as fast and as punctual as it is meant to be, beside one that does nothing but send |
//! | `peers` | how it does beside other mock servers |
//! | `rules` | that tests of the wire fail when their rule is switched off |
//! | `verdicts` | the verdicts of the wall-clock gates |
//!
//! Exit code 1 is a check that failed or a program that could not run; 2 is usage; 77 is a check that does not apply here,
//! or that the host was too busy for.

mod cargo;
mod clients;
mod features;
mod instructions;
mod measure;
mod pace;
mod package;
mod peers;
mod process;
mod rules;
mod server;
mod startup;
mod test;
mod tree;
mod verdicts;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use instructions::Mode;

/// The exit code of a check that does not apply here, as in `.ci/run`.
const SKIPPED: u8 = 77;

/// A check that does not apply here or that the host was too busy for, and why.
#[derive(Debug)]
struct NotHere(String);

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotHere {}

/// The workspace's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run every test: cargo-nextest (installed when missing), then the doc tests.
    Test {
        /// Passed on to `cargo nextest run --workspace`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        nextest_args: Vec<String>,
    },
    /// Run unmodified clients, installed below target/clients, against the built server.
    Clients {
        /// Only the clients whose name contains this.
        #[arg(default_value = "")]
        only: String,
    },
    /// Check what the dependency trees must and must not contain.
    Tree,
    /// Print the features of a package that must build alone, one a line; `none` stands for no feature at all.
    Features {
        /// The package.
        package: String,
    },
    /// Pack the crates that are published, and use the packed one in other crates.
    Package,
    /// Measure how long the released server takes to its first byte, and how large it is.
    Startup {
        /// The server as it is installed, with the profile `dist`; its idle memory, too.
        #[arg(long)]
        dist: bool,
    },
    /// Count the instructions of hot functions with callgrind; fail when one is outside 2 % of its baseline.
    Instructions {
        /// Write the baseline of this compiler on this host instead.
        #[arg(long)]
        baseline: bool,
        /// Count a twentieth more work, which must be rejected.
        #[arg(long, conflicts_with = "baseline")]
        control: bool,
    },
    /// Hold the released server to its targets of pace and scale, beside a server that does nothing but send.
    Pace(pace::PaceArgs),
    /// Measure other mock servers beside the released one; they are installed below target/peers.
    Peers(peers::PeersArgs),
    /// Switch off rules of the wire in a copy: the tests of each must notice.
    Rules {
        /// One by one, with a build for each.
        #[arg(long)]
        each: bool,
    },
    /// Count the verdicts of the wall-clock gates; fail when none of them reached a verdict.
    Verdicts {
        /// The file the gates append to.
        #[arg(default_value = "target/verdicts.jsonl")]
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Test { nextest_args } => test::run(&nextest_args),
        Chore::Clients { only } => clients::run(&only),
        Chore::Tree => tree::run(),
        Chore::Features { package } => features::run(&package),
        Chore::Package => package::run(),
        Chore::Instructions { baseline, control } => {
            let mode = match (baseline, control) {
                (true, _) => Mode::Baseline,
                (_, true) => Mode::Control,
                _ => Mode::Compare,
            };
            instructions::run(mode)
        }
        Chore::Pace(args) => pace::run(&args),
        Chore::Peers(args) => peers::run(&args),
        Chore::Rules { each } => rules::run(each),
        Chore::Startup { dist } => startup::run(dist),
        Chore::Verdicts { file } => verdicts::run(&file),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<NotHere>() => {
            println!("skipped: {error}");
            ExitCode::from(SKIPPED)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
