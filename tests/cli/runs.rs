//! Runs that reach their end.

use std::fs;

use mock_ollama::catalog::builtin;
use runtime_lab::report::OUTPUTS;
use runtime_lab::variant::Variant;

use crate::util::{Workspace, repository, some_variant};

#[test]
fn a_run_leaves_the_same_report_in_every_form_and_nothing_else() {
    let workspace = Workspace::new();
    let said = workspace.least_run(&[]).with(0).stdout;
    let report = workspace.report("out");
    for output in OUTPUTS {
        assert_eq!(
            workspace.read(&format!("out/{}", output.file_name)),
            (output.render)(&report),
            "{}",
            output.file_name
        );
    }
    assert!(said.contains(&workspace.read("out/report.txt")), "{said}");
    // The folder itself is one more.
    assert_eq!(workspace.content().len(), OUTPUTS.len() + 1, "{:?}", workspace.content().keys());
}

#[test]
fn a_report_is_what_the_published_schema_says() {
    let schema = fs::read_to_string(repository("docs/report.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let workspace = Workspace::new();
    workspace.least_run(&["--workload", "duet"]).with(0);
    let report = serde_json::from_str(&workspace.read("out/report.json")).unwrap();
    let errors: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn facts_are_the_same_bytes_in_every_invocation_with_every_variant() {
    let workspace = Workspace::new();
    for variant in Variant::ALL {
        for out in ["first", "second"] {
            workspace.least_run(&["--variant", variant.name(), "--workload", "duet", "--out", out]).with(0);
            let first = workspace.read("first/facts.json");
            if *variant == Variant::ALL[0] && out == "first" {
                workspace.put("facts.json", &first);
            }
            assert_eq!(workspace.read(&format!("{out}/facts.json")), workspace.read("facts.json"), "{variant}, {out}");
        }
    }
}

#[test]
fn a_variant_that_is_asked_for_twice_runs_once() {
    let workspace = Workspace::new();
    workspace.least_run(&["--variant", &[some_variant(); 2].join(",")]).with(0);
    let report = workspace.report("out");
    assert_eq!(report.timings.variants.len(), 1);
    assert_eq!(report.timings.variants[0].runs.len(), 1);
}

#[test]
fn what_is_printed_fits_100_columns_however_many_variants_ran() {
    let workspace = Workspace::new();
    let all: Vec<&str> = Variant::ALL.iter().map(|variant| variant.name()).collect();
    let said = workspace.least_run(&["--variant", &all.join(","), "--workload", "swarm", "--agents", "3"]).with(0);
    assert_eq!(said.stderr, "", "no bar where there is no terminal");
    for line in said.stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for name in all {
        assert!(said.stdout.lines().any(|line| line.starts_with(name)), "no row of {name}: {}", said.stdout);
    }
}

#[test]
fn a_reader_that_has_gone_away_does_not_cost_the_report() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let workspace = Workspace::new();
    let args = ["run", "--variant", some_variant(), "--workload", "solo", "--pace", "x50", "--runs", "1"];
    let mut run = workspace.command(args.iter().chain(&["--out", "out"]));
    let ended = run.stdout(writer).stderr(std::process::Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).as_deref()), (Some(0), Ok("")));
    assert_eq!(workspace.report("out").facts.workload, "solo");
}

/// A regression: the folder of the workload was once put in front of the path twice.
#[test]
fn recordings_of_a_workload_file_are_looked_up_from_the_folder_of_that_file() {
    let workspace = Workspace::new();
    let recording = fs::read(repository("mock-ollama/fixtures/recordings/tiny-emoji.jsonl")).unwrap();
    workspace.put("lab/tapes/mine.jsonl", recording);
    let agent = "[[agent]]\nrecordings = [\"../tapes/mine.jsonl\"]\n";
    workspace.put("lab/mine/mine.toml", format!("name = \"mine\"\ndescription = \"One tape.\"\n{agent}"));
    workspace.least_run(&["--workload", "lab/mine/mine.toml"]).with(0);
    let facts = workspace.report("out").facts;
    let exchange = &facts.agents[0].exchanges[0];
    assert_eq!((exchange.recording.as_str(), exchange.status), ("tiny-emoji", 200));
    let recorded = builtin::recording("tiny-emoji").unwrap().unwrap();
    let bytes: usize = recorded.exchanges[0].chunks.iter().map(|chunk| chunk.bytes.len()).sum();
    assert_eq!(exchange.bytes, bytes);
}
