//! Lints switched off without a reason, and work left for later.

use crate::source::{Source, block_after, is_word, line_of, occurrences};
use crate::workspace::{File, Finding};

/// Attributes that switch a check off, and so need to say why.
const ATTRIBUTES: &[&str] = &["allow(", "expect("];

/// Calls that stand for code that is not there, or should not be.
const CALLS: &[&str] = &["todo!", "unimplemented!", "dbg!"];

/// Words with which people mark what they did not finish.
const MARKS: &[&str] = &["FIXME", "TODO", "HACK", "XXX"];

fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let Source { code, prose } = Source::new(&file.text);
        for at in attributes(&code) {
            let body = &code[at..block_after(&code, at + code[at..].find('[').unwrap_or(0))];
            let line = line_of(&code, at);
            if ATTRIBUTES.iter().any(|name| occurrences(body, name).next().is_some())
                && occurrences(body, "reason").next().is_none()
                && !has_comment(&prose, line)
            {
                findings.push(Finding::new(&file.path, line, "a lint is switched off without a reason"));
            }
            if occurrences(body, "ignore").next().is_some() && !body.contains("ignore =") && !body.contains("ignore=") {
                findings.push(Finding::new(&file.path, line, "a test is ignored without a reason"));
            }
        }
        for (call, at) in CALLS.iter().flat_map(|call| occurrences(&code, call).map(move |at| (call, at))) {
            findings.push(Finding::new(&file.path, line_of(&code, at), format!("`{call}`")));
        }
        for (mark, at) in MARKS.iter().flat_map(|mark| occurrences(&prose, mark).map(move |at| (mark, at))) {
            if !prose[at + mark.len()..].chars().next().is_some_and(is_word) {
                findings.push(Finding::new(&file.path, line_of(&prose, at), format!("left for later: {mark}")));
            }
        }
    }
    findings
}

/// The offsets of attributes, inner and outer.
fn attributes(code: &str) -> impl Iterator<Item = usize> + '_ {
    let outer = code.match_indices("#[").map(|(at, _)| at);
    outer.chain(code.match_indices("#![").map(|(at, _)| at))
}

/// Whether there is a plain comment on `line` or on the line above it.
fn has_comment(prose: &str, line: usize) -> bool {
    let is_comment = |text: &str| text.contains("// ") && !text.contains("///") && !text.contains("//!");
    prose.lines().skip(line.saturating_sub(2)).take(2).any(is_comment)
}

#[test]
fn nothing_is_switched_off_without_a_reason_and_nothing_is_left_for_later() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn control_escapes_are_rejected() {
    let bad = [
        "#[allow(dead_code)]\nfn f() {}\n",
        "/// Does it.\n#[expect(clippy::pedantic)]\nfn f() {}\n",
        "#![allow(\n    unused,\n)]\n",
        "#[cfg_attr(test, allow(dead_code))]\nfn f() {}\n",
        "#[test]\n#[ignore]\nfn f() {}\n",
        "fn f() { todo!() }\n",
        "fn f() { unimplemented!(\"later\") }\n",
        "fn f() { dbg!(1); }\n",
        "fn f() {} // FIXME: wrong\n",
    ];
    for text in bad {
        assert_eq!(check(&[File::new("src/a.rs", text)]).len(), 1, "{text}");
    }
}

#[test]
fn escapes_with_a_reason_are_accepted_and_so_is_talk_about_them() {
    let good = [
        "#[expect(dead_code, reason = \"the schema needs it\")]\nfn f() {}\n",
        "// The macro makes one for every row.\n#[allow(dead_code)]\nfn f() {}\n",
        "#[ignore = \"needs a display\"]\nfn f() {}\n",
        "fn f() -> &'static str { \"TODO todo!() #[allow(x)]\" }\n",
        "fn f() { x.expect(\"y\"); hackathon() }\n",
    ];
    for text in good {
        assert_eq!(check(&[File::new("src/a.rs", text)]), [], "{text}");
    }
}
