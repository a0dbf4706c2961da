//! The papers replayed.

use std::fs;

use rstest::rstest;

use crate::util::{Workspace, repository};

#[test]
fn help_of_papers_explains_every_flag() {
    insta::assert_snapshot!("help_of_papers", Workspace::new().lab(["papers", "--help"]).with(0).stdout);
}

#[test]
fn the_page_goes_to_standard_output_and_into_the_folder() {
    let workspace = Workspace::new();
    let said = workspace.lab(["papers", "--out", "out"]).with(0);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), (workspace.read("out/papers.md").as_str(), ""));
    let head = "runtime,scenario,run,published_efficiency_pct,predicted_efficiency_pct,warm\n";
    assert!(workspace.read("out/runs.csv").starts_with(head));
    assert_eq!(workspace.lab(["papers", "tr115"]).with(0).stdout, said.stdout);
}

/// The rows of one scenario, as somebody else would hand them in.
fn put_scenario(workspace: &Workspace, scenario: &str) {
    for file in ["runs.csv", "summary.csv"] {
        let text = fs::read_to_string(repository("fixtures/papers/tr115").join(file)).unwrap();
        let is_kept = |line: &&str| line.starts_with("runtime,") || line.contains(&format!(",{scenario},"));
        let lines: Vec<&str> = text.lines().filter(is_kept).collect();
        workspace.put(&format!("data/{file}"), lines.join("\n").replace(scenario, "another") + "\n");
    }
}

#[test]
fn a_scenario_of_somebody_else_is_predicted_within_the_bound() {
    let workspace = Workspace::new();
    put_scenario(&workspace, "chimera_homo_gpu80_ctx1024");
    workspace.lab(["papers", "tr115", "--data", "data", "--out", "out"]).with(0);
    let runs = workspace.read("out/runs.csv");
    let errors: Vec<f64> = runs
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|cells| cells[5] == "true" && cells[0] != "async-std")
        .map(|cells| (cells[3].parse::<f64>().unwrap() - cells[4].parse::<f64>().unwrap()).abs())
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a few runs")]
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    assert!(errors.len() >= 16 && mean <= 0.3, "{mean} of {}", errors.len());
}

#[rstest]
#[case::unknown_paper(&["tr112"], 2, "invalid value 'tr112' for '[PAPER]'")]
#[case::bad_cell(&["--data", "bad"], 4, "bad/runs.csv:2: column `tokens`: ")]
#[case::missing_column(&["--data", "short"], 4, "short/summary.csv:1: there is no column `wall_s`")]
#[case::another_paper(&["tr114", "--data", "data"], 4, "data/runs.csv:1: the column `runtime` belongs to the tables of another paper")]
#[case::onto_the_tables(&["--data", "data", "--out", "./data"], 2, "data/runs.csv is an input")]
#[case::missing_folder(&["--data", "no/such"], 5, "cannot read no/such/runs.csv: ")]
#[case::file_in_place_of_the_folder(&["--out", "notes"], 5, "cannot make the folder notes: ")]
fn what_cannot_be_replayed_is_refused_in_one_line(#[case] args: &[&str], #[case] code: i32, #[case] why: &str) {
    let workspace = Workspace::new();
    put_scenario(&workspace, "chimera_homo_gpu80_ctx1024");
    let [runs, summary] = ["data/runs.csv", "data/summary.csv"].map(|file| workspace.read(file));
    let mut cells: Vec<&str> = runs.lines().nth(1).unwrap().split(',').collect();
    let whole = cells.join(",");
    cells[13] = "many";
    workspace.put("bad/runs.csv", runs.replacen(&whole, &cells.join(","), 1));
    workspace.put("bad/summary.csv", &summary);
    workspace.put("short/runs.csv", &runs);
    workspace.put("short/summary.csv", summary.replacen("wall_s", "wall", 1));
    workspace.put("notes", "mine");
    let before = workspace.content();
    let ended = workspace.lab(["papers"].iter().chain(args)).with(code);
    let line = ended.stderr.lines().next().unwrap_or_default();
    assert!(line.starts_with("error: ") && line.contains(why), "{}", ended.stderr);
    assert!(code == 2 || ended.stderr.lines().count() == 1, "{}", ended.stderr);
    assert_eq!((ended.stdout.as_str(), workspace.content() == before), ("", true));
}

mod wall_clock {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn all_papers_take_less_than_the_twenty_seconds_that_one_may() {
        let began = Instant::now();
        let page = Workspace::new().lab(["papers", "all"]).with(0).stdout;
        assert!(began.elapsed() < Duration::from_secs(20));
        assert!(page.contains("# TR113 and TR114") && page.contains("# TR115"), "{page}");
    }
}
