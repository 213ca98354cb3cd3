//! The machine that it runs on.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde::Serialize;

use crate::cpu;

/// What a reader needs to judge the figures.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) hypervisor: bool,
    /// `vulnerability: what is done about it`, without those that do not affect this CPU.
    pub(crate) mitigations: Vec<String>,
    pub(crate) iperf3: String,
}

impl Machine {
    pub(crate) fn here() -> Machine {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line = info.lines().find(|line| line.split(':').next().is_some_and(|k| k.trim() == name));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
        };
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let iperf3 = Command::new("iperf3").arg("--version").output();
        let iperf3 = iperf3.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        let identity = ["cpu family", "model", "stepping"].map(|name| field(name).unwrap_or_default());
        Machine {
            cpu: format!(
                "{} (family {} model {} stepping {})",
                field("model name").unwrap_or_else(|| "unknown".to_owned()),
                identity[0],
                identity[1],
                identity[2]
            ),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: kernel.trim().to_owned(),
            hypervisor: field("flags").is_some_and(|flags| flags.split(' ').any(|f| f == "hypervisor")),
            mitigations: mitigations(),
            iperf3: iperf3.lines().next().unwrap_or_default().to_owned(),
        }
    }
}

fn mitigations() -> Vec<String> {
    let Ok(files) = fs::read_dir("/sys/devices/system/cpu/vulnerabilities") else { return Vec::new() };
    let line = |file: fs::DirEntry| {
        let text = fs::read_to_string(file.path()).ok()?;
        let name = file.file_name().to_string_lossy().into_owned();
        (!text.starts_with("Not affected")).then(|| format!("{name}: {}", text.trim()))
    };
    let mut lines: Vec<String> = files.filter_map(Result::ok).filter_map(line).collect();
    lines.sort();
    lines
}

/// Share of all cores that is at work while nothing is measured, over one second.
///
/// # Errors
/// Without /proc/stat.
pub(crate) fn idle_load() -> anyhow::Result<f64> {
    let (busy, all) = cpu::of_machine()?;
    sleep(Duration::from_secs(1));
    let (busy_after, all_after) = cpu::of_machine()?;
    let passed = all_after - all;
    Ok(if passed > 0.0 { (busy_after - busy) / passed } else { 0.0 })
}
