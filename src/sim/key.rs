//! The order of timers.

use mock_ollama::clock::Instant;
use mock_ollama::engine::Seq;
use mock_ollama::journal::StreamId;

/// The place of a timer: timers of one instant fire in the order of their streams, those of a stream in sequence.
pub(super) type TimerKey = (Instant, StreamId, Seq);
