//! Which recording answers a request.

use rstest::rstest;
use serde_json::json;

use super::{CONN, TestEngine, ask, generate, post, recording};
use crate::catalog::Matching;
use crate::clock::Instant;
use crate::journal::{Answer, CALLER_HEADER, ConnId, ServerId};
use crate::recording::{End, Exchange, Recording};
use crate::rules::Per;
use crate::schedule::Pace;
use crate::seed::Seed;

fn bench(recordings: Vec<Recording>, matching: Matching) -> TestEngine {
    TestEngine::new(recordings, |config| {
        config.matching = matching;
        config.pace = Pace::instant();
    })
}

/// The recordings that answered, in order; what was missed is `None`.
fn answered(bench: &TestEngine) -> Vec<Option<String>> {
    let answers = bench.engine.journal().entries.iter().map(|entry| match &entry.answer {
        Answer::Matched { recording, .. } => Some(recording.clone()),
        _ => None,
    });
    answers.collect()
}

fn chat(name: &str, messages: &serde_json::Value) -> Recording {
    let object = r#"{"model":"tiny","created_at":"t","message":{"role":"assistant","content":"x"},"done":true}"#;
    let body = json!({ "model": "tiny", "messages": messages });
    recording(name, "tiny", "/api/chat", body, &[format!("{object}\n")])
}

#[test]
fn exact_compares_prompts_and_takes_any_form_of_the_model_name() {
    let mut bench = bench(vec![generate("hi", "tiny", "Say hi", &["x"])], Matching::Exact);
    bench.send(ask("Tiny:latest", "Say hi")).send(ask("tiny", "Say ho")).run();
    assert_eq!(answered(&bench), [Some("hi".to_owned()), None]);
}

#[test]
fn exact_compares_messages_as_json_not_as_text() {
    let mut bench = bench(vec![chat("c", &json!([{ "role": "user", "content": "a" }]))], Matching::Exact);
    bench.send(post("/api/chat", r#"{"messages":[ {"content":"a","role":"user"} ], "model":"tiny"}"#, "")).run();
    assert_eq!(answered(&bench), [Some("c".to_owned())]);
}

#[test]
fn several_recordings_of_one_request_are_served_in_turn_to_each_agent() {
    let pair = ["first", "second"].map(|name| generate(name, "tiny", "Say hi", &["x"]));
    let mut bench = TestEngine::new(pair.to_vec(), |config| {
        (config.pace, config.per) = (Pace::instant(), Per::Caller);
    });
    bench.engine.handle_connected(ConnId(2), ServerId(0), Instant::ZERO);
    let body = "{\"model\":\"tiny\",\"prompt\":\"Say hi\"}";
    let named = |agent: &str| post("/api/generate", body, &format!("{CALLER_HEADER}: {agent}\r\n"));
    for (conn, agent) in [(CONN, "a"), (ConnId(2), "b"), (CONN, "a"), (ConnId(2), "b"), (CONN, "a")] {
        bench.send_on(conn, named(agent));
    }
    let expected = ["first", "first", "second", "second", "first"].map(|name| Some(name.to_owned()));
    assert_eq!(answered(&bench), expected);
}

#[test]
fn several_recordings_of_one_request_are_served_in_turn_whatever_the_connection() {
    let pair = ["first", "second"].map(|name| generate(name, "tiny", "Say hi", &["x"]));
    let mut bench = bench(pair.to_vec(), Matching::Exact);
    bench.engine.handle_connected(ConnId(2), ServerId(0), Instant::ZERO);
    bench.send(ask("tiny", "Say hi"));
    bench.send_on(ConnId(2), ask("tiny", "Say hi"));
    assert_eq!(answered(&bench), ["first", "second"].map(|name| Some(name.to_owned())));
}

#[test]
fn without_the_header_the_connection_is_the_agent() {
    let pair = ["first", "second"].map(|name| generate(name, "tiny", "Say hi", &["x"]));
    let mut bench = TestEngine::new(pair.to_vec(), |config| {
        (config.pace, config.per) = (Pace::instant(), Per::Caller);
    });
    bench.engine.handle_connected(ConnId(2), ServerId(0), Instant::ZERO);
    bench.send(ask("tiny", "Say hi"));
    bench.send_on(ConnId(2), ask("tiny", "Say hi"));
    assert_eq!(answered(&bench), [Some("first".to_owned()), Some("first".to_owned())]);
}

#[test]
fn loose_never_depends_on_the_order_of_requests() {
    let many: Vec<Recording> = (0..5).map(|n| generate(&format!("r{n}"), "tiny", "p", &["x"])).collect();
    let prompts: Vec<String> = (0..12).map(|n| format!("prompt {n}")).collect();
    let run = |prompts: &[String]| {
        let mut bench = bench(many.clone(), Matching::Loose);
        for prompt in prompts {
            bench.send(ask("tiny", prompt));
        }
        let mut pairs: Vec<_> = prompts.iter().cloned().zip(answered(&bench)).collect();
        pairs.sort();
        pairs
    };
    let forward = run(&prompts);
    let backward: Vec<String> = prompts.iter().rev().cloned().collect();
    assert_eq!(forward, run(&backward));
    let used: std::collections::BTreeSet<_> = forward.iter().map(|(_, recording)| recording).collect();
    assert!(used.len() > 2, "the hash spreads requests over recordings: {used:?}");
}

#[test]
fn the_seed_changes_what_loose_chooses() {
    let many: Vec<Recording> = (0..5).map(|n| generate(&format!("r{n}"), "tiny", "p", &["x"])).collect();
    let run = |seed| {
        let mut bench = bench(many.clone(), Matching::Loose);
        bench.engine.config.seed = Seed(seed);
        for n in 0..12 {
            bench.send(ask("tiny", &format!("prompt {n}")));
        }
        answered(&bench)
    };
    assert_ne!(run(1), run(2));
}

#[rstest]
#[case(Matching::Loose, false)]
#[case(Matching::Any, true)]
fn only_any_answers_for_another_model(#[case] rule: Matching, #[case] found: bool) {
    let mut bench = bench(vec![generate("hi", "tiny", "Say hi", &["x"])], rule);
    bench.send(ask("other", "x")).run();
    assert_eq!(answered(&bench)[0].is_some(), found);
}

#[test]
fn the_loose_rules_prefer_whole_answers_to_recorded_failures() {
    let failures = ["status", "cut", "error"].map(|name| {
        let mut failure = generate(name, "tiny", "p", &["x"]);
        let exchange = &mut failure.exchanges[0];
        match name {
            "status" => exchange.response.status = 500,
            "cut" => exchange.end = End::Eof,
            _ => exchange.chunks.last_mut().unwrap().bytes = "{\"error\":\"boom\"}\n".into(),
        }
        failure
    });
    let all = failures.into_iter().chain([generate("whole", "tiny", "p", &["x"])]);
    let mut bench = bench(all.collect(), Matching::Any);
    for n in 0..9 {
        bench.send(ask("tiny", &format!("{n}")));
    }
    assert!(answered(&bench).iter().all(|recording| recording.as_deref() == Some("whole")));
}

#[test]
fn a_recording_without_a_request_is_found_by_the_loose_rules_alone() {
    let mut unknown = generate("hi", "tiny", "", &["x"]);
    let exchange = unknown.exchanges.remove(0);
    unknown.exchanges.push(Exchange { request: None, ..exchange });
    let run = |rule| answered(bench(vec![unknown.clone()], rule).send(ask("tiny", "Say hi")))[0].is_some();
    assert_eq!((run(Matching::Exact), run(Matching::Loose)), (false, true));
}

#[rstest]
#[case::prompt("miss_prompt", ask("tiny", "Say ho ho ho"))]
#[case::model("miss_model", ask("other", "Say hi"))]
#[case::path("miss_path", post("/api/chat", r#"{"model":"tiny","messages":[{"role":"user","content":"a"}]}"#, ""))]
#[case::message(
    "miss_message",
    post(
        "/api/chat",
        r#"{"model":"talker","messages":[{"role":"user","content":"c"},{"role":"user","content":"b"}]}"#,
        ""
    )
)]
#[case::message_count(
    "miss_message_count",
    post("/api/chat", r#"{"model":"talker","messages":[{"role":"user","content":"a"}]}"#, "")
)]
fn a_miss_names_the_models_the_nearest_recording_and_the_first_difference(#[case] name: &str, #[case] request: String) {
    let mut talker = chat("talk", &json!([{ "role": "user", "content": "a" }, { "role": "user", "content": "b" }]));
    if let Some(crate::recording::RequestBody::Json(body)) =
        talker.exchanges[0].request.as_mut().and_then(|request| request.body.as_mut())
    {
        body["model"] = json!("talker");
    }
    let mut bench = bench(vec![generate("hi", "tiny", "Say hi", &["x"]), talker], Matching::Exact);
    bench.send(&request);
    let Answer::Unexpected { why } = &bench.engine.journal().entries[0].answer else { panic!("it was answered") };
    let output = bench.output();
    let (head, body) = output.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
    let error: serde_json::Value = serde_json::from_str(body).unwrap();
    // Of a model that it does not have, the server says what the real one says.
    let said = if name == "miss_model" { "model 'other' not found".to_owned() } else { format!("mock-ollama: {why}") };
    assert_eq!(error["error"], said);
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(name, why);
    });
}

#[test]
fn an_empty_prompt_loads_a_known_model_and_answers_one_object() {
    let mut bench = bench(vec![generate("hi", "tiny", "Say hi", &["x"])], Matching::Exact);
    bench.send(post("/api/generate", "{\"model\":\"TINY\"}", ""));
    assert!(bench.output().ends_with(
        r#"{"model":"TINY","created_at":"2026-08-01T10:00:00Z","response":"","done":true,"done_reason":"load"}"#
    ));
    bench.send("GET /api/ps HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(bench.output().contains("\"name\":\"tiny:latest\""));
    bench.send(post("/api/chat", "{\"model\":\"tiny\",\"keep_alive\":0}", ""));
    bench.send("GET /api/ps HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(bench.output().ends_with("{\"models\":[]}"));
}

#[rstest]
#[case::known("tiny", 200)]
#[case::unknown("nope", 404)]
fn show_tells_what_is_known_of_a_model(#[case] model: &str, #[case] status: u16) {
    let mut bench = bench(vec![generate("hi", "tiny", "Say hi", &["x"])], Matching::Exact);
    bench.send(post("/api/show", &format!("{{\"name\":\"{model}\"}}"), ""));
    assert!(bench.output().starts_with(&format!("HTTP/1.1 {status} ")));
    if status == 404 {
        assert!(bench.output().ends_with("{\"error\":\"model 'nope:latest' not found\"}"));
    }
}
