//! Why no recording answers a request.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::matching::Matching;
use super::offer::Offer;
use super::question::{OPENING_BYTES, characters, json};
use crate::dialect::{self, Unreadable};
use crate::generation::{ParsedRequest, Question};
use crate::models::ModelName;

/// How much of a text is quoted, in characters.
const MAX_QUOTED_CHARS: usize = 40;

/// The most models on offer that are named.
const MAX_NAMED_MODELS: usize = 20;

/// How many of the recordings that begin in the same way are looked at more closely …
const MAX_CLOSE_OFFERS: usize = 8;

/// … and how much of each of these, in bytes of JSON.
const CLOSE_BYTES: usize = 64 * 1024;

/// Why no recording answers a request: what was asked, what is on offer, what comes nearest and where it
/// differs first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    asked: String,
    models: Vec<String>,
    /// Models on offer beside these.
    more_models: usize,
    nearest: Option<Nearest>,
}

/// The places of the offers of each model.
type ByModel = BTreeMap<ModelName, Vec<usize>>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Nearest {
    recording: String,
    exchange: usize,
    difference: String,
}

impl Miss {
    /// Explains why none of `offers` answers.
    pub(super) fn explain(offers: &[Offer], models: &ByModel, ask: &ParsedRequest, rule: Matching) -> Self {
        let nearest = nearest(offers, ask).map(|offer| Nearest::new(offer, first_difference(offer, ask)));
        Self::new(models, ask, rule, nearest)
    }

    /// Explains that `offer` is a recording of this very request, but cannot be delivered as it was asked for.
    pub(super) fn of(models: &ByModel, ask: &ParsedRequest, rule: Matching, offer: &Offer, why: &Unreadable) -> Self {
        let way = if offer.dialect == ask.dialect { "stream" } else { "dialect" };
        Self::new(models, ask, rule, Some(Nearest::new(offer, format!("{way}: {why}"))))
    }

    fn new(models: &ByModel, ask: &ParsedRequest, rule: Matching, nearest: Option<Nearest>) -> Self {
        Self {
            asked: format!("{} with model \"{}\" (rule: {rule})", dialect::of(ask.dialect).route(), ask.model),
            models: models.keys().take(MAX_NAMED_MODELS).map(ToString::to_string).collect(),
            more_models: models.len().saturating_sub(MAX_NAMED_MODELS),
            nearest,
        }
    }
}

impl Nearest {
    fn new(offer: &Offer, difference: String) -> Self {
        Self { recording: offer.recording.to_string(), exchange: offer.exchange, difference }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no recording answers {}; ", self.asked)?;
        match &self.nearest {
            None => f.write_str("there are no recordings on offer"),
            Some(Nearest { recording, exchange, difference }) => {
                write!(f, "models on offer: {}", self.models.join(", "))?;
                if self.more_models > 0 {
                    write!(f, " and {} more", self.more_models)?;
                }
                write!(f, "; nearest: recording \"{recording}\" exchange {exchange}; first difference: {difference}")
            }
        }
    }
}

/// Returns the offer that is nearest to the request: of its model, in its dialect, with the most of its question in
/// common from the beginning; of two that are equally near the first one.
///
/// Of every offer the opening is compared; of those that share a whole opening, a few of about the same length are looked at
/// more closely. So the work is bounded, whatever the request.
pub(super) fn nearest<'a>(offers: &'a [Offer], ask: &ParsedRequest) -> Option<&'a Offer> {
    let asked = json(&ask.question, CLOSE_BYTES);
    let mut best = (false, false, 0);
    let mut close: Vec<&Offer> = Vec::new();
    for offer in offers {
        let opening = in_common(&offer.opening.json, &asked);
        let nearness = (offer.model == ask.name, offer.dialect == ask.dialect, opening);
        if nearness > best {
            best = nearness;
            close.clear();
        }
        if nearness == best {
            close.push(offer);
        }
    }
    // A character that was cut in two is not in the opening.
    if best.2 + 4 > OPENING_BYTES {
        let characters = characters(&ask.question);
        close.sort_by_key(|offer| offer.opening.characters.abs_diff(characters));
        close.truncate(MAX_CLOSE_OFFERS);
        close.sort_by_key(|offer| {
            let known = offer.question.as_ref().map(|known| json(known, CLOSE_BYTES)).unwrap_or_default();
            Reverse(in_common(&known, &asked))
        });
    }
    close.first().copied()
}

/// Returns the bytes of the characters with which both texts begin.
fn in_common(one: &str, other: &str) -> usize {
    const BLOCK: usize = 64;
    let (left, right) = (one.as_bytes(), other.as_bytes());
    // Block by block first, since equal blocks compare quickly.
    let blocks = left.chunks_exact(BLOCK).zip(right.chunks_exact(BLOCK)).take_while(|(left, right)| left == right);
    let mut same = blocks.count() * BLOCK;
    same += left[same..].iter().zip(&right[same..]).take_while(|(left, right)| left == right).count();
    while !one.is_char_boundary(same) {
        same -= 1;
    }
    same
}

fn first_difference(offer: &Offer, ask: &ParsedRequest) -> String {
    if offer.model != ask.name {
        return format!("model: recorded {}, asked {}", offer.model, ask.name);
    }
    let Some(known) = &offer.question else {
        return "the recording does not say what was asked, so only loose and any find it".to_owned();
    };
    match (known, &ask.question) {
        (Question::Prompt(_), Question::Messages(_)) | (Question::Messages(_), Question::Prompt(_)) => {
            format!("path: recorded {}, asked {}", dialect::of(offer.dialect).route(), dialect::of(ask.dialect).route())
        }
        (Question::Prompt(recorded), Question::Prompt(asked)) => text_difference("prompt", recorded, asked),
        (Question::Messages(recorded), Question::Messages(asked)) => list_difference("messages", recorded, asked),
    }
}

/// Returns where two values differ first, as a path with both sides quoted.
fn difference(path: &str, recorded: &Value, asked: &Value) -> String {
    match (recorded, asked) {
        (Value::String(recorded), Value::String(asked)) => text_difference(path, recorded, asked),
        (Value::Array(recorded), Value::Array(asked)) => list_difference(path, recorded, asked),
        (Value::Object(recorded), Value::Object(asked)) => map_difference(path, recorded, asked),
        (recorded, asked) => {
            format!("{path}: recorded {}, asked {}", quote(&recorded.to_string()), quote(&asked.to_string()))
        }
    }
}

fn text_difference(path: &str, recorded: &str, asked: &str) -> String {
    let same = in_common(recorded, asked);
    let at = recorded[..same].chars().count();
    format!("{path} at character {at}: recorded {}, asked {}", quote(&recorded[same..]), quote(&asked[same..]))
}

fn list_difference(path: &str, recorded: &[Value], asked: &[Value]) -> String {
    let differing = recorded.iter().zip(asked).enumerate().find(|(_, (left, right))| left != right);
    match differing {
        Some((at, (left, right))) => difference(&format!("{path}[{at}]"), left, right),
        None => format!("{path}: recorded {} of them, asked {}", recorded.len(), asked.len()),
    }
}

fn map_difference(path: &str, recorded: &Map<String, Value>, asked: &Map<String, Value>) -> String {
    let keys: BTreeSet<&String> = recorded.keys().chain(asked.keys()).collect();
    let differing = keys.into_iter().find(|key| recorded.get(*key) != asked.get(*key));
    let Some(key) = differing else { return path.to_owned() };
    let side = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
    difference(&format!("{path}.{key}"), &side(recorded), &side(asked))
}

fn quote(text: &str) -> String {
    let end = text.char_indices().nth(MAX_QUOTED_CHARS).map_or(text.len(), |(end, _)| end);
    let more = if end < text.len() { "…" } else { "" };
    format!("{:?}{more}", &text[..end])
}
