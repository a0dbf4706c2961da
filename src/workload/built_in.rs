//! The workloads that come with the program.

use std::num::NonZeroUsize;
use std::path::Path;

use super::file::{Library, WorkloadError, WorkloadFile};
use super::plan::Workload;

/// A workload that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// What `--workload` takes.
    pub name: &'static str,
    /// Its TOML.
    pub text: &'static str,
}

/// The table of workloads that come with the program.
pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn { name: "solo", text: include_str!("../../fixtures/workloads/solo.toml") },
    BuiltIn { name: "duet", text: include_str!("../../fixtures/workloads/duet.toml") },
    BuiltIn { name: "swarm", text: include_str!("../../fixtures/workloads/swarm.toml") },
];

/// A workload that was asked for and cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// No workload has this name.
    #[error(
        "no workload is called `{name}`; there are {} and tr115:SCENARIO[:RUNTIME[:RUN]]; a file's name ends in .toml",
        names()
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// The workload's file cannot be used.
    #[error(transparent)]
    File(#[from] WorkloadError),
}

fn names() -> String {
    BUILT_IN.iter().map(|row| row.name).collect::<Vec<_>>().join(", ")
}

impl BuiltIn {
    /// The workload called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        BUILT_IN.iter().find(|row| row.name == name)
    }

    /// Reads its TOML. Errors name where it is kept in the repository.
    pub fn file(&self) -> Result<WorkloadFile, WorkloadError> {
        WorkloadFile::parse(self.text, Path::new(&format!("fixtures/workloads/{}.toml", self.name)))
    }
}

/// Returns the workload of [`BUILT_IN`] that `--workload NAME` and `--agents` ask for. Files are the caller's to read, see
/// [`WorkloadFile::parse`], and so are published runs.
pub fn select(name: &str, agents: Option<NonZeroUsize>, library: Library<'_>) -> Result<Workload, SelectError> {
    let row = BuiltIn::named(name).ok_or_else(|| SelectError::Unknown { name: name.to_owned() })?;
    let mut file = row.file()?;
    if let Some(agents) = agents {
        file = file.with_agents(agents)?;
    }
    Ok(file.resolve(library)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_ollama::catalog::builtin;

    fn chosen(name: &str, agents: Option<usize>) -> Result<Workload, SelectError> {
        let named: Vec<_> = builtin::names().filter_map(builtin::recording).collect::<Result<_, _>>().unwrap();
        select(name, agents.and_then(NonZeroUsize::new), Library::of(&named))
    }

    #[test]
    fn every_built_in_workload_is_called_what_its_file_says() {
        for row in BUILT_IN {
            assert_eq!(row.file().unwrap().name(), row.name);
        }
    }

    #[test]
    fn solo_is_one_agent_and_duet_is_two_of_unequal_length() {
        assert_eq!(chosen("solo", None).unwrap().agents.len(), 1);
        let duet = chosen("duet", None).unwrap();
        assert_eq!(duet.agents.len(), 2);
        let end = |number: usize| duet.recordings[number].exchanges[0].chunks.last().unwrap().at_us;
        assert!(end(0) > end(1) + end(1) / 2, "{} and {}", end(0), end(1));
    }

    #[test]
    fn a_swarm_is_as_large_as_asked_and_goes_round_the_recordings() {
        let swarm = chosen("swarm", Some(6)).unwrap();
        let sent: Vec<_> = swarm.agents.iter().map(|agent| agent.requests[0].recording.as_str()).collect();
        assert_eq!(sent[..2], sent[4..]);
        assert_eq!(sent.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        assert_eq!(swarm.agents[5].name, "a0005");
    }

    #[test]
    fn a_duet_of_three_is_refused() {
        insta::assert_snapshot!(chosen("duet", Some(3)).unwrap_err(), @"fixtures/workloads/duet.toml: the number of agents is fixed here; only a workload with a single [[agent]], with count and without name, takes another one");
    }

    #[test]
    fn an_unknown_workload_is_answered_with_the_known_ones() {
        insta::assert_snapshot!(chosen("quartet", None).unwrap_err(), @"no workload is called `quartet`; there are solo, duet, swarm and tr115:SCENARIO[:RUNTIME[:RUN]]; a file's name ends in .toml");
    }
}
