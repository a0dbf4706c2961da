//! Answers that a rule states.

use std::sync::Arc;

use super::{Answered, Answerer, Reception, Timing};
use crate::catalog::{Catalog, Delivery, Prepared};
use crate::dialect::{self, refuse, refuse_openai};
use crate::engine::source::AnswerSource;
use crate::generation::{ParsedRequest, Refusal};
use crate::http::{Reply, Route};
use crate::journal::Answer;
use crate::models::Card;
use crate::recording::End;
use crate::rules::{IncomingRequest, ReplyKind, RequestParts, Selected, Speech, StatusContent, StatusReply};
use crate::schedule::Pace;

/// A closure that answers with a closure that answers with a closure … ends here.
const MAX_COMPUTED: usize = 8;

impl Reception<'_> {
    pub(super) fn parts(&self) -> RequestParts<'_> {
        let head = &self.request.head;
        RequestParts { method: &head.method, path: head.path(), headers: &head.headers, body: self.body }
    }
}

impl Answerer<'_> {
    /// Returns the reply of a stated rule to a request that Ollama passes to no model, or refuses.
    pub(super) fn stated_for_route(&mut self, from: &Reception<'_>) -> Option<Selected> {
        if self.rules.is_empty() {
            return None;
        }
        let incoming = IncomingRequest::other(&from.parts());
        let selected = self.rules.select_stated(&incoming, &from.stream.caller)?;
        Some(computed(selected, &incoming))
    }

    /// Returns the answer of Ollama to a request that it refuses: unexpected, unless a rule states what happens.
    pub(super) fn refused_by_ollama(&mut self, answered: Answered, why: &str, from: &Reception<'_>) -> Answered {
        match self.stated_for_route(from) {
            None => Answered { answer: Answer::Unexpected { why: format!("Ollama refuses it: {why}") }, ..answered },
            Some(selected) => Self::replied_plainly(&selected, answered, from),
        }
    }

    /// Returns the reply of a rule to a request that no model answers; `ollamas` is what Ollama answers.
    pub(super) fn replied_plainly(selected: &Selected, ollamas: Answered, from: &Reception<'_>) -> Answered {
        let answer = ruled(selected);
        match &selected.reply.kind {
            ReplyKind::AsOllama => Answered { answer, ..ollamas },
            ReplyKind::Status(status) => Answered { answer, ..with_status(status, None, from).into() },
            other => Answered { answer, ..cannot(selected, other.name(), "answers no request of this route").into() },
        }
    }

    /// Returns the answer of a rule to a request for an answer; `None` where it leaves the answer to Ollama.
    pub(super) fn replied(
        &mut self,
        selected: &Selected,
        ask: &ParsedRequest,
        card: &Card,
        from: &Reception<'_>,
    ) -> Option<Answered> {
        let answer = ruled(selected);
        let mut answered = match &selected.reply.kind {
            ReplyKind::AsOllama => return None,
            ReplyKind::Speech(speech) => self.spoken(speech, ask, card, answer, from),
            ReplyKind::Status(status) => Answered { answer, ..with_status(status, Some(ask), from).into() },
            ReplyKind::ModelNotFound => {
                let refusal = Refusal::by_handler(404, format!("model '{}' not found", ask.model));
                Answered { answer, ..refuse(dialect::of(ask.dialect), &refusal, ask.stream, from.ids).into() }
            }
            ReplyKind::Recording(recording) => {
                let catalog = Catalog::new([(**recording).clone()]);
                let offers = catalog.offers();
                let offer = offers.get(selected.turn % offers.len().max(1));
                let delivery = offer.map(|offer| (offer, offer.delivery(ask.dialect, ask.stream)));
                match delivery {
                    Some((_, Ok(Delivery::Stored(response)))) => {
                        let source = AnswerSource::Prepared { response, created_at: self.config.created_at };
                        self.admitted(ask, card.clone(), source, answer, from)
                    }
                    Some((offer, Ok(Delivery::Rendered(generation)))) => {
                        self.rendered(ask, card, (generation, offer.response.end), answer, from)
                    }
                    Some((_, Err(why))) => {
                        Answered { answer, ..cannot(selected, "a recording", &why.to_string()).into() }
                    }
                    None => Answered { answer, ..cannot(selected, "a recording", "has no answer of a model").into() },
                }
            }
            other @ (ReplyKind::Embedding(_) | ReplyKind::Computed(_)) => {
                Answered { answer, ..cannot(selected, other.name(), "answers no request for an answer").into() }
            }
        };
        answered.pace = selected.reply.pace;
        Some(answered)
    }

    fn spoken(
        &mut self,
        speech: &Speech,
        ask: &ParsedRequest,
        card: &Card,
        answer: Answer,
        from: &Reception<'_>,
    ) -> Answered {
        let catalog = Arc::clone(&self.config.catalog);
        let defaults = catalog.script(&card.answers_as).map(|model| model.defaults.clone()).unwrap_or_default();
        let generation = Arc::new(speech.generation(ask, card, &defaults));
        let answered = self.rendered(ask, card, (generation, End::Clean), answer, from);
        // A busy backend has answered in the model's place: nothing is paced then.
        if answered.timing == Timing::Paced && speech.has_time() {
            return Answered { timing: Timing::Stated, ..answered };
        }
        answered
    }

    /// Returns why no rule and no recording answers: the rule that came nearest, and what it wants.
    pub(super) fn unmatched(&self, miss: &str, incoming: &IncomingRequest) -> String {
        let nearest = self.rules.nearest(incoming).map(|nearest| format!("nearest: {nearest}"));
        let has_recordings = !self.config.catalog.offers().is_empty();
        match (nearest, has_recordings) {
            (Some(nearest), true) => format!("no rule takes it; {nearest}; {miss}"),
            (Some(nearest), false) => format!("no rule takes it; {nearest}"),
            (None, true) => miss.to_owned(),
            (None, false) => "nothing is stated that answers it".to_owned(),
        }
    }

    /// Notes what nobody stated: a change of the models, or a route that Ollama does not have.
    pub(super) fn noted(&self, route: Option<&Route>, answered: Answered) -> Answered {
        if answered.answer != Answer::Served {
            return answered;
        }
        let why = match route {
            None if answered.source.status() >= 400 => "Ollama has no such route, or lets nobody in",
            Some(route) if route.changes_models() => "it changes the models",
            Some(Route::Embed | Route::Embeddings | Route::OpenAiEmbeddings | Route::Answer(_)) | None => {
                return answered;
            }
            Some(_) if self.config.strict_routes => "it asks for the server's state, and strict_routes() is set",
            Some(_) => return answered,
        };
        Answered { answer: Answer::Unexpected { why: why.to_owned() }, ..answered }
    }
}

/// Returns a reply with a status; its error is in the dialect of `ask`, where there is one.
fn with_status(stated: &StatusReply, ask: Option<&ParsedRequest>, from: &Reception<'_>) -> Reply {
    let mut reply = match (&stated.content, ask) {
        (StatusContent::Bytes(body), _) => Reply { body: body.clone(), ..Reply::empty(stated.status) },
        (StatusContent::Error(text), Some(ask)) => {
            let refusal = Refusal::by_handler(stated.status, text.as_str());
            refuse(dialect::of(ask.dialect), &refusal, ask.stream, from.ids)
        }
        (StatusContent::Error(text), None) => match dialect::at(from.request.head.path()) {
            Some(format) => format.refuse(&Refusal::by_handler(stated.status, text.as_str()), from.ids),
            None if from.request.head.path().starts_with("/v1/") => {
                refuse_openai(&Refusal::by_handler(stated.status, text.as_str()))
            }
            None => Reply::error(stated.status, text),
        },
    };
    for (name, value) in &stated.fields {
        reply.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        reply.fields.push((name.clone(), value.clone()));
    }
    reply
}

/// Returns the rule with the reply that its closure computes.
pub(super) fn computed(mut selected: Selected, incoming: &IncomingRequest) -> Selected {
    for _ in 0..MAX_COMPUTED {
        let ReplyKind::Computed(compute) = &selected.reply.kind else { break };
        let reply = compute(incoming);
        let pace: Option<Pace> = reply.pace.or(selected.reply.pace);
        selected.reply = crate::rules::Reply { pace, ..reply };
    }
    selected
}

pub(super) fn ruled(selected: &Selected) -> Answer {
    Answer::Rule { number: selected.id.0, name: selected.name.clone(), turn: selected.turn }
}

/// Returns the answer where a rule states what cannot be sent.
pub(super) fn cannot(selected: &Selected, what: &str, why: &str) -> Arc<Prepared> {
    let text = format!("mock-ollama: rule {} states {what}, which {why}", selected.id.0);
    Arc::new(Prepared::reply(Reply::error(500, &text), std::time::Duration::ZERO))
}
