//! Unmodified clients against the built server: one flow a client, in `tests/clients`.
//!
//! | file | what |
//! | --- | --- |
//! | `flows` | which clients there are, how they are installed below `target/clients`, and how they start |
//! | `server` | the server that a flow talks to, and the journal that it leaves |

mod flows;
mod server;

use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::{cargo, process};
use flows::{FLOWS, Flow};
use server::Journal;

/// Runs every flow whose name contains `only`, prints what each client said, and fails when one of them did.
///
/// A client whose tools are missing here is skipped; with `REQUIRE_CLIENTS=1` in the environment that is a failure.
pub(crate) fn run(only: &str) -> Result<()> {
    cargo::run(&["build", "--release", "--bin", "mock-ollama", "--locked"])?;
    let required = std::env::var("REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    let (mut summary, mut failed) = (Vec::new(), 0);
    for flow in FLOWS.iter().filter(|flow| flow.name.contains(only)) {
        println!("=== {}", flow.name);
        let outcome = match flow.missing() {
            Some(tool) if required => Err(anyhow::anyhow!("`{tool}` does not run, and REQUIRE_CLIENTS=1")),
            Some(tool) => Ok(format!("skipped: `{tool}` does not run")),
            None => drive(flow),
        };
        let line = outcome.unwrap_or_else(|error| {
            failed += 1;
            format!("FAILED: {error:#}")
        });
        summary.push(format!("{:<20} {line}", flow.name));
    }
    println!("\n{}", summary.join("\n"));
    match (summary.len(), failed) {
        (0, _) => bail!("no client is called {only}"),
        (_, 0) => Ok(()),
        (all, failed) => bail!("{failed} of {all} clients failed"),
    }
}

/// Installs a client, starts a server for it and runs it. Returns the last line that it printed.
fn drive(flow: &Flow) -> Result<String> {
    flow.install().context("the client could not be installed")?;
    let journal = cargo::target().join("clients").join(format!("{}.journal.json", flow.name.replace(' ', "-")));
    let server = server::start(flow.serve, &journal)?;
    let mut client = flow.command();
    client.current_dir(cargo::root()).stderr(Stdio::inherit()).env("OLLAMA_HOST", format!("http://{}", server.addr()));
    let said = process::output(client.envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")]))?;
    print!("{said}");
    server.stop()?;
    let seen = Journal::read(&journal)?;
    let cancelled = seen.check(flow.cancels)?;
    let last = said.lines().last().unwrap_or_default();
    Ok(format!("{last} ({} requests, {cancelled} cancelled)", seen.requests()))
}
