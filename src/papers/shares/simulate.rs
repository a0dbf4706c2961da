//! When the chunks of streams that share a device arrive.

use std::time::Duration;

use mock_ollama::backend::Curve;
use mock_ollama::clock::Instant;

use crate::sim::Player;

/// A stream: it enters the device with its first chunk, and leaves it with its last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceStream {
    /// When its first chunk arrives.
    pub first: Instant,
    /// What it needs of the device.
    pub need: Need,
}

/// What a stream needs of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// To be served: the time of each chunk since the first one when it is alone, beginning with 0.
    Served(Vec<Duration>),
    /// A place until then, whatever the others do: nobody knows what it is like alone.
    Until(Instant),
}

/// When each chunk of each stream arrives, the first ones included; nothing of a stream that only holds a place.
pub(crate) fn simulate(streams: &[DeviceStream], curve: &Curve) -> Vec<Vec<Instant>> {
    let mut player = Player::new(curve.clone());
    for (rank, stream) in (0..).zip(streams) {
        player.wait_until(rank, stream.first);
    }
    let mut arrivals = vec![Vec::new(); streams.len()];
    let mut places = vec![None; streams.len()];
    while let Some((now, rank)) = player.advance() {
        let stream = rank as usize;
        let is_new = places[stream].is_none();
        let place = *places[stream].get_or_insert_with(|| player.enter_device());
        match &streams[stream].need {
            Need::Until(end) if is_new => player.wait_until(rank, *end),
            Need::Until(_) => player.leave_device(),
            Need::Served(solo) => {
                arrivals[stream].push(now);
                match solo.get(arrivals[stream].len()) {
                    Some(solo) => player.wait_served(rank, place, *solo),
                    None => player.leave_device(),
                }
            }
        }
    }
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    /// A chunk each 10 ms when alone.
    fn stream(first: u64, chunks: u64) -> DeviceStream {
        let solo = (0..chunks).map(|chunk| Duration::from_millis(10 * chunk)).collect();
        DeviceStream { first: at(first), need: Need::Served(solo) }
    }

    fn ends(streams: &[DeviceStream], curve: &str) -> Vec<Instant> {
        let all = simulate(streams, &curve.parse().unwrap());
        all.iter().map(|arrivals| *arrivals.last().unwrap()).collect()
    }

    #[test]
    fn two_equals_at_half_speed_have_gaps_twice_as_long() {
        let arrivals = simulate(&[stream(5, 4), stream(5, 4)], &"0.5".parse().unwrap());
        assert_eq!(arrivals, vec![vec![at(5), at(25), at(45), at(65)]; 2]);
    }

    #[test]
    fn a_share_of_0_41_stretches_41_ms_to_100() {
        let ms_41 =
            || DeviceStream { first: at(0), need: Need::Served(vec![Duration::ZERO, Duration::from_millis(41)]) };
        assert_eq!(ends(&[ms_41(), ms_41()], "0.41"), [at(100), at(100)]);
    }

    #[test]
    fn the_longer_one_has_the_device_to_itself_when_the_other_is_done() {
        // The short one needs 20 ms and has them at 40; the long one has had 20 of its 50 by then.
        assert_eq!(ends(&[stream(0, 3), stream(0, 6)], "0.5"), [at(40), at(70)]);
    }

    #[test]
    fn one_that_comes_later_slows_the_first_from_then_on() {
        // 30 ms alone; 20 ms of work in the 40 after that.
        assert_eq!(ends(&[stream(0, 6), stream(30, 3)], "0.5"), [at(70), at(70)]);
    }

    #[test]
    fn a_place_that_is_held_slows_the_others_as_long_as_it_is() {
        let held = DeviceStream { first: at(0), need: Need::Until(at(20)) };
        let arrivals = simulate(&[held, stream(0, 3)], &"0.5".parse().unwrap());
        assert_eq!(arrivals, [vec![], vec![at(0), at(20), at(30)]]);
    }

    #[test]
    fn a_single_chunk_comes_and_goes() {
        assert_eq!(ends(&[stream(0, 1), stream(0, 3)], "0.5"), [at(0), at(20)]);
    }
}
