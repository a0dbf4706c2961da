//! Where the wall time went.
//!
//! With `S_i` the time agent i takes alone on an idle backend (from the schedule of its recordings, nothing measured)
//! and `W` the wall time of the concurrent run:
//!
//! ```text
//! efficiency = sum(S_i) / (n * W) = balance * contention * structure * runtime
//! balance    = sum(S_i) / (n * max(S_i))      the recordings alone: equal work or not
//! contention = max(S_i) / P0                  the backend: what agents do to each other there
//! structure  = P0 / P1                        the client code: whether it overlaps as the scripts allow
//! runtime    = P1 / W                         executor, I/O and parsing, and the host
//! ```
//!
//! `P0` is the wall time of the scripts on the backend, all agents beginning at once and without a
//! limiter; `P1` that of the real client code in virtual time, where code costs nothing. Structure is above 1 where
//! serialising beats overlap. `overlap = contention * structure * runtime` is everything but balance.
//!
//! All is computed per run from integer nanoseconds; aggregate after, never before.

use std::num::NonZeroUsize;
use std::time::Duration;

/// What a run is judged by.
#[derive(Clone, Debug)]
pub struct Walls<'a> {
    /// `S_i`: how long each agent takes alone on an idle backend, in the order of the workload.
    pub alone: &'a [Duration],
    /// `C_i`: how long each agent took in the concurrent run.
    pub contended: &'a [Duration],
    /// At most this many agents at once.
    pub limit: Option<NonZeroUsize>,
    /// `W`: from the start of the first agent to the end of the last.
    pub wall: Duration,
    /// `P0`: the same of the scripts alone, all agents beginning at once.
    pub scripts: Duration,
    /// `P1`: the same of the client code in virtual time, where that is known.
    pub code: Option<Duration>,
    /// The wall time of a measured run of the same agents one after the other.
    pub serial_wall: Option<Duration>,
    /// Tokens delivered to all agents.
    pub tokens: u64,
}

/// Where the wall time of one run went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    /// `sum(S_i) / (n * max(S_i))`, 0..=1.
    pub balance: f64,
    /// `max(S_i) / P0`, 0..=1.
    pub contention: f64,
    /// `P0 / P1`, ≥ 0.
    pub structure: Option<f64>,
    /// `P1 / W`, ≥ 0.
    pub runtime: Option<f64>,
    /// `max(S_i) / W`, ≥ 0; at most 1 unless something finished before it was due.
    pub overlap: f64,
    /// `sum(S_i) / (n * W)`, ≥ 0.
    pub efficiency: f64,
    /// The serial run's wall time divided by this run's, where a serial run was measured.
    pub speed_up: Option<f64>,
    /// Tokens per wall second.
    pub goodput: f64,
    /// `sum(C_i) / (n * W)`: the figure TR115 published as parallel efficiency. It measures overlap, not time saved.
    pub legacy_efficiency: f64,
    /// The least wall time the scripts allow under the limit, see [`ideal_wall`].
    pub ideal_wall: Duration,
    /// `W` minus the ideal wall time, in nanoseconds; negative when something finished before it was due.
    pub overhead_ns: i64,
    /// The overhead divided by `W`, below 1.
    pub overhead_share: f64,
}

/// A run that cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactorError {
    /// There is no agent, or no agent has anything to wait for.
    #[error("the workload takes no time: {agents} agents, all of them alone in 0 ns")]
    NoWork {
        /// The number of agents.
        agents: usize,
    },
    /// The run took no time.
    #[error("the run took 0 ns")]
    NoWall,
    /// The numbers of ideal and of contended times differ.
    #[error("{alone} agents were planned and {contended} were seen")]
    Agents {
        /// Agents in the workload.
        alone: usize,
        /// Agents in the transcript.
        contended: usize,
    },
}

impl Walls<'_> {
    /// The factors of this run.
    pub fn factors(&self) -> Result<Factors, FactorError> {
        let agents = self.alone.len();
        if agents != self.contended.len() {
            return Err(FactorError::Agents { alone: agents, contended: self.contended.len() });
        }
        let longest = self.alone.iter().max().map_or(0, Duration::as_nanos);
        if longest == 0 {
            return Err(FactorError::NoWork { agents });
        }
        let wall = self.wall.as_nanos();
        if wall == 0 {
            return Err(FactorError::NoWall);
        }
        let total = sum(self.alone);
        let ideal_wall = ideal_wall(self.alone, self.limit);
        let overhead_ns = signed_difference(self.wall, ideal_wall);
        let n = agents as u128;
        Ok(Factors {
            balance: ratio(total, n * longest),
            contention: ratio(longest, self.scripts.as_nanos().max(1)),
            structure: self.code.map(|code| ratio(self.scripts.as_nanos(), code.as_nanos().max(1))),
            runtime: self.code.map(|code| ratio(code.as_nanos(), wall)),
            overlap: ratio(longest, wall),
            efficiency: ratio(total, n * wall),
            speed_up: self.serial_wall.map(|serial| ratio(serial.as_nanos(), wall)),
            goodput: ratio(u128::from(self.tokens) * 1_000_000_000, wall),
            legacy_efficiency: ratio(sum(self.contended), n * wall),
            ideal_wall,
            overhead_ns,
            overhead_share: 1.0 - ratio(ideal_wall.as_nanos(), wall),
        })
    }
}

/// The wall time of agents that cost nothing themselves: the longest of `alone` when all may run at once; under a
/// limit, a first-in-first-out limiter hands each freed place to the next agent in the order of the workload.
pub fn ideal_wall(alone: &[Duration], limit: Option<NonZeroUsize>) -> Duration {
    let places = limit.map_or(alone.len(), |limit| limit.get().min(alone.len())).max(1);
    let mut free_at = vec![Duration::ZERO; places];
    for &time in alone {
        // Ties go to the first place; which one it is changes nothing.
        if let Some(earliest) = free_at.iter_mut().min() {
            *earliest += time;
        }
    }
    free_at.into_iter().max().unwrap_or_default()
}

/// `a − b` in nanoseconds, at most the range of an `i64` (292 years).
pub fn signed_difference(a: Duration, b: Duration) -> i64 {
    let clamp = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    clamp(a) - clamp(b)
}

fn sum(times: &[Duration]) -> u128 {
    times.iter().map(Duration::as_nanos).sum()
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of nanoseconds needs no more than the 53 bits of an f64")]
fn ratio(numerator: u128, denominator: u128) -> f64 {
    numerator as f64 / denominator as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(seconds: &[u64]) -> Vec<Duration> {
        seconds.iter().copied().map(Duration::from_secs).collect()
    }

    fn judge(alone: &[u64], contended: &[u64], wall: u64) -> Factors {
        let (alone, contended) = (secs(alone), secs(contended));
        let wall = Duration::from_secs(wall);
        let scripts = *alone.iter().max().unwrap();
        Walls {
            alone: &alone,
            contended: &contended,
            limit: None,
            wall,
            scripts,
            code: Some(scripts),
            serial_wall: None,
            tokens: 600,
        }
        .factors()
        .unwrap()
    }

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-12
    }

    #[test]
    fn equal_agents_that_overlap_fully_lose_nothing() {
        let found = judge(&[10, 10], &[10, 10], 10);
        assert!([found.balance, found.overlap, found.efficiency].into_iter().all(|factor| close(factor, 1.0)));
        assert_eq!((found.overhead_ns, found.ideal_wall), (0, Duration::from_secs(10)));
    }

    #[test]
    fn unequal_work_moves_balance_and_nothing_else() {
        let found = judge(&[10, 5], &[10, 5], 10);
        assert!(close(found.balance, 0.75) && close(found.overlap, 1.0) && close(found.efficiency, 0.75));
        assert_eq!(found.overhead_ns, 0);
    }

    #[test]
    fn a_slow_run_moves_overlap_and_nothing_else() {
        let found = judge(&[10, 10], &[10, 10], 20);
        assert!(close(found.balance, 1.0) && close(found.overlap, 0.5) && close(found.efficiency, 0.5));
        assert!(close(found.overhead_share, 0.5));
        assert_eq!(found.overhead_ns, 10_000_000_000);
    }

    #[test]
    fn the_four_factors_are_the_efficiency_and_each_has_its_own_cause() {
        let times = secs(&[10, 6]);
        let base = Walls {
            alone: &times,
            contended: &times,
            limit: None,
            wall: Duration::from_secs(16),
            scripts: Duration::from_millis(12_500),
            code: Some(Duration::from_secs(15)),
            serial_wall: None,
            tokens: 0,
        };
        let found = base.factors().unwrap();
        let (structure, runtime) = (found.structure.unwrap(), found.runtime.unwrap());
        assert!(close(found.balance, 0.8) && close(found.contention, 0.8));
        assert!(close(structure, 12.5 / 15.0) && close(runtime, 15.0 / 16.0));
        assert!(close(found.balance * found.contention * structure * runtime, found.efficiency));
        assert!(close(found.contention * structure * runtime, found.overlap));
    }

    #[test]
    fn agents_that_slow_each_other_down_look_perfect_to_the_legacy_figure() {
        // Two agents that take 5 s alone and 10 s together: nothing was gained, and TR115's figure says 100 %.
        let found = judge(&[5, 5], &[10, 10], 10);
        assert!(close(found.legacy_efficiency, 1.0) && close(found.efficiency, 0.5));
    }

    #[test]
    fn goodput_counts_tokens_per_wall_second() {
        assert!(close(judge(&[10, 5], &[10, 5], 12).goodput, 50.0));
    }

    #[test]
    fn speed_up_is_against_the_serial_run_that_was_measured() {
        let times = secs(&[4, 4]);
        let walls = Walls {
            alone: &times,
            contended: &times,
            limit: None,
            wall: Duration::from_secs(5),
            scripts: Duration::from_secs(4),
            code: None,
            serial_wall: Some(Duration::from_secs(9)),
            tokens: 0,
        };
        assert_eq!(walls.factors().unwrap().speed_up, Some(1.8));
    }

    #[test]
    fn a_run_that_beats_its_schedule_shows_a_negative_overhead() {
        let found = judge(&[10], &[9], 9);
        assert_eq!(found.overhead_ns, -1_000_000_000);
        assert!(found.overlap > 1.0 && found.overhead_share < 0.0);
    }

    #[test]
    fn the_limiter_hands_places_on_in_the_order_of_the_workload() {
        // Two places, agents of 4, 1, 1, 5 s: the second place runs 1 + 1 + 5.
        assert_eq!(ideal_wall(&secs(&[4, 1, 1, 5]), NonZeroUsize::new(2)), Duration::from_secs(7));
        assert_eq!(ideal_wall(&secs(&[4, 1, 1, 5]), NonZeroUsize::new(1)), Duration::from_secs(11));
        assert_eq!(ideal_wall(&secs(&[4, 1, 1, 5]), None), Duration::from_secs(5));
        assert_eq!(ideal_wall(&[], None), Duration::ZERO);
    }

    #[test]
    fn runs_that_cannot_be_judged_say_why() {
        let one = secs(&[1]);
        let walls = |alone, contended, wall| Walls {
            alone,
            contended,
            limit: None,
            wall,
            scripts: wall,
            code: None,
            serial_wall: None,
            tokens: 0,
        };
        let second = Duration::from_secs(1);
        assert_eq!(walls(&[], &[], second).factors(), Err(FactorError::NoWork { agents: 0 }));
        assert_eq!(walls(&one, &one, Duration::ZERO).factors(), Err(FactorError::NoWall));
        assert_eq!(walls(&one, &[], second).factors(), Err(FactorError::Agents { alone: 1, contended: 0 }));
    }

    proptest! {
        #[test]
        fn balance_lies_between_an_nth_and_one(alone in prop::collection::vec(1_u64..1_000_000_000_000, 1..30)) {
            let times: Vec<_> = alone.iter().copied().map(Duration::from_nanos).collect();
            let wall = ideal_wall(&times, None);
            let walls = Walls {
                alone: &times,
                contended: &times,
                limit: None,
                wall,
                scripts: wall,
                code: Some(wall),
                serial_wall: None,
                tokens: 0,
            };
            let found = walls.factors().unwrap();
            prop_assert!(found.balance <= 1.0 + 1e-12);
            prop_assert!(found.balance * f64::from(u32::try_from(times.len()).unwrap()) >= 1.0 - 1e-12);
            prop_assert_eq!(found.overhead_ns, 0);
        }

        #[test]
        fn the_ideal_wall_is_never_below_the_longest_agent_or_an_equal_share(
            alone in prop::collection::vec(0_u64..1_000_000, 1..30),
            limit in 1_usize..40,
        ) {
            let times: Vec<_> = alone.iter().copied().map(Duration::from_nanos).collect();
            let wall = ideal_wall(&times, NonZeroUsize::new(limit)).as_nanos();
            let total = sum(&times);
            prop_assert!(wall >= times.iter().max().unwrap().as_nanos());
            prop_assert!(wall * limit as u128 >= total);
            prop_assert!(wall <= total);
        }
    }
}
