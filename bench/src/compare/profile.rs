//! Where the time is spent: `perf` over the whole machine while one stream runs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::measure::Measure;
use crate::pair::Pair;

/// Functions listed, at most.
const LINES: usize = 45;

/// Records one run and writes the shares beside the reports; returns the head of them.
///
/// # Errors
/// Without `perf`, or when it fails.
pub(crate) fn profile(pair: &Pair, name: &str, seconds: u32, out: &Path) -> anyhow::Result<String> {
    let data = out.join(format!("perf-{name}.data"));
    // Hardware counters are rarely available in a virtual machine; the clock always is.
    let mut recorder = Command::new("perf")
        .args(["record", "-q", "-a", "-g", "-e", "cpu-clock", "-F", "1999", "-o"])
        .arg(&data)
        .args(["--", "sleep", &seconds.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("perf cannot be started; install it (Debian: linux-perf)")?;
    let taken = Measure::Tcp1.take(pair, seconds);
    anyhow::ensure!(recorder.wait()?.success(), "perf record failed");
    let taken = taken?;
    let report = |sort: &str| {
        let output = Command::new("perf")
            .args(["report", "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.3", "-F"])
            .args([&format!("overhead,{sort}"), "-i"])
            .arg(&data)
            .stderr(Stdio::null())
            .output();
        output.map(|output| shares(&String::from_utf8_lossy(&output.stdout)))
    };
    let text = format!(
        "{name}, one stream, {:.2} Gbit/s while recording\n\nby program\n{}\nby function\n{}",
        taken.value,
        report("comm")?,
        report("comm,symbol")?
    );
    fs::write(out.join(format!("perf-{name}.txt")), &text)?;
    Ok(text)
}

/// The lines of a report without comments.
fn shares(report: &str) -> String {
    let lines = report.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.take(LINES).map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_out() {
        assert_eq!(shares("# Overhead  Command\n#\n\n    12.00%  adit  \n"), "    12.00%  adit\n");
    }
}
