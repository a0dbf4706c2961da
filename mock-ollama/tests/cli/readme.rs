//! The README's commands of this program, word by word and in its order.
#![cfg(unix)]

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mock_ollama::recording;
use tempfile::TempDir;

use crate::serve::Serving;

/// What a command of the README begins with; the program of this build stands for it.
const PREFIXES: [&str; 2] = ["cargo run --release --bin mock-ollama -- ", "mock-ollama "];

/// The address of the README's upstream. The tests take ports that are free.
const UPSTREAM: &str = "127.0.0.1:11434";

const SECRET: &str = "sk-abc1";

/// A body that the README's curl could have kept.
const ANSWER: &str = "\
{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00.1Z\",\"response\":\"hi\",\"done\":false}
{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00.2Z\",\"response\":\"\",\"done\":true}
";

/// The arguments of each command, without quotes and without the comment behind them.
fn commands(readme: &str) -> Vec<Vec<String>> {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).take_while(|word| word != "#").collect();
    let arguments = readme.lines().filter_map(|line| PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix)));
    arguments.map(|line| words(&line.replace('"', ""))).collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder in which the README's paths lead to the fixtures, and to files that other commands have written.
fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    symlink(repository().join("fixtures").canonicalize().unwrap(), folder.path().join("fixtures")).unwrap();
    fs::create_dir(folder.path().join("target")).unwrap();
    fs::write(folder.path().join("target/answer.ndjson"), ANSWER).unwrap();
    folder
}

fn program(folder: &TempDir, arguments: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-ollama"));
    command.args(arguments).current_dir(folder.path()).stdin(Stdio::null()).env("OLLAMA_HOST", "127.0.0.1:0");
    command
}

/// Starts a server, asks it for an answer, which must be whole, and stops it.
fn serve_and_ask(folder: &TempDir, arguments: &[String]) {
    let server = Serving::start(&mut program(folder, arguments));
    let question = format!(r#"{{"model":"llama","prompt":"my key is {SECRET}"}}"#);
    let mut answer = String::new();
    server.ask("POST /api/generate HTTP/1.0", &question).read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"done\":true"), "{arguments:?}: {answer}");
    assert_eq!(server.stop("TERM").0, Some(0), "{arguments:?}");
}

/// Records in front of a server. The secret must not be in any file.
fn record(folder: &TempDir, arguments: &[String]) {
    let upstream = Serving::start(&mut program(folder, &["serve", "fixtures/scripted"].map(str::to_owned)));
    let mut arguments: Vec<String> = arguments.iter().map(|word| word.replace(UPSTREAM, upstream.addr())).collect();
    if let Some(at) = arguments.iter().position(|word| word == "--listen") {
        "127.0.0.1:0".clone_into(&mut arguments[at + 1]);
    }
    serve_and_ask(folder, &arguments);
    let out = arguments.iter().position(|word| word == "--out").expect("the README says where to");
    for entry in fs::read_dir(folder.path().join(&arguments[out + 1])).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains(SECRET), "{text}");
    }
}

/// Runs a command to its end; returns what it printed.
fn run(folder: &TempDir, arguments: &[String]) -> Vec<u8> {
    let output = program(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let folder = workspace();
    let commands = commands(&fs::read_to_string(repository().join("README.md")).unwrap());
    assert!(commands.iter().any(|arguments| arguments[0] == "serve"));
    for arguments in commands {
        match arguments[0].as_str() {
            "serve" => serve_and_ask(&folder, &arguments),
            "record" => record(&folder, &arguments),
            "synth" => drop(recording::read(run(&folder, &arguments).as_slice(), "synth").unwrap()),
            _ => drop(run(&folder, &arguments)),
        }
    }
}

#[test]
#[should_panic(expected = "no-such-recording.jsonl")]
fn control_a_command_that_fails_is_noticed() {
    run(&workspace(), &["inspect", "target/no-such-recording.jsonl"].map(str::to_owned));
}
