//! `mock-ollama synth`: a synthetic recording from a latency profile.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mock_ollama::files::Existing;
use mock_ollama::recording::synth::{PROFILES, Profile, Shape, synthesise};
use mock_ollama::recording::{WriteError, write, write_file};
use mock_ollama::seed::Seed;
use mock_ollama::terminal::say;

use super::error::VerbError;

/// Write a recording of made-up words at the pace of a latency profile; the same on every host.
#[derive(Args, Debug)]
pub(crate) struct SynthArgs {
    /// The profile; --list shows them
    #[arg(long, value_name = "NAME", required_unless_present = "list", value_parser = parse_profile)]
    profile: Option<&'static Profile>,
    /// How many words
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=100_000))]
    tokens: u32,
    /// The seed of every random choice
    #[arg(long, value_name = "S", default_value = "0")]
    seed: Seed,
    /// The route that the recording is of
    #[arg(long, value_enum, default_value_t = Endpoint::Chat)]
    endpoint: Endpoint,
    /// The recording to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show the profiles
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Endpoint {
    Chat,
    Generate,
}

/// Runs the verb.
pub(crate) fn run(args: &SynthArgs) -> anyhow::Result<()> {
    let Some(profile) = args.profile.filter(|_| !args.list) else {
        let mut list = String::new();
        for profile in PROFILES {
            // Writing to a string cannot fail.
            let _ = writeln!(list, "{:<12} {}", profile.name, profile.what);
        }
        say(&list).map_err(VerbError::Stdout)?;
        return Ok(());
    };
    let shape = match args.endpoint {
        Endpoint::Chat => Shape::Chat,
        Endpoint::Generate => Shape::Generate,
    };
    let recording = synthesise(profile, shape, args.tokens, args.seed);
    match &args.out {
        Some(path) => write_file(&recording, path, Existing::Keep).map_err(|source| match source {
            WriteError::Io(error) if error.kind() == io::ErrorKind::AlreadyExists => VerbError::Exists(path.clone()),
            source => VerbError::Output { path: path.clone(), source },
        })?,
        None => write(&recording, io::stdout().lock())
            .map_err(|source| VerbError::Output { path: "standard output".into(), source })?,
    }
    Ok(())
}

fn parse_profile(name: &str) -> Result<&'static Profile, String> {
    let known = || PROFILES.iter().map(|profile| profile.name).collect::<Vec<_>>().join(", ");
    Profile::named(name).ok_or_else(|| format!("no profile {name}; there are: {}", known()))
}
