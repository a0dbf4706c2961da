//! The parts that the program plays for itself, in processes of their own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use mock_ollama::journal::Journal;
use runtime_lab::transcript::{ExchangeOutcome, Transcript};
use runtime_lab::variant::Variant;
use runtime_lab::workload::{AgentPlan, Job, RequestPlan};

use crate::util::{Workspace, repository, some_variant};

/// Finished when dropped, so that a test that fails leaves nothing behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn orders(workspace: &Workspace) {
    let orders = serde_json::json!({
        "recordings": [repository("mock-ollama/fixtures/recordings/tiny-emoji.jsonl")], "pace": "instant", "seed": 1, "backend": {},
    });
    workspace.put("orders.json", orders.to_string());
}

#[test]
fn a_server_whose_parent_lets_go_of_its_input_ends_by_itself_and_leaves_the_journal() {
    let workspace = Workspace::new();
    orders(&workspace);
    let mut command = workspace.command(["__serve", "orders.json", "journal.json"]);
    let mut server = Running(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let mut stdout = BufReader::new(server.0.stdout.take().unwrap());
    let mut url = String::new();
    stdout.read_line(&mut url).unwrap();
    let mut client = TcpStream::connect(url.trim_end().strip_prefix("http://").unwrap()).unwrap();
    client.write_all(b"GET /api/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    client.read_to_string(&mut String::new()).unwrap();
    assert!(!workspace.path("journal.json").exists(), "the journal is of a server that has ended");

    drop(server.0.stdin.take());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((server.0.wait().unwrap().code(), rest.as_str()), (Some(0), ""));
    let journal: Journal = serde_json::from_str(&workspace.read("journal.json")).unwrap();
    let targets: Vec<&str> = journal.entries.iter().map(|entry| entry.request.target.as_str()).collect();
    assert_eq!(targets, ["/api/version"]);
}

#[test]
fn a_server_without_readable_orders_says_which_file_is_at_fault() {
    let workspace = Workspace::new();
    let missing = workspace.lab(["__serve", "orders.json", "journal.json"]).with(5);
    assert!(missing.stderr.starts_with("error: cannot read orders.json: "), "{}", missing.stderr);
    workspace.put("orders.json", "{}");
    let wrong = workspace.lab(["__serve", "orders.json", "journal.json"]).with(4);
    assert!(wrong.stderr.starts_with("error: orders.json is not what was expected there: "), "{}", wrong.stderr);
    assert!(!workspace.path("journal.json").exists());
}

fn job(url: String) -> Job {
    let request = RequestPlan {
        recording: "tiny-emoji".to_owned(),
        exchange: 0,
        path: "/api/generate".to_owned(),
        body: "{}".to_owned(),
    };
    let agent = |name: &str| AgentPlan::new(name, vec![request.clone(); 2]);
    Job { url, agents: vec![agent("one"), agent("other")], limit: None }
}

#[test]
fn agents_who_reach_nobody_say_so_in_their_transcript_and_end_well() {
    // The client's end of a connection: an address that is taken, and where nobody listens.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let workspace = Workspace::new();
    let job = job(format!("http://{}", taken.local_addr().unwrap()));
    workspace.put("job.json", serde_json::to_string(&job).unwrap());
    for variant in Variant::ALL {
        let ended = workspace.lab(["__agents", variant.name(), "job.json", "transcript.json"]).with(0);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""), "{variant}");
        let transcript: Transcript = serde_json::from_str(&workspace.read("transcript.json")).unwrap();
        let exchanges: Vec<_> = transcript.agents.iter().flat_map(|agent| &agent.exchanges).collect();
        assert_eq!(exchanges.len(), 4, "{variant}");
        for exchange in exchanges {
            assert_eq!(exchange.status, 0, "{variant}");
            assert!(
                matches!(&exchange.outcome, ExchangeOutcome::Failed { kind, .. } if kind == "connect"),
                "{variant}"
            );
        }
    }
}

#[test]
fn agents_without_a_job_leave_no_transcript() {
    let workspace = Workspace::new();
    workspace.lab(["__agents", some_variant(), "job.json", "transcript.json"]).with(5);
    assert!(!workspace.path("transcript.json").exists());
}
