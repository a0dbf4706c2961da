//! Why no recording answers a request.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::{Catalog, Matching, Offer};
use crate::dialect::Unreadable;
use crate::dialect::request::{Ask, Question};

/// How much of a text is quoted, in characters.
const QUOTED: usize = 40;

/// Why no recording answers a request: what was asked, what is on offer, what comes nearest and where it
/// differs first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    asked: String,
    models: Vec<String>,
    nearest: Option<Nearest>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Nearest {
    recording: String,
    exchange: usize,
    difference: String,
}

impl Miss {
    pub(super) fn explain(catalog: &Catalog, ask: &Ask, rule: Matching) -> Self {
        let models: BTreeSet<&str> = catalog.offers().iter().map(|offer| offer.model.as_str()).collect();
        let nearest = catalog.offers().iter().enumerate().max_by_key(|(index, offer)| {
            let same_question = offer.question.as_ref().map_or(0, |known| common(&json(known), &json(&ask.question)));
            // Of two that are equally near the first one counts.
            let earlier = std::cmp::Reverse(*index);
            (offer.model == ask.name, offer.dialect == ask.dialect, same_question, earlier)
        });
        Self {
            asked: asked(ask, rule),
            models: models.into_iter().map(str::to_owned).collect(),
            nearest: nearest.map(|(_, offer)| Nearest::new(offer, first_difference(offer, ask))),
        }
    }

    /// That `offer` is a recording of this very request, but cannot be told as it was asked for.
    pub(super) fn of(catalog: &Catalog, ask: &Ask, rule: Matching, offer: &Offer, why: &Unreadable) -> Self {
        let models: BTreeSet<&str> = catalog.offers().iter().map(|offer| offer.model.as_str()).collect();
        let way = if offer.dialect == ask.dialect { "stream" } else { "dialect" };
        Self {
            asked: asked(ask, rule),
            models: models.into_iter().map(str::to_owned).collect(),
            nearest: Some(Nearest::new(offer, format!("{way}: {why}"))),
        }
    }
}

impl Nearest {
    fn new(offer: &Offer, difference: String) -> Self {
        Self { recording: offer.recording.to_string(), exchange: offer.exchange, difference }
    }
}

fn asked(ask: &Ask, rule: Matching) -> String {
    format!("{} with model \"{}\" (rule: {rule})", ask.dialect.path(), ask.model)
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no recording answers {}; ", self.asked)?;
        match &self.nearest {
            None => f.write_str("there are no recordings on offer"),
            Some(Nearest { recording, exchange, difference }) => {
                write!(f, "models on offer: {}; ", self.models.join(", "))?;
                write!(f, "nearest: recording \"{recording}\" exchange {exchange}; first difference: {difference}")
            }
        }
    }
}

fn first_difference(offer: &Offer, ask: &Ask) -> String {
    if offer.model != ask.name {
        return format!("model: recorded {}, asked {}", offer.model, ask.name);
    }
    let Some(known) = &offer.question else {
        return "the recording does not say what was asked, so only loose and any find it".to_owned();
    };
    match (known, &ask.question) {
        (Question::Prompt(_), Question::Messages(_)) | (Question::Messages(_), Question::Prompt(_)) => {
            format!("path: recorded {}, asked {}", offer.dialect.path(), ask.dialect.path())
        }
        (Question::Prompt(_), _) => difference("prompt", &json(known), &json(&ask.question)),
        (Question::Messages(_), _) => difference("messages", &json(known), &json(&ask.question)),
    }
}

fn json(question: &Question) -> Value {
    match question {
        Question::Prompt(prompt) => Value::from(prompt.as_str()),
        Question::Messages(messages) => Value::from(messages.clone()),
    }
}

/// The number of leading characters that two questions share, as JSON.
fn common(one: &Value, other: &Value) -> usize {
    let (one, other) = (one.to_string(), other.to_string());
    one.chars().zip(other.chars()).take_while(|(left, right)| left == right).count()
}

/// Where two values differ first, as a path with both sides quoted.
fn difference(path: &str, recorded: &Value, asked: &Value) -> String {
    match (recorded, asked) {
        (Value::String(recorded), Value::String(asked)) => {
            let at = recorded.chars().zip(asked.chars()).take_while(|(left, right)| left == right).count();
            let tail = |text: &str| quote(&text.chars().skip(at).collect::<String>());
            format!("{path} at character {at}: recorded {}, asked {}", tail(recorded), tail(asked))
        }
        (Value::Array(recorded), Value::Array(asked)) => {
            let differing = recorded.iter().zip(asked).enumerate().find(|(_, (left, right))| left != right);
            match differing {
                Some((at, (left, right))) => difference(&format!("{path}[{at}]"), left, right),
                None => format!("{path}: recorded {} of them, asked {}", recorded.len(), asked.len()),
            }
        }
        (Value::Object(recorded), Value::Object(asked)) => {
            let keys: BTreeSet<&String> = recorded.keys().chain(asked.keys()).collect();
            let side = |map: &serde_json::Map<String, Value>, key: &String| map.get(key).cloned().unwrap_or_default();
            let differing = keys.into_iter().find(|key| recorded.get(*key) != asked.get(*key));
            differing.map_or_else(
                || path.to_owned(),
                |key| difference(&format!("{path}.{key}"), &side(recorded, key), &side(asked, key)),
            )
        }
        (recorded, asked) => {
            format!("{path}: recorded {}, asked {}", quote(&recorded.to_string()), quote(&asked.to_string()))
        }
    }
}

fn quote(text: &str) -> String {
    let short: String = text.chars().take(QUOTED).collect();
    let more = if text.chars().count() > QUOTED { "…" } else { "" };
    format!("{short:?}{more}")
}
