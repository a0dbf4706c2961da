//! What `/proc` has on a process, on the host and on its network.

use std::fs;
use std::io::ErrorKind::NotFound;

use anyhow::{Context as _, ensure};
use lab_stats::proc::{kib, value};

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProcessUsage {
    /// Clock ticks in user and kernel mode, of all threads there have been.
    pub(crate) ticks: u64,
    /// Of those, the ones in user mode.
    pub(crate) user_ticks: u64,
    /// Nanoseconds in which its threads could have run and had no core, summed over those there are.
    pub(crate) waited: u64,
    /// Cores that it may run on.
    pub(crate) cores: u32,
    pub(crate) rss_kib: u64,
}

impl ProcessUsage {
    /// Of the process `pid` now.
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let read = |file| lab_stats::proc::read(format!("/proc/{pid}/{file}"), |text| Some(text.to_owned()));
        let usage = Self::parse(&read("stat")?, &read("status")?, waited(pid)?);
        usage.with_context(|| format!("cannot understand /proc/{pid}"))
    }

    fn parse(stat: &str, status: &str, waited: u64) -> Option<Self> {
        // The program's name stands in brackets and may hold anything; what follows is numbered from the third field.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            ticks: field(14)? + field(15)?,
            user_ticks: field(14)?,
            waited,
            // Hexadecimal digits, in groups.
            cores: value(status, "Cpus_allowed")?
                .chars()
                .filter_map(|digit| digit.to_digit(16))
                .map(u32::count_ones)
                .sum(),
            rss_kib: kib(status, "VmRSS")?,
        })
    }
}

fn waited(pid: u32) -> anyhow::Result<u64> {
    let folder = format!("/proc/{pid}/task");
    let mut sum = 0;
    for thread in fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))? {
        let path = thread?.path().join("schedstat");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            // The thread has ended since. A kernel that keeps no such file keeps none for the first thread either.
            Err(error) if error.kind() == NotFound && fs::exists(format!("/proc/{pid}/schedstat"))? => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        sum += delay(&text).with_context(|| format!("cannot understand {}", path.display()))?;
    }
    Ok(sum)
}

/// The time in line for a core is the second of three fields; the first is the time on one.
fn delay(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().nth(1)?.parse().ok()
}

/// Clock ticks of all cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostTicks {
    /// In which a process ran. Interrupts are left out: they are ours, mostly.
    pub(crate) busy: u64,
    /// In which another virtual machine had the core.
    pub(crate) stolen: u64,
}

impl HostTicks {
    /// Since the host started.
    pub(crate) fn now() -> anyhow::Result<Self> {
        Ok(lab_stats::proc::read("/proc/stat", Self::parse)?)
    }

    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        let fields: Vec<u64> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
        // user, nice, system, idle, iowait, irq, softirq, steal
        let busy = fields.first()? + fields.get(1)? + fields.get(2)?;
        Some(Self { busy, stolen: *fields.get(7)? })
    }
}

/// TCP segments with data that this network namespace has sent; `None` where the kernel does not say.
pub(crate) fn data_segments() -> Option<u64> {
    lab_stats::proc::read("/proc/net/netstat", sent).ok()
}

fn sent(netstat: &str) -> Option<u64> {
    // Two lines with the same prefix: names, then values.
    let mut lines = netstat.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let place = names.split_whitespace().position(|name| name == "TCPOrigDataSent")?;
    values.split_whitespace().nth(place)?.parse().ok()
}

/// Clock ticks in seconds.
#[expect(clippy::cast_precision_loss, reason = "a CPU runs for years before its ticks lose precision")]
pub(crate) fn seconds(ticks: u64) -> f64 {
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// An error when there is no process `pid`.
pub(crate) fn ensure_running(pid: u32) -> anyhow::Result<()> {
    ensure!(fs::exists(format!("/proc/{pid}"))?, "there is no process {pid}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 0 9 0 0 0 150 25 3 4 20 0 2 0 99 1000 300 1";
        let status = "Name:\ta\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nCpus_allowed:\t1,0000000f\n";
        let expected = ProcessUsage { ticks: 175, user_ticks: 150, waited: 9, cores: 5, rss_kib: 1024 };
        assert_eq!(ProcessUsage::parse(stat, status, 9), Some(expected));
        assert_eq!(ProcessUsage::parse("7 (a) S 1", status, 9), None);
    }

    #[test]
    fn interrupts_are_not_busy_and_stolen_time_is_apart() {
        let host = HostTicks { busy: 1 + 2 + 4, stolen: 128 };
        assert_eq!(HostTicks::parse("cpu  1 2 4 8 16 32 64 128 256 0\ncpu0 1\n"), Some(host));
        assert_eq!(HostTicks::parse("intr 5"), None);
    }

    #[test]
    fn a_thread_says_how_long_it_was_in_line() {
        assert_eq!(delay("2352932064 1049839003 2036\n"), Some(1_049_839_003));
        assert_eq!(delay("2352932064"), None);
    }

    #[test]
    fn segments_are_found_by_their_name() {
        let text = "TcpExt: A TCPOrigDataSent B\nTcpExt: 1 22 3\nIpExt: A\nIpExt: 9\n";
        assert_eq!(sent(text), Some(22));
        assert_eq!(sent("TcpExt: A\nTcpExt: 1\n"), None);
    }

    #[test]
    fn this_process_and_this_host_can_be_read() {
        let own = ProcessUsage::of(std::process::id()).unwrap();
        assert!(own.rss_kib > 0 && own.cores > 0);
        assert!(HostTicks::now().unwrap().busy > 0);
        assert!(ensure_running(u32::MAX).is_err());
    }
}
