//! Scripts as users write them.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::{Script, ScriptError, parse, read_file, read_folder};
use crate::dialect;
use crate::generation::{Content, Ending, Generation, Reason};
use crate::generation::{Dialect, ParsedRequest};
use crate::journal::{Caller, ConnId};
use crate::rules::{IncomingRequest, Per, ReplyKind, RequestParts, RuleBook};
use crate::script::Scripted;

const MINIMAL: &str = r#"
[[model]]
name = "tiny"

[[rule]]
reply.pieces = ["Hello", " world"]
"#;

fn fixtures(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

fn ask(prompt: &str) -> ParsedRequest {
    let body = json!({ "model": "tiny", "prompt": prompt }).to_string();
    dialect::of(Dialect::Generate).decode("/api/generate", body.as_bytes()).unwrap()
}

fn answer(script: &str, prompt: &str) -> Generation {
    generation(&parse(script, "test.toml").unwrap(), 0, &ask(prompt)).unwrap()
}

/// The answer of one of the models to `ask`; none where no rule takes it.
fn generation(script: &Script, model: usize, ask: &ParsedRequest) -> Option<Generation> {
    let Scripted { card, defaults, .. } = &script.models[model];
    let ask = ParsedRequest { name: card.name.clone(), ..ask.clone() };
    let parts = RequestParts { method: "POST", path: "/api/generate", headers: &[], body: b"" };
    let incoming = IncomingRequest::of_answer(&parts, &ask, card.capabilities.iter().any(|known| known == "thinking"));
    let mut book = RuleBook::new(script.rules.iter().cloned(), Per::Server);
    let selected = book.select_scripted(&incoming, &Caller::Connection(ConnId(1)))?;
    let ReplyKind::Speech(speech) = &selected.reply.kind else { panic!("a model says something: {selected:?}") };
    Some(speech.generation(&ask, card, defaults))
}

fn texts(generation: &Generation) -> Vec<String> {
    let text = |content: &Content| match content {
        Content::Text(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("{other:?}"),
    };
    generation.pieces.iter().map(|piece| text(&piece.content)).collect()
}

#[test]
fn the_least_script_is_a_name_and_an_answer() {
    let generation = answer(MINIMAL, "hi");
    assert_eq!(texts(&generation), ["Hello", " world"]);
    assert_eq!(generation.ending, Ending::Done(Reason::Stop));
    assert_eq!((generation.eval_count, generation.prompt_count), (3, 10));
}

#[test]
fn the_first_rule_that_fits_gives_text_and_ending() {
    let script =
        format!("[[rule]]\nwhen.prompt = \"END\"\nreply.pieces = [\"so\"]\nreply.ends = \"length\"\n{MINIMAL}");
    let ended = answer(&script, "the END");
    assert_eq!((texts(&ended), ended.ending), (vec!["so".to_owned()], Ending::Done(Reason::Length)));
    assert_eq!(texts(&answer(&script, "x")), ["Hello", " world"]);
}

#[test]
fn a_script_without_models_is_for_every_model() {
    let script = parse("[[rule]]\nreply.pieces = [\"Hi\"]\n", "test.toml").unwrap();
    assert_eq!((script.models.len(), script.rules.len()), (0, 1));
}

#[test]
fn times_are_exact_to_the_nanosecond() {
    let script = "[[model]]\nname = \"m\"\nload = \"1ns\"\nprompt_eval = \"12345678ns\"\neval = \"98765432ns\"\n\
                  [[rule]]\nreply.pieces = [\"a\", \"b\", \"c\"]\n";
    let generation = answer(script, "x");
    assert_eq!(generation.pieces[0].at, Duration::from_nanos(12_345_679));
    assert_eq!(generation.last.at, Duration::from_nanos(12_345_679 + 98_765_432));
}

#[test]
fn a_failure_comes_after_as_many_pieces_as_it_says() {
    let script = MINIMAL.replace("world\"]", "world\"]\nreply.error = { text = \"boom\", after = 1 }");
    let generation = answer(&script, "E");
    assert_eq!(texts(&generation), ["Hello"]);
    assert_eq!(generation.ending, Ending::Failed { status: 500, text: "boom".to_owned() });
}

#[test]
fn a_model_can_be_said_in_one_line_of_rust() {
    let tiny = Script::says("tiny", ["Hello", "!"]).unwrap();
    assert_eq!(texts(&generation(&tiny, 0, &ask("x")).unwrap()), ["Hello", "!"]);
    let refused = Script::says("bad name!", ["x"]).unwrap_err().to_string();
    assert!(refused.contains("bad model name \"bad name!\""), "{refused}");
}

#[test]
fn every_malformed_script_is_refused_with_one_line_that_helps() {
    let folder = fixtures("bad/scripts");
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    let said: Vec<String> = names
        .iter()
        .map(|name| {
            let error = read_file(&folder.join(name)).unwrap_err().to_string();
            assert!(!error.contains('\n'), "{error}");
            error.replace(&format!("{}/", folder.display()), "")
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_folder_that_is_missing_or_states_nothing_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let refused = read_folder(empty.path()).unwrap_err().to_string();
    assert!(refused.ends_with("states nothing; add a [[model]] with a name, or a [[rule]]"), "{refused}");
    assert!(matches!(read_folder(&empty.path().join("no")), Err(ScriptError::Read { .. })));
}

#[test]
fn the_scripted_models_of_the_captured_server_are_nine() {
    let models = read_folder(&fixtures("scripted")).unwrap().models;
    let names: Vec<&str> = models.iter().map(|model| model.card.name.as_str()).collect();
    let expected = ["llama", "think", "plain", "insert", "native", "embedder", "derived", "q3", "hm"];
    assert_eq!(names, expected.map(|name| format!("{name}:latest")));
}

#[test]
fn the_example_of_the_manual_is_a_script_and_does_what_it_says() {
    let manual = std::fs::read_to_string(fixtures("../docs/scripts.md")).unwrap();
    let example = manual.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let broken = answer(example, "a BROKEN one");
    assert_eq!(texts(&broken), ["Hello"]);
    assert_eq!(broken.ending, Ending::Failed { status: 500, text: "boom".to_owned() });
    let offered = ParsedRequest { tools: vec!["get_weather".to_owned()], ..ask("WEATHER?") };
    let called = generation(&parse(example, "docs").unwrap(), 0, &offered).unwrap();
    assert!(matches!(called.pieces[1].content, Content::Calls(_)));
}

proptest! {
    #[test]
    fn any_answer_of_the_scripted_models_has_times_in_order_and_counts_that_hold(
        model in 0_usize..9,
        words in prop::sample::subsequence(
            vec!["HTML", "BADUTF", "TOOLCALL", "QTOOL", "HTEXT", "THINKING", "EMPTYGEN", "LENGTH", "NOFINAL", "ERRMID"], 0..3,
        ),
        think in prop::option::of(any::<bool>()),
        tools: bool,
    ) {
        let script = read_folder(&fixtures("scripted")).unwrap();
        let tools = if tools { vec!["get_weather".to_owned()] } else { Vec::new() };
        let ask = ParsedRequest { think, tools, ..ask(&words.join(" ")) };
        let generation = generation(&script, model, &ask).unwrap();
        let times: Vec<Duration> =
            generation.pieces.iter().map(|piece| piece.at).chain([generation.last.at]).collect();
        prop_assert!(times.is_sorted(), "{times:?}");
        prop_assert!(generation.load <= generation.prompt_end && generation.prompt_end <= times[0]);
        prop_assert!(generation.eval_count > 0);
        prop_assert_eq!(generation.context.first(), Some(&100).filter(|_| !generation.context.is_empty()));
    }
}

#[test]
fn a_script_nested_a_hundred_thousand_levels_deep_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.toml");
    std::fs::write(&path, format!("model = {}{}", "[".repeat(100_000), "]".repeat(100_000))).unwrap();
    assert!(read_file(&path).is_err());
}
