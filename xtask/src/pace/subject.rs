//! Who is measured.

use std::ffi::OsString;

use super::targets::Mode;
use crate::measure::Setup;

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

    /// The command that serves the answer in this mode.
    pub(super) fn command(self, setup: &Setup, mode: Mode) -> Vec<OsString> {
        match self {
            Self::Ours => ours(setup, mode),
            Self::Ceiling => raw(setup, mode),
            Self::Faulty(fault) => [raw(setup, mode), vec!["--fault".into(), fault.name().into()]].concat(),
        }
    }
}

impl Fault {
    /// As `loadgen raw` calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Relative => "relative",
        }
    }
}

/// `mock-ollama serve`, on a free port.
pub(crate) fn ours(setup: &Setup, mode: Mode) -> Vec<OsString> {
    let pace = if mode == Mode::Paced { format!("gap={GAP_US}us") } else { "instant".to_owned() };
    let mut command: Vec<OsString> = vec![setup.mock.clone().into(), "serve".into(), setup.recording.clone().into()];
    command.extend(["--listen", "127.0.0.1:0", "--match", "any", "--pace", &pace].map(OsString::from));
    command.extend((mode == Mode::Flush).then(|| "--flush".into()));
    command
}

fn raw(setup: &Setup, mode: Mode) -> Vec<OsString> {
    let name = match mode {
        Mode::Flush => "flush",
        Mode::Coalesced => "coalesced",
        Mode::Paced => "paced",
    };
    let gap = GAP_US.to_string();
    let mut command: Vec<OsString> = vec![setup.loadgen.clone().into(), "raw".into(), "--body".into()];
    command.push(setup.body.clone().into());
    command.extend(["--mode", name, "--gap-us", &gap].map(OsString::from));
    command
}
