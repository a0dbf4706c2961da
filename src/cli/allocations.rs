//! What this program has allocated, where it was built to count that.

use runtime_lab::cost::Allocated;

/// Counts allocations on their way to the system's allocator, which the standard library would have asked as well.
#[cfg(feature = "count-allocations")]
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// Says how much was allocated until now.
#[cfg(feature = "count-allocations")]
pub(super) const COUNTED: Option<fn() -> Allocated> = Some(|| {
    let stats = ALLOCATOR.stats();
    Allocated { count: (stats.allocations + stats.reallocations) as u64, bytes: stats.bytes_allocated as u64 }
});

/// Nothing counts.
#[cfg(not(feature = "count-allocations"))]
pub(super) const COUNTED: Option<fn() -> Allocated> = None;
