//! Which tool's file it is.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::super::convert::Input;
use super::super::error::ImportError;
use super::kept::{Answered, Asked, Unfit};
use super::node::Node;
use super::{har, httpmock, vcr};

/// The tools whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Har,
    Httpmock,
    /// The key of its interactions is `http_interactions`.
    Vcr,
    /// The key of its interactions is `interactions`.
    Vcrpy,
}

/// An archive, in one form whatever it was written in.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) form: Form,
    pub(super) exchanges: Vec<Node>,
}

impl Form {
    /// The form as errors name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Har => "HAR file",
            Self::Httpmock => "httpmock file",
            Self::Vcr => "VCR cassette",
            Self::Vcrpy => "vcrpy cassette",
        }
    }

    /// What the tool calls an exchange.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Har => "entry",
            Self::Httpmock => "mock",
            Self::Vcr | Self::Vcrpy => "interaction",
        }
    }

    pub(super) fn asked(self, node: &Node) -> Result<Asked, Unfit> {
        match self {
            Self::Har => har::asked(node),
            Self::Httpmock => httpmock::asked(node),
            Self::Vcr | Self::Vcrpy => vcr::asked(node),
        }
    }

    pub(super) fn answered(self, node: &Node) -> Result<Answered, Unfit> {
        match self {
            Self::Har => har::answered(node),
            Self::Httpmock => httpmock::answered(node),
            Self::Vcr | Self::Vcrpy => vcr::answered(node),
        }
    }

    /// The form whose files have this key at their root, where the key alone tells.
    fn of_key(key: &str) -> Option<Self> {
        match key {
            "log" => Some(Self::Har),
            "when" | "then" => Some(Self::Httpmock),
            "http_interactions" => Some(Self::Vcr),
            "interactions" => Some(Self::Vcrpy),
            _ => None,
        }
    }
}

/// Reads an archive; `None` when the input is none.
pub(super) fn read(input: &Input<'_>) -> Result<Option<Document>, ImportError> {
    let text = input.bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(input.bytes);
    if text.trim_ascii_start().starts_with(b"{") {
        return json(input, text);
    }
    match yaml_form(text) {
        Some(form) => yaml(input, text, form),
        None => Ok(None),
    }
}

/// The keys at the root of an archive.
#[derive(Default, Deserialize)]
struct Probe {
    log: Option<Log>,
    interactions: Option<IgnoredAny>,
    http_interactions: Option<IgnoredAny>,
    when: Option<IgnoredAny>,
    then: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Log {
    entries: Option<IgnoredAny>,
}

fn json(input: &Input<'_>, text: &[u8]) -> Result<Option<Document>, ImportError> {
    let form = match serde_json::from_slice::<Probe>(text) {
        Ok(probe) if probe.log.is_some_and(|log| log.entries.is_some()) => Form::Har,
        Ok(probe) if probe.http_interactions.is_some() => Form::Vcr,
        Ok(probe) if probe.interactions.is_some() => Form::Vcrpy,
        Ok(probe) if probe.when.is_some() && probe.then.is_some() => Form::Httpmock,
        // A file that is cut off is told by its first key.
        Err(error) if !error.is_data() => match first_key(text).and_then(Form::of_key) {
            Some(form) => return Err(not_whole(input, form, error.line(), &error.to_string())),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let value: Value = serde_json::from_slice(text).map_err(|error| not_whole(input, form, error.line(), &error.to_string()))?;
    Ok(document(form, vec![Node::from(value)]))
}

/// The first key of a JSON object.
fn first_key(text: &[u8]) -> Option<&str> {
    let inside = text.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = inside.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&inside[..end]).ok()
}

/// The form of a YAML text by its first line that is more than a comment or a marker.
fn yaml_form(text: &[u8]) -> Option<Form> {
    let lines = text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line.trim_ascii_end()).ok());
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '%']) && *line != "---");
    let key = |line: &str| -> Option<String> { Some(line.split_once(':')?.0.trim().trim_matches(['"', '\'']).to_owned()) };
    match key(lines.next()?)?.as_str() {
        // Keys that may stand before the one that tells.
        "version" | "recorded_with" => {
            let mut roots = lines.filter(|line| !line.starts_with([' ', '-'])).filter_map(key);
            roots.find_map(|key| Form::of_key(&key))
        }
        first => Form::of_key(first).filter(|form| *form != Form::Har),
    }
}

#[cfg(feature = "import-yaml")]
fn yaml(input: &Input<'_>, text: &[u8], form: Form) -> Result<Option<Document>, ImportError> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let line = text[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        not_whole(input, form, line, "the text is not UTF-8")
    })?;
    let documents = super::yaml::documents(text).map_err(|error| not_whole(input, form, error.line, &error.message))?;
    Ok(document(form, documents))
}

#[cfg(not(feature = "import-yaml"))]
fn yaml(input: &Input<'_>, _: &[u8], form: Form) -> Result<Option<Document>, ImportError> {
    Err(ImportError::NoYaml { label: input.label.to_owned(), form: form.name() })
}

/// The exchanges in the documents of a file.
fn document(form: Form, documents: Vec<Node>) -> Option<Document> {
    let exchanges = |document: Node| -> Vec<Node> {
        let keys: &[&str] = match form {
            Form::Har => &["log", "entries"],
            Form::Vcr => &["http_interactions"],
            Form::Vcrpy => &["interactions"],
            Form::Httpmock => &[],
        };
        let mut node = document;
        for key in keys {
            let Node::Map(entries) = node else { return Vec::new() };
            let found = entries.into_iter().find(|(name, _)| name == key);
            let Some((_, value)) = found else { return Vec::new() };
            node = value;
        }
        match node {
            Node::List(items) => items,
            // A document of nothing stands behind a last marker.
            Node::Map(entries) if !entries.is_empty() => vec![Node::Map(entries)],
            _ => Vec::new(),
        }
    };
    Some(Document { form, exchanges: documents.into_iter().flat_map(exchanges).collect() })
}

fn not_whole(input: &Input<'_>, form: Form, line: usize, message: &str) -> ImportError {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message).to_owned();
    ImportError::BadArchive { label: input.label.to_owned(), form: form.name(), line, message }
}
