//! CPU time of processes and of the whole machine, from /proc.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;

/// Clock ticks of /proc in a second; the kernel's interface has it at 100 on every architecture that Rust runs on.
const TICKS: f64 = 100.0;

/// CPU seconds that processes have used, all their threads, ended ones too, together.
///
/// # Errors
/// When one of them is gone.
pub fn of_processes(pids: &[u32]) -> anyhow::Result<f64> {
    let mut ticks = 0;
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("process {pid} is gone"))?;
        ticks += process_ticks(&stat).with_context(|| format!("/proc/{pid}/stat"))?;
    }
    Ok(ticks as f64 / TICKS)
}

/// CPU seconds that the machine has used since it was started: busy, and altogether.
///
/// # Errors
/// Without /proc/stat.
pub fn of_machine() -> anyhow::Result<(f64, f64)> {
    let stat = fs::read_to_string("/proc/stat")?;
    let (busy, all) = machine_ticks(&stat).context("/proc/stat")?;
    Ok((busy as f64 / TICKS, all as f64 / TICKS))
}

/// Share of all cores that is at work while nothing is measured, over one second.
///
/// # Errors
/// Without /proc/stat.
pub fn idle_load() -> anyhow::Result<f64> {
    let (busy, all) = of_machine()?;
    sleep(Duration::from_secs(1));
    let (busy_after, all_after) = of_machine()?;
    let passed = all_after - all;
    Ok(if passed > 0.0 { (busy_after - busy) / passed } else { 0.0 })
}

/// utime and stime. The command in parentheses may hold anything, spaces and parentheses too.
fn process_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

/// Ticks at work (user, nice, system, irq, softirq), and those plus idle and iowait. Time stolen by the host is neither.
fn machine_ticks(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = line.split_ascii_whitespace().map_while(|field| field.parse().ok()).collect();
    let &[user, nice, system, idle, iowait, irq, softirq, ..] = fields.as_slice() else { return None };
    let busy = user + nice + system + irq + softirq;
    Some((busy, busy + idle + iowait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "42 (a) (b c) S 1 42 42 0 -1 4194560 100 0 0 0 700 30 1 2 20 0 3 0 100 0 0";
        assert_eq!(process_ticks(stat), Some(730));
        assert_eq!(process_ticks("42 (a) S 1"), None);
        assert_eq!(process_ticks(""), None);
    }

    #[test]
    fn stolen_time_is_not_counted() {
        let stat = "cpu  10 1 20 300 4 5 6 999 0 0\ncpu0 1 1 1\n";
        assert_eq!(machine_ticks(stat), Some((42, 346)));
        assert_eq!(machine_ticks("cpu  1 2\n"), None);
    }

    #[test]
    fn cpu_time_of_this_process_can_be_read() {
        assert!(of_processes(&[std::process::id()]).unwrap() >= 0.0);
        assert!(of_processes(&[u32::MAX]).is_err());
        let (busy, all) = of_machine().unwrap();
        assert!(0.0 < busy && busy <= all);
    }
}
