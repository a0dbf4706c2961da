use std::num::NonZeroU32;
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use mock_ollama::recording::{Method, RequestBody};

use super::*;
use crate::workload::fixture::{recording, recordings};
use crate::workload::{AgentBehavior, RequestPlan};

fn parse(text: &str) -> Result<WorkloadFile, WorkloadError> {
    WorkloadFile::parse(text, Path::new("folder/w.toml"))
}

fn resolve(text: &str, named: &[Recording]) -> Result<Workload, WorkloadError> {
    parse(text).and_then(|file| file.resolve(Library::of(named)))
}

/// A workload of these `[[agent]]` entries.
fn with(agents: &str) -> String {
    format!("name = \"w\"\ndescription = \"d\"\n{agents}")
}

/// The behaviors of the agents of an `[[agent]]` entry with these further keys.
fn behaviors(keys: &str) -> Result<Vec<AgentBehavior>, WorkloadError> {
    let workload = resolve(&with(&format!("[[agent]]\nrecordings = [\"r\"]\n{keys}")), &recordings(&["r"]))?;
    Ok(workload.agents.iter().map(|agent| agent.behavior).collect())
}

fn chain(error: WorkloadError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

#[test]
fn every_bad_file_says_what_to_do() {
    let mut named = recordings(&["small-greedy", "tiny-emoji"]);
    let mut twin = named[0].clone();
    twin.name = "small-twin".into();
    named.push(twin);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new("fixtures/bad/workload");
    let mut files: Vec<String> =
        root.join(folder).read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort_unstable();
    let answers = files.iter().map(|name| {
        let text = std::fs::read_to_string(root.join(folder).join(name)).unwrap();
        let file = WorkloadFile::parse(&text, &folder.join(name));
        let error = file.and_then(|file| file.resolve(Library::of(&named))).unwrap_err();
        format!("== {name}\n{}\n", chain(error))
    });
    insta::assert_snapshot!(answers.collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_example_of_the_documentation_is_a_workload() {
    let (_, rest) = include_str!("../file.rs").split_once("//! ```toml\n").unwrap();
    let (example, _) = rest.split_once("//! ```").unwrap();
    let workload = resolve(&example.replace("//!", ""), &recordings(&["small-greedy", "tiny-emoji"])).unwrap();
    assert_eq!(workload.agents.len(), 9);
    let expected = AgentBehavior {
        think: Duration::from_millis(250),
        timeout: Some(Duration::from_secs(2)),
        cancel_after: NonZeroU32::new(5),
        retries: 2,
        retry_pause: Duration::from_millis(100),
    };
    assert_eq!((workload.agents[0].behavior, workload.agents[1].behavior), (AgentBehavior::default(), expected));
}

#[test]
fn what_is_absent_has_a_default() {
    let workload = resolve(&with("[[agent]]\nrecordings = [\"r\"]"), &recordings(&["r"])).unwrap();
    assert_eq!((workload.pace.as_str(), workload.limit), ("x1", None));
    assert_eq!((workload.agents.len(), workload.agents[0].name.as_str()), (1, "a0000"));
}

#[test]
fn pace_and_limit_are_kept_as_written() {
    let text = "name = \"w\"\ndescription = \"d\"\npace = \"x4\"\nlimit = 2\n[[agent]]\nrecordings = [\"r\"]";
    let workload = resolve(text, &recordings(&["r"])).unwrap();
    assert_eq!((workload.pace.as_str(), workload.limit), ("x4", NonZeroUsize::new(2)));
}

#[test]
fn a_request_is_the_recordings_own_verbatim() {
    let workload = resolve(&with("[[agent]]\nrecordings = [\"r\"]"), &recordings(&["r"])).unwrap();
    let expected = RequestPlan {
        recording: "r".into(),
        exchange: 0,
        path: "/api/generate".into(),
        body: r#"{"prompt":"r 0","model":"made-up:latest","options":{"temperature":0.1}}"#.into(),
    };
    assert_eq!(workload.agents[0].requests, [expected]);
}

#[test]
fn a_conversation_is_sent_exchange_after_exchange_and_recording_after_recording() {
    let named = [recording("talk", 3), recording("r", 1)];
    let workload = resolve(&with("[[agent]]\nrecordings = [\"talk\", \"r\"]"), &named).unwrap();
    let sent: Vec<_> = workload.agents[0].requests.iter().map(|r| (r.recording.as_str(), r.exchange)).collect();
    assert_eq!(sent, [("talk", 0), ("talk", 1), ("talk", 2), ("r", 0)]);
}

#[test]
fn agents_are_numbered_across_entries_unless_they_are_named() {
    let text = with(
        "[[agent]]\ncount = 2\nrecordings = [\"r\"]\n[[agent]]\nname = \"judge\"\nrecordings = [\"r\"]\n\
         [[agent]]\nname = \"pool-\"\ncount = 2\nrecordings = [\"r\"]\n[[agent]]\nrecordings = [\"r\"]",
    );
    let workload = resolve(&text, &recordings(&["r"])).unwrap();
    let names: Vec<_> = workload.agents.iter().map(|agent| agent.name.as_str()).collect();
    assert_eq!(names, ["a0000", "a0001", "judge", "pool-0000", "pool-0001", "a0005"]);
}

#[test]
fn the_old_key_of_assign_is_refused_with_the_new_one() {
    let text = with("[[agent]]\ncount = 3\ndeal = \"one-each\"\nrecordings = [\"r\", \"s\"]");
    let error = resolve(&text, &recordings(&["r", "s"])).unwrap_err();
    assert!(chain(error).contains("the key `deal` is called `assign`, and `one-each` is `round-robin`"));
}

#[test]
fn round_robin_begins_again_after_the_last_recording() {
    let text = with("[[agent]]\ncount = 3\nassign = \"round-robin\"\nrecordings = [\"r\", \"s\"]");
    let workload = resolve(&text, &recordings(&["r", "s"])).unwrap();
    let sent: Vec<Vec<_>> = workload
        .agents
        .iter()
        .map(|agent| agent.requests.iter().map(|request| request.recording.as_str()).collect())
        .collect();
    assert_eq!(sent, [["r"], ["s"], ["r"]]);
}

#[test]
fn the_server_gets_each_recording_once_and_no_other() {
    let text = with("[[agent]]\ncount = 3\nrecordings = [\"s\", \"r\", \"s\"]");
    let workload = resolve(&text, &recordings(&["r", "s", "unused"])).unwrap();
    let names: Vec<_> = workload.recordings.iter().map(|recording| recording.name.as_str()).collect();
    assert_eq!(names, ["s", "r"]);
}

#[test]
fn a_path_is_read_from_the_folder_of_the_workload() {
    let read = |path: &Path| {
        assert_eq!(path, Path::new("folder/sub/r.jsonl"));
        Ok(recording("r", 1))
    };
    let file = parse(&with("[[agent]]\nrecordings = [\"sub/r.jsonl\"]")).unwrap();
    let workload = file.resolve(Library { named: &[], read: &read }).unwrap();
    assert_eq!(workload.recordings, [recording("r", 1)]);
}

#[test]
fn a_recording_file_that_cannot_be_read_is_named_with_the_cause() {
    let file = parse(&with("[[agent]]\nrecordings = [\"r.jsonl\"]")).unwrap();
    let read = |_: &Path| Err(ReadError::from("line 3: not JSON"));
    let error = file.resolve(Library { named: &[], read: &read }).unwrap_err();
    insta::assert_snapshot!(chain(error), @"folder/w.toml: recording folder/r.jsonl: line 3: not JSON");
}

#[test]
fn two_different_recordings_of_one_name_are_refused() {
    let file = parse(&with("[[agent]]\nrecordings = [\"r\", \"r.jsonl\"]")).unwrap();
    let named = recordings(&["r"]);
    let read = |_: &Path| Ok(recording("r", 2));
    let error = file.resolve(Library { named: &named, read: &read }).unwrap_err();
    insta::assert_snapshot!(chain(error), @"folder/w.toml: two different recordings are called `r`; rename one of them");
}

#[test]
fn requests_that_no_agent_can_send_are_refused_with_the_reason() {
    let text = with("[[agent]]\nrecordings = [\"r\"]");
    let refuse = |change: &dyn Fn(&mut mock_ollama::recording::Exchange)| {
        let mut named = recordings(&["r"]);
        change(&mut named[0].exchanges[0]);
        chain(resolve(&text, &named).unwrap_err())
    };
    let answers = [
        refuse(&|exchange| exchange.request = None),
        refuse(&|exchange| exchange.request.as_mut().unwrap().method = Method::Get),
        refuse(&|exchange| exchange.request.as_mut().unwrap().body = None),
        refuse(&|exchange| exchange.request.as_mut().unwrap().body = Some(RequestBody::Text("x".into()))),
    ];
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn options_do_not_tell_two_recordings_apart() {
    // What happened to the first built-in duet: both agents were answered from one recording.
    let mut named = recordings(&["r"]);
    let mut twin = named[0].clone();
    twin.name = "s".into();
    let request = twin.exchanges[0].request.as_mut().unwrap();
    let Some(RequestBody::Json(body)) = &mut request.body else { unreachable!() };
    body["options"]["temperature"] = 0.9.into();
    named.push(twin);
    let error = resolve(&with("[[agent]]\nrecordings = [\"r\"]\n[[agent]]\nrecordings = [\"s\"]"), &named).unwrap_err();
    assert!(matches!(error, WorkloadError::Problem { problem: WorkloadProblem::SharedRequest(..), .. }), "{error}");
}

#[test]
fn an_agent_without_keys_of_its_behavior_has_the_default_one() {
    assert_eq!(behaviors("").unwrap(), [AgentBehavior::default()]);
}

#[rstest]
#[case::think("think_ms = 250", AgentBehavior { think: Duration::from_millis(250), ..AgentBehavior::default() })]
#[case::no_thinking("think_ms = 0", AgentBehavior::default())]
#[case::timeout("timeout_ms = 2000", AgentBehavior { timeout: Some(Duration::from_secs(2)), ..AgentBehavior::default() })]
#[case::cancel("cancel_after_tokens = 5", AgentBehavior { cancel_after: NonZeroU32::new(5), ..AgentBehavior::default() })]
#[case::retries("retries = 2", AgentBehavior { retries: 2, ..AgentBehavior::default() })]
#[case::no_retries("retries = 0", AgentBehavior::default())]
#[case::pause(
    "retries = 1\nretry_pause_ms = 100",
    AgentBehavior { retries: 1, retry_pause: Duration::from_millis(100), ..AgentBehavior::default() }
)]
#[case::a_day("think_ms = 86_400_000", AgentBehavior { think: Duration::from_secs(86_400), ..AgentBehavior::default() })]
#[case::most_retries("retries = 100", AgentBehavior { retries: 100, ..AgentBehavior::default() })]
fn a_key_of_the_behavior_reaches_the_plan(#[case] keys: &str, #[case] expected: AgentBehavior) {
    assert_eq!(behaviors(keys).unwrap(), [expected]);
}

#[test]
fn each_agent_of_an_entry_has_its_behavior_and_those_of_others_have_not() {
    let text = with(
        "[[agent]]\ncount = 2\nrecordings = [\"r\"]\nretries = 3\n[[agent]]\nrecordings = [\"r\"]\nretries = 1\n\
         [[agent]]\nrecordings = [\"r\"]",
    );
    let workload = resolve(&text, &recordings(&["r"])).unwrap();
    let retries: Vec<_> = workload.agents.iter().map(|agent| agent.behavior.retries).collect();
    assert_eq!(retries, [3, 3, 1, 0]);
}

#[test]
fn another_number_of_agents_keeps_the_behavior() {
    let file = parse(&with("[[agent]]\ncount = 1\nrecordings = [\"r\"]\nthink_ms = 7")).unwrap();
    let file = file.with_agents(NonZeroUsize::new(2).unwrap()).unwrap();
    let workload = file.resolve(Library::of(&recordings(&["r"]))).unwrap();
    let think: Vec<_> = workload.agents.iter().map(|agent| agent.behavior.think).collect();
    assert_eq!(think, [Duration::from_millis(7); 2]);
}

#[rstest]
#[case::timeout("timeout_ms = 0", WorkloadProblem::ZeroTimeout(1))]
#[case::cancel("cancel_after_tokens = 0", WorkloadProblem::ZeroCancelAfter(1))]
#[case::retries("retries = 101", WorkloadProblem::TooManyRetries { agent: 1, retries: 101 })]
#[case::pause_alone("retry_pause_ms = 100", WorkloadProblem::PauseWithoutRetries(1))]
#[case::no_pause_alone("retry_pause_ms = 0", WorkloadProblem::PauseWithoutRetries(1))]
#[case::pause_of_no_retries("retries = 0\nretry_pause_ms = 100", WorkloadProblem::PauseWithoutRetries(1))]
#[case::long_think("think_ms = 86_400_001", WorkloadProblem::TooLong { agent: 1, key: "think_ms", ms: 86_400_001 })]
#[case::long_timeout("timeout_ms = 86_400_001", WorkloadProblem::TooLong { agent: 1, key: "timeout_ms", ms: 86_400_001 })]
#[case::long_pause(
    "retries = 1\nretry_pause_ms = 86_400_001",
    WorkloadProblem::TooLong { agent: 1, key: "retry_pause_ms", ms: 86_400_001 }
)]
fn a_mistake_in_the_behavior_is_refused(#[case] keys: &str, #[case] expected: WorkloadProblem) {
    let error = behaviors(keys).unwrap_err();
    let WorkloadError::Problem { problem, .. } = error else { panic!("{error}") };
    assert_eq!(problem, expected);
}

#[test]
fn a_mistake_in_the_behavior_says_what_to_do() {
    let said = |keys| chain(behaviors(keys).unwrap_err());
    insta::assert_snapshot!(said("timeout_ms = 0"), @"folder/w.toml: [[agent]] number 1 has a timeout_ms of 0; raise it, or remove it to wait without a limit");
    insta::assert_snapshot!(said("cancel_after_tokens = 0"), @"folder/w.toml: [[agent]] number 1 has a cancel_after_tokens of 0; raise it, or remove it to read answers to their end");
    insta::assert_snapshot!(said("retries = 101"), @"folder/w.toml: [[agent]] number 1 has 101 retries, more than the limit of 100; lower them");
    insta::assert_snapshot!(said("retry_pause_ms = 100"), @"folder/w.toml: [[agent]] number 1 has a retry_pause_ms and no retries; set retries, or remove the pause");
    insta::assert_snapshot!(said("think_ms = 86_400_001"), @"folder/w.toml: [[agent]] number 1 has a think_ms of 86400001, more than the 86400000 of a day; lower it");
}

#[test]
fn a_mistake_in_the_behavior_is_found_in_any_entry_and_named_with_its_number() {
    let text = with("[[agent]]\nrecordings = [\"r\"]\n[[agent]]\nrecordings = [\"r\"]\ntimeout_ms = 0");
    let error = parse(&text).unwrap_err();
    assert!(matches!(error, WorkloadError::Problem { problem: WorkloadProblem::ZeroTimeout(2), .. }), "{error}");
}

#[rstest]
#[case::unknown("thinks_ms = 1")]
#[case::table("behavior = { think_ms = 1 }")]
#[case::negative("think_ms = -1")]
#[case::fraction("timeout_ms = 0.5")]
#[case::text("retry_pause_ms = \"1s\"")]
#[case::beyond_u32("cancel_after_tokens = 4294967296")]
fn what_is_no_key_or_no_number_of_the_behavior_is_not_of_the_form(#[case] keys: &str) {
    let error = behaviors(keys).unwrap_err();
    assert!(matches!(error, WorkloadError::Form { .. }), "{error}");
}

/// Any behavior that can be written, in whole milliseconds.
fn any_behavior() -> impl Strategy<Value = AgentBehavior> {
    let ms = |from: u64| (from..=MAX_MS).prop_map(Duration::from_millis);
    let retried = (0..=MAX_RETRIES, ms(0)).prop_map(|(retries, pause)| match retries {
        0 => (0, Duration::ZERO),
        _ => (retries, pause),
    });
    let cancel_after = proptest::option::of((1..=u32::MAX).prop_map(|tokens| NonZeroU32::new(tokens).unwrap()));
    (ms(0), proptest::option::of(ms(1)), cancel_after, retried).prop_map(
        |(think, timeout, cancel_after, (retries, retry_pause))| AgentBehavior {
            think,
            timeout,
            cancel_after,
            retries,
            retry_pause,
        },
    )
}

/// The keys that say this.
fn written(behavior: &AgentBehavior) -> String {
    let mut keys =
        vec![format!("think_ms = {}", behavior.think.as_millis()), format!("retries = {}", behavior.retries)];
    keys.extend(behavior.timeout.map(|timeout| format!("timeout_ms = {}", timeout.as_millis())));
    keys.extend(behavior.cancel_after.map(|tokens| format!("cancel_after_tokens = {tokens}")));
    keys.extend((behavior.retries > 0).then(|| format!("retry_pause_ms = {}", behavior.retry_pause.as_millis())));
    keys.join("\n")
}

proptest! {
    #[test]
    fn a_swarm_of_any_size_has_that_many_distinct_agents(agents in 1_usize..300) {
        let file = parse(&with("[[agent]]\ncount = 1\nrecordings = [\"r\"]")).unwrap();
        let file = file.with_agents(NonZeroUsize::new(agents).unwrap()).unwrap();
        let workload = file.resolve(Library::of(&recordings(&["r"]))).unwrap();
        let names: BTreeSet<_> = workload.agents.iter().map(|agent| &agent.name).collect();
        prop_assert_eq!(names.len(), agents);
    }

    #[test]
    fn a_behavior_that_is_written_reads_back(behavior in any_behavior()) {
        prop_assert_eq!(behaviors(&written(&behavior)).unwrap(), [behavior]);
    }
}
