//! Sets out of files.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use mock_ollama::clock::Instant;
use mock_ollama::files::read_limited;
use mock_ollama::import::{ImportError, ImportOptions, Input, import};
use mock_ollama::recording::limits::MAX_FILE_BYTES;
use mock_ollama::recording::{End, Exchange, Recording, Request, read};
use serde::Deserialize;

use super::folder::{self, Labelled, SetFiles};
use super::set::{Agent, Repetition, Set};
use crate::papers::PapersError;

/// The sets in `dir`, or the one set that it is.
pub(super) fn sets(dir: &Path) -> Result<Vec<Set>, PapersError> {
    folder::sets(dir)?.into_iter().map(set_of).collect()
}

/// A recorded exchange, and what the name of its file says.
struct AgentRecording {
    file: Labelled,
    request: Request,
    sent: Option<Duration>,
    /// Since the request; at least two.
    chunks: Vec<Duration>,
}

fn set_of(found: SetFiles) -> Result<Set, PapersError> {
    let alone = found.alone.into_iter().map(recording_of).collect::<Result<Vec<_>, _>>()?;
    let mut set = Set { name: found.name, repetitions: Vec::new() };
    for group in found.together.chunk_by(|one, other| one.repetition == other.repetition) {
        let (name, path) = (group[0].repetition.clone(), group[0].path.clone());
        if group.len() < 2 {
            return Err(PapersError::unfit(
                &path,
                format!("recorded together, but with nobody: no second file of {name}"),
            ));
        }
        let agents =
            group.iter().map(|file| agent_of(recording_of(file.clone())?, &alone)).collect::<Result<Vec<_>, _>>()?;
        let unknown = agents.iter().position(|agent| agent.alone.is_none());
        let is_any_known = agents.iter().any(|agent| agent.alone.is_some());
        match unknown {
            Some(index) if !found.is_partial || !is_any_known => {
                let why = "recorded together, but there is no recording of the same request alone";
                return Err(PapersError::unfit(&group[index].path, why));
            }
            _ => set.repetitions.push(Repetition { name, agents }),
        }
    }
    Ok(set)
}

/// What was recorded together, with how the same request is alone: of the same agent and repetition where there is
/// such a recording.
fn agent_of(recorded: AgentRecording, alone: &[AgentRecording]) -> Result<Agent, PapersError> {
    let same = alone.iter().filter(|other| other.request == recorded.request);
    let nearest = same.min_by_key(|other| {
        (other.file.agent != recorded.file.agent, other.file.repetition != recorded.file.repetition)
    });
    if let Some(other) = nearest
        && other.chunks.len() != recorded.chunks.len()
    {
        let there = format!("{} of {}", other.chunks.len(), other.file.path.display());
        let why = format!("{} chunks, but {there}: not the same answer", recorded.chunks.len());
        return Err(PapersError::unfit(&recorded.file.path, why));
    }
    let since_first =
        |other: &AgentRecording| other.chunks.iter().map(|at| at.saturating_sub(other.chunks[0])).collect();
    let Some(sent) = recorded.sent else {
        let why = "no sent_us, so its place on the clock of the set is not known";
        return Err(PapersError::unfit(&recorded.file.path, why));
    };
    Ok(Agent {
        prompt: recorded.chunks[0],
        together: recorded.chunks.iter().map(|at| Instant::ZERO.saturating_add(sent + *at)).collect(),
        alone: nearest.map(since_first),
        name: recorded.file.agent,
    })
}

fn recording_of(file: Labelled) -> Result<AgentRecording, PapersError> {
    let recording = recording_at(&file.path)?;
    let unfit = |why: String| PapersError::unfit(&file.path, why);
    let count = recording.exchanges.len();
    let Ok([exchange]) = <[Exchange; 1]>::try_from(recording.exchanges) else {
        return Err(unfit(format!("{count} exchanges; expected one")));
    };
    if exchange.response.status != 200 {
        return Err(unfit(format!("status {}; expected an answer", exchange.response.status)));
    }
    if exchange.end != End::Clean {
        return Err(unfit("the answer did not reach its end".to_owned()));
    }
    if exchange.chunks.len() < 2 {
        return Err(unfit("an answer in one piece; expected a stream of chunks".to_owned()));
    }
    let chunks = exchange.chunks.iter().map(|chunk| Duration::from_micros(chunk.at_us)).collect();
    let sent = exchange.sent_us.map(Duration::from_micros);
    let request = exchange.request.ok_or_else(|| unfit("the request is not recorded".to_owned()))?;
    Ok(AgentRecording { file, request, sent, chunks })
}

/// As much of a first line as tells the form of the file.
#[derive(Default, Deserialize)]
struct FirstLine {
    format: Option<String>,
    recording: Option<u64>,
}

fn recording_at(path: &Path) -> Result<Recording, PapersError> {
    let bytes = read_limited(path, MAX_FILE_BYTES).map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => PapersError::unfit(path, source.to_string()),
        _ => PapersError::Read { path: path.to_owned(), source },
    })?;
    let label = path.display().to_string();
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice(first).unwrap_or_default() {
        FirstLine { recording: Some(_), .. } => Ok(read(bytes.as_slice(), &label)?),
        FirstLine { format: Some(_), .. } => {
            let options = ImportOptions { name: "capture".to_owned(), ..ImportOptions::default() };
            let made = import(&[Input { label: &label, bytes: &bytes }], &options).map_err(|error| match error {
                // This one does not name the file.
                ImportError::Invalid(problem) => PapersError::unfit(path, problem.to_string()),
                error => error.into(),
            })?;
            Ok(made.recording)
        }
        FirstLine { .. } => Err(PapersError::unfit(path, "neither a recording of this project nor raw-capture/1")),
    }
}
