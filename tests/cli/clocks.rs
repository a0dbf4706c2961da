//! Runs by clocks other than the wall's.

use rstest::rstest;
use runtime_lab::report::model::Kind;

use crate::util::Workspace;

const FILES: [&str; 4] = ["report.json", "facts.json", "report.md", "report.txt"];

#[rstest]
#[case("virtual")]
#[case("virtual-sockets")]
#[case("model")]
fn two_runs_of_one_command_give_identical_files(#[case] clock: &str) {
    let workspace = Workspace::new();
    for out in ["first", "second"] {
        workspace.lab(["run", "--clock", clock, "--workload", "swarm", "--agents", "5", "--out", out]).with(0);
    }
    for file in FILES {
        assert_eq!(workspace.read(&format!("first/{file}")), workspace.read(&format!("second/{file}")), "{file}");
    }
}

#[test]
fn facts_are_the_same_bytes_under_every_clock() {
    let workspace = Workspace::new();
    let clocks = ["wall", "virtual", "virtual-sockets", "model"];
    for clock in clocks {
        workspace.least_run(&["--clock", clock, "--workload", "duet", "--out", clock]).with(0);
    }
    for clock in clocks {
        assert_eq!(workspace.read(&format!("{clock}/facts.json")), workspace.read("wall/facts.json"), "{clock}");
    }
}

#[test]
fn a_report_says_which_clock_made_its_numbers_and_names_no_host_where_none_counts() {
    let workspace = Workspace::new();
    for (clock, kind, said) in [
        ("wall", Kind::Measured, "CLOCK_MONOTONIC"),
        ("virtual", Kind::Virtual, "virtual time, in memory"),
        ("virtual-sockets", Kind::Virtual, "virtual time, over sockets"),
        ("model", Kind::Virtual, "virtual time, model"),
    ] {
        workspace.least_run(&["--clock", clock, "--workload", "solo"]).with(0);
        let report = workspace.report("out");
        assert_eq!((report.timings.kind, report.environment.host.is_some()), (kind, clock == "wall"), "{clock}");
        if cfg!(target_os = "linux") || clock != "wall" {
            assert_eq!(report.environment.clock, said);
        }
    }
}

#[rstest]
#[case("wall", "process")]
#[case("virtual-sockets", "thread")]
#[case("virtual", "memory")]
#[case("model", "none")]
fn a_run_may_say_where_its_clock_has_the_server(#[case] clock: &str, #[case] server: &str) {
    let workspace = Workspace::new();
    workspace.least_run(&["--clock", clock, "--server", server, "--workload", "swarm", "--agents", "2"]).with(0);
    assert_eq!(workspace.report("out").facts.agents.len(), 2);
}

#[test]
fn virtual_time_does_not_wait_for_the_recordings() {
    let workspace = Workspace::new();
    // Twelve hours of tokens.
    workspace.put(
        "long.toml",
        "name = \"long\"\ndescription = \"d\"\npace = \"gap=300s\"\n[[agent]]\nrecordings = [\"small-greedy\"]\n",
    );
    workspace.lab(["run", "--clock", "virtual", "--workload", "long.toml"]).with(0);
    let report = workspace.report("target/runtime-lab");
    assert!(report.timings.variants[0].medians.wall_us.median > 12 * 3_600 * 1_000_000);
}

#[test]
fn the_variants_of_virtual_time_are_all_alike_and_nothing_is_decided() {
    let workspace = Workspace::new();
    workspace.lab(["run", "--clock", "virtual", "--workload", "duet", "--out", "out"]).with(0);
    let timings = workspace.report("out").timings;
    assert!(timings.decision.is_none());
    let walls: Vec<i64> = timings.variants.iter().map(|variant| variant.medians.wall_us.median).collect();
    assert!(walls.iter().all(|wall| *wall == walls[0]), "{walls:?}");
}
