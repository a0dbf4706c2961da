//! `/api/pull` (`server/images.go`, `PullModel`; `server/download.go`).

use std::time::Duration;

use super::progress::{Progress, STEP};
use crate::generation::Refusal;
use crate::models::{Card, Layer};

/// How fast layers come unless something else is asked for, in bytes per second.
pub const DEFAULT_SPEED: u64 = 200_000_000;

/// How often a transfer says how far it is.
const TICK: Duration = Duration::from_millis(60);

/// What all transfers of a request may take together; a larger model comes faster.
const LONGEST: Duration = Duration::from_secs(5);

/// Pulls a model: `None` where the registry has none of that name. `is_present` tells of a digest whether its file is
/// there already; `speed` is in bytes per second.
pub fn pull(card: Option<&Card>, is_present: impl Fn(&str) -> bool, speed: u64) -> Progress {
    Progress::of(|progress| fetch(progress, card, is_present, speed).map(Some))
}

/// The same as part of something longer.
pub(super) fn fetch(
    progress: &mut Progress,
    card: Option<&Card>,
    is_present: impl Fn(&str) -> bool,
    speed: u64,
) -> Result<Box<Card>, Refusal> {
    progress.step("pulling manifest");
    let card = card.ok_or_else(|| Refusal::by_handler(500, "pull model manifest: file does not exist"))?;
    transfer(progress, "pulling", &card.layers(), is_present, speed);
    for status in ["verifying sha256 digest", "writing manifest", "success"] {
        progress.step(status);
    }
    Ok(Box::new(card.clone()))
}

/// Moves layers one after the other: none for those that are there, else every tick what has come of it.
pub(super) fn transfer(
    progress: &mut Progress,
    verb: &str,
    layers: &[Layer],
    is_present: impl Fn(&str) -> bool,
    speed: u64,
) {
    let missing = layers.iter().filter(|layer| !is_present(&layer.digest));
    let bytes: u64 = missing.map(|layer| layer.size).fold(0, u64::saturating_add);
    let speed = speed.max(bytes / LONGEST.as_secs()).max(1);
    for layer in layers {
        let short = layer.digest.trim_start_matches("sha256:").get(..12).unwrap_or_default();
        let status = format!("{verb} {short}");
        if !is_present(&layer.digest) {
            let time = time_for(layer.size, speed);
            let mut elapsed = Duration::ZERO;
            while elapsed < time {
                let completed = bytes_in(elapsed, speed).min(layer.size);
                progress.transferred(&status, &layer.digest, layer.size, completed);
                let step = TICK.min(time.saturating_sub(elapsed));
                progress.wait(step);
                elapsed += step;
            }
        }
        progress.transferred(&status, &layer.digest, layer.size, layer.size);
    }
    progress.wait(STEP);
}

fn time_for(bytes: u64, speed: u64) -> Duration {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(speed);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn bytes_in(time: Duration, speed: u64) -> u64 {
    u64::try_from(time.as_nanos() * u128::from(speed) / 1_000_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::{DEFAULT_SPEED, LONGEST, pull};
    use crate::models::{Card, ModelName};

    fn card(size: u64) -> Card {
        Card { size, weights: "ab".repeat(32), ..Card::named(ModelName::parse("m").unwrap()) }
    }

    fn statuses(lines: &[(Duration, String)]) -> Vec<String> {
        let values = lines.iter().map(|(_, line)| serde_json::from_str::<Value>(line).unwrap());
        values.map(|value| value["status"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn w_080_a_pull_begins_with_the_manifest_and_ends_with_success() {
        let progress = pull(Some(&card(30_000_000)), |_| false, DEFAULT_SPEED);
        let statuses = statuses(&progress.lines);
        assert_eq!((statuses[0].as_str(), statuses[1].as_str()), ("pulling manifest", "pulling abababababab"));
        let end = &statuses[statuses.len() - 3..];
        assert_eq!(end, ["verifying sha256 digest", "writing manifest", "success"]);
        assert_eq!(progress.outcome.unwrap().name.as_str(), "m:latest");
    }

    #[test]
    fn w_081_a_layer_is_told_about_every_60_ms_from_nothing_to_all_of_it() {
        let progress = pull(Some(&card(30_000_000)), |_| false, DEFAULT_SPEED);
        let weights: Vec<_> = progress.lines.iter().filter(|(_, line)| line.contains("abababababab")).collect();
        let first: Value = serde_json::from_str(&weights[0].1).unwrap();
        assert_eq!(first["completed"], Value::Null);
        let ms: Vec<u128> = weights.iter().map(|(at, _)| at.as_millis()).collect();
        assert_eq!(ms[..3], [1, 61, 121]);
        let last: Value = serde_json::from_str(&weights.last().unwrap().1).unwrap();
        assert_eq!(last["completed"], last["total"]);
    }

    #[test]
    fn a_layer_that_is_there_is_told_about_once() {
        let progress = pull(Some(&card(u64::from(u32::MAX))), |_| true, DEFAULT_SPEED);
        // The manifest, the weights, the configuration, and the three steps at the end.
        assert_eq!(progress.lines.len(), 6);
        assert!(progress.took < Duration::from_millis(100));
    }

    #[test]
    fn w_082_an_unknown_model_fails_after_the_manifest() {
        let progress = pull(None, |_| false, DEFAULT_SPEED);
        let streamed = progress.streamed();
        let error = "{\"error\":\"pull model manifest: file does not exist\"}\n";
        assert_eq!((streamed.status, streamed.chunks[1].1.as_str()), (200, error));
        assert_eq!(progress.whole().status, 500);
        assert_eq!(progress.outcome, None);
    }

    proptest! {
        #[test]
        fn a_pull_never_takes_long_and_its_times_never_decrease(size: u64, speed: u64) {
            let progress = pull(Some(&card(size)), |_| false, speed);
            prop_assert!(progress.took <= LONGEST + Duration::from_secs(1));
            prop_assert!(progress.lines.is_sorted_by_key(|(at, _)| *at));
        }
    }
}
