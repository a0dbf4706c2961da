//! Counters that hold together: whatever the dialect and the pace, they follow from the timeline that was served.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use mock_ollama::catalog::Catalog;
use mock_ollama::script;

use crate::bench::{Answer, Bench, scripted};

fn bench(pace: &str) -> Bench {
    Bench::with(|config| config.pace = pace.parse().unwrap())
}

/// Nanoseconds from the request to the last write.
fn took(answer: &Answer) -> u64 {
    answer.writes.last().unwrap().0.as_nanos()
}

fn metrics(object: &Value) -> [u64; 4] {
    ["load_duration", "prompt_eval_duration", "eval_duration", "total_duration"]
        .map(|key| object[key].as_u64().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn durations_add_up_to_the_time_that_was_served(
        pace in prop::sample::select(vec!["recorded", "x20", "x0.5", "rate=40", "gap=3ms", "instant", "recorded,ttft=70ms", "x3,jitter=40%"]),
        word in prop::sample::select(vec!["hi", "HTML", "EMPTYGEN", "LENGTH", "THINKING", "BADUTF"]),
        model in prop::sample::select(vec!["llama", "think", "q3"]),
        stream: bool,
        generate: bool,
    ) {
        let (path, body) = if generate {
            ("/api/generate", json!({ "model": model, "prompt": word, "stream": stream }))
        } else {
            ("/api/chat", json!({ "model": model, "messages": [{ "role": "user", "content": word }], "stream": stream }))
        };
        let answer = bench(pace).post(path, &body);
        let last = answer.objects().pop().unwrap();
        let [load, prompt, eval, total] = metrics(&last);
        prop_assert!(load + prompt + eval <= total, "{last}");
        prop_assert!(total.abs_diff(took(&answer)) <= 3, "{total} of {}", took(&answer));
        prop_assert!(total - (load + prompt + eval) <= 3, "nothing is unaccounted for: {last}");
    }

    #[test]
    fn a_stream_and_a_whole_answer_count_the_same(word in prop::sample::select(vec!["hi", "HTML", "LENGTH"])) {
        let of = |stream: bool| {
            let body = json!({ "model": "llama", "prompt": word, "stream": stream });
            let answer = bench("x7").post("/api/generate", &body);
            let last = answer.objects().pop().unwrap();
            (metrics(&last), last["eval_count"].clone(), last["prompt_eval_count"].clone(), took(&answer))
        };
        prop_assert_eq!(of(true), of(false));
    }
}

#[test]
fn every_dialect_reports_the_counts_of_the_same_generation() {
    let says = json!([{ "role": "user", "content": "HTML" }]);
    let usage = |path: &str, body: Value| Bench::scripted().post(path, &body).json()["usage"].clone();
    let openai = json!({ "prompt_tokens": 11, "completion_tokens": 11, "total_tokens": 22 });
    assert_eq!(usage("/v1/chat/completions", json!({ "model": "llama", "messages": says })), openai);
    assert_eq!(usage("/v1/completions", json!({ "model": "llama", "prompt": "HTML" })), openai);
    let responses = usage("/v1/responses", json!({ "model": "llama", "input": "HTML" }));
    assert_eq!((&responses["input_tokens"], &responses["output_tokens"]), (&json!(11), &json!(11)));
    let messages = usage("/v1/messages", json!({ "model": "llama", "messages": says, "max_tokens": 9 }));
    assert_eq!(messages, json!({ "input_tokens": 11, "output_tokens": 11 }));
}

#[test]
fn created_at_is_the_instant_at_which_each_object_left() {
    let answer = bench("gap=250ms").post("/api/generate", &json!({ "model": "llama", "prompt": "hi" }));
    let times: Vec<Value> = answer.objects().iter().map(|object| object["created_at"].clone()).collect();
    let expected = ["00.25", "00.5", "00.75", "01"].map(|time| format!("2026-08-01T10:00:{time}Z"));
    assert_eq!(times, expected);
}

/// The scripted models under other names: nothing of an answer is stored, all of it follows from rules.
#[test]
fn another_prompt_and_another_model_name_change_the_answer_accordingly() {
    let read = |name: &str| std::fs::read_to_string(scripted().join(name)).unwrap();
    let text = (read("models.toml") + &read("words.toml")).replace("\"llama\"", "\"vicuna:9b\"");
    let script = script::parse(&text, "renamed").unwrap();
    let catalog = Arc::new(Catalog::with_scripts([], [script]));
    let mut bench = Bench::with(|config| config.catalog = catalog);
    let says = |word: &str| json!({ "model": "Vicuna:9b", "messages": [{ "role": "user", "content": word }] });
    let objects = bench.post("/api/chat", &says("LENGTH and more words")).objects();
    assert!(objects.iter().all(|object| object["model"] == "Vicuna:9b"));
    assert_eq!(objects.last().unwrap()["done_reason"], "length");
    let refused = bench.post("/api/generate", &json!({ "model": "vicuna:9b", "prompt": "x", "suffix": "y" }));
    assert_eq!(refused.json()["error"], "registry.ollama.ai/library/vicuna:9b does not support insert");
    let context = |bench: &mut Bench, prompt: &str| {
        let body = json!({ "model": "vicuna:9b", "prompt": prompt, "stream": false });
        bench.post("/api/generate", &body).json()["context"].as_array().unwrap().len()
    };
    assert_eq!(context(&mut bench, "one") + 2, context(&mut bench, "one two three"));
    assert_eq!(bench.post("/api/chat", &json!({ "model": "llama", "messages": [] })).status, 404);
}
