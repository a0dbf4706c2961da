//! What the program says of itself.

use crate::util::Workspace;

#[test]
fn help_shows_the_verbs_and_hides_the_parts_that_children_play() {
    let page = Workspace::new().lab(["--help"]).with(0).stdout;
    assert!(!page.contains("__"), "{page}");
    insta::assert_snapshot!("help", page);
}

#[test]
fn help_of_run_explains_every_flag() {
    insta::assert_snapshot!("help_of_run", Workspace::new().lab(["run", "--help"]).with(0).stdout);
}

#[test]
fn help_of_predict_says_what_files_are_called() {
    insta::assert_snapshot!("help_of_predict", Workspace::new().lab(["predict", "--help"]).with(0).stdout);
}

// With every variant: `controls` brings the other four.
#[cfg(all(feature = "controls", feature = "runtime-tokio-localset"))]
#[test]
fn list_shows_what_a_run_can_be_made_of() {
    insta::assert_snapshot!("list", Workspace::new().lab(["list"]).with(0).stdout);
}

#[test]
fn every_line_of_list_fits_100_columns() {
    let list = Workspace::new().lab(["list"]).with(0).stdout;
    let widest = list.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}");
}

#[test]
fn a_reader_of_list_that_has_gone_away_has_read_enough() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let workspace = Workspace::new();
    let mut list = workspace.command(["list"]);
    let ended = list.stdout(writer).stderr(std::process::Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), b"".as_slice()));
}
