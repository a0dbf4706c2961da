//! I8: the log has nothing in it that depends on the transport, such as the sizes of reads.

use mock_ollama::recording::{Chunk, Recording};
use mock_ollama::schedule::Pace;
use rstest::rstest;
use runtime_lab::clients::AgentEvent;
use runtime_lab::runtimes::{RunError, Runtime, of};
use runtime_lab::sim::EventDigest;
use runtime_lab::transcript::Transcript;
use runtime_lab::variant::Variant;

use super::util::{Played, in_memory, over_sockets};
use crate::util::{Scenario, fixture};

/// How a scenario is run.
type Play = fn(&dyn Runtime, &Scenario) -> Result<Played, RunError>;

/// A recording whose answer comes in one chunk, which is longer than the reads of `smol-1kb`.
fn burst() -> Recording {
    let mut recording = fixture("small-greedy");
    for exchange in &mut recording.exchanges {
        let at_us = exchange.chunks.last().expect("an answer").at_us;
        exchange.chunks = vec![Chunk::new(at_us, exchange.body())];
        assert!(exchange.chunks[0].bytes.len() > 1024);
    }
    recording
}

fn play(variant: Variant, play: Play) -> Played {
    play(of(variant), &Scenario::each(2, vec![burst()], Pace::recorded())).unwrap()
}

/// The digest that a log would have if the pieces that came were in it.
fn digest_of_pieces(transcript: &Transcript) -> String {
    let mut digest = EventDigest::default();
    for agent in &transcript.agents {
        for piece in agent.exchanges.iter().flat_map(|exchange| &exchange.pieces) {
            digest.add_parts(
                piece.at,
                agent.agent.as_bytes(),
                0,
                &AgentEvent::Line { body_end: piece.bytes, token: false },
            );
        }
    }
    digest.finish()
}

#[rstest]
#[case::in_memory(in_memory)]
#[case::over_sockets(over_sockets)]
fn variants_that_read_in_other_pieces_have_the_same_digest(#[case] how: Play) {
    let [whole, capped] = [Variant::Smol, Variant::Smol1kb].map(|variant| play(variant, how));
    assert_eq!(whole.log.digest(), capped.log.digest());
}

#[rstest]
#[case::in_memory(in_memory)]
#[case::over_sockets(over_sockets)]
fn broken_a_digest_that_counts_pieces_is_another_for_each_size_of_reads(#[case] how: Play) {
    let [whole, capped] = [Variant::Smol, Variant::Smol1kb].map(|variant| play(variant, how).run.transcript);
    assert_ne!(digest_of_pieces(&whole), digest_of_pieces(&capped));
}

#[test]
fn sockets_and_memory_have_the_same_digest_however_long_a_chunk_is() {
    for variant in [Variant::Smol, Variant::Smol1kb] {
        assert_eq!(play(variant, in_memory).log.digest(), play(variant, over_sockets).log.digest(), "{variant:?}");
    }
}
