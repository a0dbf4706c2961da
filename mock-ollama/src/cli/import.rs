//! `mock-ollama import`: raw bodies, raw captures and the archives of other tools into recordings.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use mock_ollama::files::Existing;
use mock_ollama::recording::import::{Found, ImportOptions, Input, Note, Tags};
use mock_ollama::recording::limits::MAX_FILE_BYTES;
use mock_ollama::recording::{Recording, WriteError, write_file};
use serde_json::Value;

use super::error::VerbError;

/// The files that a folder of inputs may hold, by their extension.
const INPUT_EXTENSIONS: [&str; 7] = ["ndjson", "sse", "json", "jsonl", "har", "yaml", "yml"];

/// The most notes on one input that are shown; the others are counted.
const MAX_NOTES_SHOWN: usize = 20;

/// Make a recording of raw bodies (NDJSON, server-sent events, JSON), raw captures, or what other tools recorded (cassettes
/// of vcrpy and VCR, httpmock's files, HAR).
///
/// All exchanges of the inputs become one conversation, in the order given. Where IN or OUT is a folder, each exchange
/// becomes a recording of its own. The form of each input is told by its first line.
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Bodies as the server sent them, raw captures (`raw-capture/1`), cassettes, HAR files, or one folder of them
    #[arg(required = true, value_name = "IN")]
    inputs: Vec<PathBuf>,
    /// The recording to write, or the folder of recordings (one that exists, or a name that ends in `/`)
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
        return each_of(&files_of(folder)?, &args);
    }
    if args.output.is_dir() || args.output.to_string_lossy().ends_with(std::path::is_separator) {
        return each_of(&args.inputs, &args);
    }
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
    let found = Found::read(&inputs, &options).map_err(VerbError::from)?;
    show(found.notes());
    let recording = found.conversation(&options).map_err(VerbError::from)?;
    write_out(&recording, args.output, args.force)?;
    Ok(())
}

/// Says on standard error what is in no recording.
fn show(notes: &[Note]) {
    for note in notes.iter().take(MAX_NOTES_SHOWN) {
        eprintln!("{note}");
    }
    if notes.len() > MAX_NOTES_SHOWN {
        eprintln!("and {} more such lines", notes.len() - MAX_NOTES_SHOWN);
    }
    let passed_over = notes.iter().filter(|note| note.is_passed_over()).count();
    if passed_over > 0 {
        eprintln!("exchanges passed over: {passed_over}");
    }
}

fn write_out(recording: &Recording, path: PathBuf, force: bool) -> Result<(), VerbError> {
    let existing = if force { Existing::Replace } else { Existing::Keep };
    write_file(recording, &path, existing).map_err(|source| match source {
        WriteError::Io(error) if error.kind() == std::io::ErrorKind::AlreadyExists => VerbError::Exists { path },
        source => VerbError::Output { path, source },
    })
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

/// The files of a folder that may be inputs, by name.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, VerbError> {
    let failed = |source| VerbError::Input { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|kind| INPUT_EXTENSIONS.iter().any(|known| kind == *known)) {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

/// Every exchange of these files into a recording of its own; files of no use are named, the rest are written.
fn each_of(paths: &[PathBuf], args: &ImportArgs) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.output)
        .map_err(|source| VerbError::Output { path: args.output.clone(), source: WriteError::Io(source) })?;
    let tags = args.tags.as_deref().map(read_tags).transpose()?;
    let mut bad = 0;
    for path in paths {
        if let Err(error) = each_in(path, args, tags.clone()) {
            eprintln!("{:#}", anyhow::Error::from(error));
            bad += 1;
        }
    }
    if bad > 0 { Err(VerbError::SomeBad { bad, count: paths.len() }.into()) } else { Ok(()) }
}

fn each_in(path: &Path, args: &ImportArgs, tags: Option<Tags>) -> Result<(), VerbError> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let options = options(args, stem, tags);
    let bytes = read_input(path)?;
    let found = Found::read(&[Input { label: &path.display().to_string(), bytes: &bytes }], &options)?;
    show(found.notes());
    for recording in found.each(&options)? {
        let out = args.output.join(format!("{}.jsonl", recording.name));
        write_out(&recording, out, args.force)?;
    }
    Ok(())
}

fn read_input(path: &Path) -> Result<Vec<u8>, VerbError> {
    let failed = |source| VerbError::Input { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(VerbError::InputTooLarge { path: path.to_owned() });
    }
    Ok(bytes)
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
