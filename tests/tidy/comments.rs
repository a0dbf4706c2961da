//! Comments inside bodies: the why of an order, a bound or a trick. Where time and state are handled there must be some.

use crate::source::{Source, block_after, library_files, occurrences, without_tests};
use crate::workspace::{File, Finding};

/// Folders that must have them.
const FOLDERS: &[&str] = &["mock-ollama/src/driver/", "mock-ollama/src/engine/", "src/sim/"];

/// The fewest lines of comment in bodies, of a thousand lines of code and such comments.
const MIN_PER_MILLE: usize = 20;

/// The lines of comment inside bodies of functions, and those together with the lines of code; tests left out.
fn count(file: &File) -> (usize, usize) {
    let Source { code, prose } = Source::new(&file.text);
    let code = without_tests(&code);
    let bodies: Vec<(usize, usize)> = occurrences(&code, "fn ")
        .filter_map(|at| {
            let open = at + code[at..].find(['{', ';'])?;
            code[open..].starts_with('{').then(|| (open, block_after(&code, open)))
        })
        .collect();
    let (mut comments, mut lines, mut at) = (0, 0, 0);
    for (line, text) in code.split_inclusive('\n').zip(prose.lines()) {
        let in_body = bodies.iter().any(|(open, end)| (*open..*end).contains(&at));
        comments += usize::from(in_body && text.trim_start().starts_with("// "));
        lines += usize::from(!line.trim().is_empty());
        at += line.len();
    }
    (comments, lines + comments)
}

fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in FOLDERS {
        let inside = library_files(files).filter(|file| file.path.starts_with(folder)).map(count);
        let (comments, lines) = inside.fold((0, 0), |(a, b), (comments, lines)| (a + comments, b + lines));
        if comments * 1000 < lines * MIN_PER_MILLE {
            let wanted = (lines * MIN_PER_MILLE).div_ceil(1000);
            let what = format!("{comments} of {lines} lines are comments inside bodies, at least {wanted} say why");
            findings.push(Finding::new(folder, 0, what));
        }
    }
    findings
}

#[test]
fn bodies_say_why() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn control_comments_outside_bodies_do_not_count() {
    let body = |comment: &str| format!("fn f() {{\n    {comment}\n{}}}\n", "    g();\n".repeat(47));
    let findings = |text: &str| check(&[File::new("src/sim/a.rs", text)]).len();
    assert_eq!(findings(&body("// The order matters: g before h.")), 0);
    for bad in ["/// A doc.", "h(); // says little", "\"// no comment\";", ""] {
        assert_eq!(findings(&body(bad)), 1, "{bad}");
    }
    assert_eq!(findings(&format!("// Above.\n{}", body(""))), 1);
    assert_eq!(findings(&format!("#[cfg(test)]\nmod tests {{\n    {}\n}}\n{}", body("// Why."), body(""))), 1);
}
