//! Programs that print their own tables: the stages of the path, each alone, and the kernel's PPTP as adit's peer.

use std::path::Path;
use std::process::Command;

use adit_bench::machine::Machine;
use serde::Serialize;

use crate::peers::Programs;

const PROGRAMS: [&str; 3] = ["adit-bench-rc4", "adit-bench-gre", "adit-bench-tun"];

const KERNEL: &str = "kernel-pptp";

/// What one of them printed.
#[derive(Debug, Serialize)]
pub(crate) struct Stage {
    pub(crate) program: &'static str,
    /// Its table, or why there is none.
    pub(crate) table: Result<String, String>,
}

/// Runs all of them, one after the other. `lab` is where the guest with the kernel's driver is.
pub(crate) fn measure(programs: &Programs, lab: Option<&Path>) -> Vec<Stage> {
    let stage = |&program: &&'static str| Stage { program, table: run(program, &[], programs) };
    let mut stages: Vec<Stage> = PROGRAMS.iter().map(stage).collect();
    stages.push(Stage { program: KERNEL, table: kernel(programs, lab) });
    stages
}

fn kernel(programs: &Programs, lab: Option<&Path>) -> Result<String, String> {
    let lab = lab.ok_or("no --lab was given, and a guest with the driver is needed")?;
    let adit = programs.find("adit").map_err(|error| error.to_string())?;
    run(KERNEL, &[lab, &adit], programs)
}

fn run(program: &str, arguments: &[&Path], programs: &Programs) -> Result<String, String> {
    let file = programs.find(program).map_err(|error| error.to_string())?;
    eprintln!("{program} ...");
    let output = Command::new("timeout").arg("120").arg(file).args(arguments).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    // The report has the machine already.
    let text = text.strip_prefix(&format!("{}\n", Machine::here())).unwrap_or(&text);
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(text.to_owned())
    } else {
        Err(format!("{}: {text}{}", output.status, errors.trim()))
    }
}
