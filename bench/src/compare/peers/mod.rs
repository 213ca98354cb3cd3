//! What is compared, and how each of them is started.

mod adit;
mod openvpn;
mod wireguard;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;
use serde::Serialize;

use crate::pair::{CLIENT, Pair, SERVER, wait_for};

pub(crate) use adit::Mppe;

/// One of the configurations compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Peer {
    /// The wire without any tunnel: the ceiling.
    Veth,
    /// The plain tunnel of this directory.
    Baseline,
    /// adit over raw sockets, MPPE-128 stateless.
    AditSocket,
    /// adit over AF_XDP, MPPE-128 stateless.
    AditXdp,
    /// adit over raw sockets, MPPE-128 stateful.
    AditSocketStateful,
    /// adit over AF_XDP, MPPE-128 stateful.
    AditXdpStateful,
    /// adit over raw sockets without encryption.
    AditSocketOff,
    /// adit over AF_XDP without encryption.
    AditXdpOff,
    /// wireguard-go as the distribution has it.
    WireguardGo,
    /// wireguard-go of a newer distribution, with its offload.
    WireguardGoNew,
    Gotatun,
    Boringtun,
    Openvpn,
}

impl Peer {
    /// The name in reports and on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Starts it between two new hosts.
    ///
    /// # Errors
    /// Why it is missing.
    pub(crate) fn start(self, programs: &Programs) -> anyhow::Result<Pair> {
        let mut pair = Pair::new()?;
        match self {
            Peer::Veth => pair.target = SERVER,
            Peer::Baseline => baseline(&mut pair, programs)?,
            Peer::AditSocket => adit::start(&mut pair, programs, "socket", Mppe::Stateless)?,
            Peer::AditXdp => adit::start(&mut pair, programs, "xdp", Mppe::Stateless)?,
            Peer::AditSocketStateful => adit::start(&mut pair, programs, "socket", Mppe::Stateful)?,
            Peer::AditXdpStateful => adit::start(&mut pair, programs, "xdp", Mppe::Stateful)?,
            Peer::AditSocketOff => adit::start(&mut pair, programs, "socket", Mppe::Off)?,
            Peer::AditXdpOff => adit::start(&mut pair, programs, "xdp", Mppe::Off)?,
            Peer::WireguardGo => wireguard::start(&mut pair, "wgo", programs.find("wireguard-go")?)?,
            Peer::WireguardGoNew => wireguard::start(&mut pair, "wgn", programs.find("wireguard-go-new")?)?,
            Peer::Gotatun => wireguard::start(&mut pair, "gota", programs.find("gotatun")?)?,
            Peer::Boringtun => wireguard::start(&mut pair, "bori", programs.find("boringtun-cli")?)?,
            Peer::Openvpn => openvpn::start(&mut pair, &programs.find("openvpn")?)?,
        }
        pair.settle()?;
        Ok(pair)
    }
}

/// Where programs are looked for.
pub(crate) struct Programs {
    /// Directories of programs of our own making, before those of PATH.
    pub(crate) directories: Vec<PathBuf>,
}

impl Programs {
    /// # Errors
    /// When no directory has it.
    pub(crate) fn find(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = self.directories.iter().cloned().chain(std::env::split_paths(&path));
        let found = all.map(|directory| directory.join(name)).find(|file| file.is_file());
        found.ok_or_else(|| anyhow::anyhow!("{name} is not installed"))
    }
}

/// The first line that a program prints when asked for its version.
fn version(program: &Path, option: &str) -> String {
    let output = Command::new(program).arg(option).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("version unknown").trim().to_owned()
}

fn baseline(pair: &mut Pair, programs: &Programs) -> anyhow::Result<()> {
    let program = programs.find("adit-plain-tunnel")?;
    for (host, local, peer, end) in
        [(&pair.client, CLIENT, SERVER, "client"), (&pair.server, SERVER, CLIENT, "server")]
    {
        let mut command = Command::new(&program);
        command.args(["plain0", &local.to_string(), &peer.to_string(), end]);
        let mut running = host.spawn(&mut command);
        wait_for(&mut running, "ready")?;
        pair.tunnel.push(running);
    }
    pair.about = "one packet per system call, rc4 and sha1 crates".to_owned();
    pair.address("plain0", "plain0")
}
