//! A recording from a profile.

use jiff::Timestamp;
use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;
use serde_json::json;

use super::Profile;
use super::profile::draw;
use crate::recording::{Chunk, Exchange, Origin, Recording, Request, Response};
use crate::seed::Seed;

/// What the made-up words are made of.
const SYLLABLES: &[&str] =
    &["ba", "con", "da", "el", "fi", "gra", "hu", "in", "jo", "ka", "lu", "men", "no", "or", "pi", "qua", "ri", "sto"];

/// 2026-01-01T00:00:00Z, from which the made-up times count.
const EPOCH_US: i64 = 1_767_225_600_000_000;

/// The tokens of the made-up prompt.
const PROMPT_TOKENS: u64 = 10;

/// Which route the recording is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `/api/chat`
    Chat,
    /// `/api/generate`
    Generate,
}

/// Returns a stream of `tokens` made-up words, one a chunk. The counters of its final object follow from its times.
pub fn synthesise(profile: &Profile, shape: Shape, tokens: u32, seed: Seed) -> Recording {
    let mut rng = seed.derive("synth", [profile.name.as_bytes()]).rng();
    let load_us = draw(profile.load_us, &mut rng);
    let prompt_us = draw(profile.prompt_us, &mut rng).max(1);
    let model = format!("synthetic-{}:latest", profile.name);
    let mut at_us = load_us + prompt_us;
    let first_us = at_us;
    let mut chunks = Vec::new();
    for number in 0..tokens {
        if number > 0 {
            at_us += profile.gap(&mut rng);
        }
        let word = word(&mut rng, number == 0);
        chunks.push(Chunk::new(at_us, object(shape, &model, at_us, &word, None)));
    }
    at_us += profile.gap(&mut rng).max(1);
    let metrics = json!({
        "total_duration": at_us * 1_000,
        "load_duration": load_us * 1_000,
        "prompt_eval_count": PROMPT_TOKENS,
        "prompt_eval_duration": prompt_us * 1_000,
        "eval_count": tokens + 1,
        "eval_duration": (at_us - first_us) * 1_000,
    });
    chunks.push(Chunk::new(at_us, object(shape, &model, at_us, "", Some(&metrics))));
    let (path, body) = match shape {
        Shape::Chat => ("/api/chat", json!({ "model": model, "messages": [{ "role": "user", "content": "Go on." }] })),
        Shape::Generate => ("/api/generate", json!({ "model": model, "prompt": "Go on." })),
    };
    let response = Response::new(200, [("Content-Type", "application/x-ndjson")]);
    let exchange = Exchange::new(Some(Request::post(path, body)), response, chunks);
    let name = format!("synthetic-{}-{tokens}-{seed}", profile.name);
    let mut recording = Recording::new(name, Origin::Synthetic, model, vec![exchange]);
    recording.description = Some(format!("{tokens} made-up words at the pace of: {}", profile.what));
    recording.model.capabilities = vec!["completion".to_owned()];
    recording.licence = Some("CC0-1.0".to_owned());
    recording
}

fn object(shape: Shape, model: &str, at_us: u64, text: &str, metrics: Option<&serde_json::Value>) -> String {
    let micros = EPOCH_US.saturating_add(i64::try_from(at_us).unwrap_or(i64::MAX));
    let created_at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    let mut object = json!({ "model": model, "created_at": created_at });
    match shape {
        Shape::Chat => object["message"] = json!({ "role": "assistant", "content": text }),
        Shape::Generate => object["response"] = json!(text),
    }
    object["done"] = json!(metrics.is_some());
    if let Some(metrics) = metrics.and_then(serde_json::Value::as_object) {
        object["done_reason"] = json!("stop");
        for (name, value) in metrics {
            object[name] = value.clone();
        }
    }
    format!("{object}\n")
}

fn word(rng: &mut Pcg64Mcg, is_first: bool) -> String {
    let count = rng.random_range(1..4_usize);
    let letters: String = (0..count).map(|_| SYLLABLES[rng.random_range(0..SYLLABLES.len())]).collect();
    if is_first { letters } else { format!(" {letters}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{Shape, synthesise};
    use crate::recording::synth::{PROFILES, Profile};
    use crate::recording::to_string;
    use crate::seed::Seed;

    #[test]
    fn the_same_profile_length_and_seed_give_the_same_bytes_everywhere() {
        let profile = Profile::named("hosted-20b").unwrap();
        insta::assert_snapshot!(to_string(&synthesise(profile, Shape::Chat, 4, Seed(7))).unwrap());
    }

    #[rstest]
    #[case("local-1b")]
    #[case("local-7b")]
    #[case("local-14b")]
    fn a_long_stream_has_the_quantiles_of_its_profile(#[case] name: &str) {
        let profile = Profile::named(name).unwrap();
        let recording = synthesise(profile, Shape::Generate, 20_000, Seed(1));
        let times: Vec<u64> = recording.exchanges[0].chunks.iter().map(|chunk| chunk.at_us).collect();
        let mut gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_unstable();
        for (place, stated) in [(0.50, profile.gap_us[1]), (0.95, profile.gap_us[2])] {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a place among 20,000"
            )]
            let found = gaps[(gaps.len() as f64 * place) as usize];
            assert!(found.abs_diff(stated) * 20 <= stated, "{name} at {place}: {found} of {stated}");
        }
    }

    #[test]
    fn a_hosted_stream_comes_in_bursts() {
        let profile = Profile::named("hosted-20b").unwrap();
        let times: Vec<u64> = synthesise(profile, Shape::Chat, 10_000, Seed(3)).exchanges[0]
            .chunks
            .iter()
            .map(|chunk| chunk.at_us)
            .collect();
        let within = times.windows(2).filter(|pair| pair[1] - pair[0] < 100).count();
        assert!((3_900..4_400).contains(&within), "{within} of 10,000");
    }

    proptest! {
        #[test]
        fn times_are_in_order_and_counters_add_up(
            profile in prop::sample::select(PROFILES), tokens in 0_u32..80, seed: u64,
        ) {
            let recording = synthesise(&profile, Shape::Generate, tokens, Seed(seed));
            let chunks = &recording.exchanges[0].chunks;
            prop_assert!(chunks.is_sorted_by_key(|chunk| chunk.at_us));
            let last: serde_json::Value = serde_json::from_slice(&chunks.last().unwrap().bytes).unwrap();
            let ns = |key: &str| last[key].as_u64().unwrap();
            prop_assert_eq!(ns("load_duration") + ns("prompt_eval_duration") + ns("eval_duration"), ns("total_duration"));
            prop_assert_eq!(ns("eval_count"), u64::from(tokens) + 1);
            prop_assert_eq!(ns("total_duration"), chunks.last().unwrap().at_us * 1_000);
            prop_assert!(to_string(&recording).is_ok());
        }
    }
}
