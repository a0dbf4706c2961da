//! W-108 to W-115: scheduling as seen on the wire; and a device that several answers share.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use mock_ollama::backend::{LoadLimits, Settings};
use mock_ollama::catalog::Catalog;
use mock_ollama::clock::Instant;
use mock_ollama::engine::Action;
use mock_ollama::journal::{ConnId, ServerId};
use mock_ollama::script;
use rstest::rstest;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench, parse, scripted};

/// When the first token of the scripted model comes by itself, and how long its answer takes.
const PROMPT: Duration = Duration::from_nanos(500_000 + 12_345_678);
const EVAL: Duration = Duration::from_nanos(98_765_432);
pub(crate) const ALONE: Duration = PROMPT.saturating_add(EVAL);

/// How long both of two take that share a device at half speed each: the prompt is not shared.
pub(crate) const SHARED: Duration = ALONE.saturating_add(EVAL);

pub(crate) const LOAD: Duration = Duration::from_secs(3);

/// The scripted models on a machine.
pub(crate) fn machine(settings: Settings) -> Bench {
    Bench::with(|config| config.backend = settings)
}

fn one_slot() -> Bench {
    machine(Settings { parallel: NonZeroUsize::new(1), ..Settings::default() })
}

pub(crate) fn cold(queue: usize) -> Bench {
    machine(Settings {
        loads: Some(LoadLimits { queue, load_time: LOAD, ..LoadLimits::default() }),
        ..Settings::default()
    })
}

fn asks(bench: &mut Bench, body: &Value) -> ConnId {
    asks_at(bench, ServerId(0), body)
}

pub(crate) fn asks_at(bench: &mut Bench, server: ServerId, body: &Value) -> ConnId {
    let body = body.to_string();
    let head = "POST /api/generate HTTP/1.1\r\nHost: localhost\r\nConnection: close";
    bench.open_to(server, format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

fn hi(bench: &mut Bench) -> ConnId {
    asks(bench, &json!({ "model": "llama", "prompt": "hi" }))
}

/// Lets everything happen; what was written on each connection, and when.
pub(crate) fn play(bench: &mut Bench) -> BTreeMap<ConnId, Answer> {
    let mut written: BTreeMap<ConnId, Vec<(Instant, Vec<u8>)>> = BTreeMap::new();
    while let Some(due) = bench.engine.poll_due() {
        bench.now = bench.now.max(due);
        match bench.engine.poll_step(bench.now).and_then(|step| step.action) {
            Some(Action::Write { conn, bytes }) => {
                bench.engine.handle_written(conn, bytes.len(), bench.now);
                written.entry(conn).or_default().push((bench.now, bytes.to_vec()));
            }
            Some(Action::Close { conn } | Action::Reset { conn } | Action::Abandon { conn }) => {
                bench.engine.handle_closed(conn, bench.now);
            }
            Some(Action::Shutdown { .. }) | None => {}
        }
    }
    written.into_iter().map(|(conn, writes)| (conn, parse(writes))).collect()
}

fn first(answer: &Answer) -> Duration {
    Duration::from_nanos(answer.writes[0].0.as_nanos())
}

pub(crate) fn last(answer: &Answer) -> Duration {
    Duration::from_nanos(answer.writes.last().unwrap().0.as_nanos())
}

/// A duration of the final object.
fn counter(answer: &Answer, name: &str) -> Duration {
    Duration::from_nanos(answer.objects().last().unwrap()[name].as_u64().unwrap())
}

#[test]
fn w_108_with_one_slot_the_second_request_gets_no_byte_until_the_first_has_ended() {
    let mut bench = one_slot();
    let [one, other] = [hi(&mut bench), hi(&mut bench)];
    let answers = play(&mut bench);
    assert_eq!((answers[&one].status, answers[&other].status), (200, 200));
    assert_eq!(last(&answers[&one]), ALONE);
    assert!(first(&answers[&other]) > ALONE);
    assert_eq!(last(&answers[&other]), ALONE * 2);
}

#[test]
fn w_109_waiting_for_a_slot_is_in_the_total_and_not_in_the_load_time() {
    let mut bench = one_slot();
    let [one, other] = [hi(&mut bench), hi(&mut bench)];
    let answers = play(&mut bench);
    assert_eq!(counter(&answers[&other], "total_duration"), ALONE * 2);
    let load = |conn| counter(&answers[conn], "load_duration");
    assert_eq!(load(&other), load(&one));
}

#[test]
fn w_110_waiting_for_a_load_is_in_the_load_time() {
    let mut bench = cold(512);
    let one = hi(&mut bench);
    let other = asks(&mut bench, &json!({ "model": "think", "prompt": "hi" }));
    let answers = play(&mut bench);
    assert!((LOAD..LOAD + ALONE).contains(&counter(&answers[&one], "load_duration")));
    assert!((LOAD * 2..LOAD * 2 + ALONE).contains(&counter(&answers[&other], "load_duration")));
    for answer in answers.values() {
        let parts = ["load_duration", "prompt_eval_duration", "eval_duration"].map(|name| counter(answer, name));
        assert!(counter(answer, "total_duration") >= parts.into_iter().sum());
    }
}

#[test]
fn w_111_with_a_queue_of_one_and_a_load_running_the_second_further_request_is_refused_at_once() {
    let mut bench = cold(1);
    let models = ["llama", "think", "q3"];
    let conns = models.map(|model| asks(&mut bench, &json!({ "model": model, "prompt": "hi" })));
    let answers = play(&mut bench);
    assert_eq!(conns.map(|conn| answers[&conn].status), [200, 200, 503]);
    assert_eq!(first(&answers[&conns[2]]), Duration::ZERO);
}

#[rstest]
#[case::native("/api/generate", r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#)]
#[case::openai("/v1/chat/completions", r#"{"error":{"message":"server busy, please try again.  maximum pending requests exceeded","type":"api_error","param":null,"code":null}}"#)]
fn w_112_the_busy_text_has_two_spaces_and_no_retry_after(#[case] path: &str, #[case] text: &str) {
    let mut bench = cold(0);
    let message = json!([{ "role": "user", "content": "hi" }]);
    let answer = bench.post(path, &json!({ "model": "llama", "prompt": "hi", "messages": message }));
    assert_eq!((answer.status, answer.header("Retry-After")), (503, None));
    assert_eq!(answer.text().trim_end(), text);
}

#[test]
fn w_115_slots_are_granted_in_the_order_of_arrival() {
    let mut bench = one_slot();
    let conns = [hi(&mut bench), hi(&mut bench), hi(&mut bench)];
    let answers = play(&mut bench);
    assert_eq!(conns.map(|conn| last(&answers[&conn])), [ALONE, ALONE * 2, ALONE * 3]);
}

#[rstest]
#[case::together("llama", Some(4), [ALONE, ALONE])]
#[case::one_by_one("mllama", Some(4), [ALONE, ALONE.saturating_mul(2)])]
#[case::one_by_one_too("nemotron_h", Some(2), [ALONE, ALONE.saturating_mul(2)])]
#[case::nothing_stated("mllama", None, [ALONE, ALONE])]
fn models_of_some_families_have_one_slot_whatever_number_is_stated(
    #[case] family: &str,
    #[case] parallel: Option<usize>,
    #[case] ends: [Duration; 2],
) {
    let mut script = script::read_folder(&scripted()).unwrap();
    for model in &mut script.models {
        family.clone_into(&mut model.card.details.family);
    }
    let mut bench = Bench::with(|config| {
        config.catalog = Catalog::with_scripts([], [script]).into();
        config.backend.parallel = parallel.and_then(NonZeroUsize::new);
    });
    let conns = [hi(&mut bench), hi(&mut bench)];
    let answers = play(&mut bench);
    assert_eq!(conns.map(|conn| last(&answers[&conn])), ends);
}

#[test]
fn a_model_is_in_the_listing_of_loaded_ones_when_it_is_loaded() {
    let mut bench = cold(512);
    let conn = hi(&mut bench);
    bench.run_while(conn, <[_]>::is_empty);
    assert_eq!(bench.now, Instant::ZERO.saturating_add(LOAD + PROMPT));
    assert_eq!(bench.get("/api/ps").json()["models"][0]["name"], "llama:latest");
}

#[test]
fn another_context_length_loads_the_model_again() {
    let mut bench = cold(512);
    let conns = [512, 512, 1024].map(|context| {
        let body = json!({ "model": "llama", "prompt": "hi", "options": { "num_ctx": context } });
        let conn = asks(&mut bench, &body);
        counter(&play(&mut bench)[&conn], "load_duration") > LOAD
    });
    assert_eq!(conns, [true, false, true]);
}

#[test]
fn who_hangs_up_while_it_waits_delays_nobody() {
    let mut bench = one_slot();
    let [one, other, third] = [hi(&mut bench), hi(&mut bench), hi(&mut bench)];
    bench.engine.handle_closed(other, bench.now);
    let answers = play(&mut bench);
    assert_eq!([one, third].map(|conn| last(&answers[&conn])), [ALONE, ALONE * 2]);
}

#[test]
fn two_answers_on_one_device_take_as_long_as_its_curve_says() {
    let mut bench = machine(Settings { share: "0.5".parse().unwrap(), ..Settings::default() });
    let [one, other] = [hi(&mut bench), hi(&mut bench)];
    let answers = play(&mut bench);
    assert_eq!([one, other].map(|conn| last(&answers[&conn])), [SHARED, SHARED]);
    assert_eq!(counter(&answers[&one], "total_duration"), SHARED);
}

#[test]
fn an_answer_that_is_left_alone_is_as_fast_as_before() {
    let mut bench = machine(Settings { share: "0.5".parse().unwrap(), ..Settings::default() });
    let one = hi(&mut bench);
    let other = hi(&mut bench);
    bench.run_while(one, <[_]>::is_empty);
    bench.engine.handle_closed(other, bench.now);
    let rest = bench.run(one);
    assert_eq!(rest.last().unwrap().0, Instant::ZERO.saturating_add(ALONE));
}

#[test]
fn a_request_to_load_is_answered_when_the_model_is_loaded() {
    let mut bench = cold(512);
    let loads = |bench: &mut Bench| {
        let conn = asks(bench, &json!({ "model": "llama" }));
        let answer = play(bench).remove(&conn).unwrap();
        assert_eq!(answer.json()["done_reason"], "load");
        last(&answer)
    };
    assert_eq!(loads(&mut bench), LOAD);
    assert_eq!(bench.get("/api/ps").json()["models"][0]["name"], "llama:latest");
    let now = Duration::from_nanos(bench.now.as_nanos());
    assert_eq!(loads(&mut bench), now, "a second time it is there");
}
