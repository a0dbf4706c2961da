//! What is measured.

/// One number of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// CPU time of the process, user and system.
    Cpu,
    /// Allocations and reallocations.
    Allocations,
    /// Bytes that were asked for.
    AllocatedBytes,
    /// Context switches because a thread waited.
    Waited,
    /// Context switches because another thread was to run.
    Displaced,
    /// System calls, counted in the round to warm up alone.
    SystemCalls,
    /// Calls of the `read` and the `write` family.
    Calls,
    /// Pieces in which bytes were handed on.
    Pieces,
    /// Resident memory at its peak, less what there was before.
    Resident,
    /// From the server's write to the client's sight, median.
    LagP50,
    /// The same, 99th percentile.
    LagP99,
    /// The server's lateness, 99th percentile: no cost of the client, but a sign of how busy the host was.
    LatenessP99,
}

/// How far the kernel's count of resident memory may be off, in bytes, as seen on two cores: there, floors of one agent and of
/// eight both seem to grow by exactly this. The kernel counts pages core by core and adds them up in batches.
pub(super) const RESIDENT_ERROR: f64 = 512.0 * 1024.0;

/// The unit that a metric's values are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Nanoseconds,
    Bytes,
    Count,
}

impl Metric {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 12] = [
        Self::Cpu,
        Self::Allocations,
        Self::AllocatedBytes,
        Self::Waited,
        Self::Displaced,
        Self::SystemCalls,
        Self::Calls,
        Self::Pieces,
        Self::Resident,
        Self::LagP50,
        Self::LagP99,
        Self::LatenessP99,
    ];

    /// Those that are shown as a ratio to the floor; the others are nothing, or nearly, with the floor.
    pub const RATIOS: [Self; 4] = [Self::Cpu, Self::Resident, Self::LagP50, Self::LagP99];

    /// Those by which variants are compared.
    pub const DECIDED: [Self; 4] = [Self::Cpu, Self::Allocations, Self::Resident, Self::LagP99];

    /// Whether it is of the round to warm up, of which nothing else is kept; the others are of the rounds that count.
    pub const fn is_of_the_warm_up(self) -> bool {
        matches!(self, Self::SystemCalls)
    }

    /// Its name in JSON, which says what its values are per and their unit; its name in a table; its unit.
    const fn facts(self) -> (&'static str, &'static str, Unit) {
        use Unit::{Bytes, Count, Nanoseconds};
        match self {
            Self::Cpu => ("cpu_ns_per_token", "CPU", Nanoseconds),
            Self::Allocations => ("allocations_per_token", "allocations", Count),
            Self::AllocatedBytes => ("allocated_bytes_per_token", "allocated", Bytes),
            Self::Waited => ("voluntary_switches_per_token", "switches, waiting", Count),
            Self::Displaced => ("involuntary_switches_per_token", "switches, displaced", Count),
            Self::SystemCalls => ("system_calls_per_token", "system calls", Count),
            Self::Calls => ("read_write_calls_per_token", "reads and writes", Count),
            Self::Pieces => ("pieces_per_token", "pieces", Count),
            Self::Resident => ("resident_bytes_per_agent", "resident/agent", Bytes),
            Self::LagP50 => ("lag_p50_ns", "lag p50", Nanoseconds),
            Self::LagP99 => ("lag_p99_ns", "lag p99", Nanoseconds),
            Self::LatenessP99 => ("lateness_p99_ns", "server late p99", Nanoseconds),
        }
    }

    /// Its name in JSON.
    pub const fn key(self) -> &'static str {
        self.facts().0
    }

    /// Its name in a table.
    pub const fn title(self) -> &'static str {
        self.facts().1
    }

    /// Its name in a sentence about one that has less of it.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Cpu => "CPU time per token",
            Self::Allocations => "allocations per token",
            Self::Resident => "resident memory per agent",
            Self::LagP99 => "lag p99",
            other => other.title(),
        }
    }

    /// The least difference that matters, whatever the floor is; a tenth of the floor's value where that is more.
    pub const fn least_effect(self) -> f64 {
        match self.unit() {
            // A tenth of a microsecond of CPU; of lag what one wake-up of a thread varies by.
            Unit::Nanoseconds => match self {
                Self::Cpu => 100.0,
                _ => 20_000.0,
            },
            Unit::Bytes => 1024.0,
            Unit::Count => 0.5,
        }
    }

    const fn unit(self) -> Unit {
        self.facts().2
    }

    /// A value with its unit.
    pub fn show(self, value: f64) -> String {
        match self.unit() {
            Unit::Nanoseconds if value.abs() >= 1e7 => format!("{:.1} ms", value / 1e6),
            Unit::Nanoseconds => format!("{:.1} µs", value / 1e3),
            Unit::Bytes if value.abs() >= 10_240.0 => format!("{:.1} KiB", value / 1024.0),
            Unit::Bytes => format!("{value:.0} B"),
            Unit::Count => format!("{value:.2}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Metric;

    #[test]
    fn every_metric_has_a_key_and_a_title_of_its_own_and_says_its_unit() {
        let keys: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.key()).collect();
        let titles: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.title()).collect();
        assert_eq!((keys.len(), titles.len()), (Metric::ALL.len(), Metric::ALL.len()));
    }

    #[test]
    fn values_are_shown_with_a_unit_of_a_readable_size() {
        let shown = [
            Metric::Cpu.show(12_345.0),
            Metric::LagP99.show(25_000_000.0),
            Metric::Resident.show(20_480.0),
            Metric::AllocatedBytes.show(512.4),
            Metric::Calls.show(1.0),
        ];
        assert_eq!(shown, ["12.3 µs", "25.0 ms", "20.0 KiB", "512 B", "1.00"]);
    }
}
