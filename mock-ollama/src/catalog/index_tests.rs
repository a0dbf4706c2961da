//! Finding recordings gives what looking at each of them would give.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::same_question;
use crate::catalog::{Catalog, Matching};
use crate::generation::{Dialect, ParsedRequest, Question};
use crate::recording::{Chunk, End, Exchange, Method, Origin, Recording, Request, RequestBody, Response};
use crate::scrub::Scrub;
use crate::seed::Seed;

fn recording(name: &str, path: &str, body: Option<RequestBody>, patterns: &[&str]) -> Recording {
    let request = Request { method: Method::Post, path: path.to_owned(), body };
    let object = "{\"model\":\"m\",\"response\":\"x\",\"message\":{},\"done\":true}\n";
    let exchange = Exchange {
        request: Some(request),
        sent_us: None,
        response: Response { status: 200, headers: vec![] },
        chunks: vec![Chunk { at_us: 0, bytes: object.into() }],
        end: End::Clean,
    };
    let scrub = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    Recording { scrub, ..Recording::new(name, Origin::Synthetic, "m", vec![exchange]) }
}

/// Returns a request body of one of the native routes, with few words, so that many are the same.
fn body() -> impl Strategy<Value = Value> {
    let text = || "(s1|s2|a|\u{e9}){0,3}";
    let model = || prop::sample::select(vec!["m", "n"]);
    let message =
        (prop::sample::select(vec!["user", "system"]), text(), any::<bool>()).prop_map(|(role, text, extra)| {
            if extra {
                json!({ "role": role, "content": text, "x": "y" })
            } else {
                json!({ "content": text, "role": role })
            }
        });
    prop_oneof![
        (model(), text()).prop_map(|(model, prompt)| json!({ "model": model, "prompt": prompt })),
        (model(), prop::collection::vec(message, 1..3))
            .prop_map(|(model, messages)| json!({ "model": model, "messages": messages })),
    ]
}

fn patterns() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::select(vec![vec![], vec!["s[0-9]"], vec!["u", "s1"], vec!["("]])
}

fn dialect(body: &Value) -> Dialect {
    if body.get("prompt").is_some() { Dialect::Generate } else { Dialect::Chat }
}

fn ask(body: &Value) -> ParsedRequest {
    let format = crate::dialect::of(dialect(body));
    format.decode(format.route(), body.to_string().as_bytes()).unwrap()
}

/// Returns what the recorder writes of a body.
fn scrubbed(scrub: &Scrub, body: &Value) -> Value {
    scrub.json(body)
}

fn catalog(recorded: &[(Value, Vec<&'static str>)]) -> Catalog {
    let recordings = recorded.iter().enumerate().map(|(number, (body, patterns))| {
        let scrub = Scrub::new(patterns.iter().copied()).unwrap_or_default();
        let mut written = scrubbed(&scrub, body);
        // The model is what it is.
        written["model"] = body["model"].clone();
        recording(
            &number.to_string(),
            crate::dialect::of(dialect(body)).route(),
            Some(RequestBody::Json(written)),
            patterns,
        )
    });
    Catalog::new(recordings)
}

/// Returns whether a recording answers a question, by a look at it alone.
fn answers(known: &Question, patterns: &[&str], asked: &Question) -> bool {
    let scrub = Scrub::new(patterns.iter().copied()).unwrap_or_default();
    if scrub.is_empty() {
        return same_question(known, asked);
    }
    same_question(known, &super::scrubbed_question(&scrub, asked))
}

/// Returns the nearest offer, by a look at all of each question.
fn nearest(catalog: &Catalog, ask: &ParsedRequest) -> Option<String> {
    let text = |question: &Question| match question {
        Question::Prompt(prompt) => json!(prompt).to_string(),
        Question::Messages(messages) => json!(messages).to_string(),
    };
    let asked = text(&ask.question);
    let nearness = |(place, offer): &(usize, &crate::catalog::Offer)| {
        let known = offer.question.as_ref().map(&text).unwrap_or_default();
        let same = known.chars().zip(asked.chars()).take_while(|(left, right)| left == right).count();
        (offer.model == ask.name, offer.dialect == ask.dialect, same, std::cmp::Reverse(*place))
    };
    let (_, offer) = catalog.offers().iter().enumerate().max_by_key(nearness)?;
    Some(offer.recording.to_string())
}

proptest! {
    #[test]
    fn exact_finds_what_a_look_at_each_recording_finds(
        recorded in prop::collection::vec((body(), patterns()), 0..12), asked in body(),
    ) {
        let (catalog, ask) = (catalog(&recorded), ask(&asked));
        let found: Vec<&str> = catalog.fitting(&ask, Matching::Exact).iter().map(|offer| &*offer.recording).collect();
        let expected = catalog.offers().iter().zip(&recorded).filter(|(offer, (_, patterns))| {
            offer.model == ask.name && answers(offer.question.as_ref().unwrap(), patterns, &ask.question)
        });
        prop_assert_eq!(found, expected.map(|(offer, _)| &*offer.recording).collect::<Vec<_>>());
    }

    #[test]
    fn the_nearest_recording_is_that_of_a_look_at_all_of_each(
        recorded in prop::collection::vec((body(), patterns()), 0..12), asked in body(),
    ) {
        let (catalog, ask) = (catalog(&recorded), ask(&asked));
        let near = super::super::miss::nearest(catalog.offers(), &ask).map(|offer| offer.recording.to_string());
        prop_assert_eq!(near, nearest(&catalog, &ask));
    }

    #[test]
    fn a_request_of_another_route_finds_what_a_look_at_each_recording_finds(
        recorded in prop::collection::vec((body(), patterns(), 0..3_u8), 0..12), asked in body(), space in any::<bool>(),
    ) {
        let form = |body: &Value, form: u8| match form {
            0 => RequestBody::Json(body.clone()),
            1 => RequestBody::Text(body.to_string()),
            _ => RequestBody::Text(format!("{body} ")),
        };
        let written = |(body, patterns, kind): &(Value, Vec<&'static str>, u8)| {
            let scrub = Scrub::new(patterns.iter().copied()).unwrap_or_default();
            super::scrubbed_body(&scrub, &form(body, *kind))
        };
        let catalog = Catalog::new(recorded.iter().enumerate().map(|(number, entry)| {
            recording(&number.to_string(), "/api/embed", Some(written(entry)), &entry.1)
        }));
        let sent = if space { format!("{asked} ") } else { asked.to_string() };
        let found: Vec<&str> =
            catalog.fixed("POST", "/api/embed", sent.as_bytes()).iter().map(|fixed| &*fixed.recording).collect();
        let names: Vec<String> = (0..recorded.len()).map(|number| number.to_string()).collect();
        let expected = recorded.iter().zip(&names).filter(|(entry, _)| {
            let scrub = Scrub::new(entry.1.iter().copied()).unwrap_or_default();
            match written(entry) {
                RequestBody::Json(value) => asked == value || scrub.json(&asked) == value,
                RequestBody::Text(text) => sent == text || scrub.request(&sent) == text,
                RequestBody::Exact(_) => false,
            }
        });
        prop_assert_eq!(found, expected.map(|(_, name)| name.as_str()).collect::<Vec<_>>());
        prop_assert!(catalog.fixed("GET", "/api/embed", sent.as_bytes()).is_empty());
    }

    /// What the search by lengths rests on.
    #[test]
    fn making_secrets_unreadable_keeps_the_number_of_characters(text in "[a\u{e9}\u{1f600} 1]{0,12}") {
        let scrub = Scrub::new(["[a\u{e9}]+", "\u{1f600}."]).unwrap();
        prop_assert_eq!(scrub.request(&text).chars().count(), text.chars().count());
    }
}

#[test]
fn a_request_without_a_body_finds_its_recording() {
    let catalog = Catalog::new([recording("empty", "/api/version", None, &[])]);
    assert_eq!(catalog.fixed("POST", "/api/version", b"").len(), 1);
    assert!(catalog.fixed("POST", "/api/version", b"x").is_empty());
}

#[test]
fn of_many_that_begin_alike_the_one_of_most_words_in_common_is_nearest() {
    let system = "You are an agent. ".repeat(400);
    // The last one is as long as what is asked, and has the least in common.
    let prompts = ["end.", "Say hi to all of them.", "Say hi to none.", &"z".repeat(3_000), "Nothing of that.."];
    let recorded = prompts.map(|prompt| (json!({ "model": "m", "prompt": format!("{system}{prompt}") }), vec![]));
    let asked = ask(&json!({ "model": "m", "prompt": format!("{system}Say hi to nobody.") }));
    let catalog = catalog(&recorded);
    assert_eq!(super::super::miss::nearest(catalog.offers(), &asked).map(|offer| &*offer.recording), Some("2"));
}

#[test]
fn a_miss_names_a_few_models_and_counts_the_others() {
    let recorded = (0..23).map(|number| {
        let body = json!({ "model": format!("m{number:02}"), "prompt": "p" });
        recording(&number.to_string(), "/api/generate", Some(RequestBody::Json(body)), &[])
    });
    let ask = ask(&json!({ "model": "x", "prompt": "q".repeat(5_000) }));
    let miss = Catalog::new(recorded).choose(&ask, Matching::Exact, || Seed(0)).unwrap_err().to_string();
    assert!(miss.contains("m18:latest, m19:latest and 3 more; nearest: recording \"0\""), "{miss}");
    assert!(miss.len() < 600, "{miss}");
}
