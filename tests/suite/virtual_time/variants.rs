//! Every variant runs on its own executor, and all of them see the same.

use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::runtimes::of;

use super::stage::{in_memory, over_sockets};
use crate::stage::{Cast, fixture};

fn cast() -> Cast {
    Cast::each(
        3,
        vec![fixture("small-greedy"), fixture("small-multibyte"), fixture("small-error-mid-stream")],
        Pace::recorded(),
    )
}

for_each_variant! {
    fn memory_and_sockets_tell_the_same_story(variant: Variant) {
        let memory = in_memory(of(variant), &cast()).unwrap();
        let sockets = over_sockets(of(variant), &cast()).unwrap();
        similar_asserts(&memory.log.to_string(), &sockets.log.to_string());
        insta::assert_snapshot!("digest_of_three_agents", memory.log.digest());
        println!("{:?}", memory.run.transcript.agents[0].polled_on);
    }
}

fn similar_asserts(left: &str, right: &str) {
    if let Some((number, (left, right))) = left.lines().zip(right.lines()).enumerate().find(|(_, (l, r))| l != r) {
        panic!("event {number}: in memory {left}, over sockets {right}");
    }
    assert_eq!(left.lines().count(), right.lines().count());
}
