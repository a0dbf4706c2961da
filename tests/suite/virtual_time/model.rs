//! The model against runs in memory: the same events, one by one.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use mock_ollama::catalog::Prepared;
use mock_ollama::recording::{Chunk, End, Exchange, Recording, RequestBody, read_file};
use mock_ollama::schedule::Pace;
use mock_ollama::seed::Seed;
use proptest::prelude::*;
use runtime_lab::runtimes::of;
use runtime_lab::sim::{EventDigest, EventLog, model};
use runtime_lab::variant::Variant;
use runtime_lab::workload::{AgentBehavior, AgentPlan, RequestPlan, Workload};

use super::util::in_memory;
use crate::util::{Scenario, alone, fixture, requests_of};

const MS: Duration = Duration::from_millis(1);

/// Recordings in one workload, so that no test takes long.
const AT_ONCE: usize = 5;

fn workload(scenario: &Scenario) -> Workload {
    Workload {
        name: "small".to_owned(),
        description: String::new(),
        agents: scenario.agents.clone(),
        limit: scenario.limit.map(|limit| limit.try_into().unwrap()),
        backend: mock_ollama::backend::Settings::default(),
        pace: scenario.pace.to_string(),
        recordings: scenario.recordings.clone(),
    }
}

fn modelled(scenario: &Scenario) -> EventLog {
    model::log(&workload(scenario), scenario.pace, Seed(0)).unwrap()
}

/// Plays it both ways; hands back how its exchanges ended, in their order.
fn agree(scenario: &Scenario) -> Vec<String> {
    let played = in_memory(of(Variant::ALL[0]), scenario).unwrap();
    let (real, model) = (played.log, modelled(scenario));
    for (number, (real, model)) in real.events().iter().zip(model.events()).enumerate() {
        assert_eq!(
            (real.at, real.stream.to_string(), real.event.to_string()),
            (model.at, model.stream.to_string(), model.event.to_string()),
            "event {number}: in memory, then in the model"
        );
    }
    assert_eq!(real.events().len(), model.events().len());
    let finished = model::run(&workload(scenario), scenario.pace, Seed(0)).unwrap();
    assert_eq!((&finished.digest, &model.digest()), (&real.digest(), &real.digest()));
    assert_eq!(finished.events, real.events().len() as u64);
    assert_eq!(Some(finished.ended), real.events().last().map(|event| event.at));
    let exchanges = played.run.transcript.agents.iter().flat_map(|agent| &agent.exchanges);
    exchanges.map(|exchange| exchange.outcome.kind().to_owned()).collect()
}

fn with(mut scenario: Scenario, limit: Option<usize>, behavior: AgentBehavior) -> Scenario {
    scenario.limit = limit;
    scenario.agents.iter_mut().for_each(|agent| agent.behavior = behavior);
    scenario
}

/// An exchange of these chunks, each at its millisecond after the request.
fn exchange(status: u16, chunks: &[(u64, &str)], end: End) -> Exchange {
    let mut exchange = fixture("small-greedy").exchanges.remove(0);
    exchange.response.status = status;
    exchange.chunks = chunks.iter().map(|(ms, text)| Chunk::new(ms * 1000, (*text).to_owned())).collect();
    exchange.end = end;
    exchange
}

/// An exchange with this content type, which decides how it is framed.
fn plain(status: u16, ms: u64, body: &str) -> Exchange {
    let mut exchange = exchange(status, &[(ms, body)], End::Clean);
    exchange.response.headers = vec![("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())];
    exchange
}

/// A recording of this exchange, asked for as it was answered: as a stream or not.
fn recording(name: &str, exchange: Exchange) -> Recording {
    let is_stream = Prepared::new(&exchange).is_stream();
    let mut recording = alone(name, &fixture("small-greedy"), exchange);
    if let Some(RequestBody::Json(body)) =
        recording.exchanges[0].request.as_mut().and_then(|request| request.body.as_mut())
    {
        body["stream"] = is_stream.into();
    }
    recording
}

const A: &str = "{\"response\":\"a\",\"done\":false}\n";
const DONE: &str = "{\"response\":\"\",\"done\":true}\n";

fn three_tokens() -> Recording {
    recording("three", exchange(200, &[(10, A), (20, A), (30, A), (30, DONE)], End::Clean))
}

#[test]
fn every_recording_is_replayed_as_in_memory() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("mock-ollama/fixtures/recordings");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let recordings: Vec<Recording> = files.iter().map(|path| read_file(path).unwrap()).collect();
    assert!(recordings.len() > AT_ONCE);
    for recordings in recordings.chunks(AT_ONCE) {
        agree(&Scenario::each(3, recordings.to_vec(), Pace::recorded()));
    }
}

#[test]
fn paces_are_those_of_the_server() {
    for pace in ["x20", "gap=3ms", "instant", "instant,ttft=7ms", "recorded,jitter=40%", "rate=50,jitter=100%"] {
        let recordings = vec![fixture("tiny-short"), fixture("tiny-emoji")];
        agree(&Scenario::each(3, recordings, pace.parse().unwrap()));
    }
}

#[test]
fn one_request_with_two_recordings_gets_them_in_turns() {
    let twin = |name: &str, ms| {
        let mut twin = recording("twins", exchange(200, &[(ms, A), (ms, DONE)], End::Clean));
        name.clone_into(&mut twin.name);
        twin
    };
    agree(&Scenario::each(2, vec![twin("one", 10), twin("two", 25), three_tokens()], Pace::recorded()));
}

#[test]
fn a_recorded_stream_is_folded_for_an_agent_without_a_stream() {
    let mut scenario =
        Scenario::each(2, vec![fixture("tiny-short"), fixture("small-error-mid-stream")], Pace::recorded());
    for request in scenario.agents.iter_mut().flat_map(|agent| &mut agent.requests) {
        request.body.insert_str(1, "\"stream\":false,");
    }
    assert_eq!(agree(&scenario), ["done", "status", "done", "status"]);
}

#[test]
fn every_end_of_a_response_is_an_end_in_the_model() {
    let long = format!("{{\"error\":\"{}\"}}", "x".repeat(70_000));
    let whole = format!("{{\"response\":\"{}\",\"done\":true}}\n", "x".repeat(3_000));
    let cases: Vec<(&str, Exchange)> = vec![
        ("body-reset", exchange(200, &[(10, A), (20, "{\"resp")], End::Reset)),
        ("body-cut", exchange(200, &[(10, A)], End::Eof)),
        ("body-cut", exchange(200, &[(10, A)], End::Timeout)),
        ("body-reset", exchange(200, &[], End::Reset)),
        ("body-reset", exchange(200, &[(10, "{\"error\":\"boom\"}\n")], End::Reset)),
        ("missing-done", exchange(200, &[(10, A)], End::Clean)),
        ("missing-done", exchange(200, &[], End::Clean)),
        ("missing-done", plain(200, 10, "")),
        ("not-json", exchange(200, &[(10, A), (20, "{\"resp")], End::Clean)),
        ("error-line", exchange(200, &[(10, A), (20, "{\"error\":\"boom\"}\n"), (30, A)], End::Clean)),
        ("after-done", exchange(200, &[(10, DONE), (20, A)], End::Clean)),
        ("done", exchange(200, &[(10, "{\"respon"), (20, "se\":\"a\"}\n{\"done\":true}")], End::Clean)),
        ("done", plain(200, 10, "{\"response\":\"a\",\"done\":true}")),
        ("done", plain(200, 10, &whole)),
        ("status", plain(404, 10, "{\"error\":\"no such model\"}")),
        ("status", exchange(500, &[(10, "{\"error\":"), (20, "\"boom\"}")], End::Reset)),
        ("status", exchange(503, &[(10, &long), (20, "x")], End::Clean)),
    ];
    let named = cases.iter().enumerate();
    let recordings: Vec<Recording> =
        named.map(|(number, (_, exchange))| recording(&format!("case {number}"), exchange.clone())).collect();
    let kinds: Vec<&str> = cases.iter().map(|(kind, _)| *kind).collect();
    for behavior in
        [AgentBehavior::default(), AgentBehavior { cancel_after: NonZeroU32::new(1), ..AgentBehavior::default() }]
    {
        let ended = agree(&with(Scenario::each(2, recordings.clone(), Pace::recorded()), None, behavior));
        assert!(behavior.cancel_after.is_some() || ended == [kinds.clone(), kinds.clone()].concat(), "{ended:?}");
    }
}

#[test]
fn every_behavior_is_a_behavior_of_the_model() {
    let nothing = AgentBehavior::default();
    let behaviors = [
        AgentBehavior { think: 5 * MS, ..nothing },
        // The first chunk comes at the instant of the timeout: in time.
        AgentBehavior { timeout: Some(10 * MS), ..nothing },
        AgentBehavior { timeout: Some(25 * MS), retries: 2, retry_pause: 3 * MS, ..nothing },
        // So does the end.
        AgentBehavior { timeout: Some(30 * MS), retries: 2, ..nothing },
        AgentBehavior { cancel_after: NonZeroU32::new(2), retries: 2, ..nothing },
        AgentBehavior { cancel_after: NonZeroU32::new(3), think: MS, timeout: Some(30 * MS), ..nothing },
        AgentBehavior { cancel_after: NonZeroU32::new(9), timeout: Some(29 * MS), retries: 1, ..nothing },
    ];
    let broken = recording("broken", exchange(200, &[(10, A), (30, A)], End::Reset));
    let refused = recording("refused", plain(500, 30, "{\"error\":\"no\"}"));
    let recordings = vec![three_tokens(), broken, refused];
    let mut seen = Vec::new();
    for behavior in behaviors {
        for limit in [None, Some(1), Some(2)] {
            seen.extend(agree(&with(Scenario::each(3, recordings.clone(), Pace::recorded()), limit, behavior)));
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["body-reset", "done", "hung-up", "status", "timed-out"]);
}

#[test]
fn agents_of_one_instant_go_by_name_and_begin_in_their_order() {
    let mut scenario = Scenario::each(12, vec![three_tokens()], Pace::instant());
    // The names of the scenario's agents sort as agent-0, agent-1, agent-10, agent-11, agent-2.
    scenario.agents.reverse();
    for limit in [None, Some(1), Some(2), Some(20)] {
        scenario.limit = limit;
        agree(&scenario);
    }
}

#[test]
fn an_agent_with_nothing_to_ask_hands_its_permit_on() {
    let mut scenario = Scenario::each(6, vec![three_tokens()], Pace::recorded());
    for idle in [0, 2, 3, 5] {
        scenario.agents[idle].requests.clear();
    }
    for limit in [None, Some(1), Some(2)] {
        scenario.limit = limit;
        agree(&scenario);
    }
}

#[test]
fn another_seed_and_a_dropped_event_have_another_digest() {
    let scenario = Scenario::each(2, vec![fixture("tiny-short")], "recorded,jitter=20%".parse().unwrap());
    let right = modelled(&scenario);
    let other = model::log(&workload(&scenario), scenario.pace, Seed(1)).unwrap();
    assert_eq!(other.events().len(), right.events().len());
    assert_ne!(other.digest(), right.digest());
    let mut digest = EventDigest::default();
    for event in right.events().iter().skip(1) {
        digest.add(event.at, &event.stream, &event.event);
    }
    assert_ne!(digest.finish(), right.digest());
}

#[test]
fn what_cannot_be_modelled_is_said() {
    let scenario = Scenario::each(1, vec![three_tokens()], Pace::recorded());
    let mut same = workload(&scenario);
    same.agents.push(same.agents[0].clone());
    let mut unanswered = workload(&scenario);
    "{\"model\":\"quill-small\",\"prompt\":\"else\"}".clone_into(&mut unanswered.agents[0].requests[0].body);
    let errors = [
        model::run(&same, scenario.pace, Seed(0)).unwrap_err(),
        model::run(&unanswered, scenario.pace, Seed(0)).unwrap_err(),
        model::run(&workload(&scenario), Pace::stepped(), Seed(0)).unwrap_err(),
    ];
    insta::assert_snapshot!(errors.map(|error| error.to_string()).join("\n"), @r#"
    two agents are called `agent-0`
    no recording answers as it stands what agent `agent-0` sends to /api/generate: {"model":"quill-small","prompt":"else"}
    under a stepped pace nothing happens by itself
    "#);
}

/// Lines good and bad, in chunks that end where they like.
fn any_exchange() -> impl Strategy<Value = Exchange> {
    let text = prop_oneof![
        6 => Just(A.to_owned()),
        2 => Just(DONE.to_owned()),
        1 => Just("{\"error\":\"boom\"}\n".to_owned()),
        1 => Just("\n".to_owned()),
        2 => (1..A.len()).prop_map(|at| A[..at].to_owned()),
    ];
    let chunks = prop::collection::vec((0_u64..3, text), 0..6);
    let status = prop_oneof![5 => Just(200_u16), 1 => Just(404)];
    let end = prop_oneof![4 => Just(End::Clean), 1 => Just(End::Reset), 1 => Just(End::Eof)];
    (status, chunks, end, any::<bool>()).prop_map(|(status, chunks, end, is_stream)| {
        let mut at = 0;
        let chunks: Vec<(u64, String)> = chunks
            .into_iter()
            .map(|(gap, text)| {
                at += 5 * gap;
                (at, text)
            })
            .collect();
        let borrowed: Vec<(u64, &str)> = chunks.iter().map(|(at, text)| (*at, text.as_str())).collect();
        let mut made = exchange(status, &borrowed, end);
        if !is_stream {
            made.response.headers = plain(status, 0, "").response.headers;
        }
        made
    })
}

fn any_behavior() -> impl Strategy<Value = AgentBehavior> {
    let ms = |most: u32| (0..=most).prop_map(|fives| 5 * fives * MS);
    let timeout = prop::option::of((1_u32..6).prop_map(|fives| 5 * fives * MS));
    let cancel_after = prop::option::of((1_u32..4).prop_map(|tokens| NonZeroU32::new(tokens).unwrap()));
    (ms(2), timeout, cancel_after, 0_u32..3, ms(1)).prop_map(|(think, timeout, cancel_after, retries, retry_pause)| {
        AgentBehavior { think, timeout, cancel_after, retries, retry_pause }
    })
}

fn any_cast() -> impl Strategy<Value = Scenario> {
    let agents = prop::collection::vec((any_behavior(), 0_usize..3), 1..5);
    let limit = prop::option::of(1_usize..4);
    let pace = prop::sample::select(vec!["recorded", "gap=5ms", "instant", "recorded,jitter=50%"]);
    (prop::collection::vec(any_exchange(), 1..4), agents, limit, pace).prop_map(|(exchanges, agents, limit, pace)| {
        let named = exchanges.into_iter().enumerate();
        let recordings: Vec<Recording> =
            named.map(|(number, exchange)| recording(&format!("case {number}"), exchange)).collect();
        let requests: Vec<RequestPlan> = recordings.iter().flat_map(requests_of).collect();
        let agents = agents.into_iter().enumerate().map(|(number, (behavior, skipped))| {
            let requests = requests.iter().skip(skipped).cloned().collect();
            AgentPlan { behavior, ..AgentPlan::new(format!("agent-{}", 11 - number), requests) }
        });
        Scenario { agents: agents.collect(), pace: pace.parse().unwrap(), limit, recordings }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_small_workload_is_played_as_in_memory(scenario in any_cast()) {
        agree(&scenario);
    }
}

#[test]
fn agents_that_wait_for_each_other_behind_the_server_are_not_modelled() {
    let mut workload = workload(&Scenario::each(2, vec![fixture("tiny-short")], Pace::recorded()));
    workload.backend.share = "0.5".parse().unwrap();
    let refused = model::run(&workload, Pace::recorded(), Seed(0)).unwrap_err();
    assert!(refused.to_string().starts_with("the model knows no backend behind the server"));
}
