//! The verbs that make and check recordings, as programs.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mock-ollama")).current_dir(folder).args(args).output().unwrap()
}

/// Exit code, standard output and standard error.
fn outcome(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = run(folder, args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

const EVENTS: &str = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"m\"}\n\ndata: [DONE]\n\n";

#[test]
fn synth_writes_a_recording_that_inspect_reads() {
    let folder = folder();
    let synth = ["synth", "--profile", "local-7b", "--tokens", "5", "--seed", "3", "--out", "s.jsonl"];
    assert_eq!(outcome(folder.path(), &synth).0, 0);
    let (code, text, _) = outcome(folder.path(), &["inspect", "s.jsonl"]);
    assert_eq!(code, 0);
    assert!(text.contains("synthetic-local-7b-5-3"), "{text}");
    let (code, _, error) = outcome(folder.path(), &synth);
    assert_eq!((code, error.trim()), (5, "error: s.jsonl exists; give --force to replace it"));
}

#[test]
fn synth_lists_its_profiles_and_names_them_to_who_asks_for_another() {
    let folder = folder();
    let (code, list, _) = outcome(folder.path(), &["synth", "--list"]);
    assert_eq!((code, list.lines().count()), (0, 7));
    let (code, _, error) = outcome(folder.path(), &["synth", "--profile", "nope"]);
    assert_eq!(code, 2);
    assert!(error.contains("no profile nope; there are: local-1b, "), "{error}");
}

#[test]
fn a_folder_of_bodies_becomes_a_folder_of_recordings() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("bodies")).unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join("bodies").join(name), text).unwrap();
    put("a.sse", EVENTS);
    put("b.ndjson", "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00Z\",\"response\":\"x\",\"done\":true}\n");
    let (code, _, error) = outcome(folder.path(), &["import", "bodies", "-o", "out"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let (code, text, _) = outcome(folder.path(), &["inspect", "--check", "out"]);
    assert_eq!((code, text.trim()), (0, "2 recordings checked, 0 bad"));
}

#[test]
fn of_a_folder_with_a_bad_body_that_one_is_named_and_the_rest_is_written() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("bodies")).unwrap();
    std::fs::write(folder.path().join("bodies/a.sse"), EVENTS).unwrap();
    std::fs::write(folder.path().join("bodies/b.json"), "{").unwrap();
    let (code, _, error) = outcome(folder.path(), &["import", "bodies", "-o", "out"]);
    assert_eq!(code, 4);
    assert!(error.contains("b.json") && error.ends_with("error: 1 of 2 files are of no use\n"), "{error}");
    assert!(folder.path().join("out/a.jsonl").exists());
}

#[test]
fn inspect_check_names_each_malformed_recording_and_ends_with_4() {
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/bad/recording");
    let (code, text, error) = outcome(&bad, &["inspect", "--check", "."]);
    assert_eq!(code, 4);
    let count = bad.read_dir().unwrap().count();
    assert_eq!(text.trim(), format!("{count} recordings checked, {count} bad"));
    assert_eq!(error.lines().count(), count + 1, "{error}");
}

#[test]
fn an_upstream_with_https_and_a_bad_pattern_are_usage_errors_of_one_line() {
    let folder = folder();
    let (code, _, error) = outcome(folder.path(), &["record", "--upstream", "https://a", "--out", "x"]);
    assert_eq!(code, 2);
    assert!(error.contains("https is not recorded; give the http:// address of the server itself"), "{error}");
    let bad = ["record", "--upstream", "http://127.0.0.1:9", "--out", "x", "--scrub", "("];
    let (code, _, error) = outcome(folder.path(), &bad);
    assert_eq!(code, 2);
    assert!(error.starts_with("error: bad pattern \"(\""), "{error}");
    assert!(!folder.path().join("x").exists(), "nothing is made before the flags are right");
}

#[test]
fn a_folder_that_cannot_be_made_ends_the_recorder_with_5() {
    let folder = folder();
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let (code, _, error) = outcome(
        folder.path(),
        &["record", "--upstream", "http://127.0.0.1:9", "--out", "file/x", "--listen", "127.0.0.1:0"],
    );
    assert_eq!(code, 5);
    assert!(error.starts_with("error: cannot use file/x for recordings"), "{error}");
}

/// An entry of a HAR file: a chat with this model.
fn entry(model: &str, url: &str) -> String {
    let body = format!("{{\\\"model\\\":\\\"{model}\\\",\\\"message\\\":{{}},\\\"done\\\":true}}");
    format!(
        "{{\"request\":{{\"method\":\"POST\",\"url\":\"{url}\"}},\"response\":{{\"status\":200,\"content\":{{\"text\":\"{body}\"}}}}}}"
    )
}

#[test]
fn exchanges_of_several_models_become_a_folder_of_recordings() {
    let folder = folder();
    let url = "http://localhost:11434/api/chat";
    let entries = [entry("a", url), entry("b", url), entry("c", "https://example.com/x")].join(",");
    std::fs::write(folder.path().join("kept.har"), format!("{{\"log\":{{\"entries\":[{entries}]}}}}")).unwrap();
    let (code, _, error) = outcome(folder.path(), &["import", "kept.har", "-o", "out.jsonl"]);
    assert_eq!(code, 4);
    assert!(error.contains("the model is \"b:latest\", but \"a:latest\" before it"), "{error}");
    let (code, _, error) = outcome(folder.path(), &["import", "kept.har", "-o", "out/"]);
    let notes = [
        "kept.har: entry 3 of this HAR file is passed over: mock-ollama has no route POST https://example.com/x",
        "kept.har: passed over: 1 of 3 exchanges",
    ];
    assert_eq!((code, error.lines().collect::<Vec<_>>()), (0, notes.to_vec()));
    let (code, text, _) = outcome(folder.path(), &["inspect", "--check", "out"]);
    assert_eq!((code, text.trim()), (0, "2 recordings checked, 0 bad"));
    assert!(outcome(folder.path(), &["inspect", "out/kept-002.jsonl"]).1.contains("b:latest"));
}

#[test]
fn import_says_what_it_did_to_a_body_and_what_the_body_lacks() {
    let folder = folder();
    std::fs::write(folder.path().join("cut.sse"), format!("\u{feff}{}", EVENTS.replace("data: [DONE]\n\n", "")))
        .unwrap();
    let (code, _, error) = outcome(folder.path(), &["import", "cut.sse", "-o", "out.jsonl"]);
    assert_eq!(code, 0);
    let notes = [
        "cut.sse: begins with a byte order mark, which was taken off",
        "cut.sse: the body breaks off before its last event, such as `data: [DONE]` or `message_stop`, so that the recording \
         ends with `eof`",
    ];
    assert_eq!(error.lines().collect::<Vec<_>>(), notes);
}

#[test]
fn the_status_of_a_lone_error_is_an_option_and_one_that_no_recording_has_is_a_usage_error() {
    let folder = folder();
    std::fs::write(folder.path().join("busy.json"), "{\"error\":\"server busy\"}").unwrap();
    let import = |extra: &[&str]| {
        let args = ["import", "busy.json", "-o", "out.jsonl", "--path", "/api/chat", "--model", "m"];
        outcome(folder.path(), &[&args, extra].concat())
    };
    let (code, _, error) = import(&[]);
    assert_eq!(code, 4);
    assert!(error.contains("--status 404"), "{error}");
    assert_eq!(import(&["--status", "100"]).0, 2);
    assert_eq!(import(&["--status", "503"]), (0, String::new(), String::new()));
    let (_, text, _) = outcome(folder.path(), &["inspect", "out.jsonl"]);
    assert!(text.contains("POST /api/chat -> 503"), "{text}");
}

#[test]
fn files_of_a_folder_that_would_become_one_recording_are_not_lost() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("bodies")).unwrap();
    std::fs::write(folder.path().join("bodies/a.json"), "{\"version\":\"1\"}").unwrap();
    std::fs::write(folder.path().join("bodies/a.sse"), EVENTS).unwrap();
    let (code, _, error) = outcome(folder.path(), &["import", "bodies", "-o", "out", "--force"]);
    assert_eq!(code, 4);
    let expected = "bodies/a.sse would become the same recording as bodies/a.json; rename one of them";
    assert_eq!(error.lines().collect::<Vec<_>>(), [expected, "error: 1 of 2 files are of no use"]);
    assert!(outcome(folder.path(), &["inspect", "out/a.jsonl"]).1.contains("GET /api/version"));
}

#[test]
fn a_folder_without_a_body_is_named() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("bodies")).unwrap();
    std::fs::write(folder.path().join("bodies/readme.md"), "x").unwrap();
    let (code, _, error) = outcome(folder.path(), &["import", "bodies", "-o", "out"]);
    assert_eq!(code, 4);
    assert!(error.contains("bodies has nothing to import in it"), "{error}");
    assert!(!folder.path().join("out").exists());
}
