//! The stages of the path, each alone: programs of this directory that print their own tables.

use std::process::Command;

use serde::Serialize;

use crate::peers::Programs;

const PROGRAMS: [&str; 3] = ["adit-bench-rc4", "adit-bench-gre", "adit-bench-tun"];

/// What one of them printed.
#[derive(Debug, Serialize)]
pub(crate) struct Stage {
    pub(crate) program: &'static str,
    /// Its table, or why there is none.
    pub(crate) table: Result<String, String>,
}

/// Runs all of them, one after the other.
pub(crate) fn measure(programs: &Programs) -> Vec<Stage> {
    PROGRAMS.iter().map(|&program| Stage { program, table: run(program, programs) }).collect()
}

fn run(program: &str, programs: &Programs) -> Result<String, String> {
    let file = programs.find(program).map_err(|error| error.to_string())?;
    eprintln!("{program} ...");
    let output = Command::new("timeout").arg("120").arg(file).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(text) } else { Err(format!("{}: {text}", output.status)) }
}
