//! What a tool keeps of a request and of its response.

use std::time::Duration;

use super::node::Node;
use crate::recording::Method;

/// Why an exchange becomes no exchange of a recording.
#[derive(Debug)]
pub(super) enum Unfit {
    /// It is none that this server answers; the others are imported.
    PassOver(String),
    /// It is not as its tool writes it.
    Bad(String),
}

/// A request.
#[derive(Debug, Default)]
pub(super) struct KeptRequest {
    /// The method as it was kept; absent where any will do.
    pub(super) method: Option<String>,
    /// The URL, or what stands for one.
    pub(super) url: String,
    /// The body; absent when there was none, or when it is not known.
    pub(super) body: Option<Vec<u8>>,
}

/// A response.
#[derive(Debug, Default)]
pub(super) struct KeptResponse {
    pub(super) status: u16,
    /// The fields in the order of the file.
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// When the request was sent, in microseconds of the Unix epoch.
    pub(super) sent_us: Option<u64>,
    /// The time from the request to the first byte of the body.
    pub(super) wait: Duration,
    /// The time from the first byte of the body to the last.
    pub(super) receive: Duration,
}

impl KeptRequest {
    /// Returns the method as recordings have it; `None` where any will do.
    pub(super) fn method(&self) -> Result<Option<Method>, Unfit> {
        let Some(kept) = &self.method else { return Ok(None) };
        // Ruby may keep a symbol.
        let name = kept.trim_start_matches(':').to_ascii_uppercase();
        Method::named(&name).map(Some).ok_or_else(|| {
            let name: String = name.chars().take(20).collect();
            Unfit::PassOver(format!("recordings have no method {}", name.escape_debug()))
        })
    }
}

/// Returns the status that `node` states.
pub(super) fn status(node: Option<&Node>, from: &str) -> Result<u16, Unfit> {
    let text = node.and_then(Node::text).ok_or_else(|| Unfit::Bad(format!("the response has no {from}")))?;
    // go-vcr keeps "200 OK".
    let number = text.split_ascii_whitespace().next().and_then(|word| word.parse().ok());
    match number {
        Some(0) => Err(Unfit::PassOver("no response came (status 0)".to_owned())),
        Some(status @ 200..=599) => Ok(status),
        _ => {
            let text: String = text.chars().take(20).collect();
            Err(Unfit::Bad(format!("{from} {text:?} is no status of a response; expected 200 to 599")))
        }
    }
}

/// Returns the fields of a list of `name` and `value`.
pub(super) fn named_pairs(list: &Node) -> Vec<(String, String)> {
    let pair = |item: &Node| Some((item.get("name")?.text()?.to_owned(), item.get("value")?.text()?.to_owned()));
    list.items().iter().filter_map(pair).collect()
}

/// Returns the value of the field called `name`, compared without case.
pub(super) fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Reads milliseconds; what is no time counts as none.
pub(super) fn milliseconds(node: Option<&Node>) -> Duration {
    let ms = node.and_then(Node::number).unwrap_or(0.0).max(0.0);
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(Duration::ZERO)
}
