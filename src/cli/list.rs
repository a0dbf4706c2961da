//! `runtime-lab list`.

use std::fmt::Write as _;

use mock_ollama::catalog::builtin;
use runtime_lab::report::terminal::{WIDTH, wrapped};
use runtime_lab::variant::{ClientKind, Variant};
use runtime_lab::workload::built_in::BUILT_IN;

use super::exit::{CommandError, Completion};
use super::stdout::say;

/// Where the second column begins.
const INDENT: usize = 27;

/// Prints the variants, workloads and recordings of this program.
pub(super) fn list() -> Result<Completion, CommandError> {
    say(&listing())?;
    Ok(Completion::Done)
}

fn listing() -> String {
    let mut out = String::from("variants\n");
    for variant in Variant::ALL {
        let client = match variant.facts().client {
            ClientKind::Reqwest => "reqwest".to_owned(),
            ClientKind::Hyper { read_cap: None } => "hyper".to_owned(),
            ClientKind::Hyper { read_cap: Some(cap) } => format!("hyper, reads of at most {cap} bytes"),
        };
        row(&mut out, variant.name(), &format!("{client}; chunks {}", variant.policy()));
    }
    if Variant::ALL.is_empty() {
        out.push_str("  (none compiled in)\n");
    }
    out.push_str("\nworkloads\n");
    for workload in BUILT_IN {
        let description = workload.file().map_or_else(|error| error.to_string(), |file| file.description().to_owned());
        row(&mut out, workload.name, &description);
    }
    row(&mut out, "tr115:SCENARIO", "a published run of TR115, reconstructed; [:RUNTIME[:RUN]] may follow");
    out.push_str("\nrecordings\n");
    for name in builtin::names() {
        let description = builtin::recording(name).and_then(Result::ok).and_then(|recording| recording.description);
        row(&mut out, name, &description.unwrap_or_default());
    }
    out
}

fn row(out: &mut String, name: &str, text: &str) {
    let text = wrapped(text, WIDTH - INDENT, 0).replace('\n', &format!("\n{:INDENT$}", ""));
    // Writing to a string cannot fail.
    let _ = writeln!(out, "  {name:<24} {text}");
}
