//! The map of the house in `docs/architecture.md`: its rows name what exists, and everything at the top has a row.

use std::collections::BTreeSet;

use crate::workspace::{File, Finding};

const MAP: &str = "docs/architecture.md";

/// The tables of floors: the head of their second column, and where its modules are.
const HOUSES: &[(&str, &str)] = &[("mock-ollama", "mock-ollama/src/"), ("runtime-lab", "src/")];

/// The words of a row that stand in backticks.
fn quoted(row: &str) -> impl Iterator<Item = &str> {
    row.split('`').skip(1).step_by(2)
}

/// Whether `place` is the end of a file's path, or a folder on the way to it.
fn is_on(path: &str, place: &str) -> bool {
    format!("/{path}/").contains(&format!("/{}/", place.trim_matches('/')))
}

/// The modules of the table of floors with this head.
fn floors<'t>(map: &'t str, head: &str) -> BTreeSet<&'t str> {
    let head = format!("| floor | {head} |");
    let rows = map.lines().skip_while(|line| !line.starts_with(&head)).take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| row.split('|').nth(2)).flat_map(quoted).collect()
}

fn check(files: &[File]) -> Vec<Finding> {
    let map = files.iter().find(|file| file.path == MAP).map_or("", |file| &file.text);
    let mut findings = Vec::new();
    for (line, row) in (1..).zip(map.lines()).filter(|(_, row)| row.starts_with('|')) {
        // A place of the system begins with a slash.
        let places = quoted(row).filter(|word| word.contains('/') && !word.starts_with('/'));
        let gone = places.filter(|place| !files.iter().any(|file| is_on(&file.path, place)));
        findings.extend(gone.map(|place| Finding::new(MAP, line, format!("`{place}` does not exist"))));
    }
    for (head, sources) in HOUSES {
        let inside = files.iter().filter_map(|file| file.path.strip_prefix(sources));
        let modules: BTreeSet<&str> =
            inside.filter_map(|path| path.trim_end_matches(".rs").split('/').next()).collect();
        for name in floors(map, head).symmetric_difference(&modules).filter(|name| **name != "lib") {
            let what = if modules.contains(name) { "has no row" } else { "does not exist" };
            findings.push(Finding::new(MAP, 0, format!("`{sources}{name}` {what}")));
        }
    }
    findings
}

#[test]
fn the_map_names_what_exists_and_has_a_row_for_each_module() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn control_a_place_that_is_gone_and_a_folder_without_a_row_are_rejected() {
    let map = "| `tools/gates` | `gates/src/` and `cargo x` |\n\n| floor | runtime-lab |\n| 0 | `clock`, `main` |\n";
    let files = [File::new(MAP, map), File::new("tools/gates/src/a.rs", ""), File::new("src/main.rs", "")];
    assert_eq!(check(&[&files[..], &[File::new("src/clock/a.rs", "")]].concat()), []);
    let bad = [&files[..1], &[File::new("src/main.rs", ""), File::new("src/sim/a.rs", "")]].concat();
    let found: Vec<String> = check(&bad).iter().map(ToString::to_string).collect();
    let expected = ["1: `tools/gates` does not exist", "1: `gates/src/` does not exist"];
    assert_eq!(found[..2], expected.map(|what| format!("{MAP}:{what}")));
    assert_eq!(found[2..], ["`src/clock` does not exist", "`src/sim` has no row"].map(|what| format!("{MAP}: {what}")));
}
