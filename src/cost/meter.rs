//! What a process has used so far.

use std::fs;
use std::time::Duration;

use crate::stats::proc;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::CostError;

/// Allocations since the program began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    /// Allocations and reallocations.
    pub count: u64,
    /// Bytes that were asked for, of a reallocation those that it grew by.
    pub bytes: u64,
}

/// What the counters of this process showed at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// CPU time, user and system. How the two share it is not kept: the kernel tells them apart by ticks of milliseconds.
    pub(super) cpu: Duration,
    /// Context switches because a thread waited.
    pub(super) waited: u64,
    /// Context switches because another thread was to run.
    pub(super) displaced: u64,
    /// Calls of the `read` and the `write` family; `recv` and `send` are not among them.
    pub(super) calls: u64,
    /// Absent where nothing counts them.
    pub(super) allocated: Option<Allocated>,
}

/// What was used between two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spent {
    pub(super) cpu: Duration,
    pub(super) waited: u64,
    pub(super) displaced: u64,
    pub(super) calls: u64,
    pub(super) allocated: Option<Allocated>,
    /// The most resident memory, less what there was before.
    pub(super) grown_kib: u64,
}

impl Counters {
    /// What was used since `earlier`, with the memory that it took.
    pub(super) fn since(self, earlier: Self, grown_kib: u64) -> Spent {
        let allocated = self.allocated.zip(earlier.allocated).map(|(now, then)| Allocated {
            count: now.count.saturating_sub(then.count),
            bytes: now.bytes.saturating_sub(then.bytes),
        });
        Spent {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            waited: self.waited.saturating_sub(earlier.waited),
            displaced: self.displaced.saturating_sub(earlier.displaced),
            calls: self.calls.saturating_sub(earlier.calls),
            allocated,
            grown_kib,
        }
    }
}

/// What this process has used until now.
pub(super) fn now(allocated: Option<fn() -> Allocated>) -> Result<Counters, CostError> {
    let (read, written) = proc::read("/proc/self/io", proc::io_calls)?;
    let used = getrusage(UsageWho::RUSAGE_SELF).map_err(|source| CostError::Usage(source.into()))?;
    Ok(Counters {
        cpu: duration(used.user_time()) + duration(used.system_time()),
        waited: u64::try_from(used.voluntary_context_switches()).unwrap_or_default(),
        displaced: u64::try_from(used.involuntary_context_switches()).unwrap_or_default(),
        calls: read + written,
        allocated: allocated.map(|count| count()),
    })
}

/// Resident memory now, in kibibytes.
pub(super) fn resident_kib() -> Result<u64, CostError> {
    Ok(proc::status_kib("self", "VmRSS")?)
}

/// The most resident memory since [`forget_peak`], in kibibytes.
pub(super) fn peak_kib() -> Result<u64, CostError> {
    Ok(proc::status_kib("self", "VmHWM")?)
}

/// Lets the peak begin anew. Where that is refused, it is that of the whole process, which has done little before.
pub(super) fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Raises the limit of open descriptors as far as it goes, for this process and its children, and says how far that is.
pub(super) fn raise_descriptors() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok() {
        return maximum.unwrap_or(u64::MAX);
    }
    current.unwrap_or(u64::MAX)
}

fn duration(time: TimeVal) -> Duration {
    let part = |number: i64| u64::try_from(number).unwrap_or_default();
    Duration::from_secs(part(time.tv_sec())) + Duration::from_micros(part(time.tv_usec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_is_the_difference_of_two_moments() {
        let at = |n: u64| Counters {
            cpu: Duration::from_micros(n),
            waited: 3 * n,
            displaced: 4 * n,
            calls: 5 * n,
            allocated: Some(Allocated { count: 6 * n, bytes: 7 * n }),
        };
        let spent = at(30).since(at(10), 9);
        assert_eq!(spent.cpu, Duration::from_micros(20));
        assert_eq!((spent.waited, spent.displaced, spent.calls, spent.grown_kib), (60, 80, 100, 9));
        assert_eq!(spent.allocated, Some(Allocated { count: 120, bytes: 140 }));
    }

    #[test]
    fn allocations_that_nothing_counts_are_absent_and_not_none_at_all() {
        let uncounted = Counters { allocated: None, ..Counters::default() };
        assert_eq!(uncounted.since(uncounted, 0).allocated, None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_counters_of_this_process_can_be_read_and_do_not_run_backwards() {
        let first = now(None).unwrap();
        let second = now(None).unwrap();
        assert!(second.calls > first.calls, "reading /proc/self/io is itself a read");
        assert!(second.cpu >= first.cpu);
        assert!(resident_kib().unwrap() > 0 && peak_kib().unwrap() > 0);
    }
}
