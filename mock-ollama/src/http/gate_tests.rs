//! The gate: its order, and its answers against those of the real server.

use std::path::Path;

use rstest::rstest;
use serde_json::Value;

use super::{Gate, GateConfig, gate};
use crate::http::head::HeadReader;
use crate::http::{Framing, RequestHead, ResponseHead, Route, Version};
use crate::journal::ServerId;

/// The routes of the wire dialects.
const ANSWERS: &[&str] =
    &["/api/generate", "/api/chat", "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"];

const SERVER: ServerId = ServerId(0);

fn config() -> GateConfig {
    GateConfig::default()
}

/// Header fields as they stand on the wire.
fn lines(fields: &[(&str, &str)]) -> String {
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    lines.concat()
}

fn head(method: &str, target: &str, fields: &[(&str, &str)]) -> RequestHead {
    let text = format!("{method} {target} HTTP/1.1\r\n{}\r\n", lines(fields));
    let mut reader = HeadReader::default();
    text.split_terminator("\r\n").find_map(|line| reader.read_line(line.as_bytes()).unwrap()).unwrap()
}

fn status(gate: &Gate) -> Option<u16> {
    match gate {
        Gate::Answer { status, .. } => Some(*status),
        Gate::Pass { .. } => None,
    }
}

const LOCAL: (&str, &str) = ("Host", "localhost:11434");
const ADDRESS: (&str, &str) = ("Host", "127.0.0.1:11434");
const EVIL_HOST: (&str, &str) = ("Host", "evil.com");
const APP: (&str, &str) = ("Origin", "app://x");
const EVIL: (&str, &str) = ("Origin", "http://evil.com");

#[rstest]
#[case::preflight("OPTIONS", "/api/chat", &[ADDRESS, APP], Some(204))]
#[case::preflight_of_no_path("OPTIONS", "/nope", &[ADDRESS, APP], Some(204))]
#[case::preflight_before_host("OPTIONS", "/api/chat", &[EVIL_HOST, APP], Some(204))]
#[case::forbidden("GET", "/api/tags", &[ADDRESS, EVIL], Some(403))]
#[case::forbidden_on_404("GET", "/nope", &[ADDRESS, EVIL], Some(403))]
#[case::redirects_are_not_checked("GET", "//api/tags", &[EVIL_HOST, EVIL], Some(307))]
#[case::own_origin_is_still_checked_for_its_host("GET", "/", &[EVIL_HOST, EVIL], Some(403))]
#[case::host_on_405("GET", "/api/chat", &[EVIL_HOST], Some(403))]
#[case::options_to_a_name("OPTIONS", "/api/chat", &[LOCAL], Some(204))]
#[case::options_to_an_address("OPTIONS", "/api/chat", &[ADDRESS], Some(405))]
#[case::options_of_no_path_to_an_address("OPTIONS", "/nope", &[ADDRESS], Some(404))]
#[case::options_of_everything("OPTIONS", "*", &[EVIL_HOST], Some(200))]
#[case::another_method_of_everything("GET", "*", &[ADDRESS], Some(400))]
#[case::expectation_before_everything("OPTIONS", "*", &[ADDRESS, ("Expect", "200-ok")], Some(417))]
#[case::tunnel("CONNECT", "127.0.0.1:80", &[ADDRESS], Some(404))]
#[case::scheme_in_capitals("GET", "HTTP://evil.com/api/tags", &[ADDRESS], Some(403))]
#[case::no_host_in_the_target("GET", "http:///api/tags", &[EVIL_HOST], Some(403))]
#[case::host_of_an_absolute_target("GET", "http://evil.com/api/tags", &[ADDRESS], Some(403))]
#[case::passes("GET", "/api/tags", &[ADDRESS, APP], None)]
fn a_request_meets_origins_first_and_its_host_then(
    #[case] method: &str,
    #[case] target: &str,
    #[case] fields: &[(&str, &str)],
    #[case] expected: Option<u16>,
) {
    assert_eq!(status(&gate(&head(method, target, fields), SERVER, &config(), ANSWERS)), expected);
}

#[test]
fn host_is_not_checked_where_the_listener_is_open_to_others() {
    let config = GateConfig { open: [SERVER].into(), ..config() };
    let head = head("GET", "/api/tags", &[EVIL_HOST]);
    assert_eq!(gate(&head, SERVER, &config, ANSWERS), Gate::Pass { route: Route::Tags, fields: Vec::new() });
    assert_eq!(status(&gate(&head, ServerId(1), &config, ANSWERS)), Some(403), "another server is not open");
}

#[test]
fn an_error_of_the_router_carries_the_fields_of_its_origin() {
    let Gate::Answer { status, fields, body } =
        gate(&head("GET", "/api/chat", &[ADDRESS, APP]), SERVER, &config(), ANSWERS)
    else {
        panic!("no handler takes it");
    };
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((status, body.as_str()), (405, "405 method not allowed"));
    assert_eq!(names, ["Allow", "Access-Control-Allow-Origin", "Vary", "Content-Type"]);
}

#[test]
fn a_redirect_of_head_has_a_type_and_of_post_has_none() {
    let of = |method| gate(&head(method, "/api//x?a=1&b", &[ADDRESS]), SERVER, &config(), ANSWERS);
    let location = ("Location".to_owned(), "/api/x?a=1&b".to_owned());
    let kind = ("Content-Type".to_owned(), "text/html; charset=utf-8".to_owned());
    let body = "<a href=\"/api/x?a=1&amp;b\">Temporary Redirect</a>.\n\n".to_owned();
    let both = vec![location.clone(), kind];
    assert_eq!(of("GET"), Gate::Answer { status: 307, fields: both.clone(), body });
    assert_eq!(of("HEAD"), Gate::Answer { status: 307, fields: both, body: String::new() });
    assert_eq!(of("POST"), Gate::Answer { status: 307, fields: vec![location], body: String::new() });
}

/// The captures of a group; none where they are absent and may be.
fn captures(group: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/wire-captures");
    let Ok(text) = std::fs::read_to_string(folder.join(format!("{group}.jsonl"))) else {
        assert!(std::env::var("REQUIRE_SHARED").as_deref() != Ok("1"), "{} is not there", folder.display());
        println!("skipped: {} is not there", folder.display());
        return Vec::new();
    };
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn pairs(message: &Value) -> Vec<(&str, &str)> {
    let fields = message["headers"].as_array().unwrap().iter();
    fields.map(|field| (field[0].as_str().unwrap(), field[1].as_str().unwrap())).collect()
}

/// What the gate's answer looks like on the wire; of a request that passes, only the fields that the gate adds.
fn on_the_wire(request: &Value, gate: Gate) -> String {
    let method = request["method"].as_str().unwrap();
    let version = if request["version"] == "HTTP/1.0" { Version::Http10 } else { Version::Http11 };
    let Gate::Answer { status, fields, body } = gate else { return String::new() };
    let framing = Framing::of_whole(version, method, status, body.len() as u64);
    let connection = (version == Version::Http11).then_some("close");
    let head = ResponseHead { version, status, fields, date_unix_s: None, framing, connection };
    let body = if method == "HEAD" { "" } else { &body };
    String::from_utf8(head.encode()).unwrap() + body
}

#[rstest]
#[case("router")]
#[case("cors")]
#[case("host")]
fn the_gate_answers_as_the_real_server_did(#[case] group: &str) {
    for capture in captures(group) {
        let (request, response) = (&capture["request"], &capture["response"]);
        let (method, path) = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
        let gate = gate(&head(method, path, &pairs(request)), SERVER, &config(), ANSWERS);
        if let Gate::Pass { fields, .. } = &gate {
            let added = ["Access-Control-Allow-Origin", "Vary", "Allow"];
            let theirs: Vec<_> = pairs(response).into_iter().filter(|(name, _)| added.contains(name)).collect();
            let ours: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(ours, theirs, "{}", capture["id"]);
            continue;
        }
        let body = response["body"].as_str().unwrap();
        let theirs = format!("{}\r\n{}\r\n{body}", response["status_line"].as_str().unwrap(), lines(&pairs(response)));
        assert_eq!(on_the_wire(request, gate), theirs, "{}", capture["id"]);
    }
}
