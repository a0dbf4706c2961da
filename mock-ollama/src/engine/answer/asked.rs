//! Requests for an answer of a model, in any dialect.

use std::sync::Arc;
use std::time::Duration;

use super::ruled::{computed, ruled};
use super::{Answered, Answerer, Reception, Timing};
use crate::backend::{Arrival, BUSY, LoadRequest};
use crate::catalog::{Candidate, Choice, Delivery, Matching, Miss, Prepared};
use crate::dialect::{self, WireFormat, check, debug_reply, refuse};
use crate::engine::config::CreatedAt;
use crate::engine::live::LiveAnswer;
use crate::engine::source::AnswerSource;
use crate::generation::{Done, Generation, ParsedRequest, Part, Reason, Refusal, RefusedBy};
use crate::http::Reply;
use crate::journal::Answer;
use crate::models::{Card, Found};
use crate::recording::End;
use crate::rules::{IncomingRequest, Per};

impl Answerer<'_> {
    /// Makes the checks of `server/routes.go` in their order, and returns the answer.
    pub(super) fn asked(&mut self, format: &dyn WireFormat, from: &Reception<'_>) -> Answered {
        let ask = match dialect::decode(format, from.request.head.path(), from.body) {
            Ok(ask) => ask,
            Err(refusal) => {
                let reply = refuse(format, &refusal, wants_stream(format, from.body), from.ids);
                return self.refused_by_ollama(reply.into(), &refusal.text, from);
            }
        };
        // A copy answers as what it was copied from.
        let answers_as = self.models.find(&ask.name).map_or_else(|| ask.name.clone(), |card| card.answers_as.clone());
        let source = ParsedRequest { name: answers_as, ..ask.clone() };
        let stated = self.stated(format, (&ask, &source), from);
        let expected = match stated {
            Some(Ok(answered)) => return answered,
            Some(Err(answer)) => Some(answer),
            None => None,
        };
        let answered = self.asked_of_ollama(format, (&ask, &source), from);
        // What a rule leaves to Ollama is expected, whatever it is.
        Answered { answer: expected.unwrap_or(answered.answer), ..answered }
    }

    /// Returns the answer of a stated rule, or its name where it leaves the answer to Ollama.
    fn stated(
        &mut self,
        format: &dyn WireFormat,
        (ask, source): (&ParsedRequest, &ParsedRequest),
        from: &Reception<'_>,
    ) -> Option<Result<Answered, Answer>> {
        if self.rules.is_empty() || ask.is_load() {
            return None;
        }
        let card = self.models.find(&ask.name).cloned();
        // A rule answers what Ollama would pass to the model; what it refuses is for rules of the route.
        if card.as_ref().is_some_and(|card| check(format, ask, card).is_err()) {
            return None;
        }
        let card = card.unwrap_or_else(|| Card::named(ask.name.clone()));
        let incoming = incoming(source, &card, from);
        let selected = self.rules.select_stated(&incoming, &from.stream.caller)?;
        let selected = computed(selected, &incoming);
        Some(self.replied(&selected, ask, &card, from).ok_or_else(|| ruled(&selected)))
    }

    fn asked_of_ollama(
        &mut self,
        format: &dyn WireFormat,
        (ask, source): (&ParsedRequest, &ParsedRequest),
        from: &Reception<'_>,
    ) -> Answered {
        let catalog = Arc::clone(&self.config.catalog);
        let hash = || self.config.seed.derive("match", [format.route().as_bytes(), from.body]);
        let chosen = catalog.choose(source, self.config.matching, hash);
        let is_recorded = self.config.matching == Matching::Exact && chosen.as_ref().is_ok_and(Choice::is_own);
        let card = self.models.find(&ask.name).cloned();
        let deleted = card.is_none() && catalog.card(&ask.name).is_some();
        if is_recorded && !deleted {
            // The bytes of a recording win over every rule.
            return self.recorded(ask, card.as_ref(), &chosen, from);
        }
        let card = match card {
            Some(card) => card,
            // A recording may have been asked for under another name than its model is listed by.
            None if self.config.any_model
                || !deleted && (self.config.matching == Matching::Any || catalog.answers(&ask.name)) =>
            {
                Card::named(ask.name.clone())
            }
            None => return self.unknown_model((ask, source), &chosen, from),
        };
        if ask.is_load() && ask.keep_alive.is_some_and(crate::models::KeepAlive::is_zero) {
            self.scheduler.runners.unload(&card, self.now);
            return self.loaded(ask, Reason::Unload, from);
        }
        if let Err(refusal) = check(format, ask, &card) {
            return self.refused_by_ollama(self.refused(ask, &refusal, from), &refusal.text, from);
        }
        if ask.is_load() {
            return self.load(ask, card, from);
        }
        if ask.debug_render_only && dialect::of(ask.dialect).is_native() {
            let script = catalog.script(&source.name);
            let rendered = script.map_or_else(|| ask.last_text.clone(), |script| script.defaults.rendered(&card, ask));
            return debug_reply(ask, &rendered, self.config.wall.unix_nanos(self.now)).into();
        }
        if chosen.is_ok() {
            return self.recorded(ask, Some(&card), &chosen, from);
        }
        let incoming = incoming(source, &card, from);
        if let Some(selected) = self.rules.select_scripted(&incoming, &from.stream.caller) {
            return self.replied(&selected, ask, &card, from).unwrap_or_else(|| Reply::empty(500).into());
        }
        let miss = chosen.err().map(|miss| miss.to_string()).unwrap_or_default();
        let why = self.unmatched(&miss, &incoming);
        self.missed(ask, &why, &format!("mock-ollama: {why}"), from)
    }

    /// Answers a request to load a model: at once where it is loaded or loads take no time, else through the queue of loads.
    fn load(&mut self, ask: &ParsedRequest, card: Card, from: &Reception<'_>) -> Answered {
        let (options, runners) = (load_options(ask), &mut self.scheduler.runners);
        if self.config.backend.loads.is_some() && runners.find(&card, &options, self.now) != Found::Loaded {
            let Answered { source, .. } = self.loaded(ask, Reason::Load, from);
            let answered = self.admitted(ask, card, source, Answer::Served, from);
            return Answered { timing: Timing::AtOnce, ..answered };
        }
        runners.load(&card, &options, ask.keep_alive, self.now);
        self.loaded(ask, Reason::Load, from)
    }

    /// Returns the one object for a request with nothing to generate; it is written at once, also where a stream was asked for.
    fn loaded(&self, ask: &ParsedRequest, reason: Reason, from: &Reception<'_>) -> Answered {
        let done = Some(Done { reason, metrics: None, context: Vec::new() });
        let part = Part { unix_nanos: self.config.wall.unix_nanos(self.now), done, ..Part::default() };
        let mut render = dialect::of(ask.dialect).render(ask, from.ids);
        if !ask.stream || dialect::of(ask.dialect).is_native() {
            return render.whole(&part).into();
        }
        let chunks = render.part(&part);
        let fields = render.stream_fields();
        if dialect::of(ask.dialect).flushes_events() {
            return Arc::new(at_once(fields, chunks, Duration::ZERO)).into();
        }
        Reply { status: 200, fields, body: chunks.concat(), flushed: false }.into()
    }

    fn refused(&self, ask: &ParsedRequest, refusal: &Refusal, from: &Reception<'_>) -> Answered {
        Arc::new(self.refusal(ask, refusal, Duration::ZERO, from)).into()
    }

    /// Returns what a refused request gets, due `at` after it.
    fn refusal(&self, ask: &ParsedRequest, refusal: &Refusal, at: Duration, from: &Reception<'_>) -> Prepared {
        let mut render = dialect::of(ask.dialect).render(ask, from.ids);
        let unix_nanos = self.config.wall.unix_nanos(self.now);
        match ask.stream.then(|| render.refusal(&refusal.text, unix_nanos)).flatten() {
            Some(chunks) => at_once(render.stream_fields(), chunks, at),
            None => Prepared::reply(refuse(dialect::of(ask.dialect), refusal, ask.stream, from.ids), at),
        }
    }

    /// Returns the real server's words for a model that it does not have; for a test it is still unexpected.
    fn unknown_model(
        &mut self,
        (ask, source): (&ParsedRequest, &ParsedRequest),
        chosen: &Result<Choice<'_>, Miss>,
        from: &Reception<'_>,
    ) -> Answered {
        let text = format!("model '{}' not found", ask.model);
        let why = match chosen {
            Err(miss) => self.unmatched(&miss.to_string(), &incoming(source, &Card::named(ask.name.clone()), from)),
            Ok(_) => text.clone(),
        };
        let missed = self.missed(ask, &why, &text, from);
        match self.stated_for_route(from) {
            Some(selected) => Self::replied_plainly(&selected, missed, from),
            None => missed,
        }
    }

    fn missed(&self, ask: &ParsedRequest, why: &str, text: &str, from: &Reception<'_>) -> Answered {
        let refusal = Refusal::by_handler(404, text);
        Answered { answer: Answer::Unexpected { why: why.to_owned() }, ..self.refused(ask, &refusal, from) }
    }

    fn recorded(
        &mut self,
        ask: &ParsedRequest,
        card: Option<&Card>,
        chosen: &Result<Choice<'_>, Miss>,
        from: &Reception<'_>,
    ) -> Answered {
        let Ok(choice) = chosen else { return Reply::empty(500).into() };
        let earlier = self.turn(choice.key(), from);
        let Candidate { offer, delivery } = choice.pick(earlier);
        let answer = Answer::Matched { recording: offer.recording.to_string(), exchange: offer.exchange };
        let card = card.cloned().unwrap_or_else(|| Card::named(offer.model.clone()));
        match delivery {
            Delivery::Stored(response) => {
                let source =
                    AnswerSource::Prepared { response: Arc::clone(response), created_at: self.config.created_at };
                self.admitted(ask, card, source, answer, from)
            }
            Delivery::Rendered(generation) => {
                self.rendered(ask, &card, (Arc::clone(generation), offer.response.end), answer, from)
            }
        }
    }

    /// Returns how often these exchanges were given before, and counts it.
    pub(super) fn turn(&mut self, choice: (&Arc<str>, usize), from: &Reception<'_>) -> usize {
        // Of one caller where the server counts so: then the choice does not depend on what others ask meanwhile.
        let caller = (self.config.per != Per::Server).then_some(&from.stream.caller);
        self.callers.count_choice(caller, choice)
    }

    /// Returns an answer that is rendered in the dialect of the request, with the end of its connection.
    pub(super) fn rendered(
        &mut self,
        ask: &ParsedRequest,
        card: &Card,
        (generation, end): (Arc<Generation>, End),
        answer: Answer,
        from: &Reception<'_>,
    ) -> Answered {
        let failed_at = generation.last.at;
        let live = LiveAnswer::new(ask, card, (generation, end), from.ids);
        let source = match live.whole_failure() {
            Some((status, text)) => {
                let refusal = Refusal { status, text: text.to_owned(), by: RefusedBy::Runner };
                ready(self.refusal(ask, &refusal, failed_at, from))
            }
            None => AnswerSource::Live(Box::new(live)),
        };
        self.admitted(ask, card.clone(), source, answer, from)
    }

    /// Returns the answer of a model, which may have to wait for the backend; a refusal where too many requests wait.
    pub(super) fn admitted(
        &mut self,
        ask: &ParsedRequest,
        card: Card,
        source: AnswerSource,
        answer: Answer,
        from: &Reception<'_>,
    ) -> Answered {
        let (stream, options) = (from.stream.clone(), load_options(ask));
        let request = LoadRequest { stream, card: card.clone(), options, keep_alive: ask.keep_alive };
        let is_loaded = match self.scheduler.arrive(request, self.now) {
            Arrival::Busy => {
                let refusal = Refusal::by_handler(503, BUSY);
                return self.refused(ask, &refusal, from);
            }
            Arrival::Waits => Some(false),
            Arrival::Loaded => Some(true),
        };
        let model = Some(Arc::new(card));
        Answered { answer, model, is_loaded, timing: Timing::Paced, ..Answered::new(source) }
    }
}

/// The options that a model is loaded with (`server/sched.go`, `needsReload`).
const LOAD_OPTIONS: [&str; 7] = ["main_gpu", "num_batch", "num_ctx", "num_gpu", "num_thread", "shift", "use_mmap"];

fn load_options(ask: &ParsedRequest) -> String {
    let stated = LOAD_OPTIONS.iter().filter_map(|name| Some(format!("{name}={}", ask.options.get(*name)?)));
    stated.collect::<Vec<_>>().join(",")
}

/// Returns a stream whose chunks leave at one instant.
fn at_once(fields: Vec<(String, String)>, chunks: Vec<Vec<u8>>, at: Duration) -> Prepared {
    Prepared::lines(200, fields, chunks.into_iter().map(|chunk| (at, chunk)))
}

/// Returns a source of bytes in which no time is patched.
fn ready(response: Prepared) -> AnswerSource {
    AnswerSource::Prepared { response: Arc::new(response), created_at: CreatedAt::Recorded }
}

/// Returns whether a request that cannot be decoded asked for a stream, as far as can be seen.
fn wants_stream(format: &dyn WireFormat, body: &[u8]) -> bool {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    value["stream"].as_bool().unwrap_or(format.is_native())
}

/// Returns a request as rules see it. A model that can think does so where the request says nothing.
fn incoming(source: &ParsedRequest, card: &Card, from: &Reception<'_>) -> IncomingRequest {
    let can_think = card.capabilities.iter().any(|known| known == "thinking");
    IncomingRequest::of_answer(&from.parts(), source, can_think)
}
