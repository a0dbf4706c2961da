//! `/api/push` (`server/images.go`, `PushModel`).

use super::modelfile::BLOBS;
use super::progress::{Progress, STEP};
use super::pull::transfer;
use crate::generation::Refusal;
use crate::models::{Card, ModelName, qualified};

/// Pushes a model: `None` where none of that name is installed. `requested` is the name as the request gives it, which
/// is not empty; `speed` is in bytes per second.
pub fn push(card: Option<&Card>, requested: &str, speed: u64) -> Progress {
    Progress::of(|progress| {
        progress.say("retrieving manifest");
        let Some(card) = card else {
            progress.say("couldn't retrieve manifest");
            return Err(Refusal::by_handler(500, no_manifest(requested)));
        };
        progress.wait(STEP);
        transfer(progress, "pushing", &card.layers(), |_| false, speed);
        for status in ["pushing manifest", "success"] {
            progress.step(status);
        }
        Ok(None)
    })
}

fn no_manifest(requested: &str) -> String {
    match ModelName::parse(requested) {
        Some(name) => {
            let file = qualified(name.as_str()).replace(':', "/");
            let folder = BLOBS.trim_end_matches("/blobs");
            format!("open {folder}/manifests/{file}: no such file or directory")
        }
        None => format!("unqualified name: {}", qualified(requested)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::push;
    use crate::models::{Card, ModelName};

    fn last_line(requested: &str) -> String {
        push(None, requested, 1).streamed().chunks.last().unwrap().1.clone()
    }

    #[rstest]
    #[case("bad name!", "unqualified name: registry.ollama.ai/library/bad name!:latest")]
    #[case("ns/bad name:x", "unqualified name: registry.ollama.ai/ns/bad name:x")]
    #[case("nope", "open /models/manifests/registry.ollama.ai/library/nope/latest: no such file or directory")]
    #[case("ns/nope:7b", "open /models/manifests/registry.ollama.ai/ns/nope/7b: no such file or directory")]
    fn a_model_that_is_not_there_fails_after_two_statuses(#[case] requested: &str, #[case] text: &str) {
        assert_eq!(last_line(requested), format!("{{\"error\":\"{text}\"}}\n"));
        let streamed = push(None, requested, 1).streamed();
        assert_eq!(streamed.chunks[0].1, "{\"status\":\"retrieving manifest\"}\n");
        assert_eq!(streamed.chunks[1].1, "{\"status\":\"couldn't retrieve manifest\"}\n");
    }

    #[test]
    fn a_push_tells_of_its_layers_and_ends_with_success() {
        let card = Card { size: 10_000, ..Card::named(ModelName::parse("m").unwrap()) };
        let chunks = push(Some(&card), "m", 100_000).streamed().chunks;
        let is = |at: usize, text: &str| assert!(chunks[at].1.contains(text), "{:?}", chunks[at]);
        is(0, "retrieving manifest");
        is(1, "pushing 000000000000");
        is(chunks.len() - 2, "\"pushing manifest\"");
        is(chunks.len() - 1, "\"success\"");
    }
}
