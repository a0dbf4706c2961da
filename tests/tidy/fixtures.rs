//! The `README.md` of a folder of fixtures is its inventory: each file, and where it is from.
//!
//! An entry is a row of a table or an item of a list that begins with a name in backticks: ``| `solo.toml` | …`` or
//! ``- `solo.toml`: …``. The name is a path from that folder, or from the directory that the last heading names in backticks:
//! ``## `recordings/` ``.

use std::collections::BTreeMap;

use crate::workspace::{File, Finding};

/// The folders with an inventory: the workspace's, and the one that is packed with the crate.
const FOLDERS: &[&str] = &["fixtures", "mock-ollama/fixtures"];

/// The entries with their lines.
fn entries(inventory: &str) -> BTreeMap<String, usize> {
    let mut dir = String::new();
    let mut entries = BTreeMap::new();
    for (n, line) in inventory.lines().enumerate() {
        let line = line.trim_start();
        if line.starts_with('#') {
            // A heading without a directory in it is back at the top.
            line.split('`').nth(1).filter(|name| name.ends_with('/')).unwrap_or_default().clone_into(&mut dir);
        }
        let cell = line.strip_prefix("| ").or_else(|| line.strip_prefix("- ")).or_else(|| line.strip_prefix("* "));
        if let Some(name) = cell.and_then(|cell| cell.strip_prefix('`')).and_then(|cell| cell.split('`').next()) {
            let path = if name.starts_with(&dir) { name.to_owned() } else { format!("{dir}{name}") };
            entries.insert(path, n + 1);
        }
    }
    entries
}

/// Compares `folder` with its inventory.
fn check_folder(folder: &str, files: &[File]) -> Vec<Finding> {
    let inventory = format!("{folder}/README.md");
    let entries = files.iter().find(|file| file.path == inventory).map(|file| entries(&file.text)).unwrap_or_default();
    let inside = |file: &File| file.path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned);
    let fixtures: Vec<String> = files.iter().filter_map(inside).collect();
    // What is written about fixtures is not one.
    let is_prose = |path: &str| path.rsplit('/').next() == Some("README.md");
    let unlisted = fixtures.iter().filter(|path| !is_prose(path) && !entries.contains_key(*path));
    let absent = entries.iter().filter(|(path, _)| !fixtures.contains(path));
    unlisted
        .map(|path| Finding::new(&format!("{folder}/{path}"), 0, format!("has no entry in {inventory}")))
        .chain(absent.map(|(path, line)| Finding::new(&inventory, *line, format!("{folder}/{path} does not exist"))))
        .collect()
}

fn check(files: &[File]) -> Vec<Finding> {
    FOLDERS.iter().flat_map(|folder| check_folder(folder, files)).collect()
}

#[test]
fn every_fixture_is_in_the_inventory_and_every_entry_exists() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn control_an_unlisted_file_and_an_entry_without_a_file_are_rejected() {
    let inventory = "# Fixtures\n\n- `a.toml`: made by hand, like `b.toml`\n\n## `bad/`, one an error\n\n| file | error |\n| --- | --- |\n| `c.jsonl` | x |\n| `bad/d.jsonl` | x |\n";
    let file = |path: &str| File::new(path, "");
    let found = check(&[
        File::new("fixtures/README.md", inventory),
        file("fixtures/a.toml"),
        file("fixtures/b.toml"),
        file("fixtures/bad/c.jsonl"),
        file("fixtures/bad/README.md"),
        file("mock-ollama/fixtures/e.jsonl"),
        file("src/lib.rs"),
    ]);
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "fixtures/b.toml: has no entry in fixtures/README.md",
            "fixtures/README.md:10: fixtures/bad/d.jsonl does not exist",
            "mock-ollama/fixtures/e.jsonl: has no entry in mock-ollama/fixtures/README.md",
        ]
    );
}

#[test]
fn control_fixtures_without_any_inventory_are_rejected() {
    assert_eq!(check(&[File::new("fixtures/a.toml", "")]).len(), 1);
}
