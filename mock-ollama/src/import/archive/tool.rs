//! The tools whose files are read, and the exchanges in a file.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::super::error::{InputProblem, Located};
use super::message::{KeptRequest, KeptResponse, Unfit};
use super::node::Node;
use super::{har, httpmock, vcr};
use crate::recording::wire::message_of;

/// A tool whose files are read.
#[derive(Debug)]
pub(in crate::import) struct Tool {
    /// The keys at the root of its files, each of which tells them.
    root_keys: &'static [&'static str],
    /// The keys on the way to its exchanges.
    path: &'static [&'static str],
    /// What its file is called.
    pub(super) file: &'static str,
    /// What it calls an exchange.
    pub(super) exchange: &'static str,
    /// Reads the request of an exchange.
    pub(super) request: fn(&Node) -> Result<KeptRequest, Unfit>,
    /// Reads the response of an exchange.
    pub(super) response: fn(&Node) -> Result<KeptResponse, Unfit>,
}

static HAR: Tool = Tool {
    root_keys: &["log"],
    path: &["log", "entries"],
    file: "HAR file",
    exchange: "entry",
    request: har::request,
    response: har::response,
};

static HTTPMOCK: Tool = Tool {
    root_keys: &["when", "then"],
    path: &[],
    file: "httpmock file",
    exchange: "mock",
    request: httpmock::request,
    response: httpmock::response,
};

static VCR: Tool = Tool {
    root_keys: &["http_interactions"],
    path: &["http_interactions"],
    file: "VCR cassette",
    exchange: "interaction",
    request: vcr::request,
    response: vcr::response,
};

static VCRPY: Tool = Tool {
    root_keys: &["interactions"],
    path: &["interactions"],
    file: "vcrpy cassette",
    exchange: "interaction",
    request: vcr::request,
    response: vcr::response,
};

impl Tool {
    /// Returns the tool that wrote `text`, which begins with something else than white space; `None` when none of them did.
    pub(in crate::import) fn of(text: &[u8]) -> Option<&'static Self> {
        if !text.starts_with(b"{") {
            return of_yaml(text);
        }
        match serde_json::from_slice::<RootKeys>(text) {
            Ok(root) if root.log.as_ref().is_some_and(|log| log.entries.is_some()) => Some(&HAR),
            Ok(root) if root.http_interactions.is_some() => Some(&VCR),
            Ok(root) if root.interactions.is_some() => Some(&VCRPY),
            Ok(root) if root.when.is_some() && root.then.is_some() => Some(&HTTPMOCK),
            // Of a file that breaks off the first key is enough.
            Err(error) if !error.is_data() => first_key(text).and_then(Self::of_key),
            _ => None,
        }
    }

    /// Returns the exchanges of its file.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<Vec<Node>, Located> {
        let documents = if bytes.trim_ascii_start().starts_with(b"{") {
            let bad = |error: serde_json::Error| self.unreadable(error.line(), &message_of(&error));
            vec![Node::from(serde_json::from_slice::<Value>(bytes).map_err(bad)?)]
        } else {
            self.documents(bytes)?
        };
        Ok(documents.into_iter().flat_map(|document| self.exchanges(document)).collect())
    }

    fn documents(&self, bytes: &[u8]) -> Result<Vec<Node>, Located> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            self.unreadable(line, "the text is not UTF-8")
        })?;
        super::yaml::documents(text).map_err(|error| self.unreadable(error.line, &error.message))
    }

    /// Returns the exchanges of a document.
    fn exchanges(&self, document: Node) -> Vec<Node> {
        match self.path.iter().try_fold(document, |node, key| node.take(key)) {
            Some(Node::List(items)) => items,
            Some(node @ Node::Map(_)) => vec![node],
            // A document of nothing may stand behind a last marker.
            _ => Vec::new(),
        }
    }

    fn unreadable(&self, line: usize, message: &str) -> Located {
        InputProblem::Other(format!("this {} cannot be read: {message}", self.file)).at_line(line)
    }

    /// Returns the tool whose files have this key at their root.
    fn of_key(key: &str) -> Option<&'static Self> {
        [&HAR, &HTTPMOCK, &VCR, &VCRPY].into_iter().find(|tool| tool.root_keys.contains(&key))
    }
}

/// The keys at the root of an archive.
#[derive(Default, Deserialize)]
struct RootKeys {
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

/// Returns the first key of a JSON object.
fn first_key(text: &[u8]) -> Option<&str> {
    let inside = text.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = inside.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&inside[..end]).ok()
}

/// Returns the tool of a YAML text, by the keys at its root. Comments and markers may stand before them.
fn of_yaml(text: &[u8]) -> Option<&'static Tool> {
    let lines = text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line.trim_ascii_end()).ok());
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '%']) && *line != "---");
    let key = |line: &str| Some(line.split_once(':')?.0.trim().trim_matches(['"', '\'']).to_owned());
    match key(lines.next()?)?.as_str() {
        "version" | "recorded_with" => {
            let mut roots = lines.filter(|line| !line.starts_with([' ', '-'])).filter_map(key);
            roots.find_map(|key| Tool::of_key(&key))
        }
        first => Tool::of_key(first).filter(|tool| tool.file != HAR.file),
    }
}
