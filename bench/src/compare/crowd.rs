//! Many sessions against one `adit serve`: what each costs. The clients are those of `adit-bench`.

use std::fs;
use std::process::Command;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use crate::pair::{Pair, SERVER, wait_for};
use crate::peers::Programs;

const PASSWORD: &str = "correct-horse-battery-9";
/// Accounts that share the calls; verifying a password is part of a set-up, making accounts is not.
const USERS: u32 = 10;

/// One load on a fresh server.
#[derive(Clone, Copy, Debug)]
struct Load {
    title: &'static str,
    sessions: u32,
    arguments: &'static [&'static str],
}

/// First sessions with traffic in turn; then set-ups, a storm of them, and many idle sessions.
const LOADS: [Load; 7] = [
    Load { title: ONE, sessions: 1, arguments: TRAFFIC },
    Load { title: "traffic, 10 sessions", sessions: 10, arguments: TRAFFIC },
    Load { title: "traffic, 100 sessions", sessions: 100, arguments: TRAFFIC },
    Load { title: MANY, sessions: 1000, arguments: TRAFFIC },
    Load {
        title: "set-ups, 64 at once",
        sessions: 2000,
        arguments: &["--pings", "0", "--at-once", "64", "--together"],
    },
    Load { title: "storm of 5,000 at once", sessions: 5000, arguments: &["--pings", "0", "--together"] },
    Load {
        title: "10,000 idle sessions",
        sessions: 10_000,
        arguments: &["--pings", "0", "--at-once", "64", "--together", "--patient", "--hold", "15"],
    },
];
/// The two whose cost per packet is compared.
pub(crate) const ONE: &str = "traffic, 1 session";
pub(crate) const MANY: &str = "traffic, 1,000 sessions";
const TRAFFIC: &[&str] = &["--pings", "0", "--at-once", "64", "--traffic", "3"];

/// The result of one load.
#[derive(Debug, Serialize)]
pub(crate) struct Crowd {
    pub(crate) title: &'static str,
    /// The document of `adit-bench`, or why there is none.
    pub(crate) report: Result<Value, String>,
}

/// Applies every load, each to a server of its own.
pub(crate) fn measure(programs: &Programs) -> Vec<Crowd> {
    LOADS
        .iter()
        .map(|load| {
            eprintln!("{} ...", load.title);
            let report = apply(*load, programs).map_err(|error| format!("{error:#}"));
            Crowd { title: load.title, report }
        })
        .collect()
}

fn apply(load: Load, programs: &Programs) -> anyhow::Result<Value> {
    let (adit, generator) = (programs.find("adit")?, programs.find("adit-bench")?);
    let mut pair = Pair::new()?;
    fs::write(pair.file("server.toml"), CONFIG)?;
    let dir = pair.dir.path().to_path_buf();
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&adit);
        command.env("NO_COLOR", "1").args(arguments).arg("--config").arg(dir.join("server.toml"));
        command.arg("--state-dir").arg(dir.join("state")).arg("--run-dir").arg(dir.join("run"));
        command
    };
    for user in 0..USERS {
        let add = command(&["user", "add", &format!("load{user}"), "--password-stdin"]);
        let added = pair.server.command(&mut with_password(&add));
        anyhow::ensure!(added.ok, "adit user add: {added}");
    }
    let mut server = pair.server.spawn(&mut command(&["serve"]));
    wait_for(&mut server, "ready")?;
    let mut calls = Command::new(generator);
    calls.arg(SERVER.to_string()).args(["--password-stdin", "--users", &USERS.to_string()]);
    calls.args(["-n", &load.sessions.to_string(), "--server-pid", &server.pid().to_string()]);
    calls.args(load.arguments);
    let mut calls = with_password(&calls);
    let output = pair.client.command(&mut calls);
    pair.tunnel.push(server);
    let mut report: Value = serde_json::from_str(&output.stdout)
        .with_context(|| format!("adit-bench printed no report: {} {}", output.stderr.trim(), pair.logs()))?;
    // One line for each client would hide the rest, and the machine is that of the whole run.
    if let Some(report) = report.as_object_mut() {
        report.remove("each");
        report.remove("machine");
    }
    Ok(report)
}

/// The same command with the password as its standard input, and at most two minutes of time.
fn with_password(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 65536; printf '%s\\n' \"$0\" | timeout 120 \"$@\"", PASSWORD]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

const CONFIG: &str = "
[server]
listen = \"192.0.2.2\"
[pool]
net = \"10.64.0.0/16\"
[access]
sessions = 1000
[limits]
sessions = 20000
starting = 4096
calls_per_minute_per_address = 0
";

/// A number of the report, at any depth.
pub(crate) fn number(report: &Value, key: &str) -> Option<f64> {
    let map = report.as_object()?;
    map.get(key).and_then(Value::as_f64).or_else(|| map.values().find_map(|value| number(value, key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_found_at_any_depth() {
        let report = json!({"calls": 3, "server": {"bytes_per_session": 2.5}, "failed": {}});
        assert_eq!(number(&report, "bytes_per_session"), Some(2.5));
        assert_eq!(number(&report, "calls"), Some(3.0));
        assert_eq!(number(&report, "nothing"), None);
    }
}
