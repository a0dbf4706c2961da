//! Embeddings.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;

use super::{Answered, Answerer, Reception, Timing};
use crate::catalog::Prepared;
use crate::dialect::{
    EmbedRequest, check_options, embed_reply, embeddings_reply, openai_embeddings_reply, refuse_openai, unit_vector,
};
use crate::generation::{Metrics, Refusal};
use crate::http::{Reply, Route};
use crate::models::Card;

/// How long the model takes to be loaded.
const LOAD_TIME: Duration = Duration::from_micros(500);

/// How long an answer takes in all.
const TOTAL_TIME: Duration = Duration::from_millis(1);

/// The width of a made-up vector where the model does not state the width of its vectors.
const DEFAULT_WIDTH: usize = 8;

impl Answerer<'_> {
    pub(super) fn embedded(&mut self, route: &Route, from: &Reception<'_>) -> Answered {
        let reply = match route {
            Route::Embeddings => self.embed_one(from),
            Route::OpenAiEmbeddings => EmbedRequest::decode_openai(from.body).and_then(|ask| {
                let (vectors, tokens) = self.embed(&ask)?;
                Ok(openai_embeddings_reply(&ask.model, &vectors, tokens, ask.base64))
            }),
            _ => EmbedRequest::decode_native(from.body).and_then(|ask| {
                let (vectors, prompt_eval_count) = self.embed(&ask)?;
                let (total_ns, load_ns) = (nanos(TOTAL_TIME), nanos(LOAD_TIME));
                let metrics = if vectors.is_empty() {
                    Metrics::default()
                } else {
                    Metrics { total_ns, load_ns, prompt_eval_count, ..Metrics::default() }
                };
                Ok(embed_reply(&ask.model, &vectors, metrics))
            }),
        };
        match reply {
            Ok(reply) => {
                let response = Arc::new(Prepared::reply(reply, TOTAL_TIME));
                Answered { timing: Timing::AsStated, ..Answered::from(response) }
            }
            Err(refusal) if *route == Route::OpenAiEmbeddings => refuse_openai(&refusal).into(),
            Err(refusal) => Reply::error(refusal.status, &refusal.text).into(),
        }
    }

    /// Returns vectors of unit length, and the number of tokens of all texts.
    fn embed(&mut self, ask: &EmbedRequest) -> Result<(Vec<Vec<f32>>, u64), Refusal> {
        let card = self.load_embedder(ask)?;
        let (mut vectors, mut tokens) = (Vec::with_capacity(ask.inputs.len()), 0);
        for text in &ask.inputs {
            let (vector, count) = self.vector(&card, text, 400)?;
            vectors.push(unit_vector(vector, ask.dimensions));
            tokens += count;
        }
        Ok((vectors, tokens))
    }

    fn embed_one(&mut self, from: &Reception<'_>) -> Result<Reply, Refusal> {
        let ask = EmbedRequest::decode_legacy(from.body)?;
        let card = self.load_embedder(&ask)?;
        let Some(prompt) = ask.inputs.first() else { return Ok(embeddings_reply(&[])) };
        let (vector, _) = self.vector(&card, prompt, 500)?;
        Ok(embeddings_reply(&vector))
    }

    fn load_embedder(&mut self, ask: &EmbedRequest) -> Result<Card, Refusal> {
        let Some(card) = self.models.find(&ask.name).cloned() else {
            let text = format!("model \"{}\" not found, try pulling it first", ask.model);
            return Err(Refusal::by_handler(404, text));
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

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
