//! What `/proc` says of a process, of the machine and of its network.

use std::fs;

use anyhow::{Context as _, ensure};

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Clock ticks in user and kernel mode, of all threads there have been.
    pub(crate) ticks: u64,
    pub(crate) threads: u64,
    pub(crate) rss_kib: u64,
    /// The most it ever was.
    pub(crate) peak_rss_kib: u64,
}

impl Usage {
    /// Of the process `pid` now.
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let read = |file| {
            let path = format!("/proc/{pid}/{file}");
            fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
        };
        Self::parse(&read("stat")?, &read("status")?).with_context(|| format!("cannot understand /proc/{pid}"))
    }

    fn parse(stat: &str, status: &str) -> Option<Self> {
        // The program's name stands in brackets and may hold anything; what follows is numbered from the third field.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Some(Self {
            ticks: field(14)? + field(15)?,
            threads: field(20)?,
            rss_kib: kib("VmRSS:")?,
            peak_rss_kib: kib("VmHWM:")?,
        })
    }
}

/// Clock ticks in which any process ran, or the host took the core away. Interrupts are left out: they are ours, mostly.
pub(crate) fn machine_ticks() -> anyhow::Result<u64> {
    let stat = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
    busy(&stat).context("cannot understand /proc/stat")
}

fn busy(stat: &str) -> Option<u64> {
    let fields: Vec<u64> =
        stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal
    Some(fields.first()? + fields.get(1)? + fields.get(2)? + fields.get(7)?)
}

/// TCP segments with data that this network namespace has sent; `None` where the kernel does not say.
pub(crate) fn data_segments() -> Option<u64> {
    sent(&fs::read_to_string("/proc/net/netstat").ok()?)
}

fn sent(netstat: &str) -> Option<u64> {
    // Two lines with the same prefix: names, then values.
    let mut lines = netstat.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let place = names.split_whitespace().position(|name| name == "TCPOrigDataSent")?;
    values.split_whitespace().nth(place)?.parse().ok()
}

/// Seconds of so many clock ticks.
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
        let status = "Name:\ta\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        let expected = Usage { ticks: 175, threads: 2, rss_kib: 1024, peak_rss_kib: 2048 };
        assert_eq!(Usage::parse(stat, status), Some(expected));
        assert_eq!(Usage::parse("7 (a) S 1", status), None);
    }

    #[test]
    fn the_machine_is_busy_with_processes_and_theft_and_not_with_interrupts() {
        assert_eq!(busy("cpu  1 2 4 8 16 32 64 128 256 0\ncpu0 1\n"), Some(1 + 2 + 4 + 128));
        assert_eq!(busy("intr 5"), None);
    }

    #[test]
    fn segments_are_found_by_their_name() {
        let text = "TcpExt: A TCPOrigDataSent B\nTcpExt: 1 22 3\nIpExt: A\nIpExt: 9\n";
        assert_eq!(sent(text), Some(22));
        assert_eq!(sent("TcpExt: A\nTcpExt: 1\n"), None);
    }

    #[test]
    fn this_process_and_this_machine_can_be_read() {
        assert!(Usage::of(std::process::id()).unwrap().rss_kib > 0);
        assert!(machine_ticks().unwrap() > 0);
        assert!(ensure_running(u32::MAX).is_err());
    }
}
