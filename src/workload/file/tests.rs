use proptest::prelude::*;

use mock_ollama::recording::{Method, RequestBody};

use super::*;
use crate::workload::RequestPlan;
use crate::workload::fixture::{recording, recordings};

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

fn chain(error: WorkloadError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

#[test]
fn every_bad_file_says_what_to_do() {
    let mut named = recordings(&["small-greedy", "tiny-emoji"]);
    named.push(Recording { name: "small-twin".into(), ..named[0].clone() });
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
fn one_each_deals_round_and_round() {
    let text = with("[[agent]]\ncount = 3\ndeal = \"one-each\"\nrecordings = [\"r\", \"s\"]");
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
    let mut twin = Recording { name: "s".into(), ..named[0].clone() };
    let request = twin.exchanges[0].request.as_mut().unwrap();
    let Some(RequestBody::Json(body)) = &mut request.body else { unreachable!() };
    body["options"]["temperature"] = 0.9.into();
    named.push(twin);
    let error = resolve(&with("[[agent]]\nrecordings = [\"r\"]\n[[agent]]\nrecordings = [\"s\"]"), &named).unwrap_err();
    assert!(matches!(error, WorkloadError::Problem { problem: Problem::SharedRequest(..), .. }), "{error}");
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
}
