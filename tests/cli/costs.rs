//! `cost`: what a token costs the client.
#![cfg(target_os = "linux")]

use rstest::rstest;
use runtime_lab::variant::Variant;
use serde_json::Value;

use crate::util::{Finished, Workspace, repository, some_variant};

/// The least there is, with more arguments.
fn least(workspace: &Workspace, more: &[&str]) -> Finished {
    let mut args = vec!["cost"];
    for (flag, value) in [("--agents", "1,2"), ("--rounds", "1"), ("--tokens", "5"), ("--pace", "gap=1ms")] {
        if !more.contains(&flag) {
            args.extend([flag, value]);
        }
    }
    args.extend(more);
    workspace.lab(args)
}

#[test]
fn help_of_cost_explains_every_flag() {
    insta::assert_snapshot!("help_of_cost", Workspace::new().lab(["cost", "--help"]).with(0).stdout);
}

#[test]
fn every_variant_is_measured_beside_the_floor_with_every_number_of_agents() {
    let workspace = Workspace::new();
    let page = least(&workspace, &["--out", "out"]).with(0).stdout;
    assert_eq!(workspace.read("out/cost.md"), page);
    assert_eq!(workspace.content().len(), 3, "the folder and two files: {:?}", workspace.content().keys());
    let report: Value = serde_json::from_str(&workspace.read("out/cost.json")).unwrap();
    let sizes = report["sizes"].as_array().unwrap();
    assert_eq!(sizes.iter().map(|size| size["agents"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    let everyone: Vec<&str> = ["floor"].into_iter().chain(Variant::ALL.iter().map(|variant| variant.name())).collect();
    for size in sizes {
        let rows = size["rows"].as_array().unwrap();
        assert_eq!(rows.iter().map(|row| row["who"].as_str().unwrap()).collect::<Vec<_>>(), everyone);
        for row in rows {
            let metrics = row["metrics"].as_array().unwrap();
            let value =
                |key: &str| metrics.iter().find(|of| of["metric"] == key).map(|of| of["value"]["median"].clone());
            assert!(value("cpu_ns_per_token").unwrap().as_f64().unwrap() > 0.0, "{row}");
            assert!(value("lag_p99_ns").is_some(), "{row}");
            assert_eq!(value("system_calls_per_token").is_some(), report["system_calls_uncounted"].is_null(), "{row}");
            assert_eq!(value("allocations_per_token").is_some(), cfg!(feature = "count-allocations"), "{row}");
        }
    }
    for name in everyone {
        assert!(page.lines().any(|line| line.starts_with(&format!("| {name} |"))), "{name}: {page}");
    }
}

#[test]
fn what_is_written_for_programs_is_what_the_published_schema_says() {
    let schema = std::fs::read_to_string(repository("docs/cost.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let workspace = Workspace::new();
    least(&workspace, &["--out", "out"]).with(0);
    let report = serde_json::from_str(&workspace.read("out/cost.json")).unwrap();
    let errors: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn tokens_that_come_all_at_once_are_measured_as_well() {
    let page = least(&Workspace::new(), &["--pace", "instant", "--variant", some_variant()]).with(0).stdout;
    assert!(page.contains("\n## 2 agents, instant\n"), "{page}");
}

#[rstest]
#[case::no_agents(&["--agents", "0"], "invalid value '0' for '--agents <N>'")]
#[case::no_tokens(&["--tokens", "0"], "invalid value '0' for '--tokens <N>'")]
#[case::no_rounds(&["--rounds", "0"], "invalid value '0' for '--rounds <N>'")]
#[case::too_many_agents(&["--agents", "1,10001"], "10001 agents are more than the 10000 that `cost` takes")]
#[case::too_many_tokens(&["--tokens", "10001"], "10001 tokens an agent are more than the 10000 that `cost` takes")]
#[case::too_many_rounds(&["--rounds", "1001"], "1001 rounds are more than the 1000 that `cost` takes")]
#[case::unknown_variant(&["--variant", "nope"], "no variant is called `nope`; this program has ")]
#[case::unknown_pace(&["--pace", "nope"], "unknown pace `nope`: expected ")]
fn what_cannot_be_measured_is_refused_with_its_reason(#[case] args: &[&str], #[case] why: &str) {
    let workspace = Workspace::new();
    let ended = least(&workspace, args).with(2);
    let line = ended.stderr.lines().next().unwrap_or_default();
    assert!(line.starts_with("error: ") && line.contains(why), "{}", ended.stderr);
    assert_eq!((ended.stdout.as_str(), workspace.content().len()), ("", 0));
}

#[test]
fn a_file_in_place_of_the_folder_is_refused_before_anything_is_measured() {
    let workspace = Workspace::new();
    workspace.put("notes", "mine\n");
    let ended = least(&workspace, &["--out", "notes"]).with(5);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.starts_with("error: cannot make the folder notes: "), "{}", ended.stderr);
}

#[test]
fn a_part_that_reaches_nobody_says_so_and_leaves_nothing() {
    // The client's end of a connection: an address that is taken, and where nobody listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let workspace = Workspace::new();
    let agent =
        serde_json::json!({"name": "a", "requests": [{"recording": "r", "exchange": 0, "path": "/", "body": "{}"}]});
    let job =
        serde_json::json!({"url": format!("http://{}", taken.local_addr().unwrap()), "agents": [agent], "limit": null});
    workspace.put(
        "orders.json",
        serde_json::json!({"job": job, "warm_up": job, "cores": [], "tracepoints": [], "chunks": 1}).to_string(),
    );
    let ended = workspace.lab(["__cost", "floor", "orders.json", "left.json"]).with(5);
    assert!(ended.stderr.starts_with("error: the floor lost its connection: "), "{}", ended.stderr);
    assert!(!workspace.path("left.json").exists());
}
