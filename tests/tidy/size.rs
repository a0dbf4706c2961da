//! Files that have grown too long to be one file.

use crate::workspace::{File, Finding};

/// The most lines of a source file; what is longer is two files.
const MOST_LINES: usize = 600;

fn check(files: &[File]) -> Vec<Finding> {
    let long = files.iter().filter(|file| file.is_rust()).map(|file| (file, file.text.lines().count()));
    long.filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(file, lines)| {
            Finding::new(&file.path, 0, format!("{lines} lines, at most {MOST_LINES}: make it two files"))
        })
        .collect()
}

#[test]
fn no_source_file_is_too_long() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn control_a_file_of_601_lines_is_rejected_and_one_of_600_is_not() {
    let file = |path, lines| File::new(path, &"//\n".repeat(lines));
    let found = check(&[file("src/a.rs", 601), file("src/b.rs", 600), file("fixtures/c.jsonl", 601)]);
    assert_eq!(found.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["src/a.rs"]);
}
