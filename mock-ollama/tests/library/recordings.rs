//! The built-in recordings are what `mock-ollama import` makes of the original captures.
//!
//! The captures are not part of this repository. Where they are at hand, in `../shared/own-recordings` beside
//! the workspace, each recording is imported again and compared; elsewhere the test says so and passes.
//! `REQUIRE_SHARED=1` makes their absence a failure, `UPDATE_FIXTURES=1` writes the recordings.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SOURCE: &str = "own recording, 2026-11-20";

/// Model facts come from one listing for both server versions: the models are the same to the digest,
/// and a catalog should say one thing of each.
const TAGS: &str = "v0.33.0/api/tags";

/// A built-in recording: its name, the captures it is made of, and what it is for.
const RECORDINGS: &[(&str, &[&str], &str)] = &[
    ("tiny-short", &["v0.33.0/generate/g03-tiny-length20"], "a fast model; cut by num_predict after 20 tokens"),
    ("tiny-long", &["v0.33.0/generate/g06-tiny-long600"], "a fast model; a natural stop after 198 tokens"),
    ("tiny-japanese", &["v0.33.0/generate/g04-tiny-japanese"], "characters of several tokens, so chunks with gaps"),
    ("tiny-emoji", &["v0.13.0/generate/g05-tiny-emoji"], "emoji in ten chunks"),
    ("tiny-raw-no-context", &["v0.13.0/generate/g07-tiny-raw-no-context"], "raw mode: the final object has no context"),
    ("small-greedy", &["v0.33.0/generate/g12-small-greedy"], "a medium model, about 12 ms a token; 150 tokens"),
    ("small-html", &["v0.33.0/generate/g13-small-seeded"], "tags in the answer: angle brackets arrive as JSON escapes"),
    ("small-multibyte", &["v0.33.0/chat/c23-small-multibyte"], "a chat in several scripts"),
    ("small-client-closed", &["v0.33.0/disconnect/d01-close-after-10-chunks"], "the recorder hung up after 10 chunks"),
    (
        "small-error-mid-stream",
        &["v0.33.0/disconnect/d09-half-close-400ms-stream"],
        "an error line after 26 objects and no final one; the recorder read late, so all offsets are at the end",
    ),
    ("base-greedy", &["v0.33.0/chat/c14-base-greedy"], "a slow model, about 60 ms a token; 60 tokens of chat"),
    ("base-cold-load", &["v0.33.0/load/l01-base-cold"], "the first request after server start: 5 s of loading"),
    ("think-default", &["v0.13.0/chat/t01-think-default"], "thinking, then an answer"),
    ("think-length-cut", &["v0.33.0/chat/t04-think-length-cut"], "cut within the thinking: no answer at all"),
    ("tools-call", &["v0.33.0/chat/u01-tool-call"], "one tool call and no text"),
    ("tools-result", &["v0.33.0/chat/u03-tool-result"], "the answer to a tool's result"),
    (
        "conversation-four-turns",
        &[
            "v0.13.0/chat/c07-tiny-conversation-turn1",
            "v0.13.0/chat/c07-tiny-conversation-turn2",
            "v0.13.0/chat/c07-tiny-conversation-turn3",
            "v0.13.0/chat/c07-tiny-conversation-turn4",
        ],
        "four turns of one chat, each with the whole history in its request",
    ),
    ("json-generate", &["v0.33.0/nonstream/n02-generate-length"], "not streamed: one object, no newline"),
    ("pair-a", &["v0.33.0/dual/small-one-core/rep1-solo-a"], "agent a of a pair, alone on one core"),
    ("pair-b", &["v0.33.0/dual/small-one-core/rep1-solo-b"], "agent b of a pair, alone on one core"),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn mock_ollama(args: &[OsString]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mock-ollama")).args(args).output().expect("the executable starts")
}

fn import(captures: &Path, inputs: &[&str], output: &Path, description: &str) -> Output {
    let capture = |name: &str| captures.join(format!("{name}.jsonl")).into_os_string();
    let mut args = vec!["import".into(), "--force".into(), "--output".into(), output.into()];
    let texts = [("--licence", "CC0-1.0"), ("--source", SOURCE), ("--description", description)];
    args.extend(texts.into_iter().flat_map(|(flag, text)| [flag.into(), text.into()]));
    args.extend(["--tags".into(), capture(TAGS)]);
    args.extend(inputs.iter().map(|name| capture(name)));
    mock_ollama(&args)
}

/// Imports each of `list` again and compares it with the file of that name in `folder`.
fn compare_with_captures(folder: &str, list: &[(String, Vec<String>, String)]) {
    let captures = workspace().join("../shared/own-recordings");
    if !captures.is_dir() {
        assert!(env::var_os("REQUIRE_SHARED").is_none(), "the original captures are not at hand");
        eprintln!("skipped: the original captures are not at hand");
        return;
    }
    let update = env::var_os("UPDATE_FIXTURES").is_some();
    let scratch = tempfile::tempdir().unwrap();
    let folder = workspace().join(folder);
    for (name, inputs, description) in list {
        let file = format!("{name}.jsonl");
        let output = scratch.path().join(&file);
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let done = import(&captures, &inputs, &output, description);
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        let text = fs::read_to_string(output).unwrap();
        if update {
            fs::write(folder.join(&file), &text).unwrap();
        }
        assert!(fs::read_to_string(folder.join(&file)).ok() == Some(text), "{file} differs from a new import");
    }
}

#[test]
fn the_built_in_recordings_are_imports_of_the_original_captures() {
    let list = RECORDINGS.iter().map(|(name, inputs, description)| {
        ((*name).to_owned(), inputs.iter().map(|input| (*input).to_owned()).collect(), (*description).to_owned())
    });
    compare_with_captures("mock-ollama/fixtures/recordings", &list.collect::<Vec<_>>());
}

#[test]
fn the_recordings_of_one_core_are_imports_of_the_original_captures() {
    let mut list = Vec::new();
    for repetition in 1..=2 {
        for (word, how) in [("solo", "alone"), ("both", "together")] {
            for agent in ["a", "b"] {
                let name = format!("rep{repetition}-{word}-{agent}");
                let description = format!("agent {agent} of a pair, {how} on one core, repetition {repetition}");
                list.push((name.clone(), vec![format!("v0.33.0/dual/small-one-core/{name}")], description));
            }
        }
    }
    compare_with_captures("fixtures/predict/one-core", &list);
}

#[test]
fn the_list_of_imports_and_the_built_in_recordings_agree() {
    let mut listed: Vec<&str> = RECORDINGS.iter().map(|(name, ..)| *name).collect();
    listed.sort_unstable();
    let built_in: Vec<&str> = mock_ollama::catalog::builtin::names().collect();
    assert_eq!(listed, built_in);
}

fn inspect(path: impl AsRef<OsStr>) -> Output {
    mock_ollama(&["inspect".into(), path.as_ref().into()])
}

#[test]
fn inspect_shows_a_recording_and_ends_with_0() {
    let done = inspect(workspace().join("mock-ollama/fixtures/recordings/small-client-closed.jsonl"));
    assert_eq!(done.status.code(), Some(0));
    insta::assert_snapshot!(String::from_utf8_lossy(&done.stdout));
}

#[test]
fn a_malformed_recording_ends_with_4_and_a_missing_one_with_5() {
    assert_eq!(inspect(workspace().join("fixtures/bad/recording/status.jsonl")).status.code(), Some(4));
    assert_eq!(inspect("no-such-file.jsonl").status.code(), Some(5));
}

/// A folder with a raw body of two lines, and the arguments that import it to `out.jsonl` there.
fn with_a_body(extra: &[&str]) -> (tempfile::TempDir, PathBuf, Vec<OsString>) {
    let folder = tempfile::tempdir().unwrap();
    let (body, out) = (folder.path().join("body.ndjson"), folder.path().join("out.jsonl"));
    fs::write(&body, "{\"model\":\"m\",\"response\":\"a\"}\n{\"model\":\"m\",\"response\":\"b\"}\n").unwrap();
    let mut args: Vec<OsString> = vec!["import".into(), body.into(), "--output".into(), out.clone().into()];
    args.extend(extra.iter().map(OsString::from));
    (folder, out, args)
}

#[test]
fn import_does_not_replace_a_file_unless_forced() {
    let (_folder, out, mut args) = with_a_body(&["--gap", "20ms"]);
    fs::write(&out, "mine").unwrap();
    let refused = mock_ollama(&args);
    assert_eq!(refused.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("give --force to replace it"));
    assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
    args.push("--force".into());
    assert_eq!(mock_ollama(&args).status.code(), Some(0));
    assert_eq!(mock_ollama::recording::read_file(&out).unwrap().name, "out");
}

#[test]
fn import_without_times_asks_for_a_gap_and_ends_with_4() {
    let (_folder, out, args) = with_a_body(&[]);
    let refused = mock_ollama(&args);
    assert_eq!(refused.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--gap"));
    assert!(!out.exists());
}

#[test]
fn a_gap_is_a_duration_or_0() {
    for (gap, times) in [("0", Some([0, 0])), ("1.5ms", Some([0, 1500])), ("20", None), ("-3ms", None)] {
        let (_folder, out, args) = with_a_body(&[&format!("--gap={gap}")]);
        let code = mock_ollama(&args).status.code();
        assert_eq!(code, Some(if times.is_some() { 0 } else { 2 }), "{gap}");
        let read = mock_ollama::recording::read_file(&out).ok();
        let found = read.map(|recording| [0, 1].map(|index| recording.exchanges[0].chunks[index].at_us));
        assert_eq!(found, times, "{gap}");
    }
}

#[test]
fn an_input_larger_than_a_recording_may_be_is_not_read_whole() {
    let (folder, _, mut args) = with_a_body(&["--gap=0"]);
    let huge = fs::File::create(folder.path().join("body.ndjson")).unwrap();
    huge.set_len(mock_ollama::recording::limits::MAX_FILE_BYTES + 1).unwrap();
    args.push("--force".into());
    let refused = mock_ollama(&args);
    assert_eq!(refused.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is larger than 67108864 bytes, the limit"));
}
