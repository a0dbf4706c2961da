use std::fs;

use super::*;
use crate::report::outputs::write;
use crate::report::{Classified, ErrorClass};

// With every variant: `controls` brings the other four.
#[cfg(all(feature = "controls", feature = "runtime-tokio-localset"))]
#[test]
fn the_page_of_tr115() {
    insta::assert_snapshot!("tr115", page(None, None).unwrap().markdown);
}

#[test]
fn the_page_of_one_and_two_servers() {
    insta::assert_snapshot!("tr114", page(Some(Paper::Tr114), None).unwrap().markdown);
    insta::assert_snapshot!("tr113", page(Some(Paper::Tr113), None).unwrap().markdown);
}

/// A folder with the tables of TR113 and TR114.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in [RUNS, SUMMARY] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/papers/tr113-tr114").join(file);
        fs::copy(from, folder.path().join(file)).unwrap();
    }
    folder
}

#[test]
fn the_tables_of_a_folder_say_which_paper_they_are_of() {
    let folder = folder();
    let built_in = page(Some(Paper::Tr114), None).unwrap();
    for paper in [None, Some(Paper::All), Some(Paper::Tr114)] {
        assert_eq!(page(paper, Some(folder.path())).unwrap(), built_in);
    }
    let other = page(Some(Paper::Tr115), Some(folder.path())).unwrap_err();
    assert!(other.to_string().ends_with("runs.csv:1: the column `set` belongs to the tables of another paper"));
}

#[test]
fn both_files_are_written_and_hold_a_row_a_run() {
    let page = page(Some(Paper::All), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("new");
    write(OUTPUTS, &page, &folder).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    assert_eq!(fs::read_to_string(folder.join("papers.md")).unwrap(), page.markdown);
    let runs = fs::read_to_string(folder.join("runs.csv")).unwrap();
    assert_eq!(runs.lines().count(), 1 + 125 + 214);
    let mut lines = runs.lines();
    assert_eq!(lines.next().unwrap(), format!("set,{}", HEAD.join(",")));
    assert!(lines.all(|line| line.split(',').count() == 6 && (line.ends_with("true") || line.ends_with("false"))));
}

#[test]
fn what_cannot_be_written_is_the_systems_fault() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = write(OUTPUTS, &Page::default(), &folder.path().join("file/below")).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Io, "{error}");
}
