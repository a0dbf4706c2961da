//! Runs that are held to limits.

use mock_ollama::catalog::builtin;
use mock_ollama::files::Existing;
use mock_ollama::recording::write_file;
use rstest::rstest;

use crate::util::Workspace;

/// Nothing that a clock has a say in.
const KEPT: &str = "\
[[bound]]
name = \"the agent is served\"
metric = \"max-in-flight-share\"
kind = \"deterministic\"
min = 1.0
reason = \"one agent is one stream\"
";

const IMPOSSIBLE: &str = "\
[[bound]]
name = \"two at once\"
metric = \"max-in-flight-share\"
kind = \"deterministic\"
min = 2.0
reason = \"to see what a bound that fails looks like\"
";

/// The workload below has no token whose chunk could be counted.
const NOT_OBSERVED: &str = "\
[[bound]]
name = \"a first token\"
metric = \"first-token-chunks\"
kind = \"deterministic\"
max = 1.0
reason = \"to see what a bound without a value looks like\"
";

const SILENT: &str = "\
name = \"silent\"
description = \"An answer without a token.\"
[[agent]]
recordings = [\"silent.jsonl\"]
";

/// A recording of which only the final object is left.
fn put_silent_recording(workspace: &Workspace) {
    let mut recording = builtin::recording("tiny-emoji").unwrap().unwrap();
    let chunks = &mut recording.exchanges[0].chunks;
    chunks.drain(..chunks.len() - 1);
    write_file(&recording, workspace.path("silent.jsonl"), Existing::Keep).unwrap();
}

#[rstest]
#[case::kept([KEPT, ""], 0)]
#[case::broken([KEPT, IMPOSSIBLE], 1)]
#[case::not_observed([KEPT, NOT_OBSERVED], 3)]
#[case::broken_beside_one_that_was_not_observed([NOT_OBSERVED, IMPOSSIBLE], 1)]
fn the_exit_code_tells_the_worst_verdict_and_the_report_is_written(#[case] bounds: [&str; 2], #[case] code: i32) {
    let workspace = Workspace::new();
    let [first, second] = bounds;
    workspace.put("bounds.toml", [first, second].concat());
    workspace.put("silent.toml", SILENT);
    put_silent_recording(&workspace);
    workspace.least_run(&["--workload", "silent.toml", "--bounds", "bounds.toml"]).with(code);
    assert!(!workspace.report("out").timings.bounds.is_empty());
}

#[test]
fn a_bound_that_failed_is_named_with_its_reason() {
    let workspace = Workspace::new();
    workspace.put("bounds.toml", IMPOSSIBLE);
    let said = workspace.least_run(&["--bounds", "bounds.toml"]).with(1).stdout;
    let one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(one_line.contains("bound FAIL: two at once"), "{said}");
    assert!(one_line.contains("to see what a bound that fails looks like"), "{said}");
}

#[test]
fn the_bounds_that_come_with_the_program_go_by_the_name_built_in() {
    let workspace = Workspace::new();
    let ended = workspace.least_run(&["--bounds", "built-in"]);
    // Some of them judge real time, of which this test knows nothing.
    assert!(matches!(ended.code, Some(0 | 1 | 3)), "{ended:#?}");
    assert!(workspace.report("out").timings.bounds.iter().any(|found| found.bound == "no exchange fails"));
}
