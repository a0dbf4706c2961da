//! Macros that print: they panic where nothing can be written, and show a terminal what it would obey. Programs say what they
//! have to say through `mock_ollama::terminal`.

use crate::source::{Source, block_after, line_of, occurrences};
use crate::workspace::{File, Finding};

/// Macros that print.
const MACROS: &[&str] = &["print!", "println!", "eprint!", "eprintln!"];

/// Where the two programs are.
const SOURCES: &[&str] = &["src/", "mock-ollama/src/"];

/// Whether a file holds tests alone.
fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/")
}

fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of_programs = |file: &&File| SOURCES.iter().any(|folder| file.path.starts_with(folder)) && !is_test(&file.path);
    for file in files.iter().filter(|file| file.is_rust()).filter(of_programs) {
        let code = Source::new(&file.text).code;
        let tests: Vec<(usize, usize)> =
            occurrences(&code, "mod tests {").map(|at| (at, block_after(&code, at + "mod tests ".len()))).collect();
        for (name, at) in MACROS.iter().flat_map(|name| occurrences(&code, name).map(move |at| (name, at))) {
            if !tests.iter().any(|(from, to)| (*from..*to).contains(&at)) {
                let what = format!("`{name}` panics where nothing can be written: use `mock_ollama::terminal`");
                findings.push(Finding::new(&file.path, line_of(&code, at), what));
            }
        }
    }
    findings
}

#[test]
fn programs_say_everything_through_one_door() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn control_prints_are_rejected() {
    for name in MACROS {
        let text = format!("fn f() {{ {name}(\"x\"); }}\n");
        assert_eq!(check(&[File::new("src/cli/a.rs", &text)]).len(), 1, "{text}");
        assert_eq!(check(&[File::new("mock-ollama/src/a.rs", &text)]).len(), 1, "{text}");
    }
}

#[test]
fn tests_and_chores_may_print_and_so_may_talk_about_it() {
    let good = [
        ("xtask/src/main.rs", "fn f() { println!(); }\n"),
        ("src/sim/tests/a.rs", "fn f() { println!(); }\n"),
        ("mock-ollama/src/gate_tests.rs", "fn f() { println!(); }\n"),
        ("src/a.rs", "#[cfg(test)]\nmod tests {\n    fn f() { eprintln!(); }\n}\n"),
        ("src/a.rs", "// println!()\nconst A: &str = \"eprintln!\";\n"),
    ];
    for (path, text) in good {
        assert_eq!(check(&[File::new(path, text)]), [], "{path}: {text}");
    }
}
