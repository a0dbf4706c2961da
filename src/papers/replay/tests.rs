use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

static ROW: LazyLock<AgentRow> = LazyLock::new(|| published().agents[0].clone());

fn published() -> Published {
    Published::built_in().unwrap()
}

fn lines(recording: &mock_ollama::recording::Recording) -> Vec<Value> {
    recording.exchanges[0].chunks.iter().map(|chunk| serde_json::from_slice(&chunk.bytes).unwrap()).collect()
}

#[test]
fn there_are_125_runs_of_two_agents() {
    let published = published();
    assert_eq!((published.runs.len(), published.agents.len()), (125, 250));
    assert!(published.runs.iter().all(|run| published.agents_of(run).count() == 2));
}

#[test]
fn the_published_efficiency_follows_from_the_rows_for_every_run() {
    let published = published();
    for run in &published.runs {
        let sequential: f64 = published.agents_of(run).map(|row| row.execution_s).sum();
        let speedup = sequential / run.wall_s;
        assert!((sequential - run.sequential_s).abs() < 1e-9, "{run:?}");
        assert!((speedup - run.speedup).abs() < 1e-9, "{run:?}");
        assert!((speedup / 2.0 * 100.0 - run.efficiency_pct).abs() < 1e-9, "{run:?}");
        assert_eq!(speedup < 1.5, run.contention, "{run:?}");
    }
}

#[test]
fn a_stream_is_made_of_the_servers_own_counters() {
    let published = published();
    let run = published.find("chimera_homo_gpu80_ctx512").unwrap();
    let row = published.agents_of(run).nth(1).unwrap();
    let recording = stream::recording(row).unwrap();
    let lines = lines(&recording);
    insta::assert_snapshot!(lines[0], @r#"{"model":"gemma3:latest","created_at":"2025-11-01T00:00:00.331291621Z","response":"Two","done":false}"#);
    insta::assert_snapshot!(lines.last().unwrap(), @r#"{"model":"gemma3:latest","created_at":"2025-11-01T00:00:01.7371047Z","response":"","done":true,"done_reason":"stop","total_duration":1737104700,"load_duration":297807000,"prompt_eval_count":64,"prompt_eval_duration":12810900,"eval_count":69,"eval_duration":1426486800}"#);
    let times: Vec<u64> = recording.exchanges[0].chunks.iter().map(|chunk| chunk.at_us).collect();
    // 69 tokens: 68 texts and the end-of-text token. load + prompt_eval = 310.6179 ms, 20.674 ms a token.
    assert_eq!((times.len(), times[0], times[1], times[68]), (69, 331_291, 351_965, 1_737_104));
}

#[test]
fn every_published_row_becomes_a_stream_whose_counters_are_the_published_ones() {
    for row in &published().agents {
        let recording = stream::recording(row).unwrap();
        let chunks = &recording.exchanges[0].chunks;
        let lines = lines(&recording);
        assert_eq!(lines.len(), row.tokens as usize, "{}", recording.name);
        let (end, texts) = lines.split_last().unwrap();
        assert!(texts.iter().all(|line| line["done"] == false && line["response"] != ""), "{}", recording.name);
        assert_eq!((&end["done"], &end["eval_count"]), (&true.into(), &row.tokens.into()), "{}", recording.name);
        let micros = (row.load_ms + row.prompt_eval_ms + row.eval_ms) * 1e3;
        #[expect(clippy::cast_precision_loss, reason = "seconds in microseconds")]
        let last = chunks.last().unwrap().at_us as f64;
        assert!((micros - last).abs() <= 1.0, "{}", recording.name);
        assert!(chunks.windows(2).all(|pair| pair[0].at_us <= pair[1].at_us), "{}", recording.name);
    }
}

#[test]
fn options_are_sent_as_published_and_not_where_they_were_not() {
    let published = published();
    let workload = published.workload("baseline_vs_chimera_gpu80_ctx512").unwrap();
    let bodies: Vec<_> = workload.agents.iter().map(|agent| agent.requests[0].body.as_str()).collect();
    insta::assert_snapshot!(bodies.join("\n"));
}

#[test]
fn the_second_tokio_run_is_taken_where_nothing_is_said() {
    let published = published();
    let short = published.workload("chimera_homo_gpu80_ctx512").unwrap();
    let long = published.workload("chimera_homo_gpu80_ctx512:tokio-default:2").unwrap();
    assert_eq!(short, long);
    assert_eq!(short.name, "tr115:chimera_homo_gpu80_ctx512:tokio-default:2");
    let other = published.workload("chimera_homo_gpu80_ctx512:smol:3").unwrap();
    assert_ne!(other.recordings, long.recordings);
}

#[test]
fn a_run_that_was_not_published_is_answered_with_those_that_were() {
    let published = published();
    let answers = ["chimera", "chimera_homo_gpu80_ctx512:glommio", "chimera_homo_gpu80_ctx512:smol:6"]
        .map(|name| published.find(name).unwrap_err().to_string());
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn rows_without_tokens_or_with_impossible_times_are_refused() {
    let row = published().agents[0].clone();
    assert!(stream::recording(&AgentRow { tokens: 0, ..row.clone() }).is_none());
    assert!(stream::recording(&AgentRow { eval_ms: -1.0, ..row.clone() }).is_none());
    assert!(stream::recording(&AgentRow { load_ms: f64::NAN, ..row }).is_none());
}

proptest! {
    #[test]
    fn streams_never_go_back_in_time(tokens in 1_u32..900, load in 0.0..9e3, prompt in 0.0..99.0, eval in 0.0..2e4) {
        let row = AgentRow { tokens, load_ms: load, prompt_eval_ms: prompt, eval_ms: eval, ..ROW.clone() };
        let recording = stream::recording(&row).unwrap();
        let times: Vec<u64> = recording.exchanges[0].chunks.iter().map(|chunk| chunk.at_us).collect();
        prop_assert!(times.is_sorted());
        prop_assert_eq!(times.len(), tokens as usize);
    }
}

#[test]
fn a_published_scenario_is_a_workload_of_its_own_recordings() {
    let workload = select("chimera_homo_gpu80_ctx512", None).unwrap();
    assert_eq!((workload.agents.len(), workload.recordings.len()), (2, 2));
}

#[test]
fn a_published_run_of_three_agents_is_refused() {
    let error = select("chimera_homo_gpu80_ctx512", NonZeroUsize::new(3)).unwrap_err();
    assert!(matches!(error, Tr115Error::Agents { .. }));
}
