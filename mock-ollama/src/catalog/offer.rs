//! The recorded answers of a catalog, and how each is delivered.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::prepared::Prepared;
use super::question::Opening;
use crate::dialect::{self, RecordedBody, Unreadable};
use crate::generation::{Dialect, Ending, Generation, ParsedRequest, Question};
use crate::models::ModelName;
use crate::recording::{End, Exchange, Form, RequestBody};

/// One recorded answer of a model on offer.
#[derive(Debug)]
pub struct Offer {
    /// The recording's name.
    pub recording: Arc<str>,
    /// Which of its exchanges, counted from zero.
    pub exchange: usize,
    /// The dialect it was recorded in.
    pub dialect: Dialect,
    /// The model that answered.
    pub model: ModelName,
    /// What was asked, where it is known.
    pub question: Option<Question>,
    /// Whether it is a whole answer: status 200, and ended with a final object. Loose rules prefer these.
    pub whole: bool,
    /// The response, for requests in the dialect it was recorded in.
    pub response: Arc<Prepared>,
    /// Whether the answer is a stream.
    is_stream: bool,
    /// Whether a stream was asked for, where that is known.
    asked_for_stream: bool,
    pub(super) opening: Opening,
    recorded: Exchange,
    generation: OnceLock<Result<Arc<Generation>, Unreadable>>,
    folded: OnceLock<Result<Arc<Prepared>, Unreadable>>,
}

/// How a recording answers a request.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// Bytes that are there: those that were recorded, or the one object that a stream was folded into.
    Stored(Arc<Prepared>),
    /// Rendered in the dialect of the request while it is served.
    Rendered(Arc<Generation>),
}

/// A recorded exchange that answers the very same request again: of the other routes, and refusals.
#[derive(Debug)]
pub struct Fixed {
    /// The recording's name.
    pub recording: Arc<str>,
    /// Which of its exchanges, counted from zero.
    pub exchange: usize,
    /// The response.
    pub response: Arc<Prepared>,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Option<RequestBody>,
}

impl Fixed {
    /// Returns the answer of an exchange; `None` where the request is not known.
    pub(super) fn of(recording: &Arc<str>, index: usize, exchange: &Exchange) -> Option<Self> {
        let request = exchange.request.as_ref()?;
        Some(Self {
            recording: Arc::clone(recording),
            exchange: index,
            response: Arc::new(Prepared::new(exchange)),
            method: request.method.as_str(),
            path: request.path.clone(),
            body: request.body.clone(),
        })
    }
}

impl Offer {
    /// Returns the answer of an exchange in this dialect. `question` is what was asked, as it is kept.
    pub(super) fn new(
        (recording, index, exchange): (&Arc<str>, usize, &Exchange),
        (dialect, model): (Dialect, ModelName),
        question: Option<Question>,
        asked_for_stream: bool,
    ) -> Self {
        Self {
            recording: Arc::clone(recording),
            exchange: index,
            dialect,
            model,
            asked_for_stream,
            opening: question.as_ref().map(Opening::of).unwrap_or_default(),
            question,
            whole: dialect::is_whole(dialect::of(dialect), exchange),
            response: Arc::new(Prepared::new(exchange)),
            is_stream: Form::of(exchange).is_stream(),
            recorded: exchange.clone(),
            generation: OnceLock::new(),
            folded: OnceLock::new(),
        }
    }

    /// Returns whether its status is none of an answer.
    pub(super) fn is_failure(&self) -> bool {
        self.response.status != 200
    }

    /// Returns whether its bytes answer a request for a stream, or for none. Those of a whole answer to a request for a
    /// stream answer that request again.
    pub(super) fn suits(&self, stream: bool) -> bool {
        if stream { self.is_stream || self.asked_for_stream } else { !self.is_stream }
    }

    /// Returns how it answers a request in this dialect, for a stream or for none. A failure answers either.
    pub(crate) fn delivery(&self, dialect: Dialect, stream: bool) -> Result<Delivery, Unreadable> {
        let (is_own, format) = (self.dialect == dialect, dialect::of(dialect));
        if is_own && (self.suits(stream) || self.is_failure() && !self.is_stream) {
            return Ok(Delivery::Stored(Arc::clone(&self.response)));
        }
        if is_own && stream && !self.is_failure() {
            return Err(Unreadable::Whole);
        }
        let generation = self.generation();
        let ending = generation.as_ref().map(|generation| &generation.ending);
        if !stream && self.recorded.end != End::Clean {
            match ending {
                Ok(Ending::Silent) => return Err(Unreadable::BreaksOff),
                Err(why) => return Err(why.clone()),
                Ok(Ending::Done(_) | Ending::Failed { .. }) => {}
            }
        }
        let is_foldable =
            format.is_native() || matches!(ending, Ok(Ending::Done(_) | Ending::Silent) | Err(Unreadable::Choices));
        if is_own
            && !self.is_failure()
            && is_foldable
            && let Ok(folded) = self.folded()
        {
            return Ok(Delivery::Stored(Arc::clone(folded)));
        }
        let generation = generation.as_ref().map_err(Clone::clone)?;
        let has_objects = format.has_argument_objects();
        match generation.calls().find(|call| has_objects && call.arguments.object().is_none()) {
            Some(call) => Err(Unreadable::Arguments { name: call.name.clone() }),
            None => Ok(Delivery::Rendered(Arc::clone(generation))),
        }
    }

    /// Returns what was answered, neutral of dialect.
    fn generation(&self) -> &Result<Arc<Generation>, Unreadable> {
        self.generation.get_or_init(|| dialect::read(dialect::of(self.dialect), &self.recorded).map(Arc::new))
    }

    /// Returns the answer to the same request with `"stream":false`, due when the stream would have ended.
    fn folded(&self) -> &Result<Arc<Prepared>, Unreadable> {
        self.folded.get_or_init(|| {
            let reply = dialect::of(self.dialect).fold(&RecordedBody::of(&self.recorded))?;
            let at = self.recorded.chunks.last().map_or(0, |chunk| chunk.at_us);
            Ok(Arc::new(Prepared::reply(reply, Duration::from_micros(at))))
        })
    }
}

/// Returns the dialect and the request of an exchange; `None` when it is no request for an answer that could be read.
/// Without a recorded request the body's first chunk tells the dialect.
pub(super) fn read_request(exchange: &Exchange) -> Option<(Dialect, Option<ParsedRequest>)> {
    let Some(request) = &exchange.request else {
        let first = exchange.chunks.first()?;
        let dialect = dialect::of_body(&first.bytes).name();
        return Some((dialect, None));
    };
    let format = dialect::at(&request.path)?;
    let body = match request.body.as_ref() {
        Some(body) => body.text(),
        // Only the path is known: the loose rules find it.
        None => return Some((format.name(), None)),
    };
    Some((format.name(), Some(dialect::decode(format, &request.path, body.as_bytes()).ok()?)))
}
