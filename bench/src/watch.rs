//! CPU time and memory of another process, from /proc.

use std::time::Duration;

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// Processor time of all its threads, in user and system mode.
    pub cpu: Duration,
    /// Memory now, in KiB.
    pub rss_kib: u64,
}

/// The unit of times in /proc, whatever the kernel's own clock (USER_HZ).
const TICKS_PER_SECOND: u64 = 100;

/// Reads the usage of a process; `None` when it does not exist.
pub fn used(pid: u32) -> Option<Used> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the fields behind it are counted from the third.
    let (_, fields) = stat.rsplit_once(')')?;
    let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse::<u64>().ok();
    let ticks = field(14)? + field(15)?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let rss_kib = rss.split_whitespace().next()?.parse().ok()?;
    Some(Used { cpu: Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND), rss_kib })
}
