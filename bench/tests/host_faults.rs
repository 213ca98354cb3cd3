//! `adit-faults` as a program: every fault once under a few sessions, and what remains of a run that is interrupted.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use adit_testbed::wait_until;
use serde_json::Value;

/// The program, with the one under test beside it: `cargo build -p adit` if it is not there.
fn faults(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adit-faults"));
    command.env("RUST_BACKTRACE", "0").env("TMPDIR", directory).arg("--out").arg(directory.join("out"));
    command
}

#[test]
fn every_fault_is_reported_and_every_session_is_on_record() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = faults(directory.path());
    command.args(["--runs", "1", "--sessions", "4", "--seed", "7", "--at-once", "4"]);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{text}");
    let report = fs::read_to_string(directory.path().join("out/report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let rows = report["faults"].as_array().unwrap();
    assert_eq!(rows.len(), 15, "{text}");
    for row in rows {
        let [run] = row["runs"].as_array().unwrap().as_slice() else { panic!("not one run: {row}") };
        assert_eq!(run["failed"], Value::Array(Vec::new()), "{row}");
        // The four, and the login after the fault.
        assert!(run["sessions"].as_u64().unwrap() >= 5, "{row}");
        assert!(run["rows"].as_u64().unwrap() >= run["sessions"].as_u64().unwrap(), "{row}");
    }
}

#[test]
fn a_program_that_does_not_exist_is_refused_before_the_first_run() {
    let directory = tempfile::tempdir().unwrap();
    let output = faults(directory.path()).args(["--adit", "/nonexistent/adit"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("expected the program adit; build it, or name another with --adit"), "{text}");
    assert!(!directory.path().join("out").exists(), "{text}");
}

#[test]
fn no_process_is_left_of_a_run_that_is_interrupted() {
    for signal in ["INT", "KILL"] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = faults(directory.path());
        command.args(["--runs", "3", "--sessions", "4", "--only", "interface-down"]);
        let mut run = Ended(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let serves =
            |id: &PathBuf| fs::read(id.join("cmdline")).is_ok_and(|line| line.ends_with(b"\0serve\0"));
        let limit = Duration::from_secs(60);
        wait_until("a server", limit, || processes(directory.path()).iter().any(serves));
        let kill = Command::new("kill").args(["-s", signal, &run.0.id().to_string()]).status().unwrap();
        assert!(kill.success());
        run.0.wait().unwrap();
        wait_until("the end of all its processes", limit, || processes(directory.path()).is_empty());
    }
}

/// The processes whose temporary files are in this directory, as folders of /proc.
fn processes(directory: &Path) -> Vec<PathBuf> {
    let ours = format!("\0TMPDIR={}", directory.display());
    let is_ours = |process: &PathBuf| {
        let Ok(environment) = fs::read(process.join("environ")) else { return false };
        let environment = [&[0], environment.as_slice()].concat();
        environment.windows(ours.len()).any(|part| part == ours.as_bytes())
    };
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap());
    let numbered = entries.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());
    numbered.map(|entry| entry.path()).filter(is_ours).collect()
}

/// A process that ends with this value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
