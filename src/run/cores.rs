//! Which cores a process may use.

/// The cores that this process may use, in order; none where the system does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn allowed_cores() -> Vec<usize> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let set = sched_getaffinity(None).ok();
    (0..CpuSet::MAX_CPU).filter(|&core| set.is_some_and(|set| set.is_set(core))).collect()
}

/// Keeps this thread, and all that it will start, to `cores`; returns whether the system agreed. Nothing is asked for no cores.
#[cfg(target_os = "linux")]
pub(crate) fn keep_to(cores: &[usize]) -> bool {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let mut set = CpuSet::new();
    cores.iter().filter(|&&core| core < CpuSet::MAX_CPU).for_each(|&core| set.set(core));
    !cores.is_empty() && sched_setaffinity(None, &set).is_ok()
}

/// The cores that this process may use, in order; none where the system does not tell.
#[cfg(not(target_os = "linux"))]
pub(crate) fn allowed_cores() -> Vec<usize> {
    Vec::new()
}

/// Keeps this thread, and all that it will start, to `cores`; returns whether the system agreed. Here it never does.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_to(_cores: &[usize]) -> bool {
    false
}
