//! What is counted while the window is open.

use crate::lateness;
use crate::report::RequestErrors;
use crate::samples::Samples;

/// Room for samples before memory must be asked for.
const SAMPLES_CAPACITY: usize = 1 << 20;

/// Counts and samples of one window.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) errors: RequestErrors,
    pub(super) tokens: u64,
    pub(super) reads: u64,
    /// Requests sent.
    pub(super) asked: u64,
    /// Reads whose instant is the kernel's.
    pub(super) stamped: u64,
    pub(super) lateness: Samples,
    pub(super) drift: Samples,
}

impl Tally {
    /// Room is made for the samples of a pace, where there is one.
    pub(super) fn new(paced: bool) -> Self {
        let room = || Samples::with_capacity(if paced { SAMPLES_CAPACITY } else { 0 });
        Self {
            errors: RequestErrors::default(),
            tokens: 0,
            reads: 0,
            asked: 0,
            stamped: 0,
            lateness: room(),
            drift: room(),
        }
    }

    /// Takes note of a stream's tokens that came at `from` or later; earlier ones only fix its schedule.
    ///
    /// `expected` is how many tokens a whole answer has; a stream with less than half of them says nothing about drift.
    pub(super) fn paced(&mut self, arrivals: &[i64], gap: i64, from: i64, expected: usize) {
        for (late, arrival) in lateness::lateness(arrivals, gap).zip(arrivals) {
            if *arrival >= from {
                self.lateness.note(late);
            }
        }
        let ended = arrivals.last().is_some_and(|last| *last >= from);
        if ended
            && arrivals.len() * 2 >= expected
            && let Some(drift) = lateness::drift(arrivals, gap)
        {
            self.drift.note(drift);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn tokens_before_the_window_fix_the_schedule_and_are_not_judged() {
        let mut tally = Tally::new(true);
        let arrivals: Vec<i64> = (0..20).map(|k| k * 1000 + if k < 10 { 0 } else { 7 }).collect();
        tally.paced(&arrivals, 1000, 10_000, 20);
        let late = tally.lateness.quantiles().unwrap();
        assert_eq!((late.samples, late.p50), (10, 0.007));
        assert_eq!(tally.drift.quantiles().unwrap().samples, 1);
    }

    #[test]
    fn a_stream_cut_short_says_nothing_about_drift() {
        let mut tally = Tally::new(true);
        tally.paced(&(0..40).collect::<Vec<_>>(), 1, 0, 200);
        assert!(tally.drift.quantiles().is_none());
        tally = Tally::new(true);
        tally.paced(&[], 1, 0, 200);
        assert!(tally.lateness.quantiles().is_none());
    }
}
