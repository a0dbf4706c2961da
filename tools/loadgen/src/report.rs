//! What is measured in one window: the JSON object that the program prints.

use serde::{Deserialize, Serialize};

/// One window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the fields are the words of the workspace, with their units")]
pub struct LoadReport {
    pub streams: u32,
    pub gap_us: u32,
    pub window_s: f64,
    pub tokens: u64,
    pub tokens_per_s: f64,
    pub errors: RequestErrors,
    /// TCP segments with data that the network namespace sent, less the requests, over tokens; `null` where the kernel does
    /// not count them.
    pub segments_per_token: Option<f64>,
    /// Whether each arrival is the kernel's instant of its packet, in which the load generator's own delay is not.
    pub kernel_stamps: bool,
    pub lateness_us: Option<Quantiles>,
    /// Over the answer, of each stream that got half of it at least.
    pub drift_us: Option<Quantiles>,
    pub server: ServerUsage,
    /// Cores that neither the server nor the load generator had.
    pub other_cpu: f64,
}

/// The server's process in the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerUsage {
    /// Cores: CPU seconds a second.
    pub cpu: f64,
    /// CPU time in user mode and in the kernel.
    pub cpu_ns_per_token: f64,
    /// Of that, in user mode: what the server's own code takes, whatever a send costs the kernel.
    pub user_ns_per_token: f64,
    /// At the window's end.
    pub rss_kib: u64,
}

/// Answers that were not what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestErrors {
    /// Connections that could not be opened, broke or carried something that is no response.
    pub io: u64,
    /// Statuses other than 200.
    pub status: u64,
    /// Answers with another number of tokens.
    pub tokens: u64,
}

/// Samples of one quantity, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct Quantiles {
    pub samples: usize,
    /// Samples beyond the most that are kept.
    pub dropped: u64,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}
