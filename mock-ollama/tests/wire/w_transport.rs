//! W-001 to W-018: transport and routing.

use mock_ollama::journal::ServerId;
use rstest::rstest;

use crate::bench::{Bench, Body};

#[test]
fn w_001_the_root_says_that_ollama_is_running() {
    let answer = Bench::scripted().get("/");
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("text/plain; charset=utf-8")));
    assert_eq!(answer.text(), "Ollama is running");
}

#[test]
fn w_002_a_head_of_the_root_has_its_length_and_no_body() {
    let answer = Bench::scripted().ask("HEAD", "/", "");
    assert_eq!((answer.status, answer.header("Content-Length"), answer.text().as_str()), (200, Some("17"), ""));
}

#[test]
fn w_003_the_version_is_one_key_and_a_string() {
    let version = Bench::scripted().get("/api/version").json();
    let keys: Vec<&String> = version.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["version"]);
    assert!(version["version"].is_string());
}

#[rstest]
#[case("GET", "/nope")]
#[case("POST", "/v1")]
#[case("GET", "/api")]
#[case("GET", "/debug/pprof/")]
#[case("GET", "/metrics")]
#[case("POST", "/v1/images/generations")]
fn w_004_an_unknown_path_is_404_in_plain_text(#[case] method: &str, #[case] path: &str) {
    let answer = Bench::scripted().ask(method, path, "");
    assert_eq!((answer.status, answer.header("Content-Type")), (404, Some("text/plain")));
    assert_eq!(answer.text(), "404 page not found");
}

#[test]
fn w_005_a_wrong_method_is_405_and_told_which_ones_there_are() {
    let answer = Bench::scripted().get("/api/chat");
    assert_eq!((answer.status, answer.header("Allow")), (405, Some("POST")));
    assert_eq!((answer.header("Content-Type"), answer.text().as_str()), (Some("text/plain"), "405 method not allowed"));
}

#[rstest]
#[case("/api/tags", "HEAD, GET")]
#[case("/api/blobs/sha256:00", "HEAD, POST")]
#[case("/", "HEAD, GET")]
#[case("/api/delete", "DELETE")]
fn w_006_allow_lists_the_methods_in_the_routers_order(#[case] path: &str, #[case] allow: &str) {
    assert_eq!(Bench::scripted().ask("BREW", path, "").header("Allow"), Some(allow));
}

#[rstest]
#[case("/api/ps")]
#[case("/v1/models")]
#[case("/api/status")]
fn w_007_a_head_of_a_route_for_get_alone_is_405(#[case] path: &str) {
    assert_eq!(Bench::scripted().ask("HEAD", path, "").status, 405);
}

#[rstest]
#[case("GET", "/api/tags/?x=1", 301, "/api/tags?x=1")]
#[case("HEAD", "/api/tags/", 307, "/api/tags")]
#[case("POST", "/v1/messages/", 307, "/v1/messages")]
fn w_008_a_trailing_slash_redirects_and_keeps_the_query(
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
    #[case] location: &str,
) {
    let answer = Bench::scripted().ask(method, path, "");
    assert_eq!((answer.status, answer.header("Location")), (status, Some(location)));
    let body = if method == "GET" { "<a href=\"/api/tags?x=1\">Moved Permanently</a>.\n\n" } else { "" };
    assert_eq!(answer.text(), body);
}

#[test]
fn w_009_a_double_slash_redirects_with_307() {
    let answer = Bench::scripted().ask("POST", "//api/chat", "");
    assert_eq!((answer.status, answer.header("Location")), (307, Some("/api/chat")));
}

#[rstest]
#[case("GET", "/api/tags", "")]
#[case("POST", "/api/chat", r#"{"model":"llama","messages":[{"role":"user","content":"hi"}]}"#)]
#[case("POST", "/v1/messages", "")]
fn w_010_header_names_are_in_canonical_case_and_there_is_no_server_field(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
) {
    let answer = Bench::scripted().ask(method, path, body);
    assert_eq!(answer.header("Server"), None);
    for (name, _) in &answer.headers {
        let canonical = name.split('-').all(|word| {
            let mut letters = word.chars();
            letters.next().is_some_and(char::is_uppercase) && letters.all(|letter| !letter.is_uppercase())
        });
        assert!(canonical, "{name}");
    }
}

#[test]
fn w_011_a_body_of_2048_bytes_has_a_length_and_a_longer_one_is_chunked() {
    // The name is echoed with its spaces, so the length of the body can be chosen.
    let framed = |fill: usize| {
        let messages = serde_json::json!([{ "role": "user", "content": "hi" }]);
        let name = format!("llama{}", " ".repeat(fill));
        let body = serde_json::json!({ "model": name, "messages": messages, "stream": false });
        Bench::scripted().post("/api/chat", &body)
    };
    let short = framed(0).text().len();
    let exact = framed(2048 - short);
    assert_eq!((exact.text().len(), exact.header("Content-Length")), (2048, Some("2048")));
    let longer = framed(2049 - short);
    assert_eq!((longer.header("Content-Length"), longer.header("Transfer-Encoding")), (None, Some("chunked")));
    assert_eq!(longer.chunks().len(), 1);
    assert!(matches!(longer.body, Body::Chunks { clean: true, .. }));
}

#[rstest]
#[case("GET", "/api/tags", "")]
#[case("POST", "/api/show", r#"{"model":"plain"}"#)]
#[case("POST", "/api/chat", "{")]
fn w_012_native_json_says_its_charset(#[case] method: &str, #[case] path: &str, #[case] body: &str) {
    let answer = Bench::scripted().ask(method, path, body);
    assert_eq!(answer.header("Content-Type"), Some("application/json; charset=utf-8"));
}

#[rstest]
#[case("/api/generate", r#"{"model":"llama","prompt":"hi"}"#)]
#[case("/api/chat", r#"{"model":"llama","messages":[{"role":"user","content":"hi"}]}"#)]
#[case("/api/pull", r#"{"model":"llama"}"#)]
fn w_013_a_stream_is_x_ndjson_without_charset(#[case] path: &str, #[case] body: &str) {
    assert_eq!(Bench::scripted().ask("POST", path, body).header("Content-Type"), Some("application/x-ndjson"));
}

#[rstest]
#[case("http://evil.example")]
#[case("null")]
#[case("http://[::1]:3000")]
#[case("chrome-extension://abc")]
#[case("http://localhost.evil.example")]
fn w_014_another_origin_is_403_and_empty(#[case] origin: &str) {
    for path in ["/api/version", "/nope"] {
        let answer = Bench::scripted().ask_with("GET", path, &format!("Origin: {origin}\r\n"), "");
        assert_eq!((answer.status, answer.header("Content-Length"), answer.text().as_str()), (403, Some("0"), ""));
    }
}

#[rstest]
#[case("http://localhost:3000")]
#[case("https://127.0.0.1")]
#[case("http://0.0.0.0:1")]
#[case("app://x")]
#[case("tauri://localhost")]
#[case("vscode-webview://a")]
fn w_015_an_allowed_origin_is_echoed(#[case] origin: &str) {
    let mut bench = Bench::scripted();
    let answer = bench.ask_with("GET", "/api/version", &format!("Origin: {origin}\r\n"), "");
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(origin));
    assert_eq!(answer.header("Vary"), Some("Origin"));
    let without = bench.get("/api/version");
    assert!(without.headers.iter().all(|(name, _)| name != "Vary" && !name.starts_with("Access-Control")));
}

#[rstest]
#[case("/api/chat", Some("POST"))]
#[case("/nope", None)]
fn w_016_an_allowed_preflight_is_204_on_any_path(#[case] path: &str, #[case] allow: Option<&str>) {
    let fields = "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: POST\r\n";
    let answer = Bench::scripted().ask_with("OPTIONS", path, fields, "");
    assert_eq!((answer.status, answer.header("Access-Control-Max-Age")), (204, Some("43200")));
    assert_eq!((answer.header("Allow"), answer.text().as_str()), (allow, ""));
    let vary: Vec<&str> =
        answer.headers.iter().filter(|(name, _)| name == "Vary").map(|(_, value)| value.as_str()).collect();
    assert_eq!(vary, ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"]);
    let methods = answer.header("Access-Control-Allow-Methods");
    assert_eq!(methods, Some("GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS"));
    let allowed = answer.header("Access-Control-Allow-Headers").unwrap();
    assert!(allowed.starts_with("Authorization,Content-Type,User-Agent,Accept,X-Requested-With"), "{allowed}");
    assert!(allowed.ends_with("X-Stainless-Timeout"), "{allowed}");
}

#[test]
fn w_017_the_servers_own_origin_gets_no_fields() {
    let answer = Bench::scripted().ask_with("GET", "/api/version", "Origin: http://127.0.0.1:11434\r\n", "");
    assert_eq!((answer.status, answer.header("Access-Control-Allow-Origin"), answer.header("Vary")), (200, None, None));
}

#[rstest]
#[case("example.com", 403)]
#[case("x.local", 200)]
#[case("LOCALHOST:1", 200)]
#[case("a.internal", 200)]
#[case("192.168.1.2:80", 200)]
#[case("8.8.8.8", 403)]
fn w_018_a_loopback_listener_checks_the_host(#[case] host: &str, #[case] status: u16) {
    let answer = Bench::scripted().ask_with("GET", "/api/version", &format!("Host: {host}\r\n"), "");
    assert_eq!((answer.status, answer.text().is_empty()), (status, status == 403));
}

#[test]
fn w_018_another_listener_does_not() {
    let mut bench = Bench::with(|config| {
        config.gate.open.insert(ServerId(0));
    });
    assert_eq!(bench.ask_with("GET", "/api/version", "Host: example.com\r\n", "").status, 200);
}
