//! OpenVPN in user space: TLS, AES-128-GCM, UDP, no kernel offload.

use std::path::Path;
use std::process::Command;

use super::version;
use crate::pair::{CLIENT, INNER_CLIENT, INNER_MTU, INNER_SERVER, Pair, SERVER, try_sh, wait_for};

pub(super) fn start(pair: &mut Pair, program: &Path) -> anyhow::Result<()> {
    certificate(pair)?;
    let (certificate, key) = (pair.file("cert.pem"), pair.file("key.pem"));
    let mtu = INNER_MTU.to_string();
    let mut running = Vec::new();
    for (host, local, remote, inner, inner_remote, role) in [
        (&pair.server, SERVER, CLIENT, INNER_SERVER, INNER_CLIENT, &["--tls-server", "--dh", "none"][..]),
        (&pair.client, CLIENT, SERVER, INNER_CLIENT, INNER_SERVER, &["--tls-client"][..]),
    ] {
        let mut command = Command::new(program);
        command.args(["--disable-dco", "--dev", "ovpn0", "--dev-type", "tun", "--proto", "udp"]);
        command.args(["--local", &local.to_string(), "--remote", &remote.to_string()]);
        command.args(["--ifconfig", &inner.to_string(), &inner_remote.to_string()]);
        command.args(["--ca", &certificate, "--cert", &certificate, "--key", &key]);
        command.args(["--data-ciphers", "AES-128-GCM", "--cipher", "AES-128-GCM", "--auth-nocache"]);
        command.args(["--tun-mtu", &mtu, "--mssfix", "0", "--sndbuf", "0", "--rcvbuf", "0", "--verb", "3"]);
        running.push(host.spawn(command.args(role)));
    }
    for one in &mut running {
        wait_for(one, "Initialization Sequence Completed")?;
    }
    pair.tunnel.extend(running);
    let text = version(program, "--version");
    pair.about = format!("{}, AES-128-GCM", text.split(" [").next().unwrap_or(&text));
    Ok(())
}

/// One self-signed certificate serves both ends.
fn certificate(pair: &Pair) -> anyhow::Result<()> {
    let (certificate, key) = (pair.file("cert.pem"), pair.file("key.pem"));
    try_sh(
        &pair.client,
        &format!(
            "umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
             -subj /CN=bench -keyout {key} -out {certificate} 2>&1"
        ),
    )?;
    Ok(())
}
