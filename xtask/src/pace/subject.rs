//! Who is measured.

use std::ffi::OsString;

use anyhow::Result;

use super::targets::Mode;
use crate::rod::Rods;

/// The gap between tokens of paced servers, in microseconds.
pub(crate) const GAP_US: u32 = 10_000;

/// A server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// `mock-ollama`.
    Ours,
    /// The one that only sends.
    Ceiling,
    /// That one with a fault, in our place.
    Faulty(Fault),
}

/// What is wrong with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It burns CPU time for every token.
    Slow,
    /// It counts gaps from one token to the next.
    Relative,
}

impl Subject {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Ceiling => "raw",
            Self::Faulty(fault) => fault.name(),
        }
    }

    /// Why this server cannot be measured in this mode, if it cannot.
    pub(super) fn misses(self, rods: &Rods, mode: Mode) -> Result<Option<String>> {
        let missing = self == Self::Ours && mode == Mode::Flush && !rods.serve_knows("--flush")?;
        Ok(missing.then(|| "this build has no --flush".to_owned()))
    }

    /// The command that serves the answer in this mode.
    pub(super) fn command(self, rods: &Rods, mode: Mode) -> Vec<OsString> {
        match self {
            Self::Ours => ours(rods, mode),
            Self::Ceiling => raw(rods, mode),
            Self::Faulty(fault) => [raw(rods, mode), vec!["--fault".into(), fault.name().into()]].concat(),
        }
    }
}

impl Fault {
    /// As `rods raw` calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Relative => "relative",
        }
    }
}

/// `mock-ollama serve`, on a free port.
pub(crate) fn ours(rods: &Rods, mode: Mode) -> Vec<OsString> {
    let pace = if mode == Mode::Paced { format!("gap={GAP_US}us") } else { "instant".to_owned() };
    let mut command: Vec<OsString> = vec![rods.mock.clone().into(), "serve".into(), rods.recording.clone().into()];
    command.extend(["--listen", "127.0.0.1:0", "--match", "any", "--pace", &pace].map(OsString::from));
    command.extend((mode == Mode::Flush).then(|| "--flush".into()));
    command
}

fn raw(rods: &Rods, mode: Mode) -> Vec<OsString> {
    let name = match mode {
        Mode::Flush => "flush",
        Mode::Coalesced => "coalesced",
        Mode::Paced => "paced",
    };
    let gap = GAP_US.to_string();
    let mut command: Vec<OsString> = vec![rods.rod.clone().into(), "raw".into(), "--body".into()];
    command.push(rods.body.clone().into());
    command.extend(["--mode", name, "--gap-us", &gap].map(OsString::from));
    command
}
