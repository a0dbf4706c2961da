//! `mock-ollama import`: raw bodies, raw captures and the archives of other tools into recordings.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use mock_ollama::files::{Existing, is_same, list_folder, read_limited};
use mock_ollama::import::{Import, ImportOptions, Input, Tags, import, import_each};
use mock_ollama::recording::limits::MAX_FILE_BYTES;
use mock_ollama::recording::{WriteError, write_file};
use mock_ollama::terminal::complain;
use serde_json::Value;

use super::error::VerbError;

/// Make a recording of raw bodies (NDJSON, server-sent events, JSON), raw captures, or what other tools kept (cassettes of
/// vcrpy and VCR, mock files of httpmock, HAR files).
///
/// All exchanges of the inputs become one conversation, in the order given. Where IN or OUT is a folder, each exchange
/// becomes its own recording. The beginning of each input tells its format.
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Bodies as the server sent them, raw captures (`raw-capture/1`), cassettes, HAR files, or one folder of them
    #[arg(required = true, value_name = "IN")]
    inputs: Vec<PathBuf>,
    /// The recording to write, or the folder of recordings: one that exists, or a name that ends in `/`
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
    /// Raw bodies: the status of the response; an error alone must have one [default: 200]
    #[arg(long, value_parser = clap::value_parser!(u16).range(200..=599))]
    status: Option<u16>,
    /// Bodies, also within cassettes and HAR files: the time between chunks, such as 20ms; 0 is all at once [default: by `created_at`]
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
    let made = import(&inputs, &options).map_err(VerbError::from)?;
    put(made, args.output, args.force)?;
    Ok(())
}

/// Writes a recording, and says what the user should know of it.
fn put(made: Import, path: PathBuf, force: bool) -> Result<(), VerbError> {
    let existing = if force { Existing::Replace } else { Existing::Keep };
    write_file(&made.recording, &path, existing).map_err(|source| match source {
        WriteError::Io(error) if error.kind() == ErrorKind::AlreadyExists => VerbError::Exists(path),
        source => VerbError::Output { path, source },
    })?;
    for note in made.notes {
        complain(note);
    }
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
        status: args.status,
        gap: args.gap,
    }
}

/// The extensions of the files of a folder that are imported.
const EXTENSIONS: &[&str] = &["ndjson", "sse", "json", "jsonl", "har", "yaml", "yml"];

/// Returns the files of a folder that are imported, by name.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, VerbError> {
    let paths =
        list_folder(folder, EXTENSIONS).map_err(|source| VerbError::Input { path: folder.to_owned(), source })?;
    if paths.is_empty() { Err(VerbError::NothingToImport(folder.to_owned())) } else { Ok(paths) }
}

/// Writes every exchange of these files as a recording. Files of no use are named, the rest are written.
fn each_of(paths: &[PathBuf], args: &ImportArgs) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.output)
        .map_err(|source| VerbError::Output { path: args.output.clone(), source: WriteError::Io(source) })?;
    let tags = args.tags.as_deref().map(read_tags).transpose()?;
    let mut made_of: BTreeMap<PathBuf, &PathBuf> = BTreeMap::new();
    let mut bad = 0;
    for path in paths {
        if let Err(error) = each_in(path, paths, (args, tags.clone()), &mut made_of) {
            complain(format_args!("{:#}", anyhow::Error::from(error)));
            bad += 1;
        }
    }
    if bad > 0 { Err(VerbError::SomeBad { bad, count: paths.len() }.into()) } else { Ok(()) }
}

/// The exchanges of one file into recordings that bear its name. `made_of` knows what was written, and of which file.
fn each_in<'a>(
    path: &'a PathBuf,
    inputs: &[PathBuf],
    (args, tags): (&ImportArgs, Option<Tags>),
    made_of: &mut BTreeMap<PathBuf, &'a PathBuf>,
) -> Result<(), VerbError> {
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let (label, bytes) = (path.display().to_string(), read_input(path)?);
    for made in import_each(&Input { label: &label, bytes: &bytes }, &options(args, name, tags))? {
        let out = args.output.join(format!("{}.jsonl", made.recording.name));
        if let Some(first) = made_of.get(&out) {
            return Err(VerbError::SameName { path: path.clone(), first: (*first).clone() });
        }
        spare_inputs(args, inputs, &out)?;
        put(made, out.clone(), args.force)?;
        made_of.insert(out, path);
    }
    Ok(())
}

/// Refuses to write over an input.
fn spare_inputs(args: &ImportArgs, inputs: &[PathBuf], output: &Path) -> Result<(), VerbError> {
    let is_input = inputs.iter().chain(&args.tags).any(|input| is_same(input, output));
    if is_input { Err(VerbError::OntoInput(output.to_owned())) } else { Ok(()) }
}

fn read_input(path: &Path) -> Result<Vec<u8>, VerbError> {
    read_limited(path, MAX_FILE_BYTES).map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => VerbError::InputTooLarge(path.to_owned()),
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
