//! Recorded bodies, and what a client has to make of each: told from the file, by other means than the lab's own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mock_ollama::import::{ImportOptions, Input, import};
use mock_ollama::recording::{End, Method, Recording, Request};
use runtime_lab::transcript::{ExchangeLog, ExchangeOutcome};
use serde_json::Value;

use crate::util::alone;

/// One recorded NDJSON body.
pub(crate) struct Body {
    /// The body as the only exchange of a recording whose request no other has.
    pub(crate) recording: Recording,
    /// The bytes in the file.
    bytes: Vec<u8>,
    /// How the connection ended when it was recorded.
    end: End,
}

impl Body {
    /// The exchange of `recording` that stands at `index`, whose body in the file is `bytes`.
    pub(crate) fn new(name: &str, recording: &Recording, index: usize, bytes: Vec<u8>) -> Self {
        let exchange = recording.exchanges[index].clone();
        Self { end: exchange.end, recording: alone(name, recording, exchange), bytes }
    }

    /// The same without its last line; nothing when that is all of it.
    pub(crate) fn without_last_chunk(mut self) -> Option<Self> {
        let last = self.recording.exchanges[0].chunks.pop()?;
        assert!(self.bytes.ends_with(&last.bytes) && last.bytes.ends_with(b"\n"));
        self.bytes.truncate(self.bytes.len() - last.bytes.len());
        (!self.bytes.is_empty()).then_some(self)
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split_inclusive(|byte| *byte == b'\n')
    }

    /// How a client has to say that the exchange ended: `done`, or the kind of failure.
    pub(crate) fn ends_as(&self) -> &'static str {
        if self.end != End::Clean {
            return "body-cut";
        }
        let last = self.lines().last().and_then(|line| serde_json::from_slice::<Value>(line).ok());
        match last {
            Some(object) if object.get("error").is_some() => "error-line",
            Some(object) if object["done"] == true => "done",
            _ => "missing-done",
        }
    }

    /// What `seen` got wrong, in words.
    pub(crate) fn compare(&self, seen: &ExchangeLog) -> Result<(), String> {
        let fail = |what: String| Err(format!("{}: {what}", self.recording.name));
        if seen.body != self.bytes {
            let same = seen.body.iter().zip(&self.bytes).take_while(|(one, other)| one == other).count();
            return fail(format!("{} of {} bytes, the first {same} equal", seen.body.len(), self.bytes.len()));
        }
        let mut end = 0;
        let mut lines: Vec<(u64, bool)> = Vec::new();
        for line in self.lines() {
            end += line.len() as u64;
            lines.push((end, is_token(line)));
        }
        if self.ends_as() == "error-line" {
            lines.pop();
        }
        let found: Vec<(u64, bool)> = seen.lines.iter().map(|line| (line.body_end, line.token)).collect();
        if found != lines {
            return fail(format!("lines {found:?} instead of {lines:?}"));
        }
        let outcome = match &seen.outcome {
            ExchangeOutcome::Done { .. } => "done",
            ExchangeOutcome::Failed { kind, .. } => kind,
        };
        if outcome == self.ends_as() { Ok(()) } else { fail(format!("{outcome} instead of {}", self.ends_as())) }
    }
}

/// Whether an answer object carries text, thinking or a tool call.
fn is_token(line: &[u8]) -> bool {
    let Ok(object) = serde_json::from_slice::<Value>(line) else { return false };
    let filled = |of: &Value, key: &str| match &of[key] {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    let message = &object["message"];
    filled(&object, "response")
        || filled(&object, "thinking")
        || ["content", "thinking", "tool_calls"].into_iter().any(|key| filled(message, key))
}

/// The native streams among the bodies that other projects recorded (`*.ndjson`, a body a file).
pub(crate) fn collected(folder: &Path) -> Vec<Body> {
    let path_of = |name: &str| {
        let paths = [(".api-generate.", "/api/generate"), (".api-chat.", "/api/chat")];
        paths.into_iter().find(|(part, _)| name.contains(part)).map(|(_, path)| path)
    };
    let native = files(folder, "ndjson").into_iter().filter_map(|file| {
        let name = label(folder, &file);
        let path = path_of(&name)?;
        let bytes = std::fs::read(&file).unwrap();
        let options = ImportOptions {
            name: name.clone(),
            path: Some(path.to_owned()),
            gap: Some(Duration::ZERO),
            ..ImportOptions::default()
        };
        let mut recording = import(&[Input { label: &name, bytes: &bytes }], &options).unwrap().recording;
        recording.exchanges[0].request = Some(Request::new(Method::Post, path, None));
        Some(Body::new(&name, &recording, 0, bytes))
    });
    native.collect()
}

/// The native streams among our own captures (`raw-capture/1`, an exchange a file).
pub(crate) fn captured(folder: &Path) -> Vec<Body> {
    let streams = files(folder, "jsonl").into_iter().filter_map(|file| {
        let name = label(folder, &file);
        let text = std::fs::read_to_string(&file).unwrap();
        let bytes = native_stream(&text)?;
        let options = ImportOptions { name: name.clone(), ..ImportOptions::default() };
        let recording = import(&[Input { label: &name, bytes: text.as_bytes() }], &options).unwrap().recording;
        Some(Body::new(&name, &recording, 0, bytes))
    });
    streams.collect()
}

/// The body of a capture, if it is a native stream.
fn native_stream(capture: &str) -> Option<Vec<u8>> {
    let mut lines = capture.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let header = lines.next()?;
    let is_native = ["/api/generate", "/api/chat"].iter().any(|path| header["request"]["path"] == **path);
    let headers = header["response"]["headers"].as_array()?;
    let is_stream = headers.iter().any(|field| field[1] == "application/x-ndjson");
    let chunks = lines.filter_map(|line| {
        let text = line.get(1)?.as_str().expect("the chunks of a native stream are text");
        Some(text.to_owned())
    });
    (is_native && is_stream).then(|| chunks.collect::<String>().into_bytes())
}

/// All files below `folder` with this extension, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                open.push(entry);
            } else if entry.extension().is_some_and(|found| found == extension) {
                found.push(entry);
            }
        }
    }
    found.sort_unstable();
    found
}

fn label(folder: &Path, file: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).display().to_string()
}
