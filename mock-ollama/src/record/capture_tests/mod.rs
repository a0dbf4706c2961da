//! Nothing that was to be scrubbed can be got from what a recorder writes.

mod bodies;
mod reading;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rstest::rstest;
use serde_json::json;

use self::bodies::{Framing, Plant, Scene, scenes};
use self::reading::views;
use super::{Capture, not_recorded};
use crate::clock::Instant;
use crate::http::{Parsed, Parser};
use crate::recording::{End, Recording, to_string};
use crate::scrub::{KNOWN_PATTERNS, Pass, Scrub};

/// Returns what a recorder writes of one exchange: the recording, and what it says on standard error.
fn record(scene: &Scene, scrub: &Scrub) -> (Option<Recording>, String) {
    let line = format!("POST {} HTTP/1.1\r\nHost: a\r\nX-Api-Key: {}\r\n\r\n", scene.target, scene.header_value);
    let mut parser = Parser::default();
    parser.push(line.as_bytes());
    let Parsed::Request(request) = parser.parse_next().unwrap() else { panic!("a request without a body") };
    let head = request.head;
    let mut capture = Capture::of(head, Bytes::copy_from_slice(scene.request.as_bytes()), Instant::ZERO);
    let title = capture.title();
    capture.head(200, scene.fields.clone());
    for chunk in &scene.chunks {
        capture.chunk(Bytes::copy_from_slice(chunk), Instant::ZERO);
    }
    match capture.finish(End::Clean, scrub) {
        Ok(recording) => (Some(recording), String::new()),
        Err(why) => (None, not_recorded(&title, &why, scrub)),
    }
}

/// Matches the secret of every scene.
fn scrub() -> Scrub {
    Scrub::new([r#"q[abc019ABé😀"\\/ %+<-]{6,11}z"#]).unwrap()
}

/// Returns where the secret of a scene can be read although it was scrubbed.
fn leaks(scene: &Scene, scrub: &Scrub) -> Vec<String> {
    let (recording, stderr) = record(scene, scrub);
    let file = recording.as_ref().map(|recording| to_string(recording).unwrap()).unwrap_or_default();
    views(recording.as_ref(), &file, &stderr, scene)
}

/// Runs the property; the error of the first scene that leaks.
fn nothing_leaks(mut runner: TestRunner, scrub: &Scrub) -> Result<(), String> {
    let held = runner.run(&scenes(), |scene| {
        prop_assert_eq!(leaks(&scene, scrub), Vec::<String>::new());
        Ok(())
    });
    held.map_err(|error| error.to_string())
}

#[test]
fn a_secret_is_nowhere_in_what_is_written() {
    let config = Config { cases: 200, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    nothing_leaks(TestRunner::new(config), &scrub()).unwrap();
}

/// The property is one that can fail: without any one pass it does.
#[rstest]
fn control_without_one_pass_a_secret_is_found(
    #[values(
        Pass::Target,
        Pass::Request,
        Pass::Fields,
        Pass::Complaints,
        Pass::Compressed,
        Pass::Strings,
        Pass::Keys,
        Pass::SamePlace,
        Pass::SameSource,
        Pass::Nested,
        Pass::Lines,
        Pass::Events,
        Pass::Bytes,
        Pass::Logprobs
    )]
    pass: Pass,
) {
    let config = Config { cases: 3000, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let held = nothing_leaks(TestRunner::new_with_rng(config, rng), &scrub().without(pass));
    assert!(held.is_err(), "nothing needs it");
}

/// The checks would find a secret: without patterns each plant shows it.
#[rstest]
fn control_each_plant_can_be_read_when_nothing_is_scrubbed(#[values(0, 1, 2)] framing: usize) {
    for plant in Plant::ALL {
        let framing = Framing { kind: framing, ..Framing::default() };
        let scene = Scene::new(plant, "qz1\u{e9}23", framing, 1, &[7, 30]);
        let (recording, stderr) = record(&scene, &Scrub::default());
        let file = recording.as_ref().map(|recording| to_string(recording).unwrap()).unwrap_or_default();
        let found = !views(recording.as_ref(), &file, &stderr, &scene).is_empty();
        // Neither is kept at all.
        assert_eq!(found, !matches!(plant, Plant::OtherField | Plant::Query), "{plant:?}");
    }
}

#[rstest]
#[case::openai("sk-proj-Abc123_def456-GHI789")]
#[case::github("ghp_0123456789abcdefghijABCDEFGHIJ012345")]
#[case::github_pat("github_pat_11ABCDEFG0abcdefghijkl_mnopq")]
#[case::amazon("AKIAIOSFODNN7EXAMPLE")]
#[case::jwt("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P")]
#[case::bearer("Bearer 0123456789abcdefghij")]
fn tokens_of_well_known_shapes_are_scrubbed_wherever_they_stand(#[case] token: &str) {
    let scrub = Scrub::new(KNOWN_PATTERNS.iter().copied()).unwrap();
    for plant in Plant::ALL {
        let scene = Scene::new(plant, token, Framing::default(), 3, &[11, 25]);
        let (recording, stderr) = record(&scene, &scrub);
        let file = recording.as_ref().map(|recording| to_string(recording).unwrap()).unwrap_or_default();
        assert_eq!(views(recording.as_ref(), &file, &stderr, &scene), Vec::<String>::new(), "{plant:?}");
        assert_eq!(recording.map(|recording| recording.scrub.len()), (!stderr.is_empty()).then_some(6).xor(Some(6)));
    }
}

#[rstest]
#[case("task-0123456789abcdef0123")]
#[case("a bearer of good news, and of internationalisation")]
#[case("an essay on AKIA and eyJ")]
fn words_that_only_look_like_tokens_stay(#[case] text: &str) {
    let scrub = Scrub::new(KNOWN_PATTERNS.iter().copied()).unwrap();
    assert_eq!(scrub.json(&json!({ "content": text })), json!({ "content": text }));
}

#[test]
fn only_fields_that_a_client_acts_on_are_kept() {
    let mut scene = Scene::new(Plant::Text, "x", Framing::default(), 1, &[]);
    let fields = ["Content-Type", "retry-after", "X-Session", "Set-Cookie", "X-Amzn-Token"];
    scene.fields = fields.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect();
    let recording = record(&scene, &Scrub::default()).0.unwrap();
    let kept: Vec<&str> = recording.exchanges[0].response.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(kept, ["Content-Type", "retry-after"]);
}

#[test]
fn a_body_whose_compression_is_not_known_is_not_recorded_and_that_is_said() {
    let mut scene = Scene::new(Plant::Text, "x", Framing::default(), 1, &[]);
    scene.fields.push(("Content-Encoding".to_owned(), "br".to_owned()));
    let (recording, stderr) = record(&scene, &Scrub::default());
    assert_eq!(recording, None);
    assert_eq!(
        stderr,
        "not recorded: POST /api/chat: the answer was passed on, but a body with Content-Encoding \"br\" is not recorded"
    );
}
