//! Inputs that never end, outputs that cannot be written, and texts that a terminal would obey.
#![cfg(target_os = "linux")]

use std::fs::OpenOptions;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rstest::rstest;
use tempfile::TempDir;

fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-ollama"));
    command.current_dir(folder).args(args).stdin(Stdio::null()).env_remove("OLLAMA_HOST");
    command
}

/// The exit code and the first line on standard error, of which there is one at most.
fn said(output: &Output) -> (Option<i32>, String) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(text.lines().count() <= 1, "{text}");
    (output.status.code(), text)
}

/// A device on which nothing can be written.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

fn put(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

/// A recording in which every text that people see says `text`.
fn recording(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    format!(
        concat!(
            r#"{{"recording":1,"name":"r","origin":"synthetic","server":{quoted},"model":{{"name":"m:latest","capabilities":[]}}}}"#,
            "\n",
            r#"{{"request":{{"method":"POST","path":"/api/generate","body":{{"model":{quoted},"prompt":"p"}}}}}}"#,
            "\n",
            r#"{{"response":{{"status":200,"headers":[]}}}}"#,
            "\n",
            r#"[0,"abc"]"#,
            "\n",
            r#"{{"end":{{"how":"clean","chunks":1,"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}}}"#,
            "\n",
        ),
        quoted = quoted
    )
}

const SCRIPT: &str = "[[model]]\nname = \"tiny\"\n\n[[rule]]\nreply.pieces = [\"x\"]\n";

#[rstest]
#[case::usage(&["serve", "--seed", "none"], 2)]
#[case::inspect(&["inspect", "missing"], 5)]
#[case::serve(&["serve", "missing"], 5)]
#[case::malformed(&["inspect", "bad.jsonl"], 4)]
#[case::each_malformed(&["inspect", "--check", "bad.jsonl"], 4)]
#[case::threads_are_gone(&["serve", "tiny.toml", "--threads", "2", "--listen", "127.0.0.1:0"], 2)]
fn a_full_standard_error_leaves_the_exit_code_alone(#[case] args: &[&str], #[case] code: i32) {
    let folder = TempDir::new().unwrap();
    put(&folder, "bad.jsonl", "no");
    put(&folder, "tiny.toml", SCRIPT);
    let status = program(folder.path(), args).stdout(Stdio::null()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(code));
}

#[rstest]
#[case::help(&["--help"])]
#[case::profiles(&["synth", "--list"])]
#[case::synth(&["synth", "--profile", "local-7b"])]
#[case::inspect(&["inspect", "good.jsonl"])]
#[case::check(&["inspect", "--check", "good.jsonl"])]
#[case::serve(&["serve", "tiny.toml", "--listen", "127.0.0.1:0"])]
fn a_full_standard_output_ends_with_5(#[case] args: &[&str]) {
    let folder = TempDir::new().unwrap();
    put(&folder, "good.jsonl", &recording("m"));
    put(&folder, "tiny.toml", SCRIPT);
    let status = program(folder.path(), args).stdout(full()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(5));
}

#[test]
fn what_a_terminal_would_obey_is_shown_escaped() {
    let folder = TempDir::new().unwrap();
    put(&folder, "r.jsonl", &recording("\u{1b}]0;title\u{7}\u{9b}2J\r\u{202e}\nr: 9 bad"));
    let output = program(folder.path(), &["inspect", "r.jsonl"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let shown = "\\u{1b}]0;title\\u{7}\\u{9b}2J\\r\\u{202e}\\nr: 9 bad";
    assert_eq!(text.lines().next(), Some(format!("r: synthetic from {shown}, model m:latest").as_str()), "{text}");
    assert!(!text.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')), "{text:?}");
    let output = program(folder.path(), &["inspect", "\u{1b}[2J.jsonl"]).output().unwrap();
    assert!(said(&output).1.starts_with("error: \\u{1b}[2J.jsonl"), "{output:?}");
}

#[rstest]
#[case::endless(&["inspect", "/dev/zero"], 5, "/dev/zero: cannot read the recording: it is no file; name one")]
#[case::random(&["serve", "/dev/random"], 5, "it is no file; name one")]
#[case::nothing(&["import", "/dev/null", "-o", "out.jsonl"], 5, "cannot read /dev/null: it is no file; name one")]
#[case::script(&["serve", "zero.toml"], 5, "cannot read zero.toml: it is no file; name one")]
#[case::folder(&["serve", "folder.toml"], 5, "x.jsonl: cannot read the recording: it is a folder; name a file")]
#[case::pipe(&["inspect", "pipe.jsonl"], 5, "pipe.jsonl: cannot read the recording: it is a pipe without a writer")]
#[case::onto_a_device(&["import", "body.json", "-o", "/dev/null", "--force"], 5, "cannot write /dev/null: ")]
#[case::onto_a_folder(&["synth", "--profile", "local-7b", "--out", "folder.toml"], 5, "cannot write folder.toml: ")]
#[case::onto_itself(&["import", "body.json", "-o", "./body.json", "--force"], 2, "./body.json is an input")]
#[case::journal_onto_a_recording(&["serve", "good.jsonl", "--journal", "./good.jsonl"], 2, "./good.jsonl is an input")]
#[case::journal_onto_a_script_of_a_folder(&["serve", ".", "--journal", "tiny.toml"], 2, "tiny.toml is an input")]
fn what_has_no_end_or_would_be_lost_is_refused_in_one_line(
    #[case] args: &[&str],
    #[case] code: i32,
    #[case] why: &str,
) {
    let folder = TempDir::new().unwrap();
    if !args.contains(&".") {
        std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.toml")).unwrap();
        std::fs::create_dir_all(folder.path().join("folder.toml/x.jsonl")).unwrap();
        assert!(Command::new("mkfifo").arg(folder.path().join("pipe.jsonl")).status().unwrap().success());
    }
    put(&folder, "good.jsonl", &recording("m"));
    put(&folder, "tiny.toml", SCRIPT);
    put(
        &folder,
        "body.json",
        "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00Z\",\"response\":\"x\",\"done\":true}\n",
    );
    let kept = || ["good.jsonl", "tiny.toml", "body.json"].map(|name| std::fs::read(folder.path().join(name)).unwrap());
    let before = kept();
    let (got, line) = said(&program(folder.path(), args).stdout(Stdio::null()).output().unwrap());
    assert_eq!((got, line.starts_with("error: ") && line.contains(why)), (Some(code), true), "{line}");
    assert_eq!(kept(), before);
}

#[rstest]
#[case::all("0.0.0.0:0")]
#[case::all_of_v6("[::]:0")]
fn an_address_that_others_reach_is_said_aloud_in_one_line(#[case] listen: &str) {
    let folder = TempDir::new().unwrap();
    put(&folder, "tiny.toml", SCRIPT);
    let mut command = program(folder.path(), &["serve", "tiny.toml", "--listen", listen]);
    // It ends when its address cannot be said.
    let mut child = command.stdout(full()).stderr(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("note: ") && first.contains("is open to other hosts"), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
}
