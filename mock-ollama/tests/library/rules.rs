//! Rules that a test states on a running server, told to it by plain blocking sockets.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use mock_ollama::journal::Answer;
use mock_ollama::{
    IncomingRequest, MockOllama, Per, Regex, Reply, any, as_ollama, busy, call, chat, embed, embedding, error, exactly,
    generate, json_text, model_not_found, recording, request, says, status,
};
use rstest::rstest;
use serde_json::{Value, json};

/// Longer than anything here takes on a busy host.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a client got.
struct Got {
    status: u16,
    head: String,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// The text of a native answer, whole or streamed.
    fn text(&self) -> String {
        let objects = self.body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let text = |object: Value| {
            let text = object["message"]["content"].as_str().or(object["response"].as_str());
            text.unwrap_or_default().to_owned()
        };
        objects.map(text).collect()
    }
}

fn send(server: &MockOllama, head: &str, body: &str) -> Got {
    let mut client = TcpStream::connect(server.addr()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(client, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Got { status, head: head.to_owned(), body: body.to_owned() }
}

fn post(server: &MockOllama, path: &str, body: &Value) -> Got {
    send(server, &format!("POST {path} HTTP/1.0\r\n"), &body.to_string())
}

/// A conversation of one message of the user, not streamed.
fn hello(words: &str) -> Value {
    json!({ "model": "llama3.2", "messages": [{ "role": "user", "content": words }], "stream": false })
}

fn ask(server: &MockOllama, words: &str) -> Got {
    post(server, "/api/chat", &hello(words))
}

fn with(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("an object") };
    body.as_object_mut().unwrap().extend(more);
    body
}

#[test]
fn a_server_twice_busy_answers_the_third_time() {
    let server = MockOllama::start().unwrap();
    server.on(chat()).replies([busy(), status(429).retry_after(1), says(["Hello", " world"])]).expect(3);
    assert_eq!(ask(&server, "hi").status, 503);
    let refused = ask(&server, "hi");
    assert_eq!((refused.status, refused.head.contains("Retry-After: 1")), (429, true));
    assert_eq!(ask(&server, "hi").text(), "Hello world");
    let journal = server.finish().unwrap();
    let turns = journal.entries.iter().map(|entry| match entry.answer {
        Answer::Rule { number, turn, .. } => (number, turn),
        _ => panic!("a rule answered: {entry:?}"),
    });
    assert_eq!(turns.collect::<Vec<_>>(), [(1, 0), (1, 1), (1, 2)]);
}

#[rstest]
#[case::chat("/api/chat", hello("hi"))]
#[case::openai("/v1/chat/completions", hello("hi"))]
#[case::messages("/v1/messages", with(hello("hi"), json!({ "max_tokens": 9 })))]
#[case::responses("/v1/responses", json!({ "model": "m", "input": "hi" }))]
#[case::generate("/api/generate", json!({ "model": "m", "prompt": "hi", "stream": false }))]
#[case::completions("/v1/completions", json!({ "model": "m", "prompt": "hi" }))]
fn one_rule_answers_in_every_dialect(#[case] path: &str, #[case] body: Value) {
    let server = MockOllama::start().unwrap();
    server.on(any().prompt(exactly("hi"))).reply(says(["He", "llo"])).expect(1);
    let got = post(&server, path, &body);
    assert_eq!((got.status, got.body.contains("Hello")), (200, true), "{}", got.body);
    server.finish().unwrap();
}

#[rstest]
#[case::chat("/api/chat", hello("hi"))]
#[case::openai("/v1/chat/completions", hello("hi"))]
#[case::messages("/v1/messages", with(hello("hi"), json!({ "max_tokens": 9 })))]
fn an_error_has_the_envelope_of_its_dialect(#[case] path: &str, #[case] body: Value) {
    let server = MockOllama::start().unwrap();
    server.on(chat()).reply(error(500, "boom"));
    let got = post(&server, path, &body);
    let text = got.json()["error"].clone();
    let text = text["message"].as_str().or(text.as_str()).unwrap().to_owned();
    assert_eq!((got.status, text.as_str()), (500, "boom"));
    server.finish().unwrap();
}

fn tool(name: &str) -> Value {
    json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object", "properties": {} } } })
}

fn result_of_a_tool() -> Value {
    json!({ "model": "llama3.2", "stream": false, "messages": [
        { "role": "user", "content": "weather?" },
        { "role": "assistant", "content": "", "tool_calls": [
            { "id": "call_1", "function": { "name": "get_weather", "arguments": { "city": "Paris" } } },
        ] },
        { "role": "tool", "tool_call_id": "call_1", "content": "18 °C" },
    ] })
}

#[rstest]
#[case::model(chat().model("llama3.2"), hello("x"), json!({ "model": "other" }))]
#[case::glob(chat().model("llama3*"), hello("x"), json!({ "model": "mistral" }))]
#[case::tag(chat().model("llama3.2"), with(hello("x"), json!({ "model": "llama3.2:1b" })), json!({ "model": "llama3" }))]
#[case::prompt(chat().prompt("weather"), hello("the weather?"), json!({ "messages": hello("Rome?")["messages"] }))]
#[case::regex(chat().prompt(Regex::new("(?i)WEATHER").unwrap()), hello("weather"), json!({ "messages": hello("x")["messages"] }))]
#[case::offers(chat().offers("f"), with(hello("x"), json!({ "tools": [tool("f")] })), json!({ "tools": [tool("g")] }))]
#[case::no_tools(chat().tools(false), hello("x"), json!({ "tools": [tool("g")] }))]
#[case::result(chat().result_of("get_weather").result("18"), result_of_a_tool(), json!({ "messages": hello("x")["messages"] }))]
#[case::turn(chat().turn(2), result_of_a_tool(), json!({ "messages": hello("x")["messages"] }))]
#[case::any_message(chat().message("weather?"), result_of_a_tool(), json!({ "messages": hello("x")["messages"] }))]
#[case::system(
    chat().system("pirate"),
    with(hello("x"), json!({ "messages": [{ "role": "system", "content": "a pirate" }, { "role": "user", "content": "x" }] })),
    json!({ "messages": hello("pirate")["messages"] })
)]
#[case::format(chat().format_given(), with(hello("x"), json!({ "format": "json" })), json!({ "format": null }))]
#[case::stream(chat().stream(false), hello("x"), json!({ "stream": true }))]
#[case::thinks(chat().thinks(true), with(hello("x"), json!({ "think": true })), json!({ "think": false }))]
#[case::json(any().json("/options/temperature", 0), with(hello("x"), json!({ "options": { "temperature": 0.0 } })), json!({ "options": { "temperature": 1 } }))]
#[case::text_in_json(any().json_text("/options/user", "an"), with(hello("x"), json!({ "options": { "user": "anna" } })), json!({ "options": {} }))]
#[case::closure(any().matches(|request: &IncomingRequest| request.turn() == 1), hello("x"), json!({ "messages": result_of_a_tool()["messages"] }))]
fn a_matcher_takes_what_fits_and_nothing_else(
    #[case] matcher: mock_ollama::Matcher,
    #[case] fitting: Value,
    #[case] change: Value,
) {
    let server = MockOllama::builder().any_model().lenient().start().unwrap();
    server.on(matcher).reply(says("yes"));
    assert_eq!(post(&server, "/api/chat", &fitting).status, 200);
    let other = post(&server, "/api/chat", &with(fitting, change));
    assert_eq!((other.status, other.body.contains("no rule takes it; nearest: rule 1")), (404, true), "{}", other.body);
}

#[test]
fn a_header_and_images_are_matched() {
    let server = MockOllama::start().unwrap();
    server.on(any().header("X-Team", "embed").images(1)).reply(says("seen"));
    let message = json!([{ "role": "user", "content": "what?", "images": ["aGk="] }]);
    let body = with(hello("x"), json!({ "messages": message })).to_string();
    assert_eq!(send(&server, "POST /api/chat HTTP/1.0\r\nx-team: embed\r\n", &body).text(), "seen");
    server.finish().unwrap();
}

#[test]
fn the_first_rule_that_is_not_used_up_answers() {
    let server = MockOllama::start().unwrap();
    server.on(chat()).reply(says("one")).first(1);
    server.on(chat()).replies([says("two")]).then_unexpected();
    server.on(chat()).reply(says("odd")).every(2);
    server.on(chat()).reply(says("rest"));
    let got: Vec<String> = (0..4).map(|_| ask(&server, "hi").text()).collect();
    assert_eq!(got, ["one", "two", "rest", "odd"]);
    server.finish().unwrap();
}

#[test]
fn turns_are_counted_for_the_server_whatever_connections_do() {
    let server = MockOllama::start().unwrap();
    server.on(chat()).replies([says("one"), says("two")]);
    // Each request has a connection of its own.
    assert_eq!([ask(&server, "a").text(), ask(&server, "b").text()], ["one", "two"]);
    server.finish().unwrap();
}

#[test]
fn turns_are_counted_for_each_caller_on_demand() {
    let server = MockOllama::start().unwrap();
    server.on(chat()).replies([says("one"), says("two")]).per(Per::Caller);
    let of = |caller: &str| {
        send(&server, &format!("POST /api/chat HTTP/1.0\r\nx-mock-caller: {caller}\r\n"), &hello("x").to_string())
            .text()
    };
    assert_eq!([of("a"), of("b"), of("a")], ["one", "one", "two"]);
    server.finish().unwrap();
}

#[test]
fn turns_are_counted_for_each_conversation_on_demand() {
    let server = MockOllama::start().unwrap();
    server.on(chat()).replies([says("one"), says("two")]).per(Per::Conversation);
    let got = ["a", "b", "a"].map(|words| ask(&server, words).text());
    assert_eq!(got, ["one", "one", "two"]);
    server.finish().unwrap();
}

#[test]
fn a_reply_is_computed_from_the_request() {
    let server = MockOllama::start().unwrap();
    server.on(chat()).reply(|request: &IncomingRequest| says(format!("you said {}", request.prompt())));
    assert_eq!(ask(&server, "hi").text(), "you said hi");
    server.finish().unwrap();
}

#[test]
fn a_closure_is_a_matcher() {
    let server = MockOllama::start().unwrap();
    server.on(|request: &IncomingRequest| request.messages().len() > 1).named("long talk").reply(says("long"));
    server.on(chat()).reply(says("short"));
    assert_eq!([ask(&server, "x").text(), post(&server, "/api/chat", &result_of_a_tool()).text()], ["short", "long"]);
    server.finish().unwrap();
}

#[test]
fn a_call_of_a_tool_has_its_arguments() {
    let server = MockOllama::start().unwrap();
    server.on(chat().offers("get_weather")).reply(call("get_weather", json!({ "city": "Paris" })).id("call_7"));
    let got = post(&server, "/api/chat", &with(hello("x"), json!({ "tools": [tool("get_weather")] }))).json();
    let call = &got["message"]["tool_calls"][0];
    assert_eq!((&call["id"], &call["function"]["arguments"]), (&json!("call_7"), &json!({ "city": "Paris" })));
    server.finish().unwrap();
}

#[test]
fn thinking_comes_before_the_text() {
    let server = MockOllama::start().unwrap();
    server.on(chat()).reply(says("18 °C").thinking("Read it out."));
    let got = post(&server, "/api/chat", &with(hello("x"), json!({ "think": true }))).json();
    assert_eq!(got["message"]["thinking"], "Read it out.");
    assert_eq!(got["message"]["content"], "18 °C");
    server.finish().unwrap();
}

#[test]
fn structured_output_is_json_text() {
    let server = MockOllama::start().unwrap();
    server.on(chat().format_given()).reply(json_text(&json!({ "city": "Paris" })));
    let got = post(&server, "/api/chat", &with(hello("x"), json!({ "format": "json" }))).text();
    assert_eq!(serde_json::from_str::<Value>(&got).unwrap(), json!({ "city": "Paris" }));
    server.finish().unwrap();
}

#[rstest]
#[case::native("/api/embed", "/embeddings/0/0")]
#[case::openai("/v1/embeddings", "/data/0/embedding/0")]
fn an_embedding_is_the_stated_vector(#[case] path: &str, #[case] pointer: &str) {
    let server = MockOllama::start().unwrap();
    server.on(embed().prompt("text")).reply(embedding([3.0, 4.0]));
    let got = post(&server, path, &json!({ "model": "nomic", "input": "a text" })).json();
    assert!((got.pointer(pointer).unwrap().as_f64().unwrap() - 0.6).abs() < 1e-6, "{got}");
    server.finish().unwrap();
}

#[test]
fn an_error_in_the_middle_follows_the_pieces() {
    let server = MockOllama::start().unwrap();
    server.on(chat()).reply(says(["one", "two"]).error_after(1, "boom"));
    let got = post(&server, "/api/chat", &with(hello("x"), json!({ "stream": true })));
    assert!(got.body.contains("one") && got.body.ends_with("{\"error\":\"boom\"}\n"), "{}", got.body);
    assert!(!got.body.contains("two"));
    server.finish().unwrap();
}

#[test]
fn an_answer_can_end_without_a_final_object() {
    let server = MockOllama::start().unwrap();
    server.on(chat()).reply(says(["one"]).without_end());
    let got = post(&server, "/api/chat", &with(hello("x"), json!({ "stream": true })));
    assert!(!got.body.contains("\"done\":true"), "{}", got.body);
    server.finish().unwrap();
}

#[test]
fn a_recording_is_a_reply() {
    let server = MockOllama::start().unwrap();
    server.on(generate()).reply(recording("tiny-emoji").unwrap());
    let got = post(&server, "/api/generate", &json!({ "model": "any", "prompt": "x" }));
    assert!(got.body.contains("\"done\":true"), "{}", got.body);
    server.finish().unwrap();
}

#[test]
fn a_model_can_be_missing() {
    let server = MockOllama::start().unwrap();
    server.on(chat().model("gone")).reply(model_not_found());
    let got = post(&server, "/api/chat", &with(hello("x"), json!({ "model": "gone" })));
    assert_eq!((got.status, got.json()), (404, json!({ "error": "model 'gone' not found" })));
    server.finish().unwrap();
}

#[rstest]
#[case::nothing_stated("POST /api/chat HTTP/1.0\r\n", hello("x").to_string())]
#[case::no_request("POST /api/chat HTTP/1.0\r\nContent-Length: x\r\n", String::new())]
#[case::unknown_route("GET /api/nothing HTTP/1.0\r\n", String::new())]
#[case::bad_json("POST /api/chat HTTP/1.0\r\n", "{".to_owned())]
#[case::a_change_of_models("DELETE /api/delete HTTP/1.0\r\n", json!({ "model": "x" }).to_string())]
#[case::an_embedding("POST /api/embed HTTP/1.0\r\n", json!({ "model": "x", "input": "y" }).to_string())]
fn what_nobody_stated_fails_the_test(#[case] head: &str, #[case] body: String) {
    let server = MockOllama::start().unwrap();
    send(&server, head, &body);
    let report = server.finish().unwrap_err().to_string();
    assert!(report.starts_with("mock-ollama: 1 request, 1 unexpected, 0 expectations unmet\n"), "{report}");
    assert!(report.contains("UNEXPECTED"), "{report}");
}

#[rstest]
#[case("GET / HTTP/1.0\r\n")]
#[case("GET /api/tags HTTP/1.0\r\n")]
#[case("GET /api/version HTTP/1.0\r\n")]
#[case("GET /v1/models HTTP/1.0\r\n")]
#[case("HEAD / HTTP/1.0\r\n")]
fn the_state_of_the_server_is_never_unexpected(#[case] head: &str) {
    let server = MockOllama::start().unwrap();
    send(&server, head, "");
    assert_eq!(server.finish().unwrap().entries[0].answer, Answer::Served);
}

#[test]
fn strict_routes_want_a_rule_for_the_state_of_the_server() {
    let server = MockOllama::builder().strict_routes().start().unwrap();
    server.on(request("GET", "/api/tags")).reply(as_ollama());
    assert_eq!(send(&server, "GET /api/tags HTTP/1.0\r\n", "").status, 200);
    assert!(server.verify().is_ok());
    send(&server, "GET /api/version HTTP/1.0\r\n", "");
    assert!(server.finish().is_err());
}

#[rstest]
#[case::pull("POST /api/pull HTTP/1.0\r\n", "POST", "/api/pull", json!({ "model": "x" }).to_string())]
#[case::bad_json("POST /api/chat HTTP/1.0\r\n", "POST", "/api/chat", "{".to_owned())]
#[case::unknown_route("GET /nowhere HTTP/1.0\r\n", "GET", "/nowhere", String::new())]
fn a_rule_of_the_route_states_what_would_be_unexpected(
    #[case] head: &str,
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: String,
) {
    let expected = MockOllama::builder().lenient().start().unwrap();
    let ollamas = send(&expected, head, &body);
    let server = MockOllama::start().unwrap();
    server.on(request(method, path)).replies([as_ollama(), status(418)]).expect(2);
    let got = send(&server, head, &body);
    assert_eq!((got.status, got.body), (ollamas.status, ollamas.body));
    assert_eq!(send(&server, head, &body).status, 418);
    server.finish().unwrap();
}

#[test]
fn an_expectation_that_is_not_met_is_told_by_its_rule() {
    let server = MockOllama::start().unwrap();
    server.on(chat().prompt("weather")).named("weather").reply(says("18 °C")).expect(2);
    ask(&server, "weather?");
    let report = format!("{:?}", server.finish().unwrap_err());
    assert!(report.ends_with("\n  rule 1 \"weather\" was to be used 2 times, was used 1 time"), "{report}");
}

#[rstest]
#[case::dropped(false)]
#[case::scoped(true)]
fn a_server_or_rule_that_is_dropped_fails_the_test_all_the_same(#[case] scoped: bool) {
    let outcome = std::panic::catch_unwind(|| {
        let server = MockOllama::start().unwrap();
        let rule = server.on(chat()).reply(says("x")).expect(1);
        if scoped {
            drop(rule.scoped());
        }
    });
    let panic = outcome.unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    assert!(said.contains("rule 1 was to be used 1 time, was used 0 times"), "{said}");
}

#[test]
fn a_panicking_test_keeps_its_own_panic() {
    let outcome = std::panic::catch_unwind(|| {
        let server = MockOllama::start().unwrap();
        server.on(chat()).reply(says("x")).expect(1);
        panic!("the test's own");
    });
    assert_eq!(outcome.unwrap_err().downcast_ref::<&str>(), Some(&"the test's own"));
}

#[test]
fn a_rule_is_stated_while_a_server_serves_and_taken_back() {
    let server = MockOllama::start().unwrap();
    server.on(chat()).reply(says("for ever"));
    {
        // The first that was stated answers, so the other one is the narrower.
        let _rule = server.on(request("POST", "/api/pull")).reply(status(500)).scoped();
        assert_eq!(post(&server, "/api/pull", &json!({ "model": "x" })).status, 500);
    }
    assert_eq!(ask(&server, "x").text(), "for ever");
    server.reset();
    assert_eq!(server.journal().entries.len(), 0);
    server.finish().unwrap();
}

#[test]
fn stated_times_are_taken_and_nothing_else_is() {
    let server = MockOllama::start().unwrap();
    server.on(chat().prompt("slow")).reply(says("x").ttft(Duration::from_millis(50)));
    server.on(chat()).reply(says("x"));
    let due = |words: &str| {
        ask(&server, words);
        let journal = server.journal();
        let entry = journal.entries.last().unwrap();
        entry.chunks[0].due.saturating_since(entry.received)
    };
    assert_eq!(due("slow"), Duration::from_millis(50));
    assert_eq!(due("fast"), Duration::ZERO);
    server.finish().unwrap();
}

#[test]
fn the_same_model_said_twice_is_an_error() {
    let refused = MockOllama::builder().says("m", "a").says("m", "b").start().unwrap_err().to_string();
    assert_eq!(refused, "model m:latest is stated twice; keep one, or answer in turn with replies()");
}

#[test]
#[should_panic(expected = "ttft is for what a model says, not for a status")]
fn a_time_of_a_status_is_a_mistake() {
    let _: Reply = busy().ttft(Duration::ZERO);
}

/// A mistake of a client or of a test: what it is called, what is stated, what is sent.
type Mistake = (&'static str, fn(&MockOllama), &'static str, Value);

const MISTAKES: [fn() -> Mistake; 20] = [
    || {
        (
            "another prompt",
            |server| drop(server.on(chat().prompt("weather")).named("weather").reply(says("x"))),
            "/api/chat",
            hello("and in Rome?"),
        )
    },
    || {
        (
            "another model",
            |server| drop(server.on(chat().model("llama3.2")).reply(says("x"))),
            "/api/chat",
            with(hello("hi"), json!({ "model": "qwen3" })),
        )
    },
    || {
        (
            "another endpoint",
            |server| drop(server.on(chat()).reply(says("x"))),
            "/api/generate",
            json!({ "model": "m", "prompt": "hi" }),
        )
    },
    || {
        (
            "a tool that is not offered",
            |server| drop(server.on(chat().offers("get_weather")).reply(says("x"))),
            "/api/chat",
            with(hello("hi"), json!({ "tools": [tool("get_time")] })),
        )
    },
    || {
        (
            "no result of the tool",
            |server| drop(server.on(chat().result_of("get_weather")).reply(says("x"))),
            "/api/chat",
            hello("hi"),
        )
    },
    || {
        (
            "another system prompt",
            |server| drop(server.on(chat().system(Regex::new("(?i)pirate").unwrap())).reply(says("x"))),
            "/api/chat",
            hello("hi"),
        )
    },
    || {
        (
            "a whole answer in place of a stream",
            |server| drop(server.on(chat().stream(true)).reply(says("x"))),
            "/api/chat",
            hello("hi"),
        )
    },
    || {
        (
            "another value in the body",
            |server| drop(server.on(any().json("/options/temperature", 0)).reply(says("x"))),
            "/api/chat",
            with(hello("hi"), json!({ "options": { "temperature": 0.7 } })),
        )
    },
    || {
        (
            "a missing header",
            |server| drop(server.on(any().header("x-team", "embed")).reply(says("x"))),
            "/api/chat",
            hello("hi"),
        )
    },
    || ("no image", |server| drop(server.on(chat().images(1)).reply(says("x"))), "/api/chat", hello("hi")),
    || ("no format", |server| drop(server.on(chat().format_given()).reply(says("x"))), "/api/chat", hello("hi")),
    || ("an earlier turn", |server| drop(server.on(chat().turn(2)).reply(says("x"))), "/api/chat", hello("hi")),
    || ("nothing stated", |_| (), "/api/chat", hello("hi")),
    || ("a rule that is used up", |server| drop(server.on(chat()).reply(says("x")).first(0)), "/api/chat", hello("hi")),
    || {
        (
            "a prompt that only contains it",
            |server| drop(server.on(chat().prompt(exactly("hi"))).reply(says("x"))),
            "/api/chat",
            hello("hi there"),
        )
    },
    || ("an unknown route", |_| (), "/api/chats", hello("hi")),
    || ("a model without a name", |_| (), "/api/chat", with(hello("hi"), json!({ "model": "" }))),
    || ("a change of the models", |_| (), "/api/copy", json!({ "source": "a", "destination": "b" })),
    || {
        (
            "an embedding that nobody stated",
            |server| drop(server.on(embed().prompt("other")).reply(embedding([1.0]))),
            "/api/embed",
            json!({ "model": "m", "input": "text" }),
        )
    },
    || {
        (
            "a rule that is used too often",
            |server| drop(server.on(chat()).reply(says("x")).expect(0)),
            "/api/chat",
            hello("hi"),
        )
    },
];

#[test]
fn a_report_names_the_mistake() {
    let reports = MISTAKES.map(|mistake| {
        let (name, state, path, body) = mistake();
        let server = MockOllama::start().unwrap();
        state(&server);
        post(&server, path, &body);
        format!("{name}\n{}\n", server.finish().unwrap_err())
    });
    insta::assert_snapshot!(reports.join("\n"));
}

#[test]
fn the_report_of_the_readme_is_what_is_printed() {
    let server = MockOllama::start().unwrap();
    server.on(chat().prompt("weather")).named("weather").reply(says(["It", " is", " 18 °C."])).expect(2);
    let stream = |words: &str| post(&server, "/api/chat", &with(hello(words), json!({ "stream": true })));
    stream("What is the weather in Paris?");
    stream("and in Rome?");
    let report = server.finish().unwrap_err().to_string();
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(report.trim_end()), "{report}");
}
