//! Names of types that mean several things.

use std::collections::BTreeMap;

use crate::source::{Source, is_word, library_files, line_of, without_tests};
use crate::workspace::{File, Finding};

/// The most definitions of one name: a thing, and the same thing as a file or a program sees it.
const MAX_DEFINITIONS: usize = 2;

/// Names that may be defined anywhere, and why.
const EXEMPT: &[(&str, &str)] = &[
    ("Args", "the arguments of a program"),
    ("Cli", "the command line of a program"),
    ("Error", "the errors of a module, by which its name tells them"),
];

/// Where structs of the wire stand, which are called as the API calls them. They are told by their folder and by a derived
/// `Serialize` or `Deserialize`.
const WIRE: &[&str] = &["mock-ollama/src/dialect/", "mock-ollama/src/manage/"];

/// The attributes that stand right before the item at `at`.
fn attributes(code: &str, at: usize) -> &str {
    let begin = code[..at].rfind([';', '}']).map_or(0, |end| end + 1);
    &code[begin..at]
}

/// Types that are visible beyond their module, with their places.
fn types(file: &File) -> Vec<(String, usize)> {
    let code = without_tests(&Source::new(&file.text).code);
    let is_wire = WIRE.iter().any(|folder| file.path.starts_with(folder));
    let mut found = Vec::new();
    for kind in ["struct ", "enum ", "trait "] {
        for at in crate::source::occurrences(&code, kind) {
            let line = code[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let attributes = attributes(&code, line);
            let wire = is_wire && ["Serialize", "Deserialize"].iter().any(|derived| attributes.contains(derived));
            if code[line..at].trim_start().starts_with("pub") && !wire {
                let name: String = code[at + kind.len()..].chars().take_while(|&c| is_word(c)).collect();
                found.push((name, line_of(&code, at)));
            }
        }
    }
    found
}

fn check(files: &[File]) -> Vec<Finding> {
    let mut places: BTreeMap<String, Vec<(&str, usize)>> = BTreeMap::new();
    for file in library_files(files) {
        for (name, line) in types(file) {
            places.entry(name).or_default().push((&file.path, line));
        }
    }
    let exempt = |name: &str| EXEMPT.iter().any(|(exempt, _)| *exempt == name);
    let many = places.iter().filter(|(name, places)| places.len() > MAX_DEFINITIONS && !exempt(name));
    many.map(|(name, places)| {
        let others: Vec<&str> = places[1..].iter().map(|(path, _)| *path).collect();
        let what = format!("`{name}` means {} things, also in {}", places.len(), others.join(", "));
        Finding::new(places[0].0, places[0].1, what)
    })
    .collect()
}

#[test]
fn a_name_of_a_type_means_one_thing() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn exemptions_are_few_and_have_a_reason() {
    assert!(EXEMPT.len() <= 13 && EXEMPT.iter().all(|(name, why)| !name.is_empty() && why.len() > 10));
}

#[test]
fn control_a_name_of_three_things_is_rejected() {
    let file = |n: usize, text: &str| File::new(&format!("src/m{n}.rs"), text);
    let [public, inside, tuple] = ["pub struct Part;", "pub(crate) enum Part {}", "pub(in crate::a) trait Part {}"];
    let found = check(&[file(1, public), file(2, inside), file(3, tuple)]);
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["src/m1.rs:1: `Part` means 3 things, also in src/m2.rs, src/m3.rs"]);
    assert_eq!(check(&[file(1, public), file(2, inside), file(3, "struct Part;")]), []);
}

#[test]
fn control_a_struct_of_the_wire_is_told_by_its_folder_and_its_derive() {
    let wire = "#[derive(Serialize)]\npub(crate) struct Message;";
    let files = |path: &str, text: &str| ["a", "b", "c"].map(|name| File::new(&format!("{path}{name}.rs"), text));
    assert_eq!(check(&files("mock-ollama/src/dialect/", wire)), []);
    assert_eq!(check(&files("mock-ollama/src/engine/", wire)).len(), 1);
    assert_eq!(check(&files("mock-ollama/src/dialect/", "pub(crate) struct Message;")).len(), 1);
}

#[test]
fn exempt_names_and_tests_do_not_count() {
    let files = |text: &str| ["a", "b", "c"].map(|name| File::new(&format!("src/{name}.rs"), text));
    assert_eq!(check(&files("pub enum Error {}")), []);
    assert_eq!(check(&files("#[cfg(test)]\nmod tests {\n    pub(crate) struct Part;\n}\n")), []);
}
