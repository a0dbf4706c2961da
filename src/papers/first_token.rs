//! What collecting 1 KB of a stream adds to its first token.
//!
//! TR115's "1 KB client" hands on what it has once it holds at least 1,024 bytes. A token's line is much shorter, so the
//! first token waits for those that fill the buffer.

use crate::stats::quantile::median;
use mock_ollama::catalog::builtin;
use mock_ollama::recording::Recording;
use serde_json::Value;

use super::data::Run;
use super::judge::Judged;
use super::predict::predict;
use crate::papers::published::AgentRow;
use crate::report::text::Table;

/// What the client collects, in bytes.
const COLLECTED: f64 = 1_024.0;

/// The clients that differ in nothing else.
const CAPPED: &str = "smol";
const COLLECTING: &str = "smol-1kb";

/// The bytes of a token's line in the answers of `/api/generate`: the median of the built-in recordings' own lines, each
/// with the name of `model` in place of its own.
pub(super) fn line_bytes(model: &str) -> Option<f64> {
    let recordings = builtin::names().filter_map(|name| builtin::recording(name)?.ok());
    median(recordings.flat_map(|recording| lines(&recording, model)).collect())
}

fn lines(recording: &Recording, model: &str) -> Vec<f64> {
    let generated = |exchange: &&mock_ollama::recording::Exchange| {
        exchange.request.as_ref().is_some_and(|request| request.path == "/api/generate")
    };
    let chunks = recording.exchanges.iter().filter(generated).flat_map(|exchange| &exchange.chunks);
    let size = |line: &[u8]| {
        let parsed: Value = serde_json::from_slice(line).ok()?;
        let (text, own) = (parsed.get("response")?.as_str()?, parsed.get("model")?.as_str()?);
        let bytes = u32::try_from(line.len() + 1 + model.len() - own.len()).ok()?;
        (!text.is_empty()).then_some(f64::from(bytes))
    };
    chunks.flat_map(|chunk| chunk.bytes.split(|&byte| byte == b'\n').filter_map(size).collect::<Vec<_>>()).collect()
}

/// The lines that a client collects before it hands on the first.
pub(super) fn lines_collected(line_bytes: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 1 and 1024")]
    let lines = (COLLECTED / line_bytes).ceil().clamp(1.0, COLLECTED) as u32;
    lines
}

/// What the tokens of `lines` lines but the first take an agent of a run on the device, in milliseconds.
fn added(judged: &Judged<'_>, agent: usize, lines: u32) -> f64 {
    let ended = |tokens| {
        let mut input = judged.run.input(judged.constants);
        input.agents[agent].tokens = tokens;
        predict(&input, judged.run.setup).0[agent].ended
    };
    ended(lines).saturating_since(ended(1)).as_secs_f64() * 1e3
}

/// What of an agent's first token is neither load nor evaluation of the prompt, in milliseconds.
fn rest(agent: &AgentRow) -> f64 {
    agent.ttft_ms - agent.load_ms - agent.prompt_eval_ms
}

/// The medians over the warm agents of `runtime` in `scenario`: of the first token, of its part that is no work, and of
/// what collecting `lines` lines would add.
fn medians(judged: &[Judged<'_>], runtime: &str, (scenario, agent): (&str, &str), lines: u32) -> Option<[f64; 3]> {
    let of = |run: &Run<'_>| run.is_warm() && run.row.runtime == runtime && run.row.scenario == scenario;
    let runs = judged.iter().filter(|judged| of(&judged.run));
    let found: Vec<[f64; 3]> = runs
        .filter_map(|judged| {
            let place = judged.run.agents.iter().position(|row| row.agent == agent)?;
            let row = judged.run.agents[place];
            Some([row.ttft_ms, rest(row), added(judged, place, lines)])
        })
        .collect();
    let column = |column: usize| median(found.iter().map(|row| row[column]).collect());
    Some([column(0)?, column(1)?, column(2)?])
}

/// Predicted beside published, a row for each scenario and agent; absent where the tables do not hold both clients.
pub(super) fn section(judged: &[Judged<'_>]) -> Option<String> {
    let model = judged.first().map_or("", |judged| judged.run.agents[0].model.as_str());
    let bytes = line_bytes(model)?;
    let lines = lines_collected(bytes);
    let mut places: Vec<(&str, &str)> = judged
        .iter()
        .flat_map(|judged| judged.run.agents.map(|agent| (agent.scenario.as_str(), agent.agent.as_str())))
        .collect();
    places.sort_unstable();
    places.dedup();
    let mut table =
        Table::new(&["scenario", "agent", "predicted", "published, first token", "published, without work"]);
    let mut rows = 0;
    for (scenario, agent) in places {
        let of = |runtime| medians(judged, runtime, (scenario, agent), lines);
        let Some((capped, collecting)) = of(CAPPED).zip(of(COLLECTING)) else { continue };
        let difference = |column: usize| format!("{:.0} ms", collecting[column] - capped[column]);
        table.row(vec![
            scenario.to_owned(),
            agent.to_owned(),
            format!("{:.0} ms", collecting[2]),
            difference(0),
            difference(1),
        ]);
        rows += 1;
    }
    let text = format!(
        "A token's line of `{model}` is taken to have {bytes:.0} bytes: the median of the built-in recordings' lines with \
         this model's name in place of their own. So {lines} lines are collected before the first is handed on; what the \
         later ones take on the shared device is added to the first token. The agent that begins first has the device \
         alone for a moment, so it waits less. Published is the difference of medians over warm runs, {COLLECTING} less \
         {CAPPED}; \"without work\" is what is left of the first token without load and evaluation of the prompt.\n\n"
    );
    (rows > 0).then(|| text + &table.markdown())
}

#[cfg(test)]
mod tests;
