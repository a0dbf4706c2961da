//! `docs/papers.md`: what stands between its markers is what the programs print, and its prose has no number of its own.
//!
//! A block begins with `<!-- from: runtime-lab ARGUMENTS -->`, or with `<!-- from: runtime-lab ARGUMENTS, SECTION -->`
//! for what stands below that heading of a page, and ends with `<!-- end -->`. Pages that are no Markdown stand in a
//! fence.

use std::collections::BTreeSet;

/// What has the form of a number with a decimal point and is none: an address, and the version of a licence.
const NO_NUMBERS: [&str; 2] = ["127.0.0.1", "1.0"];

const END: &str = "<!-- end -->";

/// What stands in a marker: the arguments of the program, and the section where it is not the whole page.
fn marker(line: &str) -> Option<(&str, Option<&str>)> {
    let inside = line.strip_prefix("<!-- from: runtime-lab ")?.strip_suffix(" -->")?;
    Some(inside.split_once(", ").map_or((inside, None), |(arguments, section)| (arguments, Some(section))))
}

/// What stands below a heading of a page, up to the next one of its level.
fn section<'p>(page: &'p str, title: &str) -> Option<&'p str> {
    page.split("\n## ").skip(1).find_map(|part| part.strip_prefix(title)?.strip_prefix('\n')).map(str::trim)
}

/// A document, taken apart at its markers.
struct Document {
    /// With each block as the programs print it.
    renewed: String,
    /// The blocks alone, renewed.
    blocks: String,
    /// Everything else.
    prose: String,
}

/// `document` with its blocks renewed from the pages that `print` gives for arguments.
fn renewed(document: &str, mut print: impl FnMut(&str) -> String) -> Document {
    let mut found = Document { renewed: String::new(), blocks: String::new(), prose: String::new() };
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        found.renewed += &[line, "\n"].concat();
        let Some((arguments, title)) = marker(line) else {
            found.prose += &[line, "\n"].concat();
            continue;
        };
        assert!(lines.by_ref().any(|line| line == END), "a block without an end: {line}");
        let page = print(arguments);
        let block = match title {
            Some(title) => section(&page, title).unwrap_or_else(|| panic!("no section: {line}")).to_owned(),
            None => format!("```text\n{}\n```", page.trim_end()),
        };
        found.renewed += &["\n", &block, "\n\n", END, "\n"].concat();
        found.blocks += &[block.as_str(), "\n"].concat();
    }
    found
}

/// The numbers in a text, and whether each has a decimal point or stands before `%`.
fn numbers(text: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find(|c: char| c.is_ascii_digit()) {
        let end = rest[begin..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(rest.len(), |at| begin + at);
        let number = rest[begin..end].trim_end_matches('.');
        rest = &rest[begin + number.len()..];
        found.push((number, number.contains('.') || rest.trim_start().starts_with('%')));
    }
    found
}

/// The numbers of the prose with a decimal point or `%` that are in no block.
fn of_its_own(document: &Document) -> Vec<String> {
    let known: BTreeSet<&str> = numbers(&document.blocks).into_iter().map(|(number, _)| number).collect();
    let exact = numbers(&document.prose).into_iter().filter(|(_, is_exact)| *is_exact);
    let unknown = exact.filter(|(number, _)| !known.contains(number) && !NO_NUMBERS.contains(number));
    unknown.map(|(number, _)| number.to_owned()).collect()
}

const PAGE: &str = "# A\n\n## First\n\nOne is 1.50 %.\n\n## Second\n\ntwo\n";

#[test]
fn a_block_is_the_section_that_its_marker_names() {
    let old = "Text: 1.50 %.\n<!-- from: runtime-lab papers, First -->\nold\n<!-- end -->\nEnd.\n";
    let found = renewed(old, |arguments| {
        assert_eq!(arguments, "papers");
        PAGE.to_owned()
    });
    let expected = "Text: 1.50 %.\n<!-- from: runtime-lab papers, First -->\n\nOne is 1.50 %.\n\n<!-- end -->\nEnd.\n";
    assert_eq!((found.renewed.as_str(), of_its_own(&found)), (expected, vec![]));
    assert_eq!(renewed(expected, |_| PAGE.to_owned()).renewed, expected);
}

#[test]
fn control_a_number_that_no_block_has_is_found() {
    let text =
        "In 2025 it was 1.50 %, 50 % or 1.5 points of 12.\n<!-- from: runtime-lab papers, First -->\n<!-- end -->\n";
    assert_eq!(of_its_own(&renewed(text, |_| PAGE.to_owned())), ["50", "1.5"]);
}

// With every variant: `controls` brings the other four.
#[cfg(all(feature = "controls", feature = "runtime-tokio-localset"))]
mod of_this_repository {
    use std::collections::BTreeMap;

    use super::*;
    use crate::util::{Finished, Workspace, repository};

    #[test]
    fn the_papers_are_told_with_what_the_programs_print_and_with_no_other_number() {
        let path = repository("docs/papers.md");
        let kept = std::fs::read_to_string(&path).unwrap();
        let mut pages: BTreeMap<String, String> = BTreeMap::new();
        let found = renewed(&kept, |arguments| {
            let print = || {
                let mut command = Workspace::new().command(arguments.split(' '));
                Finished::from(command.current_dir(repository("")).output().unwrap()).with(0).stdout
            };
            pages.entry(arguments.to_owned()).or_insert_with(print).clone()
        });
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &found.renewed).unwrap();
        } else {
            assert!(kept == found.renewed, "docs/papers.md is out of date: run this test with UPDATE_DOCS=1");
        }
        assert_eq!(of_its_own(&found), Vec::<String>::new(), "numbers that no block of docs/papers.md has");
    }
}
