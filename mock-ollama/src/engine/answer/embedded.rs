//! Embeddings.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use serde_json::{Map, Value};

use super::ruled::{computed, ruled};
use super::{Answered, Answerer, Reception, Timing};
use crate::catalog::Prepared;
use crate::dialect::{
    EmbedMetrics, EmbedRequest, LegacyEmbedRequest, check_options, embed_reply, embeddings_reply,
    openai_embeddings_reply, refuse_openai, unit_vector,
};
use crate::generation::Refusal;
use crate::http::{Reply, Route};
use crate::journal::Answer;
use crate::models::{Card, KeepAlive, ModelName};
use crate::rules::{IncomingRequest, ReplyKind};

/// How long the model takes to be loaded.
const LOAD_TIME: Duration = Duration::from_micros(500);

/// How long an answer takes in all.
const TOTAL_TIME: Duration = Duration::from_millis(1);

/// The width of a made-up vector where the model does not state the width of its vectors.
const DEFAULT_WIDTH: usize = 8;

impl Answerer<'_> {
    pub(super) fn embedded(&mut self, route: &Route, from: &Reception<'_>) -> Answered {
        let asked = match TextsToEmbed::decode(route, from.body) {
            Ok(asked) => asked,
            Err(refusal) => return self.refused_by_ollama(refused(route, &refusal), &refusal.text, from),
        };
        let incoming = IncomingRequest::of_embedding(&from.parts(), &asked.model, &asked.texts);
        let selected =
            if asked.texts.is_empty() { None } else { self.rules.select_stated(&incoming, &from.stream.caller) };
        let selected = selected.map(|selected| computed(selected, &incoming));
        let stated = match selected.as_ref().map(|selected| (selected, &selected.reply.kind)) {
            None | Some((_, ReplyKind::AsOllama)) => None,
            Some((_, ReplyKind::Embedding(vector))) => Some(vector.as_slice()),
            Some((selected, ReplyKind::ModelNotFound)) => {
                return Answered { answer: ruled(selected), ..refused(route, &not_found(&asked.model)) };
            }
            Some((selected, _)) => return self.replied_plainly(selected, Reply::empty(500).into(), from),
        };
        let answered = match self.embed(&asked, stated) {
            Ok((vectors, tokens)) => asked.answered(&vectors, tokens),
            Err(refusal) => match &selected {
                Some(_) => refused(route, &refusal),
                None => {
                    let why = if self.config.any_model { self.unmatched("", &incoming) } else { refusal.text.clone() };
                    let answered = refused(route, &refusal);
                    return Answered { answer: Answer::Unexpected { why }, ..answered };
                }
            },
        };
        Answered { answer: selected.as_ref().map_or(answered.answer, ruled), ..answered }
    }

    /// Returns a vector for each text, and the number of tokens of all; `stated` is the vector that a rule states.
    fn embed(&mut self, asked: &TextsToEmbed, stated: Option<&[f32]>) -> Result<(Vec<Vec<f32>>, u64), Refusal> {
        let card = self.load_embedder(asked, stated.is_some())?;
        let (mut vectors, mut tokens) = (Vec::with_capacity(asked.texts.len()), 0);
        for text in &asked.texts {
            let (vector, count) = match stated {
                Some(vector) => (vector.to_vec(), text.split_whitespace().count() as u64),
                None => self.vector(&card, text, asked.failed)?,
            };
            vectors.push(vector);
            tokens += count;
        }
        Ok((vectors, tokens))
    }

    fn load_embedder(&mut self, asked: &TextsToEmbed, is_stated: bool) -> Result<Card, Refusal> {
        let card = match self.models.find(&asked.name) {
            Some(card) => card.clone(),
            // A rule answers for a model that nobody lists; loading one asks for no vector.
            None if is_stated || self.config.any_model && asked.texts.is_empty() => Card::named(asked.name.clone()),
            None if self.config.any_model => {
                let text = "mock-ollama: nothing is stated that answers it; state a rule with embed()";
                return Err(Refusal::by_handler(404, text));
            }
            None => return Err(not_found(&asked.model)),
        };
        check_options(&asked.options)?;
        self.scheduler.runners.load(&card, "", asked.keep_alive, self.now);
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

/// A request for embeddings, of whichever route.
struct TextsToEmbed {
    model: String,
    name: ModelName,
    texts: Vec<String>,
    options: Map<String, Value>,
    keep_alive: Option<KeepAlive>,
    form: EmbeddingForm,
    /// The status where the runner fails.
    failed: u16,
}

/// How the vectors are answered.
enum EmbeddingForm {
    Native { dimensions: Option<usize> },
    OpenAi { dimensions: Option<usize>, base64: bool },
    Legacy,
}

impl TextsToEmbed {
    fn decode(route: &Route, body: &[u8]) -> Result<Self, Refusal> {
        let (asked, form) = match route {
            Route::Embeddings => {
                let LegacyEmbedRequest { model, name, prompt, options, keep_alive } = LegacyEmbedRequest::decode(body)?;
                let texts = if prompt.is_empty() { Vec::new() } else { vec![prompt] };
                let form = EmbeddingForm::Legacy;
                return Ok(Self { model, name, texts, options, keep_alive, form, failed: 500 });
            }
            Route::OpenAiEmbeddings => {
                let asked = EmbedRequest::decode_openai(body)?;
                let form = EmbeddingForm::OpenAi { dimensions: asked.dimensions, base64: asked.base64 };
                (asked, form)
            }
            _ => {
                let asked = EmbedRequest::decode_native(body)?;
                let form = EmbeddingForm::Native { dimensions: asked.dimensions };
                (asked, form)
            }
        };
        let EmbedRequest { model, name, inputs, options, keep_alive, .. } = asked;
        Ok(Self { model, name, texts: inputs, options, keep_alive, form, failed: 400 })
    }

    fn answered(&self, vectors: &[Vec<f32>], tokens: u64) -> Answered {
        let unit = |dimensions: Option<usize>| {
            let vectors = vectors.iter().cloned().map(|vector| unit_vector(vector, dimensions));
            vectors.collect::<Vec<_>>()
        };
        let reply = match self.form {
            EmbeddingForm::Native { dimensions } => {
                let metrics = if vectors.is_empty() {
                    EmbedMetrics::default()
                } else {
                    EmbedMetrics { total_ns: nanos(TOTAL_TIME), load_ns: nanos(LOAD_TIME), prompt_eval_count: tokens }
                };
                embed_reply(&self.model, &unit(dimensions), metrics)
            }
            EmbeddingForm::OpenAi { dimensions, base64 } => {
                openai_embeddings_reply(&self.model, &unit(dimensions), tokens, base64)
            }
            EmbeddingForm::Legacy => embeddings_reply(vectors.first().map_or(&[], Vec::as_slice)),
        };
        let response = Arc::new(Prepared::reply(reply, TOTAL_TIME));
        Answered { timing: Timing::AsStated, ..Answered::from(response) }
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
