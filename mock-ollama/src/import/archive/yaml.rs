//! YAML read into nodes, within limits on nesting and on what aliases make of it.

use std::collections::HashMap;

use base64::Engine as _;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::coding::BASE64;
use super::node::Node;
use crate::recording::limits::MAX_FILE_BYTES;

/// The deepest nesting of lists and maps. It is that of a request body with room for what stands around it.
const MAX_NESTING: usize = 110;

/// The most values of a file, with what its aliases stand for; an exchange has about fifty.
const MAX_NODES: u64 = 1_000_000;

/// The most bytes of all texts of a file, with what its aliases stand for.
const MAX_TEXT_BYTES: u64 = 2 * MAX_FILE_BYTES;

/// Why a text is no YAML that is read here.
#[derive(Debug)]
pub(super) struct BadYaml {
    /// The line, counted from 1.
    pub(super) line: usize,
    /// What is wrong with it.
    pub(super) message: String,
}

/// Returns the documents of a YAML text.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, BadYaml> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| BadYaml { line: error.marker().line().max(1), message: error.info().to_owned() })?;
        builder.event(event).map_err(|message| BadYaml { line: span.start.line().max(1), message })?;
    }
    Ok(builder.documents)
}

/// How large a value is.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: u64,
    bytes: u64,
}

/// A list or a map that has begun.
struct Open {
    node: Node,
    /// The key whose value comes next.
    key: Option<String>,
    anchor: usize,
    /// What had been spent when it began.
    before: Size,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchored: HashMap<usize, (Node, Size)>,
    spent: Size,
}

impl Builder {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let before = self.spent;
                self.spend(Size { nodes: 1, bytes: text.len() as u64 })?;
                let node = scalar(text.into_owned(), style, tag.as_deref())?;
                self.finished(node, anchor, before)
            }
            Event::SequenceStart(anchor, _) => self.begin(Node::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.begin(Node::Map(Vec::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { node, anchor, before, .. }) = self.open.pop() else { return Ok(()) };
                self.finished(node, anchor, before)
            }
            Event::Alias(anchor) => {
                let (_, size) = self.anchored.get(&anchor).ok_or("an alias within the value that it stands for")?;
                self.spend(*size)?;
                let node = self.anchored[&anchor].0.clone();
                self.add(node)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn spend(&mut self, size: Size) -> Result<(), String> {
        self.spent.nodes = self.spent.nodes.saturating_add(size.nodes);
        self.spent.bytes = self.spent.bytes.saturating_add(size.bytes);
        if self.spent.nodes > MAX_NODES {
            return Err(format!("more than {MAX_NODES} values, the limit; aliases count as what they stand for"));
        }
        if self.spent.bytes > MAX_TEXT_BYTES {
            return Err(format!(
                "texts of more than {MAX_TEXT_BYTES} bytes, the limit; aliases count as what they stand for"
            ));
        }
        Ok(())
    }

    fn begin(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        if self.open.len() == MAX_NESTING {
            return Err(format!("nested more than {MAX_NESTING} deep, the limit"));
        }
        let before = self.spent;
        self.spend(Size { nodes: 1, bytes: 0 })?;
        self.open.push(Open { node, key: None, anchor, before });
        Ok(())
    }

    /// Takes a whole value, and remembers it where an alias may ask for it. The copy is paid for as well.
    fn finished(&mut self, node: Node, anchor: usize, before: Size) -> Result<(), String> {
        if anchor > 0 {
            let size = Size { nodes: self.spent.nodes - before.nodes, bytes: self.spent.bytes - before.bytes };
            self.spend(size)?;
            self.anchored.insert(anchor, (node.clone(), size));
        }
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Result<(), String> {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match (&mut open.node, open.key.take()) {
            (Node::Map(entries), Some(key)) => entries.push((key, node)),
            (Node::Map(_), None) => {
                open.key = Some(node.text().ok_or("a key that is no text")?.to_owned());
            }
            (Node::List(items), _) => items.push(node),
            _ => {}
        }
        Ok(())
    }
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Result<Node, String> {
    match tag {
        // Ruby writes `!binary`, everybody else `!!binary`.
        Some(tag) if tag.suffix == "binary" && (tag.is_yaml_core_schema() || tag.handle == "!") => {
            let compact: String = text.split_ascii_whitespace().collect();
            BASE64.decode(compact).map(Node::Bytes).map_err(|error| format!("`!!binary` that is not base64: {error}"))
        }
        None if style == ScalarStyle::Plain => Ok(Node::Plain(text)),
        Some(tag) if style == ScalarStyle::Plain && tag.is_yaml_core_schema() && tag.suffix != "str" => {
            Ok(Node::Plain(text))
        }
        _ => Ok(Node::Text(text)),
    }
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
