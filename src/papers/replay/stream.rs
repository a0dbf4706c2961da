//! Streams rebuilt from published counters.

use std::time::Duration;

use mock_ollama::recording::{Chunk, Exchange, Origin, Recording, Request, Response};
use serde_json::{Map, Value, json};

use super::{AgentRow, PREFIX, RunRow, Tr115Error};
use crate::papers::published::time;
use crate::workload::file::requests_of;
use crate::workload::{AgentPlan, Workload};

/// Where the counters come from.
const SOURCE: &str = "https://github.com/Sahil170595/Chimeraforge @ 405b1eb65e18c6fb6bc6bfbd46f0d18a531da6fa, \
                      experiments/TR115_runtime_optimization/results, MIT, Copyright (c) 2025 Sahil Kadadekar";

/// Made up: the published data do not say how long prompts were.
const PROMPT_TOKENS: u64 = 64;

/// Made up: what the answers say instead of the published runs' text, which is not kept.
const WORDS: [&str; 12] =
    ["Two", " agents", " wait", " for", " one", " device", " and", " each", " is", " told", " so", "."];

/// The workload that replays `run`.
pub(super) fn workload<'a>(run: &RunRow, rows: impl Iterator<Item = &'a AgentRow>) -> Result<Workload, Tr115Error> {
    let mut workload = Workload {
        name: format!("{PREFIX}{}:{}:{}", run.scenario, run.runtime, run.run),
        description: format!(
            "Run {} of TR115's {} on {}, reconstructed. The published times already contain contention: both agents \
             shared one GPU, so replaying them side by side must not add it again.",
            run.run, run.scenario, run.runtime
        ),
        agents: Vec::new(),
        limit: None,
        backend: mock_ollama::backend::Settings::default(),
        pace: "x1".to_owned(),
        recordings: Vec::new(),
    };
    for row in rows {
        let recording = recording(row).ok_or_else(|| unusable(run, "a time or a count is out of range"))?;
        let requests = requests_of(&recording).map_err(|_| unusable(run, "its request cannot be sent"))?;
        workload.agents.push(AgentPlan::new(&row.agent, requests));
        workload.recordings.push(recording);
    }
    if workload.agents.is_empty() { Err(unusable(run, "it has no agents")) } else { Ok(workload) }
}

fn unusable(run: &RunRow, why: &'static str) -> Tr115Error {
    Tr115Error::Row { scenario: run.scenario.clone(), runtime: run.runtime.clone(), run: run.run, why }
}

/// The stream of one row; `None` when it has no token or a time that is none.
pub(super) fn recording(row: &AgentRow) -> Option<Recording> {
    let name = format!("tr115-{}-{}-{}-{}", row.scenario, row.runtime, row.run, row.agent);
    let description = "Rebuilt from published counters: token k comes at load + prompt evaluation + k * evaluation / \
                       tokens. The times are published and already contain contention; the text, the prompt, its \
                       token count and created_at are made up.";
    let response = Response::new(200, [("Content-Type", "application/x-ndjson")]);
    let exchange = Exchange::new(Some(request(row, &name)), response, chunks(row)?);
    let mut recording = Recording::new(name, Origin::Reconstructed, &row.model, vec![exchange]);
    recording.description = Some(description.to_owned());
    recording.server = Some("ollama, version unknown".to_owned());
    recording.model.capabilities = vec!["completion".to_owned()];
    recording.licence = Some("MIT".to_owned());
    recording.source = Some(SOURCE.to_owned());
    Some(recording)
}

/// The request: published options, made-up prompt. The prompt differs from row to row, so that a server can tell them
/// apart.
fn request(row: &AgentRow, name: &str) -> Request {
    let mut options = Map::new();
    let numbers = [("num_gpu", row.num_gpu), ("num_ctx", row.num_ctx)];
    options.extend(numbers.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))));
    options.extend(row.temperature.map(|value| ("temperature".to_owned(), value.into())));
    let mut body = json!({"model": row.model, "prompt": format!("[{name}]"), "stream": true});
    if !options.is_empty() {
        body["options"] = Value::Object(options);
    }
    Request::post("/api/generate", body)
}

/// The chunks: each a line of `/api/generate` in the order of the wire (`api/types.go`, `GenerateResponse`). The final
/// object's `context` is left out: it would be token ids of a text that is made up.
fn chunks(row: &AgentRow) -> Option<Vec<Chunk>> {
    let (load, prompt, eval) = (time(row.load_ms)?, time(row.prompt_eval_ms)?, time(row.eval_ms)?);
    let chunk = |token: u32, word: &str| {
        let at = load + prompt + (eval * token).checked_div(row.tokens)?;
        let is_last = token == row.tokens;
        let mut line = json!({"model": row.model, "created_at": created_at(at), "response": word, "done": is_last});
        if is_last {
            line["done_reason"] = "stop".into();
            line["total_duration"] = nanos(at)?.into();
            line["load_duration"] = nanos(load)?.into();
            line["prompt_eval_count"] = PROMPT_TOKENS.into();
            line["prompt_eval_duration"] = nanos(prompt)?.into();
            line["eval_count"] = row.tokens.into();
            line["eval_duration"] = nanos(eval)?.into();
        }
        Some(Chunk::new(u64::try_from(at.as_micros()).ok()?, format!("{line}\n")))
    };
    let words = (1..row.tokens).zip(WORDS.iter().cycle().copied());
    words.chain([(row.tokens, "")]).map(|(token, word)| chunk(token, word)).collect()
}

fn nanos(time: Duration) -> Option<u64> {
    u64::try_from(time.as_nanos()).ok()
}

/// A made-up time of day, `at` after midnight of a made-up day, as Go's RFC 3339 with nanoseconds prints it: without
/// trailing zeros. `at` is below a day.
fn created_at(at: Duration) -> String {
    let seconds = at.as_secs();
    let fraction = format!(".{:09}", at.subsec_nanos());
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("2025-11-01T{:02}:{:02}:{:02}{fraction}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
