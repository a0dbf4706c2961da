//! Answers against those of the real server's HTTP layer, for the routes that are served today.
//!
//! The captures stay where they are: the test reads them beside the project, and skips itself where they are not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mock_ollama::MockOllama;
use serde_json::Value;

/// The paths that are answered here; the other ones of the real server come later.
const SERVED: &[&str] = &["/", "/api/version", "/api/tags", "/api/ps", "/api/show", "/api/generate", "/api/chat"];

/// Paths that no server of this kind has.
const UNKNOWN: &[&str] = &["/nope", "/api", "/favicon.ico", "/health"];

/// The folder of captures; `None` where it is absent and may be.
fn captures() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/wire-captures");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("REQUIRE_SHARED").as_deref() != Ok("1"), "{} is not there", folder.display());
    println!("skipped: {} is not there", folder.display());
    None
}

fn read(folder: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The header fields of a captured message, as they stood on the wire, with the blank line.
fn fields(message: &Value) -> String {
    let fields = message["headers"].as_array().unwrap().iter();
    let lines = fields.map(|field| format!("{}: {}\r\n", field[0].as_str().unwrap(), field[1].as_str().unwrap()));
    lines.collect::<String>() + "\r\n"
}

/// What the server says to a captured request, without `Date`.
fn answer(server: &MockOllama, request: &Value) -> String {
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (method, path) = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
    let body = request["body"].as_str().unwrap_or_default();
    stream.write_all(format!("{method} {path} HTTP/1.1\r\n{}{body}", fields(request)).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_inclusive("\r\n").filter(|line| !line.starts_with("Date: ")).collect()
}

/// A captured response as it stood on the wire.
fn captured(response: &Value) -> String {
    let (line, body) = (response["status_line"].as_str().unwrap(), response["body"].as_str().unwrap());
    format!("{line}\r\n{}{body}", fields(response))
}

/// The captures that do not depend on which models there are: all that name none, and of those that name an
/// unknown one `/api/show`, whose words for it are not the mock's own.
fn is_comparable(capture: &Value) -> bool {
    let request = &capture["request"];
    let path = request["path"].as_str().unwrap().split('?').next().unwrap();
    let path = path.trim_end_matches('/').replace("//", "/");
    let path = if path.is_empty() { "/" } else { path.as_str() };
    let body = request["body"].as_str().unwrap_or_default();
    let listing = ["/api/tags", "/api/ps"].contains(&path) && capture["response"]["status"] == 200;
    let asks_for_unknown = body.contains("nope") && path != "/api/show";
    (SERVED.contains(&path) || UNKNOWN.contains(&path))
        && !listing
        && !asks_for_unknown
        && capture["response"]["body"].is_string()
}

#[test]
fn the_router_and_the_checks_of_requests_answer_as_the_real_server_did() {
    let Some(folder) = captures() else { return };
    let server = MockOllama::builder().allow_misses().start().unwrap();
    let all = [read(&folder, "router.jsonl"), read(&folder, "request-errors.jsonl")].concat();
    let comparable: Vec<&Value> = all.iter().filter(|capture| is_comparable(capture)).collect();
    let differing: Vec<String> = comparable
        .iter()
        .filter_map(|capture| {
            let (ours, theirs) = (answer(&server, &capture["request"]), captured(&capture["response"]));
            let id = capture["id"].as_str().unwrap();
            (ours != theirs).then(|| format!("{id}\n--- real\n{theirs}\n--- ours\n{ours}\n"))
        })
        .collect();
    println!("{} captures compared", comparable.len());
    assert!(comparable.len() >= 28, "only {} captures were compared", comparable.len());
    assert!(differing.is_empty(), "{} of {} differ:\n{}", differing.len(), comparable.len(), differing.join("\n"));
}
