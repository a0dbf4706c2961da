//! Where it was measured.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::report::model::{Environment, Host};

/// The versions that this program was built from.
const LOCK: &str = include_str!("../../Cargo.lock");

/// The crates whose versions a reader of timings wants to know.
const CRATES: &[&str] = &[
    "async-compat",
    "async-executor",
    "async-io",
    "async-std",
    "hyper",
    "mock-ollama",
    "reqwest",
    "runtime-lab",
    "smol",
    "tokio",
];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

/// This host and this program.
pub(crate) fn environment(load_before: Option<f64>, load_after: Option<f64>) -> Environment {
    Environment {
        clock: if cfg!(target_os = "linux") { "CLOCK_MONOTONIC" } else { "monotonic" }.to_owned(),
        versions: versions(),
        host: Some(Host {
            os: os(),
            arch: std::env::consts::ARCH.to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load_before,
            load_after,
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        }),
    }
}

/// This program alone: in virtual time the host makes no difference.
pub(crate) fn anywhere(clock: &str) -> Environment {
    Environment { clock: clock.to_owned(), versions: versions(), host: None }
}

fn versions() -> BTreeMap<String, String> {
    let lock: Lock = toml::from_str(LOCK).unwrap_or(Lock { package: Vec::new() });
    let wanted = lock.package.into_iter().filter(|package| CRATES.contains(&package.name.as_str()));
    wanted.map(|package| (package.name, package.version)).collect()
}

fn os() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", std::env::consts::OS, release.trim()).trim_end().to_owned()
}

/// The average number of runnable tasks over the last minute, where the system tells.
pub(crate) fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{CRATES, versions};

    #[test]
    fn the_version_of_every_named_crate_is_known() {
        assert_eq!(versions().keys().map(String::as_str).collect::<Vec<_>>(), CRATES);
    }
}
