//! `predict`: its page, and the folders that it refuses.

use std::fs;

use rstest::rstest;

use crate::util::{Workspace, repository};

const SET: &str = "fixtures/predict/one-core";

/// The text of a recording of the set.
fn recording(name: &str) -> String {
    fs::read_to_string(repository(SET).join(name)).unwrap()
}

/// A workspace with these files in `set`, each the recording of the name behind it.
fn workspace_with(files: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::new();
    for (name, of) in files {
        workspace.put(&format!("set/{name}"), recording(of));
    }
    workspace
}

const WHOLE: [(&str, &str); 4] = [
    ("rep1-solo-a.jsonl", "rep1-solo-a.jsonl"),
    ("rep1-solo-b.jsonl", "rep1-solo-b.jsonl"),
    ("rep1-both-a.jsonl", "rep1-both-a.jsonl"),
    ("rep1-both-b.jsonl", "rep1-both-b.jsonl"),
];

/// The one line that a refusal says.
#[track_caller]
fn refusal(workspace: &Workspace, code: i32) -> String {
    let ended = workspace.lab(["predict", "set"]).with(code);
    assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{ended:?}");
    ended.stderr
}

#[test]
fn a_set_is_predicted_in_a_table_with_its_share_and_a_verdict() {
    let ended = Workspace::new().lab([std::ffi::OsStr::new("predict"), repository(SET).as_os_str()]).with(0);
    insta::assert_snapshot!("predict_one_core", ended.stdout);
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ended.stdout);
}

#[test]
fn a_folder_of_sets_is_predicted_set_by_set() {
    let workspace = Workspace::new();
    for (name, of) in WHOLE {
        workspace.put(&format!("set/first/{name}"), recording(of));
        workspace.put(&format!("set/second/{}", name.trim_start_matches("rep1-")), recording(of));
    }
    workspace.put("set/notes/about.txt", "nothing to do with it");
    workspace.put("set/first/scenario.json", "{}");
    let page = workspace.lab(["predict", "set"]).with(0).stdout;
    assert!(page.contains("first: each of two has") && page.contains("second: each of two has"), "{page}");
    assert!(page.contains("described: first, second"), "{page}");
    assert!(page.contains("There is one repetition, so this is the error of the fit itself."), "{page}");
}

#[test]
fn folders_may_say_it_and_one_that_is_unknown_alone_is_not_predicted() {
    let workspace = Workspace::new();
    for (name, of) in [("x-solo/r1", "solo-a"), ("x-clients2/r1", "both-a"), ("x-clients2/r2", "both-b")] {
        workspace.put(&format!("set/{name}.jsonl"), recording(&format!("rep1-{of}.jsonl")));
    }
    let page = workspace.lab(["predict", "set"]).with(0).stdout;
    assert!(page.contains("x-clients2: each of two has"), "{page}");
    let row = page.lines().find(|line| line.contains(" r2 ")).unwrap();
    assert_eq!(row.matches('–').count(), 4, "{page}");
    let alone = workspace.lab(["predict", "set/x-clients2"]).with(0).stdout;
    assert_eq!(alone, page, "the folder of the recordings alone is found beside it");
    let from_within = workspace.command(["predict", "x-clients2"]).current_dir(workspace.path("set")).output().unwrap();
    assert_eq!(from_within.stdout, page.as_bytes());
}

#[rstest]
#[case::a_name_that_says_nothing(&[("rep1-a.jsonl", "rep1-solo-a.jsonl")], "set/rep1-a.jsonl: the name does not say ")]
#[case::nobody_together(&[("rep2-solo-a.jsonl", "rep2-solo-a.jsonl")], "set/rep2-solo-a.jsonl: recorded alone, but there is no recording of rep2 together")]
#[case::together_with_nobody(&[("rep2-both-a.jsonl", "rep2-both-a.jsonl")], "set/rep2-both-a.jsonl: recorded together, but with nobody")]
#[case::another_request(&[("rep1-solo-a.jsonl", "rep1-solo-b.jsonl")], "set/rep1-both-a.jsonl: recorded together, but there is no recording of the same request alone")]
fn a_folder_that_is_no_set_is_refused_with_the_file_that_is_wrong(#[case] wrong: &[(&str, &str)], #[case] why: &str) {
    let mut files = WHOLE.to_vec();
    files.extend(wrong);
    let said = refusal(&workspace_with(&files), 4);
    assert!(said.starts_with(&format!("error: {why}")), "{said}");
}

#[rstest]
#[case::no_form("mine\n", "neither a recording of this project nor raw-capture/1")]
#[case::empty("", "neither a recording of this project nor raw-capture/1")]
#[case::cut_capture(
    "{\"format\":\"raw-capture/1\",\"model\":\"m\",\"request\":{\"method\":\"POST\",\"path\":\"/x\"},\"response\":{\"status\":200}}\n",
    "the end line is missing"
)]
#[case::cut_recording(
    "{\"recording\":1,\"name\":\"n\",\"origin\":\"synthetic\",\"model\":{\"name\":\"m:latest\"}}\n",
    "rep1-both-a.jsonl:"
)]
fn a_file_that_is_no_recording_is_refused(#[case] text: &str, #[case] why: &str) {
    let workspace = workspace_with(&WHOLE);
    workspace.put("set/rep1-both-a.jsonl", text);
    let said = refusal(&workspace, 4);
    assert!(said.contains("set/rep1-both-a.jsonl") && said.contains(why), "{said}");
}

#[test]
fn a_recording_without_its_place_on_the_clock_is_refused() {
    let workspace = workspace_with(&WHOLE);
    workspace.put("set/rep1-both-b.jsonl", recording("rep1-both-b.jsonl").replace(",\"sent_us\":5017", ""));
    assert!(refusal(&workspace, 4).contains("set/rep1-both-b.jsonl: no sent_us"));
}

#[test]
fn a_folder_without_recordings_is_refused_and_one_that_is_not_there_is_an_io_matter() {
    let workspace = Workspace::new();
    workspace.put("set/sub/about.txt", "nothing");
    assert!(refusal(&workspace, 4).starts_with("error: set: no recordings of requests alone and together"));
    assert!(refusal(&Workspace::new(), 5).starts_with("error: cannot read set: "));
}

#[test]
fn predict_wants_one_folder() {
    Workspace::new().lab(["predict"]).with(2);
    Workspace::new().lab(["predict", "a", "b"]).with(2);
}
