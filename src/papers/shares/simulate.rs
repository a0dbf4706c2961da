//! When the chunks of streams that share a device arrive.

use std::time::Duration;

use mock_ollama::backend::{Curve, Device, Place};
use mock_ollama::clock::Instant;

/// A stream: it enters the device with its first chunk, and leaves it with its last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
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
pub fn simulate(streams: &[Stream], curve: &Curve) -> Vec<Vec<Instant>> {
    let mut device = Device::new(curve.clone());
    let mut guests: Vec<Guest<'_>> = streams.iter().map(Guest::new).collect();
    let mut now = Instant::ZERO;
    loop {
        let next = guests.iter().enumerate().filter_map(|(index, guest)| Some((guest.next(&device, now)?, index)));
        // At one instant, the stream that was named first comes first: the same input gives the same output.
        let Some((at, index)) = next.min() else { break };
        now = now.max(at);
        guests[index].step(&mut device, now);
    }
    guests.into_iter().map(|guest| guest.arrivals).collect()
}

/// A stream on its way through the device.
struct Guest<'a> {
    stream: &'a Stream,
    at: Where,
    arrivals: Vec<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Outside,
    Inside(Place),
    Gone,
}

impl<'a> Guest<'a> {
    fn new(stream: &'a Stream) -> Self {
        Self { stream, at: Where::Outside, arrivals: Vec::new() }
    }

    /// When the next thing happens to it, as things stand now.
    fn next(&self, device: &Device, now: Instant) -> Option<Instant> {
        match (self.at, &self.stream.need) {
            (Where::Outside, _) => Some(self.stream.first),
            (Where::Inside(place), Need::Served(solo)) => {
                solo.get(self.arrivals.len()).map(|solo| device.due(place, *solo, now))
            }
            (Where::Inside(_), Need::Until(end)) => Some(*end),
            (Where::Gone, _) => None,
        }
    }

    /// The next thing happens to it.
    fn step(&mut self, device: &mut Device, now: Instant) {
        if self.at == Where::Outside {
            self.at = Where::Inside(device.enter(now));
            if matches!(self.stream.need, Need::Until(_)) {
                return;
            }
        }
        let is_last = match &self.stream.need {
            Need::Served(solo) => {
                self.arrivals.push(now);
                self.arrivals.len() >= solo.len()
            }
            Need::Until(_) => true,
        };
        if is_last {
            device.leave(now);
            self.at = Where::Gone;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    /// A chunk each 10 ms when alone.
    fn stream(first: u64, chunks: u64) -> Stream {
        let solo = (0..chunks).map(|chunk| Duration::from_millis(10 * chunk)).collect();
        Stream { first: at(first), need: Need::Served(solo) }
    }

    fn ends(streams: &[Stream], curve: &str) -> Vec<Instant> {
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
        let ms_41 = || Stream { first: at(0), need: Need::Served(vec![Duration::ZERO, Duration::from_millis(41)]) };
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
        let held = Stream { first: at(0), need: Need::Until(at(20)) };
        let arrivals = simulate(&[held, stream(0, 3)], &"0.5".parse().unwrap());
        assert_eq!(arrivals, [vec![], vec![at(0), at(20), at(30)]]);
    }

    #[test]
    fn a_single_chunk_comes_and_goes() {
        assert_eq!(ends(&[stream(0, 1), stream(0, 3)], "0.5"), [at(0), at(20)]);
    }
}
