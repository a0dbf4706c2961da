//! The front page of the documentation: the names at the root of the crate.

/// The most names that a test author is shown.
const MAX_NAMES: usize = 80;

const LIB: &str = include_str!("../../src/lib.rs");

/// Returns the names that `pub use` at the root re-exports, sorted.
fn names(lib: &str) -> Vec<&str> {
    let uses = lib.split("\npub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let items = uses.flat_map(|path| {
        let (_, last) = path.rsplit_once("::").expect("a path of two parts");
        last.trim_matches(['{', '}', '\n']).split(',')
    });
    let renamed = items.map(|item| item.rsplit(" as ").next().unwrap_or(item).trim());
    let mut names: Vec<&str> = renamed.filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names
}

/// Returns the public modules that the documentation shows.
fn shown_modules(lib: &str) -> Vec<&str> {
    let lines: Vec<&str> = lib.lines().collect();
    let shown = lines.windows(2).filter(|pair| pair[1].starts_with("pub mod ") && pair[0] != "#[doc(hidden)]");
    shown.map(|pair| pair[1]).collect()
}

#[test]
fn the_front_page_has_these_names() {
    let names = names(LIB);
    assert!(names.len() <= MAX_NAMES, "{} names, at most {MAX_NAMES}", names.len());
    insta::assert_snapshot!(names.join("\n"));
}

#[test]
fn every_module_is_hidden() {
    assert_eq!(shown_modules(LIB), [""; 0]);
}

#[test]
fn control_a_shown_module_and_a_new_name_are_seen() {
    assert_eq!(shown_modules("#[doc(hidden)]\npub mod a;\n\npub mod b;\n"), ["pub mod b;"]);
    assert_eq!(names("\npub use a::{B,\n    C as D,\n};\npub use e::f;\n"), ["B", "D", "f"]);
}
