//! What the program asks of the kernel for itself.

use std::num::NonZeroU64;

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity, set_current_timer_slack};
use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the clock that never goes back.
pub(crate) fn monotonic() -> i64 {
    nanos(ClockId::Monotonic)
}

/// Nanoseconds of the clock that the kernel stamps packets with.
pub(crate) fn realtime() -> i64 {
    nanos(ClockId::Realtime)
}

/// Nanoseconds of CPU time that this process has taken.
pub(crate) fn own_cpu() -> i64 {
    nanos(ClockId::ProcessCPUTime)
}

fn nanos(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Allows this process, and those it becomes, as many descriptors as there may be.
pub(crate) fn raise_descriptors() -> anyhow::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("cannot raise RLIMIT_NOFILE")?;
    }
    Ok(())
}

/// Has the kernel kill this process, also as another program, when the thread that started it ends.
pub(crate) fn end_with_parent() -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).context("cannot ask for the parent's end")
}

/// Keeps this thread on one core.
pub(crate) fn pin(cpu: usize) -> anyhow::Result<()> {
    anyhow::ensure!(cpu < CpuSet::MAX_CPU, "there is no CPU {cpu}");
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("cannot run on CPU {cpu}"))
}

/// Lets timers of this thread fire to the nanosecond instead of within 50 µs.
pub(crate) fn sharpen_timers() {
    // A kernel that refuses makes the measurement less sharp, which the numbers show.
    let _ = set_current_timer_slack(NonZeroU64::new(1));
}
