//! What is read out of real bodies is what stands in them.
//!
//! The built-in recordings are always read. The other bodies are not part of this repository: where they are at hand,
//! in `../shared` beside the workspace, they are read too; elsewhere the tests say so and pass. `REQUIRE_SHARED=1`
//! makes their absence a failure.

use std::path::{Path, PathBuf};

use mock_ollama::dialect;
use mock_ollama::generation::{Content, Dialect, Ending, Generation, Piece};
use mock_ollama::import::{ImportOptions, Input, import};
use mock_ollama::recording::{Chunk, End, Exchange, Response, read_file};
use serde_json::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder beside the workspace; `None` where it is absent and may be.
fn shared(name: &str) -> Option<PathBuf> {
    let folder = workspace().join("../shared").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("REQUIRE_SHARED").as_deref() != Ok("1"), "{} is not there", folder.display());
    println!("skipped: {} is not there", folder.display());
    None
}

/// All files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// The dialect of an exchange that answers, and answers in full.
fn dialect_of(exchange: &Exchange) -> Option<Dialect> {
    let answers = exchange.response.status == 200 && exchange.end == End::Clean && !exchange.chunks.is_empty();
    dialect::at(&exchange.request.as_ref()?.path).map(dialect::WireFormat::name).filter(|_| answers)
}

/// What a piece holds of text, and of thinking.
fn said(generation: &Generation) -> [String; 2] {
    let mut said = [String::new(), String::new()];
    for Piece { content, .. } in generation.pieces.iter().chain([&generation.last]) {
        match content {
            Content::Text(text) => said[0].push_str(std::str::from_utf8(text).unwrap()),
            Content::Thinking(text) => said[1].push_str(text),
            Content::Held | Content::Calls(_) => {}
        }
    }
    said
}

/// The same, taken from the values of the body without any knowledge of their order or times.
fn written(dialect: Dialect, body: &[u8]) -> [String; 2] {
    let body = std::str::from_utf8(body).unwrap();
    let is_events = body.starts_with("data:") || body.starts_with("event:");
    let data = body.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let text = if is_events { data.collect::<Vec<_>>().join("\n") } else { body.to_owned() };
    let mut written = [String::new(), String::new()];
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        let value = value.unwrap();
        let places: [&[&str]; 2] = match dialect {
            Dialect::Generate => [&["/response"], &["/thinking"]],
            Dialect::Chat => [&["/message/content"], &["/message/thinking"]],
            Dialect::OpenAiChat => [
                &["/choices/0/delta/content", "/choices/0/message/content"],
                &["/choices/0/delta/reasoning", "/choices/0/message/reasoning"],
            ],
            Dialect::OpenAiCompletions => [&["/choices/0/text"], &[]],
            Dialect::Responses if value["type"] == "response.reasoning_summary_text.delta" => [&[], &["/delta"]],
            Dialect::Responses if value["type"] == "response.output_text.delta" => [&["/delta"], &[]],
            Dialect::Responses if is_events => [&[], &[]],
            // Whole answers of one block, or of thinking and one block.
            Dialect::Responses => {
                [&["/output/0/content/0/text", "/output/1/content/0/text"], &["/output/0/summary/0/text"]]
            }
            Dialect::Messages => {
                [&["/delta/text", "/content/0/text", "/content/1/text"], &["/delta/thinking", "/content/0/thinking"]]
            }
        };
        for (kind, places) in places.into_iter().enumerate() {
            let texts = places.iter().filter_map(|place| value.pointer(place)?.as_str());
            texts.for_each(|text| written[kind].push_str(text));
        }
    }
    written
}

/// Reads an exchange and compares; says how it ended.
fn compare(label: &str, dialect: Dialect, exchange: &Exchange) -> Ending {
    let generation =
        dialect::read(dialect::of(dialect), exchange).unwrap_or_else(|why| panic!("{label} as {dialect:?}: {why}"));
    assert_eq!(said(&generation), written(dialect, &exchange.body()), "{label}");
    let times: Vec<_> = generation.pieces.iter().chain([&generation.last]).map(|piece| piece.at).collect();
    assert!(times.is_sorted(), "{label}: {times:?}");
    let (load, prompt_end) = (generation.load, generation.prompt_end);
    assert!(load <= prompt_end && prompt_end <= times[0], "{label}: {load:?}, {prompt_end:?}, {:?}", times[0]);
    generation.ending
}

#[test]
fn the_built_in_recordings_read() {
    let mut count = 0;
    for file in files(&workspace().join("mock-ollama/fixtures/recordings")) {
        for exchange in &read_file(&file).unwrap().exchanges {
            if let Some(dialect) = dialect_of(exchange) {
                compare(&file.display().to_string(), dialect, exchange);
                count += 1;
            }
        }
    }
    assert!(count >= 20, "{count} exchanges");
}

#[test]
fn the_captures_of_our_own_servers_read() {
    let Some(folder) = shared("own-recordings") else { return };
    let (mut done, mut failed) = (0, 0);
    for file in files(&folder).iter().filter(|file| file.extension().is_some_and(|extension| extension == "jsonl")) {
        let label = file.display().to_string();
        let bytes = std::fs::read(file).unwrap();
        let options = ImportOptions { name: "t".to_owned(), model: Some("m".to_owned()), ..ImportOptions::default() };
        // Of some there is no response, and of some the method is none that a recording has.
        let Ok(made) = import(&[Input { label: &label, bytes: &bytes }], &options) else { continue };
        let exchange = &made.recording.exchanges[0];
        let Some(dialect) = dialect_of(exchange) else { continue };
        match compare(&label, dialect, exchange) {
            Ending::Done(_) => done += 1,
            Ending::Failed { .. } => failed += 1,
            Ending::Silent => panic!("{label} has no end"),
        }
    }
    assert!(done >= 200 && failed >= 2, "{done} with an end, {failed} with an error");
}

#[test]
fn the_bodies_that_other_projects_recorded_read() {
    let Some(folder) = shared("recordings") else { return };
    let mut count = 0;
    for file in files(&folder) {
        let label = file.display().to_string();
        let kind = match file.extension().and_then(|extension| extension.to_str()) {
            Some("ndjson") => "application/x-ndjson",
            Some("sse") => "text/event-stream",
            Some("json") => "application/json",
            _ => continue,
        };
        let bytes = std::fs::read(&file).unwrap();
        let Some(dialect) = looks_like(&String::from_utf8_lossy(&bytes)) else { continue };
        let response = Response::new(200, [("Content-Type", kind)]);
        compare(&label, dialect, &Exchange::new(None, response, vec![Chunk::new(1000, bytes)]));
        count += 1;
    }
    assert!(count >= 190, "{count} bodies");
}

/// The dialect of a body by its first value, where it answers at all.
fn looks_like(body: &str) -> Option<Dialect> {
    let text = body.strip_prefix("data: ").unwrap_or(body);
    let first: Value = serde_json::Deserializer::from_str(text).into_iter().next()?.ok()?;
    let has = |pointer: &str| first.pointer(pointer).is_some();
    match () {
        () if has("/choices/0/text") => Some(Dialect::OpenAiCompletions),
        () if has("/choices/0/delta") || has("/choices/0/message") => Some(Dialect::OpenAiChat),
        () if has("/message") => Some(Dialect::Chat),
        () if has("/response") => Some(Dialect::Generate),
        () => None,
    }
}

#[test]
fn the_captures_of_the_scripted_model_read() {
    let Some(folder) = shared("wire-captures") else { return };
    let mut count = 0;
    for file in files(&folder).iter().filter(|file| file.extension().is_some_and(|extension| extension == "jsonl")) {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let capture: Value = serde_json::from_str(line).unwrap();
            let Some(format) = dialect::at(capture["request"]["path"].as_str().unwrap()) else { continue };
            let Some(exchange) = captured(&capture["response"]) else { continue };
            let label = capture["id"].as_str().unwrap();
            if exchange.body().is_empty() || String::from_utf8_lossy(&exchange.body()).contains("_debug_info") {
                continue;
            }
            compare(label, format.name(), &exchange);
            count += 1;
        }
    }
    assert!(count >= 60, "{count} captures");
}

/// A captured answer as a recording holds it; `None` where it refuses.
fn captured(response: &Value) -> Option<Exchange> {
    let status = u16::try_from(response["status"].as_u64()?).ok().filter(|status| *status == 200)?;
    let headers = response["headers"].as_array()?.iter();
    let headers = headers.map(|field| (field[0].as_str().unwrap().to_owned(), field[1].as_str().unwrap().to_owned()));
    let whole = [response["body"].clone()];
    let chunks = response["chunks"].as_array().map_or(whole.as_slice(), Vec::as_slice).iter().zip(1..);
    let chunks = chunks.map(|(text, n)| Some(Chunk::new(n * 1000, text.as_str()?.to_owned())));
    Some(Exchange::new(None, Response::new(status, headers), chunks.collect::<Option<_>>()?))
}
