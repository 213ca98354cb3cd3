//! adit at both ends.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use adit_testbed::{Host, Running};

use super::{Programs, version};
use crate::pair::{INNER_MTU, Pair, SERVER, try_sh, wait, wait_for};

/// Encryption agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mppe {
    Stateless,
    Stateful,
    Off,
}

impl Mppe {
    /// What `adit connect` calls it.
    const fn options(self) -> &'static [&'static str] {
        match self {
            Mppe::Stateless => &[],
            Mppe::Stateful => &["--mppe-stateful=prefer"],
            Mppe::Off => &["--mppe", "off"],
        }
    }

    /// The lines of a `[link]` section.
    const fn link(self) -> &'static str {
        match self {
            Mppe::Stateless => "",
            Mppe::Stateful => "mppe_stateless = false\n",
            Mppe::Off => "mppe = \"off\"\n",
        }
    }
}

pub(super) fn start(pair: &mut Pair, programs: &Programs, io: &str, mppe: Mppe) -> anyhow::Result<()> {
    let program = programs.find("adit")?;
    let selects = has_key(pair, &program, "[link]\nio = \"socket\"\n", "io")?;
    anyhow::ensure!(selects || io == "socket", "this build of adit has no `link.io`");
    let io_line = if selects { format!("io = \"{io}\"\n") } else { String::new() };
    // The load goes to the server itself, which older builds allow without a key.
    let all = "[access]\nserver = \"all\"\n";
    let access = if has_key(pair, &program, all, "server")? { all } else { "" };
    let link = format!("{access}[link]\n{io_line}{}", mppe.link());
    fs::write(
        pair.file("server.toml"),
        format!("[server]\nlisten = \"{SERVER}\"\n[pool]\nnet = \"10.77.0.0/24\"\n{link}"),
    )?;
    fs::write(pair.file("client.toml"), "")?;
    let password = pair.file("password");
    fs::write(&password, "correct-horse-battery-9\n")?;

    let dir = pair.dir.path().to_path_buf();
    let adit = |role: &str, arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.env("NO_COLOR", "1").args(arguments).arg("--config").arg(dir.join(format!("{role}.toml")));
        command.arg("--state-dir").arg(dir.join(format!("{role}-state")));
        command.arg("--run-dir").arg(dir.join(format!("{role}-run")));
        command
    };
    let mut sh = Command::new("sh");
    let add = adit("server", &["user", "add", "bench", "--password-stdin"]);
    sh.args(["-e", "-c", "password=$1; shift; exec \"$@\" <\"$password\"", "-", &password]);
    sh.arg(add.get_program()).args(add.get_args());
    let added = pair.server.command(&mut sh);
    anyhow::ensure!(added.ok, "adit user add: {added}");

    let mut server = pair.server.spawn(&mut adit("server", &["serve"]));
    wait_for(&mut server, "ready")?;
    let address = SERVER.to_string();
    let mtu = INNER_MTU.to_string();
    let mut connect = vec!["connect", &address, "-u", "bench", "--password-file", &password];
    connect.extend(["--once", "--no-dns", "--routes", "10.77.0.0/24", "--mtu", &mtu]);
    connect.extend(mppe.options());
    if selects {
        connect.extend(["--io", io]);
    }
    let mut client = pair.client.spawn(&mut adit("client", &connect));
    wait_for(&mut client, "connected")?;
    pair.tunnel.extend([server, client]);
    if io == "xdp" {
        for (host, role) in pair.hosts() {
            let attached = || has_xdp(host);
            anyhow::ensure!(
                wait(Duration::from_secs(2), attached),
                "`link.io = \"xdp\"` is accepted, but the {role} has no XDP program: {}",
                pair.logs()
            );
        }
    }
    let agreed = agreed(pair);
    anyhow::ensure!(
        mppe != Mppe::Stateful || agreed.contains("stateful"),
        "the negotiated encryption is {agreed}"
    );
    pair.about = format!("{}; {agreed}", version(&program, "--version"));
    Ok(())
}

/// Whether the configuration of this build has the key that a text sets.
fn has_key(pair: &Pair, program: &Path, text: &str, key: &str) -> anyhow::Result<bool> {
    let file = pair.file("probe.toml");
    fs::write(&file, text)?;
    let output = Command::new(program).args(["check", "--config", &file]).output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok(!String::from_utf8_lossy(&text).contains(&format!("unknown key \"{key}\"")))
}

fn has_xdp(host: &Host) -> bool {
    try_sh(host, "ip link show eth0").is_ok_and(|text| text.contains("xdp"))
}

/// The client's line on encryption.
fn agreed(pair: &Pair) -> String {
    let log = pair.tunnel.last().map(Running::log).unwrap_or_default();
    let words = |line: &str| line.split_whitespace().skip(1).take(3).collect::<Vec<_>>().join(" ");
    log.lines().find(|line| line.starts_with("encrypt")).map_or("encryption unknown".to_owned(), words)
}
