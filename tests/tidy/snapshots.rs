//! Snapshots that no test writes any more, and snapshots that wait for review.
//!
//! `cargo insta test --unreferenced=reject` knows better, but it needs cargo-insta and a build with every feature; this check
//! reads. A snapshot is at home when its `source:` exists and its name stands in some source, or is made from a fixture's.

use crate::workspace::{File, Finding, has_extension};

/// The name inside the file name: `suite__report__facts@smol-2.snap` is `facts`.
fn name_of(path: &str) -> &str {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".snap");
    let stem = stem.split('@').next().unwrap_or(stem);
    let name = stem.rsplit("__").next().unwrap_or(stem);
    match name.rsplit_once('-') {
        Some((front, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => front,
        _ => name,
    }
}

fn source_of(text: &str) -> Option<&str> {
    let head = text.strip_prefix("---\n")?.split("\n---").next()?;
    head.lines().find_map(|line| line.strip_prefix("source: ")).map(|path| path.trim().trim_matches('"'))
}

/// A fixture's name or a snapshot's, without the signs in which they differ.
fn folded(name: &str) -> String {
    name.replace(['-', '.', '/'], "_")
}

/// Whether a snapshot called `name` may have been made from the fixture at `path`: it ends with the fixture's name.
fn is_made_from(name: &str, path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    let fixture = folded(file.rsplit_once('.').map_or(file, |(stem, _)| stem));
    folded(name).strip_suffix(&fixture).is_some_and(|front| front.is_empty() || front.ends_with('_'))
}

fn check(files: &[File]) -> Vec<Finding> {
    let rust: Vec<&File> = files.iter().filter(|file| file.is_rust()).collect();
    let fixtures: Vec<&str> = files.iter().filter_map(|file| file.path.strip_prefix("fixtures/")).collect();
    let mut findings = Vec::new();
    for file in files {
        let path = file.path.as_str();
        if path.ends_with(".snap.new") || has_extension(path, "pending-snap") {
            findings.push(Finding::new(path, 0, "waits for review: `cargo insta review`"));
        } else if has_extension(path, "snap") {
            let name = name_of(path);
            match source_of(&file.text) {
                None => findings.push(Finding::new(path, 0, "has no `source:`")),
                Some(source) if !rust.iter().any(|file| file.path == source) => {
                    findings.push(Finding::new(path, 0, format!("its source {source} does not exist")));
                }
                Some(_)
                    if rust.iter().any(|file| file.text.contains(name))
                        || fixtures.iter().any(|path| is_made_from(name, path)) => {}
                Some(_) => findings.push(Finding::new(path, 0, format!("no source mentions `{name}`"))),
            }
        }
    }
    findings
}

#[test]
fn every_snapshot_has_its_test_and_none_waits_for_review() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn control_orphans_and_pending_snapshots_are_rejected() {
    let snap =
        |path: &str, source: &str| File::new(path, &format!("---\nsource: {source}\nexpression: x\n---\ntext\n"));
    let found = check(&[
        File::new("tests/suite/report.rs", "#[test] fn facts() {} #[test] fn bad_files() {}"),
        File::new("fixtures/bad/end-missing.jsonl", ""),
        snap("tests/suite/snapshots/suite__report__facts.snap", "tests/suite/report.rs"),
        snap("tests/suite/snapshots/suite__report__facts@smol-2.snap", "tests/suite/report.rs"),
        snap("tests/suite/snapshots/suite__report__end_missing.snap", "tests/suite/report.rs"),
        snap("tests/suite/snapshots/suite__report__bad-end-missing.snap", "tests/suite/report.rs"),
        snap("tests/suite/snapshots/suite__report__figures.snap", "tests/suite/report.rs"),
        snap("tests/suite/snapshots/suite__gone__facts.snap", "tests/suite/gone.rs"),
        snap("tests/suite/snapshots/suite__report__facts.snap.new", "tests/suite/report.rs"),
        File::new("tests/suite/.report.rs.pending-snap", "{}"),
        File::new("tests/suite/snapshots/suite__report__facts-3.snap", "text"),
    ]);
    let names: Vec<&str> = found.iter().map(|f| f.path.rsplit('/').next().unwrap()).collect();
    assert_eq!(
        names,
        [
            "suite__report__figures.snap",
            "suite__gone__facts.snap",
            "suite__report__facts.snap.new",
            ".report.rs.pending-snap",
            "suite__report__facts-3.snap",
        ]
    );
}
