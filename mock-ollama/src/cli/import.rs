//! `mock-ollama import`: raw bodies and raw captures into a recording.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use mock_ollama::files::{Existing, is_same, read_limited};
use mock_ollama::recording::import::{ImportOptions, Input, Tags, import};
use mock_ollama::recording::limits::MAX_FILE_BYTES;
use mock_ollama::recording::{WriteError, write_file};
use mock_ollama::terminal::complain;
use serde_json::Value;

use super::error::VerbError;

/// Make a recording of raw bodies (NDJSON, server-sent events, JSON) or raw captures.
///
/// Several inputs become one conversation, in the order given; a folder becomes a folder of recordings, one for each file.
/// The form of each input is told by its first line.
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Bodies as the server sent them, raw captures (`raw-capture/1`), or one folder of them
    #[arg(required = true, value_name = "IN")]
    inputs: Vec<PathBuf>,
    /// The recording to write, or the folder of recordings
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT when it exists
    #[arg(long)]
    force: bool,
    /// The recording's name [default: OUT without its folder and extension]
    #[arg(long)]
    name: Option<String>,
    /// The model's name, instead of what the inputs say
    #[arg(long)]
    model: Option<String>,
    /// An /api/tags answer (its body, or a raw capture of it) with the model's size, digest and details
    #[arg(long, value_name = "FILE")]
    tags: Option<PathBuf>,
    /// A capability of the model, instead of what the tags say or the answer shows; may be repeated
    #[arg(long = "capability", value_name = "NAME")]
    capabilities: Option<Vec<String>>,
    /// The server that answered, such as `ollama 0.33.0`
    #[arg(long)]
    server: Option<String>,
    /// The licence of the bytes, as an SPDX expression
    #[arg(long, value_name = "SPDX")]
    licence: Option<String>,
    /// One sentence on what the recording is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where the bytes were taken from
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Raw bodies: the path of the request [default: told by the shape of the answer]
    #[arg(long)]
    path: Option<String>,
    /// Raw bodies: the JSON body of the request
    #[arg(long, value_name = "JSON", value_parser = parse_json)]
    request: Option<Value>,
    /// Raw bodies: the time between chunks, such as 20ms; 0 is all at once [default: by `created_at`]
    #[arg(long, value_name = "DURATION", value_parser = parse_gap)]
    gap: Option<Duration>,
}

/// Runs the verb.
pub(crate) fn run(args: ImportArgs) -> anyhow::Result<()> {
    if let [folder] = args.inputs.as_slice()
        && folder.is_dir()
    {
        return each_of(folder, &args);
    }
    spare_inputs(&args, &args.inputs, &args.output)?;
    let stem = args.output.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let tags = args.tags.as_deref().map(read_tags).transpose()?;
    let name = args.name.clone().or(stem).unwrap_or_default();
    let options = options(&args, name, tags);
    let contents: Vec<(String, Vec<u8>)> = args
        .inputs
        .iter()
        .map(|path| Ok((path.display().to_string(), read_input(path)?)))
        .collect::<Result<_, VerbError>>()?;
    let inputs: Vec<Input<'_>> = contents.iter().map(|(label, bytes)| Input { label, bytes }).collect();
    let recording = import(&inputs, &options).map_err(VerbError::from)?;
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let path = args.output;
    write_file(&recording, &path, existing).map_err(|source| match source {
        WriteError::Io(error) if error.kind() == ErrorKind::AlreadyExists => VerbError::Exists { path },
        source => VerbError::Output { path, source },
    })?;
    Ok(())
}

fn options(args: &ImportArgs, name: String, tags: Option<Tags>) -> ImportOptions {
    ImportOptions {
        name,
        model: args.model.clone(),
        capabilities: args.capabilities.clone(),
        tags,
        server: args.server.clone(),
        licence: args.licence.clone(),
        description: args.description.clone(),
        source: args.source.clone(),
        path: args.path.clone(),
        request: args.request.clone(),
        gap: args.gap,
    }
}

/// Every file of a folder into a recording of its own; those of no use are named, the rest are written.
fn each_of(folder: &Path, args: &ImportArgs) -> anyhow::Result<()> {
    let failed = |source| VerbError::Input { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|kind| ["ndjson", "sse", "json", "jsonl"].iter().any(|known| kind == *known)) {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    std::fs::create_dir_all(&args.output)
        .map_err(|source| VerbError::Output { path: args.output.clone(), source: WriteError::Io(source) })?;
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let mut bad = 0;
    for path in &paths {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let out = args.output.join(format!("{name}.jsonl"));
        spare_inputs(args, &paths, &out)?;
        let tags = args.tags.as_deref().map(read_tags).transpose()?;
        let bytes = read_input(path)?;
        let label = path.display().to_string();
        let done = import(&[Input { label: &label, bytes: &bytes }], &options(args, name, tags))
            .map_err(anyhow::Error::from)
            .and_then(|recording| write_file(&recording, &out, existing).map_err(anyhow::Error::from));
        if let Err(error) = done {
            complain(format_args!("{error:#}"));
            bad += 1;
        }
    }
    if bad > 0 { Err(VerbError::SomeBad { bad, count: paths.len() }.into()) } else { Ok(()) }
}

/// Refuses to write over an input.
fn spare_inputs(args: &ImportArgs, inputs: &[PathBuf], output: &Path) -> Result<(), VerbError> {
    let is_input = inputs.iter().chain(&args.tags).any(|input| is_same(input, output));
    if is_input { Err(VerbError::OntoInput { path: output.to_owned() }) } else { Ok(()) }
}

fn read_input(path: &Path) -> Result<Vec<u8>, VerbError> {
    read_limited(path, MAX_FILE_BYTES).map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => VerbError::InputTooLarge { path: path.to_owned() },
        _ => VerbError::Input { path: path.to_owned(), source },
    })
}

fn read_tags(path: &Path) -> Result<Tags, VerbError> {
    let bytes = read_input(path)?;
    Ok(Tags::read(&Input { label: &path.display().to_string(), bytes: &bytes })?)
}

fn parse_json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

fn parse_gap(text: &str) -> Result<Duration, jiff::Error> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    Duration::try_from(text.parse::<jiff::SignedDuration>()?)
}
