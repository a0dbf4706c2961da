//! Commands of the README that nothing runs are commands that nobody knows to work.
//!
//! Meant are the lines of `sh` blocks that begin with one of our programs or cargo. Such a command is run when a line of
//! `.ci/run` ends with it word by word, or when a source below `tests/cli/` holds it, whole or as quoted arguments. The
//! commands of `mock-ollama` are run by its tests, which read the README themselves.

use crate::workspace::{File, Finding};

/// Commands that no program can run, and why.
const EXEMPT: &[(&str, &str)] =
    &[("cargo insta review", "asks questions"), ("cargo install", "writes into the home of its user")];

/// The test that runs every command of `mock-ollama` in the README.
const SERVER_TESTS: &str = "mock-ollama/tests/cli/readme.rs";

/// Whether the text between two fences that open with this is for a shell.
fn is_shell(fence: &str) -> bool {
    matches!(fence.trim(), "sh" | "bash" | "console" | "shell")
}

/// The words of a command without its prompt, comment and trailing `&`.
fn words(line: &str) -> Vec<&str> {
    let line = line.trim().trim_start_matches("$ ");
    let mut words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
    if words.last() == Some(&"&") {
        words.pop();
    }
    words
}

/// The commands of the README with their lines.
fn commands(readme: &str) -> Vec<(usize, Vec<&str>)> {
    let mut shell = false;
    let mut fenced = false;
    let mut commands = Vec::new();
    for (n, line) in readme.lines().enumerate() {
        if let Some(fence) = line.trim_start().strip_prefix("```") {
            fenced = !fenced;
            shell = fenced && is_shell(fence);
        } else if shell {
            let words = words(line);
            if matches!(words.first(), Some(&("cargo" | "mock-ollama" | "runtime-lab"))) {
                commands.push((n + 1, words));
            }
        }
    }
    commands
}

fn runs_in_ci(command: &[&str], ci: &str) -> bool {
    ci.lines().filter(|line| !line.trim_start().starts_with('#')).any(|line| words(line).ends_with(command))
}

fn runs_in_tests(command: &[&str], sources: &[&str]) -> bool {
    let arguments = match command.iter().position(|word| *word == "--") {
        Some(at) => &command[at + 1..],
        None => &command[1..],
    };
    let quoted = arguments.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let whole = command.join(" ");
    let cargo_alone = command[0] == "cargo" && !command.contains(&"--");
    sources.iter().any(|text| text.contains(&whole) || (!cargo_alone && !quoted.is_empty() && text.contains(&quoted)))
}

/// Whether the command is one of those that [`SERVER_TESTS`] looks for, by its name for them.
fn runs_in_server_tests(command: &[&str], test: &str) -> bool {
    let prefixes = ["cargo run --release --bin mock-ollama -- ", "mock-ollama "];
    let whole = command.join(" ");
    prefixes.iter().any(|prefix| whole.starts_with(prefix) && test.contains(&format!("{prefix:?}")))
}

fn check(files: &[File]) -> Vec<Finding> {
    let text_of = |path: &str| files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
    let ci = text_of(".ci/run");
    let tests: Vec<&str> =
        files.iter().filter(|file| file.path.starts_with("tests/cli/")).map(|file| file.text.as_str()).collect();
    let server_tests = text_of(SERVER_TESTS);
    let exempt = |command: &[&str]| EXEMPT.iter().any(|(prefix, _)| command.starts_with(&words(prefix)));
    commands(text_of("README.md"))
        .into_iter()
        .filter(|(_, command)| !exempt(command) && !runs_in_ci(command, ci) && !runs_in_tests(command, &tests))
        .filter(|(_, command)| !runs_in_server_tests(command, server_tests))
        .map(|(line, command)| Finding::new("README.md", line, format!("nothing runs `{}`", command.join(" "))))
        .collect()
}

#[test]
fn every_command_of_the_readme_is_run_by_ci_or_a_test() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn control_a_command_that_nothing_runs_is_rejected() {
    let readme = "\
```sh
cargo run --release
cargo xtask test  # every test
$ mock-ollama serve --match any &
cargo run -p mock-ollama -- inspect FILE
runtime-lab list
cargo insta review
curl http://127.0.0.1:11434/
```
```toml
cargo = \"not a command\"
```
";
    let ci = "# step cargo run --release\nstep 'smol' cargo run --release --no-default-features\nstep 'tests' cargo xtask test\n";
    let cli = "fn a() { run(\"mock-ollama\", [\"serve\", \"--match\", \"any\"]); run(\"x\", [\"inspect\", \"FILE\"]) }";
    let files = [File::new("README.md", readme), File::new(".ci/run", ci), File::new("tests/cli/main.rs", cli)];
    let shown: Vec<String> = check(&files).iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["README.md:2: nothing runs `cargo run --release`", "README.md:6: nothing runs `runtime-lab list`"]
    );
}

#[test]
fn a_command_of_the_server_is_run_where_its_test_looks_for_it() {
    let readme = "```sh\nmock-ollama serve\ncargo run --release --bin mock-ollama -- serve\n```\n";
    let findings = |test| check(&[File::new("README.md", readme), File::new(SERVER_TESTS, test)]).len();
    assert_eq!(findings("[\"cargo run --release --bin mock-ollama -- \", \"mock-ollama \"]"), 0);
    assert_eq!([findings("[\"mock-ollama \"]"), findings("")], [1, 2]);
}

#[test]
fn without_a_readme_there_is_nothing_to_run() {
    assert_eq!(check(&[File::new(".ci/run", "")]), []);
}
