//! `mock-ollama serve`, as its users run it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use rstest::rstest;

/// Longer than anything here takes on a busy host.
const PATIENCE: Duration = Duration::from_secs(20);

/// A model that no recording knows.
const QUESTION: &str = r#"{"model":"llama3","prompt":"hello"}"#;

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(path)
}

/// The file of a built-in recording.
fn built_in(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recordings").join(file)
}

fn serve(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-ollama"));
    command.arg("serve").args(args).stdin(Stdio::null()).env_remove("OLLAMA_HOST").env_remove("COLUMNS");
    command
}

/// A server in a process of its own, ended when this is dropped.
pub(crate) struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What it printed first.
    line: String,
}

impl Serving {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the executable starts");
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Self { child, stdout, line }
    }

    /// On a free port.
    fn with(args: &[&str]) -> Self {
        Self::start(serve(&["--listen", "127.0.0.1:0"]).args(args))
    }

    pub(crate) fn addr(&self) -> &str {
        // The recorder prints more in front of it.
        let addr = self.line.split_once("listening on http://").and_then(|(_, rest)| rest.strip_suffix('\n'));
        addr.unwrap_or_else(|| panic!("{:?}", self.line))
    }

    /// Sends a request, `METHOD PATH VERSION`, and returns what comes back.
    pub(crate) fn ask(&self, line: &str, body: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.addr()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let head = format!("{line}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        BufReader::new(stream)
    }

    /// The names of the models it offers.
    fn models(&self) -> Vec<String> {
        let mut answer = String::new();
        // HTTP/1.0 knows no chunks.
        self.ask("GET /api/tags HTTP/1.0", "").read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let tags: serde_json::Value = serde_json::from_str(body).unwrap();
        let names = tags["models"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    /// Sends a signal; returns the exit code and what else it had printed.
    #[cfg(unix)]
    pub(crate) fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let kill = ["-c", &format!("kill -{signal} {}", self.child.id())];
        assert!(Command::new("sh").args(kill).status().unwrap().success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next chunk of a chunked body; nothing after the last one.
fn chunk(answer: &mut BufReader<TcpStream>) -> Option<String> {
    let mut size = String::new();
    answer.read_line(&mut size).unwrap();
    let size = usize::from_str_radix(size.trim_end(), 16).unwrap_or_else(|_| panic!("{size:?} is not a size"));
    let mut bytes = vec![0; size + 2];
    answer.read_exact(&mut bytes).unwrap();
    bytes.truncate(size);
    (size > 0).then(|| String::from_utf8(bytes).unwrap())
}

fn skip_head(answer: &mut BufReader<TcpStream>) {
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 200 OK\r\n");
    while line != "\r\n" {
        line.clear();
        answer.read_line(&mut line).unwrap();
    }
}

#[cfg(unix)]
#[rstest]
fn a_signal_ends_it_well_and_it_has_printed_one_line(#[values("INT", "TERM")] signal: &str) {
    let server = Serving::with(&[]);
    assert!(server.line.starts_with("listening on http://127.0.0.1:"), "{}", server.line);
    assert_eq!(server.stop(signal), (Some(0), String::new()));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_well_although_a_stream_is_open() {
    let server = Serving::with(&["--match", "any", "--pace", "ttft=0s,gap=3600s"]);
    let mut answer = server.ask("POST /api/generate HTTP/1.1", QUESTION);
    skip_head(&mut answer);
    assert_eq!(server.stop("INT"), (Some(0), String::new()));
}

#[test]
fn the_first_token_is_at_the_client_while_the_next_is_an_hour_away() {
    let server = Serving::with(&["--match", "any", "--pace", "ttft=0s,gap=3600s"]);
    let mut answer = server.ask("POST /api/generate HTTP/1.1", QUESTION);
    skip_head(&mut answer);
    let token: serde_json::Value = serde_json::from_str(&chunk(&mut answer).unwrap()).unwrap();
    assert!(!token["response"].as_str().unwrap().is_empty());
    assert_eq!(token["done"], false);
}

#[test]
fn a_client_that_knows_nothing_of_the_recordings_gets_one_of_them_chunk_by_chunk() {
    let path = built_in("tiny-emoji.jsonl");
    let recording = mock_ollama::recording::read_file(&path).unwrap();
    let server = Serving::with(&["--match", "any", "--pace", "instant", path.to_str().unwrap()]);
    let mut answer = server.ask("POST /api/generate HTTP/1.1", QUESTION);
    skip_head(&mut answer);
    let chunks: Vec<String> = std::iter::from_fn(|| chunk(&mut answer)).collect();
    let recorded: Vec<&[u8]> = recording.exchanges[0].chunks.iter().map(|chunk| &*chunk.bytes).collect();
    assert_eq!(chunks.iter().map(String::as_bytes).collect::<Vec<_>>(), recorded);
}

#[test]
fn without_a_path_the_built_in_recordings_are_served() {
    let models = ["base", "small", "think", "tiny", "tools"].map(|name| format!("quill-{name}:latest"));
    assert_eq!(Serving::with(&[]).models(), models);
}

#[test]
fn of_a_folder_the_recordings_are_served_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(built_in("tiny-short.jsonl"), folder.path().join("a.jsonl")).unwrap();
    fs::write(folder.path().join("notes.txt"), "not a recording").unwrap();
    assert_eq!(Serving::with(&[folder.path().to_str().unwrap()]).models(), ["quill-tiny:latest"]);
}

#[test]
fn the_environment_says_where_to_listen() {
    let server = Serving::start(serve(&[]).env("OLLAMA_HOST", "127.0.0.1:0"));
    // The default port would be 11434.
    assert!(!server.addr().ends_with(":11434"), "{}", server.line);
    assert_eq!(server.models().len(), 5);
}

#[test]
fn the_flag_says_where_to_listen_whatever_the_environment_says() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = taken.local_addr().unwrap().to_string();
    for host in [elsewhere.as_str(), "nonsense://"] {
        let server = Serving::start(serve(&["--listen", "127.0.0.1:0"]).env("OLLAMA_HOST", host));
        assert_ne!(server.addr(), elsewhere);
    }
}

#[cfg(unix)]
#[test]
fn each_listen_is_a_server_and_a_line_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.json");
    let mut server = Serving::with(&["--listen", "127.0.0.1:0", "--journal", journal.to_str().unwrap()]);
    let first = server.addr().to_owned();
    assert_eq!(server.models().len(), 5);
    server.line.clear();
    server.stdout.read_line(&mut server.line).unwrap();
    assert_ne!(server.addr(), first);
    assert_eq!(server.models().len(), 5);
    assert_eq!(server.stop("INT"), (Some(0), String::new()), "there is no third line");
    let journal: mock_ollama::journal::Journal = serde_json::from_slice(&fs::read(journal).unwrap()).unwrap();
    assert_eq!(journal.entries.iter().map(|entry| entry.server.0).collect::<Vec<_>>(), [0, 1]);
}

/// What a server said that did not start.
fn refused(command: &mut Command, code: i32) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), stdout.as_slice()), (Some(code), b"".as_slice()), "{stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    stderr
}

#[rstest]
#[case::no_scheme("ftp://127.0.0.1", "unknown scheme ftp")]
#[case::no_port("127.0.0.1:x", "x is not a port")]
fn an_environment_of_no_use_ends_it_with_2(#[case] host: &str, #[case] why: &str) {
    let said = refused(serve(&[]).env("OLLAMA_HOST", host), 2);
    assert!(said.contains("bad OLLAMA_HOST: ") && said.contains(why), "{said}");
}

#[rstest]
#[case::pace(&["--pace", "fast"], "unknown pace `fast`")]
#[case::rule(&["--match", "some"], "'--match <RULE>'")]
#[case::threads_are_gone(&["--threads", "2"], "--threads is gone: a server has one thread; leave the flag out")]
#[case::address(&["--listen", "127.0.0.1:99999"], "99999 is not a port")]
fn a_flag_of_no_use_ends_it_with_2(#[case] flag: &[&str], #[case] why: &str) {
    let said = refused(serve(&["--listen", "127.0.0.1:0"][..if flag[0] == "--listen" { 0 } else { 2 }]).args(flag), 2);
    assert!(said.contains(why), "{said}");
}

#[test]
fn a_malformed_recording_ends_it_with_4_and_is_named_with_its_line() {
    let bad = fixture("bad/recording/status.jsonl");
    let said = refused(&mut serve(&["--listen", "127.0.0.1:0", bad.to_str().unwrap()]), 4);
    assert!(said.contains("status.jsonl:3: "), "{said}");
}

#[test]
fn a_folder_without_recordings_ends_it_with_4_and_one_that_is_missing_with_5() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(&mut serve(&["--listen", "127.0.0.1:0", folder.path().to_str().unwrap()]), 4);
    assert!(said.contains("has nothing to serve in it"), "{said}");
    refused(&mut serve(&["--listen", "127.0.0.1:0", folder.path().join("no").to_str().unwrap()]), 5);
}

#[test]
fn a_port_in_use_ends_it_with_5_and_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let said = refused(&mut serve(&["--listen", &addr]), 5);
    assert!(said.starts_with(&format!("error: cannot listen on {addr}: ")), "{said}");
}

#[test]
fn help_explains_every_flag() {
    let page = serve(&["--help"]).output().unwrap();
    insta::assert_snapshot!("help_of_serve", String::from_utf8_lossy(&page.stdout));
}
