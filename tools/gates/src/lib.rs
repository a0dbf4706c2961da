//! What several gates measure.
//!
//! The gates are the programs in `src/bin`, beside benches that show times. Each says what it does in its `--help`, and ends with exit code 1 where a limit is
//! missed.
//!
//! | program | what |
//! | --- | --- |
//! | `ratios` | pure parts against simple code that does the same work |
//! | `tr115` | the published runs of TR115 under each variant, in virtual time |
//! | `scale` | a million agents in the model, a hundred thousand in memory |
//! | `hot` | hot functions over fixed input, for `cargo xtask instructions` |

pub mod byte_loop;
pub mod framing;

use std::time::Duration;

/// The CPU time that this process has taken.
#[cfg(target_os = "linux")]
pub fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Where the system is not asked for it: how long the process has run.
#[cfg(not(target_os = "linux"))]
pub fn cpu_time() -> Duration {
    static BEGAN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGAN.elapsed()
}
