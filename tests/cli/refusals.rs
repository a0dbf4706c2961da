//! Runs that never begin.

use rstest::rstest;

use crate::util::{Workspace, some_variant};

const NOT_A_RECORDING: &str = "name = \"w\"\ndescription = \"d\"\n[[agent]]\nrecordings = [\"notes.jsonl\"]\n";

/// A workload whose number of agents is fixed.
const FIXED: &str = "name = \"w\"\ndescription = \"d\"\n[[agent]]\nrecordings = [\"tiny-emoji\"]\n";

#[rstest]
#[case::unknown_flag(&["--speed", "9"], 2, "unexpected argument '--speed'")]
#[case::unknown_variant(&["--variant", "nope"], 2, "no variant is called `nope`; this program has ")]
#[case::unknown_workload(&["--workload", "nope"], 2, "no workload is called `nope`; there are solo, duet, swarm and ")]
#[case::unknown_published_run(&["--workload", "tr115:nope"], 2, "nope")]
#[case::unknown_pace(&["--pace", "nope"], 2, "unknown pace `nope`: expected ")]
#[case::pace_without_time(&["--pace", "instant"], 2, "at pace instant the workload takes no time")]
#[case::no_runs(&["--runs", "0"], 2, "invalid value '0' for '--runs <N>'")]
#[case::too_many_runs(&["--runs", "1000000000000", "--clock", "model"], 2, "1000000000000 runs are more than the 1000 that `run` takes")]
#[case::onto_the_workload(&["--workload", "./report.json", "--out", "."], 2, "./report.json is an input")]
#[case::onto_the_bounds(&["--bounds", "report.json", "--out", "."], 2, "report.json is an input")]
#[case::device(&["--workload", "/dev/zero"], 5, "cannot read /dev/zero: it is no file; name one")]
#[case::folder(&["--bounds", "."], 5, "cannot read .: it is a folder; name a file")]
#[case::no_agents(&["--agents", "0"], 2, "invalid value '0' for '--agents <N>'")]
#[case::agents_of_a_fixed_workload(&["--workload", "duet", "--agents", "3"], 2, "the number of agents is fixed here")]
#[case::agents_of_a_fixed_file(&["--workload", "fixed.toml", "--agents", "3"], 2, "fixed.toml: the number of agents is")]
#[case::unknown_clock(&["--clock", "sundial"], 2, "no clock is called `sundial`; there are wall, virtual, ")]
#[case::unknown_place(&["--server", "cloud"], 2, "invalid value 'cloud' for '--server <WHERE>'")]
#[case::place_of_another_clock(&["--server", "thread"], 2, "`--server thread` does not go with `--clock wall`")]
#[case::too_many_for_sockets(&["--workload", "swarm", "--agents", "9001", "--clock", "virtual-sockets"], 2, "9001 agents are more than the 9000 ")]
#[case::bad_workload(&["--workload", "bad.toml"], 4, "bad.toml: not a workload: ")]
#[case::bad_recording(&["--workload", "tapes.toml"], 4, "notes.jsonl:1: ")]
#[case::bad_bounds(&["--bounds", "bad.toml"], 4, "bad.toml: ")]
#[case::missing_workload(&["--workload", "no/such.toml"], 5, "cannot read no/such.toml: ")]
#[case::missing_bounds(&["--bounds", "no/such.toml"], 5, "cannot read no/such.toml: ")]
#[case::file_in_place_of_the_folder(&["--out", "notes.jsonl"], 5, "cannot make the folder notes.jsonl: ")]
#[case::file_above_the_folder(&["--out", "notes.jsonl/out"], 5, "cannot make the folder notes.jsonl/out: ")]
fn a_run_that_cannot_be_is_refused_with_its_reason_and_leaves_nothing(
    #[case] args: &[&str],
    #[case] code: i32,
    #[case] why: &str,
) {
    let workspace = Workspace::new();
    workspace.put("bad.toml", "name = [");
    workspace.put("tapes.toml", NOT_A_RECORDING);
    workspace.put("fixed.toml", FIXED);
    workspace.put("notes.jsonl", "mine\n");
    workspace.put("report.json", FIXED);
    let before = workspace.content();
    let ended = workspace.least_run(args).with(code);
    let line = ended.stderr.lines().next().unwrap_or_default();
    assert!(line.starts_with("error: ") && line.contains(why), "{}", ended.stderr);
    assert_eq!(ended.stdout, "", "no run was announced");
    assert_eq!(workspace.content(), before);
}

#[test]
fn an_unknown_verb_is_a_matter_of_usage() {
    let ended = Workspace::new().lab(["race"]).with(2);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
}

#[test]
fn a_name_that_is_wrong_is_answered_in_one_line() {
    let ended = Workspace::new().least_run(&["--workload", "nope"]).with(2);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn a_place_that_the_clock_does_not_have_is_answered_with_the_one_that_it_has_and_with_the_clock_to_take() {
    let refused = |place, clock| Workspace::new().least_run(&["--server", place, "--clock", clock]).with(2).stderr;
    let all = [
        ("thread", "wall"),
        ("process", "virtual"),
        ("memory", "virtual-sockets"),
        ("process", "model"),
        ("none", "wall"),
    ];
    insta::assert_snapshot!("places_refused", all.map(|(place, clock)| refused(place, clock)).concat());
}

#[test]
fn flags_go_with_run_and_without_a_verb_but_not_with_another_one() {
    let flag = ["--variant", some_variant()];
    Workspace::new().lab(flag.iter().chain(&["list"])).with(2);
    let ended = Workspace::new().lab(flag.iter().chain(&["--workload", "nope"])).with(2);
    assert!(ended.stderr.contains("no workload is called `nope`"), "{}", ended.stderr);
}
