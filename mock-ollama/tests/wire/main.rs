//! The wire, rule by rule: the checklist of `docs/wire.md`, and the captures of the real server's HTTP layer.
//!
//! Everything runs on an engine whose clock is moved by hand: no socket, no waiting.
//!
//! | file | what |
//! | --- | --- |
//! | `bench` | an engine with the scripted models, asked as a client asks |
//! | `captures` | every capture, in any order |
//! | `mask` | what a comparison with a capture leaves out |
//! | `empty_streams` | streams that end without an object |
//! | `parsers` | models whose built-in parser finds thinking and calls |
//! | `searches` | the built-in web search |
//! | `archives` | exchanges of our own, kept as other tools keep them, and imported |
//! | `imports` | bodies of our own, imported |
//! | `rendered` | recordings in their own dialect and in others |
//! | `replays` | every recorded exchange, byte for byte |
//! | `counters` | counters that hold together |
//! | `servers` | several servers of one machine |
//! | `w_*` | the checklist: each test carries the number of its rule |

mod archives;
mod bench;
mod captures;
mod counters;
mod empty_streams;
mod imports;
mod mask;
mod parsers;
mod rendered;
mod replays;
mod searches;
mod servers;
mod w_answers;
mod w_compat;
mod w_json;
mod w_native;
mod w_scheduling;
mod w_transport;

#[test]
fn every_rule_of_the_checklist_has_a_test_or_a_reason() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    let folder = here.join("tests/wire").read_dir().unwrap();
    let tests: String = folder.map(|entry| read(&entry.unwrap().path())).collect();
    let reasons = read(&here.join("../docs/wire.md"));
    let missing: Vec<String> = (1..=115)
        .filter(|rule| !tests.contains(&format!("w_{rule:03}")) && !reasons.contains(&format!("| W-{rule:03} |")))
        .map(|rule| format!("W-{rule:03}"))
        .collect();
    assert!(missing.is_empty(), "neither tested nor explained: {missing:?}");
}
