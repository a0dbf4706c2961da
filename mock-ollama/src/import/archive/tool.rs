//! Whose file it is, and the exchanges in it.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::super::convert::Input;
use super::super::error::ImportError;
use super::kept::{Answered, Asked, Unfit};
use super::node::Node;
use super::{har, httpmock, vcr};
use crate::recording::wire::message_of;

/// The tools whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Har,
    Httpmock,
    /// The key of its interactions is `http_interactions`.
    Vcr,
    /// The key of its interactions is `interactions`.
    Vcrpy,
}

impl Tool {
    /// The tool that wrote `text`, which begins with something else than white space; `None` when none of them did.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        if !text.starts_with(b"{") {
            return of_yaml(text);
        }
        match serde_json::from_slice::<Probe>(text) {
            Ok(probe) if probe.log.as_ref().is_some_and(|log| log.entries.is_some()) => Some(Self::Har),
            Ok(probe) if probe.http_interactions.is_some() => Some(Self::Vcr),
            Ok(probe) if probe.interactions.is_some() => Some(Self::Vcrpy),
            Ok(probe) if probe.when.is_some() && probe.then.is_some() => Some(Self::Httpmock),
            // A file that breaks off is told by its first key.
            Err(error) if !error.is_data() => first_key(text).and_then(Self::of_key),
            _ => None,
        }
    }

    /// The exchanges of its file.
    pub(super) fn read(self, input: &Input<'_>) -> Result<Vec<Node>, ImportError> {
        let documents = if input.bytes.trim_ascii_start().starts_with(b"{") {
            let bad = |error: serde_json::Error| self.unreadable(input, error.line(), &message_of(&error));
            vec![Node::from(serde_json::from_slice::<Value>(input.bytes).map_err(bad)?)]
        } else {
            self.documents(input)?
        };
        Ok(documents.into_iter().flat_map(|document| self.exchanges(document)).collect())
    }

    #[cfg(feature = "import-yaml")]
    fn documents(self, input: &Input<'_>) -> Result<Vec<Node>, ImportError> {
        let text = std::str::from_utf8(input.bytes).map_err(|error| {
            let line = input.bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            self.unreadable(input, line, "the text is not UTF-8")
        })?;
        super::yaml::documents(text).map_err(|error| self.unreadable(input, error.line, &error.message))
    }

    #[cfg(not(feature = "import-yaml"))]
    fn documents(self, input: &Input<'_>) -> Result<Vec<Node>, ImportError> {
        Err(ImportError::NoYaml { label: input.label.to_owned(), file: self.file_noun() })
    }

    /// The exchanges of a document.
    fn exchanges(self, document: Node) -> Vec<Node> {
        let keys: &[&str] = match self {
            Self::Har => &["log", "entries"],
            Self::Httpmock => &[],
            Self::Vcr => &["http_interactions"],
            Self::Vcrpy => &["interactions"],
        };
        match keys.iter().try_fold(document, |node, key| node.take(key)) {
            Some(Node::List(items)) => items,
            Some(node @ Node::Map(_)) => vec![node],
            // A document of nothing may stand behind a last marker.
            _ => Vec::new(),
        }
    }

    fn unreadable(self, input: &Input<'_>, line: usize, message: &str) -> ImportError {
        let (label, message) = (input.label.to_owned(), message.to_owned());
        ImportError::BadArchive { label, line, file: self.file_noun(), message }
    }

    /// What its file is called.
    pub(super) fn file_noun(self) -> &'static str {
        match self {
            Self::Har => "HAR file",
            Self::Httpmock => "httpmock file",
            Self::Vcr => "VCR cassette",
            Self::Vcrpy => "vcrpy cassette",
        }
    }

    /// What it calls an exchange.
    pub(super) fn exchange_noun(self) -> &'static str {
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

    /// The tool whose files have this key at their root.
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

/// The first key of a JSON object.
fn first_key(text: &[u8]) -> Option<&str> {
    let inside = text.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = inside.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&inside[..end]).ok()
}

/// The tool of a YAML text, by the keys at its root. Comments and markers may stand before them.
fn of_yaml(text: &[u8]) -> Option<Tool> {
    let lines = text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line.trim_ascii_end()).ok());
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '%']) && *line != "---");
    let key = |line: &str| Some(line.split_once(':')?.0.trim().trim_matches(['"', '\'']).to_owned());
    match key(lines.next()?)?.as_str() {
        "version" | "recorded_with" => {
            let mut roots = lines.filter(|line| !line.starts_with([' ', '-'])).filter_map(key);
            roots.find_map(|key| Tool::of_key(&key))
        }
        first => Tool::of_key(first).filter(|tool| *tool != Tool::Har),
    }
}

#[cfg(all(test, not(feature = "import-yaml")))]
mod tests {
    use super::super::super::{ImportOptions, Input, import};

    #[test]
    fn a_cassette_is_named_where_yaml_is_not_read() {
        let input = Input { label: "kept.yaml", bytes: b"---\nhttp_interactions:\n- request:\n" };
        let error = import(&[input], &ImportOptions::default()).unwrap_err().to_string();
        assert!(
            error.starts_with("kept.yaml: this is a VCR cassette in YAML, and this build has no YAML reader"),
            "{error}"
        );
    }
}
