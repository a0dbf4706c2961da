//! What `/api/show` says, and how its bodies and the other listings compare with those of the real server.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{ShowRequest, show};
use crate::manage::listing::{openai_model, tags};
use crate::models::{Card, ModelName, Tensor};
use crate::recording::Details;

fn named(name: &str) -> Card {
    Card::named(ModelName::parse(name).unwrap())
}

fn field(body: &str, name: &str) -> Value {
    serde_json::from_str::<Value>(body).unwrap()[name].clone()
}

#[test]
fn w_075_metadata_is_always_there_and_sorted() {
    assert_eq!(field(&show(&named("m"), &ShowRequest::default(), ""), "model_info"), json!({}));
    let mut card = named("m");
    card.model_info = Map::from_iter([
        ("tokenizer.ggml.tokens".to_owned(), json!(["a"])),
        ("general.name".to_owned(), json!("hidden")),
        ("tokenizer.chat_template".to_owned(), json!("hidden")),
        ("general.architecture".to_owned(), json!("llama")),
    ]);
    let brief = show(&card, &ShowRequest::default(), "");
    assert!(
        brief.contains(r#""model_info":{"general.architecture":"llama","tokenizer.ggml.tokens":null},"#),
        "{brief}"
    );
    let verbose = show(&card, &ShowRequest { verbose: true, ..ShowRequest::default() }, "");
    assert!(verbose.contains(r#""tokenizer.ggml.tokens":["a"]"#), "{verbose}");
}

#[test]
fn metadata_that_is_not_given_follows_from_the_details() {
    let mut card = named("m");
    card.details.family = "llama".to_owned();
    card.details.context_length = Some(8192);
    let expected = json!({ "general.architecture": "llama", "llama.context_length": 8192 });
    assert_eq!(field(&show(&card, &ShowRequest::default(), ""), "model_info"), expected);
}

#[test]
fn one_client_is_told_the_name_that_it_asked_for() {
    let ask = ShowRequest { model: "M".to_owned(), ..ShowRequest::default() };
    let info = |user_agent| field(&show(&named("m"), &ask, user_agent), "model_info");
    assert_eq!(info("GitHubCopilotChat/0.30"), json!({ "general.basename": "M" }));
    assert_eq!(info("curl GitHubCopilotChat/"), json!({}));
}

#[test]
fn a_template_inside_the_weights_is_shown_but_not_in_the_modelfile() {
    let card = Card { chat_template: Some("{% x %}".to_owned()), ..named("m") };
    let body = show(&card, &ShowRequest::default(), "");
    assert_eq!(field(&body, "template"), json!("{% x %}"));
    assert!(field(&body, "modelfile").as_str().unwrap().ends_with("TEMPLATE {{ .Prompt }}\n"));
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A value of `parameters`: Go's numbers and quoted strings in these captures are JSON.
fn parameter(line: &str) -> (String, Value) {
    let (key, value) = line.split_at(30);
    (key.trim_end().to_owned(), serde_json::from_str(value.trim_start()).unwrap())
}

/// The model that a body of `/api/show` speaks of. What of it the modelfile alone tells is read from there.
fn card_of(name: &str, shown: &Value) -> Card {
    let modelfile = shown["modelfile"].as_str().unwrap();
    let command = |name: &str| {
        let lines = modelfile.lines().filter_map(|line| line.strip_prefix(name));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let template = command("TEMPLATE ").first().cloned();
    let shown_template = text(&shown["template"]);
    Card {
        capabilities: strings(&shown["capabilities"]),
        details: serde_json::from_value::<Details>(shown["details"].clone()).unwrap(),
        weights: command("FROM ")[0].rsplit('-').next().unwrap().to_owned(),
        modified_at: text(&shown["modified_at"]).unwrap(),
        chat_template: shown_template.filter(|shown| Some(shown) != template.as_ref()),
        template,
        parameters: text(&shown["parameters"]).iter().flat_map(|text| text.lines()).map(parameter).collect(),
        licences: command("LICENSE "),
        messages: command("MESSAGE ")
            .iter()
            .map(|line| line.split_once(' ').map(|(role, text)| (role.to_owned(), text.to_owned())).unwrap())
            .collect(),
        system: text(&shown["system"]),
        model_info: shown["model_info"].as_object().unwrap().clone(),
        tensors: serde_json::from_value::<Vec<Tensor>>(shown["tensors"].clone()).unwrap(),
        ..named(name)
    }
}

fn captures() -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/wire-captures/manage.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        assert!(std::env::var("REQUIRE_SHARED").as_deref() != Ok("1"), "{} is not there", file.display());
        println!("skipped: {} is not there", file.display());
        return Vec::new();
    };
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn body(capture: &Value) -> String {
    let response = &capture["response"];
    let chunks = || strings(&response["chunks"]).concat();
    response["body"].as_str().map_or_else(chunks, str::to_owned)
}

/// The modelfile with the folder of its files masked.
fn masked(body: &str) -> String {
    let (Some(from), Some(until)) = (body.find("\\nFROM "), body.find("/sha256-")) else { return body.to_owned() };
    format!("{}{}", &body[..from + 7], &body[until..])
}

#[test]
fn a_shown_model_looks_as_on_the_real_server() {
    for capture in captures().iter().filter(|capture| capture["request"]["path"] == "/api/show") {
        let request: Value = serde_json::from_str(capture["request"]["body"].as_str().unwrap()).unwrap();
        let theirs = body(capture);
        let name = text(&request["model"]).or_else(|| text(&request["name"])).unwrap();
        let mut card = card_of(&name, &serde_json::from_str(&theirs).unwrap());
        let system = text(&request["system"]).unwrap_or_default();
        if !system.is_empty() {
            card.system = None;
        }
        let ours = show(&card, &ShowRequest { model: name, system, ..ShowRequest::default() }, "");
        assert_eq!(masked(&ours), masked(&theirs), "{}", capture["id"]);
    }
}

#[test]
fn listed_models_look_as_on_the_real_server() {
    let captures = captures();
    let Some(listing) = captures.iter().find(|capture| capture["request"]["path"] == "/api/tags") else { return };
    let theirs = body(listing);
    let entries: Value = serde_json::from_str(&theirs).unwrap();
    let cards = entries["models"].as_array().unwrap().iter().map(|entry| Card {
        modified_at: text(&entry["modified_at"]).unwrap(),
        size: entry["size"].as_u64().unwrap(),
        digest: text(&entry["digest"]).unwrap(),
        details: serde_json::from_value(entry["details"].clone()).unwrap(),
        capabilities: strings(&entry["capabilities"]),
        ..named(entry["name"].as_str().unwrap())
    });
    let cards: Vec<Card> = cards.collect();
    assert_eq!(tags(&cards.iter().collect::<Vec<_>>()), theirs);
    let single = captures.iter().find(|capture| capture["request"]["path"] == "/v1/models/llama").unwrap();
    let llama = cards.iter().find(|card| card.name.as_str() == "llama:latest").unwrap();
    assert_eq!(openai_model(llama, "llama"), body(single));
}
