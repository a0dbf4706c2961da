//! Embeddings.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;

use super::ruled::{computed, ruled};
use super::{Answered, Answerer, Reception, Timing};
use crate::catalog::Prepared;
use crate::dialect::{
    EmbedRequest, check_options, embed_reply, embeddings_reply, openai_embeddings_reply, refuse_openai, unit_vector,
};
use crate::generation::{Metrics, Refusal};
use crate::http::{Reply, Route};
use crate::journal::Answer;
use crate::models::Card;
use crate::rules::{IncomingRequest, ReplyKind};

/// How long the model takes to be loaded.
const LOAD_TIME: Duration = Duration::from_micros(500);

/// How long an answer takes in all.
const TOTAL_TIME: Duration = Duration::from_millis(1);

/// The width of a made-up vector where the model does not state the width of its vectors.
const DEFAULT_WIDTH: usize = 8;

impl Answerer<'_> {
    pub(super) fn embedded(&mut self, route: &Route, from: &Reception<'_>) -> Answered {
        let decoded = match route {
            Route::Embeddings => EmbedRequest::decode_legacy(from.body),
            Route::OpenAiEmbeddings => EmbedRequest::decode_openai(from.body),
            _ => EmbedRequest::decode_native(from.body),
        };
        let ask = match decoded {
            Ok(ask) => ask,
            Err(refusal) => return self.refused_by_ollama(refused(route, &refusal), &refusal.text, from),
        };
        let incoming = IncomingRequest::of_embedding(&from.parts(), &ask.model, &ask.inputs);
        // A request without texts loads the model, which is no answer.
        let selected =
            if ask.inputs.is_empty() { None } else { self.rules.select_stated(&incoming, &from.stream.caller) };
        let selected = selected.map(|selected| computed(selected, &incoming));
        let stated = match selected.as_ref().map(|selected| (selected, &selected.reply.kind)) {
            None | Some((_, ReplyKind::AsOllama)) => None,
            Some((_, ReplyKind::Embedding(vector))) => Some(vector.as_slice()),
            Some((selected, ReplyKind::ModelNotFound)) => {
                return Answered { answer: ruled(selected), ..refused(route, &not_found(&ask.model)) };
            }
            Some((selected, _)) => return Self::replied_plainly(selected, Reply::empty(500).into(), from),
        };
        let answered = match self.embed(route, &ask, stated) {
            Ok(reply) => {
                let response = Arc::new(Prepared::reply(reply, TOTAL_TIME));
                Answered { timing: Timing::AsStated, ..Answered::from(response) }
            }
            Err(refusal) => {
                let why = if self.config.any_model { self.unmatched("", &incoming) } else { refusal.text.clone() };
                Answered { answer: Answer::Unexpected { why }, ..refused(route, &refusal) }
            }
        };
        match selected {
            Some(selected) => Answered { answer: ruled(&selected), ..answered },
            None => answered,
        }
    }

    /// Returns the vectors of all texts, in the form of the route; `stated` is the vector that a rule states.
    fn embed(&mut self, route: &Route, ask: &EmbedRequest, stated: Option<&[f32]>) -> Result<Reply, Refusal> {
        let is_legacy = *route == Route::Embeddings;
        let card = self.load_embedder(ask, stated.is_some())?;
        let (mut vectors, mut tokens) = (Vec::with_capacity(ask.inputs.len()), 0);
        for text in &ask.inputs {
            let (vector, count) = match stated {
                Some(vector) => (vector.to_vec(), text.split_whitespace().count() as u64),
                None => self.vector(&card, text, if is_legacy { 500 } else { 400 })?,
            };
            vectors.push(if is_legacy { vector } else { unit_vector(vector, ask.dimensions) });
            tokens += count;
        }
        Ok(match route {
            Route::Embeddings => embeddings_reply(vectors.first().map_or(&[], Vec::as_slice)),
            Route::OpenAiEmbeddings => openai_embeddings_reply(&ask.model, &vectors, tokens, ask.base64),
            _ => {
                let (total_ns, load_ns) = (nanos(TOTAL_TIME), nanos(LOAD_TIME));
                let metrics = if vectors.is_empty() {
                    Metrics::default()
                } else {
                    Metrics { total_ns, load_ns, prompt_eval_count: tokens, ..Metrics::default() }
                };
                embed_reply(&ask.model, &vectors, metrics)
            }
        })
    }

    fn load_embedder(&mut self, ask: &EmbedRequest, is_stated: bool) -> Result<Card, Refusal> {
        let card = match self.models.find(&ask.name) {
            Some(card) => card.clone(),
            // A rule answers for a model that nobody lists; loading one asks for no vector.
            None if is_stated || self.config.any_model && ask.inputs.is_empty() => Card::named(ask.name.clone()),
            None if self.config.any_model => {
                let text = "mock-ollama: nothing is stated that answers it; state a rule with embed()";
                return Err(Refusal::by_handler(404, text));
            }
            None => return Err(not_found(&ask.model)),
        };
        check_options(&ask.options)?;
        self.scheduler.runners.load(&card, "", ask.keep_alive, self.now);
        Ok(card)
    }

    /// Returns the vector that the model's script states, or one that is a function of seed, model and text.
    fn vector(&self, card: &Card, text: &str, status: u16) -> Result<(Vec<f32>, u64), Refusal> {
        if let Some(script) = self.config.catalog.script(&card.answers_as)
            && script.embeds()
        {
            return script.embed(text).map_err(|error| Refusal::by_handler(status, error.trim()));
        }
        if !card.can("embedding") {
            let text = "This server does not support embeddings. Start it with `--embeddings`";
            return Err(Refusal::by_handler(501, text));
        }
        let width =
            card.details.embedding_length.and_then(|width| usize::try_from(width).ok()).unwrap_or(DEFAULT_WIDTH);
        let mut rng = self.config.seed.derive("embed", [card.answers_as.as_str().as_bytes(), text.as_bytes()]).rng();
        let vector = (0..width).map(|_| rng.random_range(-1.0_f32..1.0)).collect();
        Ok((vector, text.split_whitespace().count() as u64))
    }
}

fn refused(route: &Route, refusal: &Refusal) -> Answered {
    match route {
        Route::OpenAiEmbeddings => refuse_openai(refusal).into(),
        _ => Reply::error(refusal.status, &refusal.text).into(),
    }
}

fn not_found(model: &str) -> Refusal {
    Refusal::by_handler(404, format!("model \"{model}\" not found, try pulling it first"))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
