//! User-space WireGuard: every implementation takes the same interface name and the same `wg set`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::version;
use crate::pair::{CLIENT, Pair, SERVER, try_sh, wait};

const PORT: u16 = 51820;

/// Starts `program` at both ends; `tag` distinguishes its interfaces: their control sockets share a directory.
pub(super) fn start(pair: &mut Pair, tag: &str, program: PathBuf) -> anyhow::Result<()> {
    let about = version(&program, "--version");
    let names = [format!("{tag}c"), format!("{tag}s")];
    for (host, name) in [&pair.client, &pair.server].into_iter().zip(&names) {
        let mut command = Command::new(&program);
        command.args(["-f", name]).env("WG_PROCESS_FOREGROUND", "1").env("LOG_LEVEL", "error");
        // BoringTun and similar programs would drop root for the login user, and there may be none.
        if program.ends_with("boringtun-cli") || program.ends_with("gotatun") {
            command.arg("--disable-drop-privileges");
        }
        let running = host.spawn(&mut command);
        pair.tunnel.push(running);
    }
    for name in &names {
        let socket = format!("/var/run/wireguard/{name}.sock");
        let there = wait(Duration::from_secs(10), || Path::new(&socket).exists());
        anyhow::ensure!(there, "{} created no {socket}: {}", program.display(), pair.logs());
    }
    let (client_key, server_key) = (Key::new(pair, "client")?, Key::new(pair, "server")?);
    for (host, name, ours, theirs, address) in [
        (&pair.client, &names[0], &client_key, &server_key, SERVER),
        (&pair.server, &names[1], &server_key, &client_key, CLIENT),
    ] {
        try_sh(
            host,
            &format!(
                "wg set {name} listen-port {PORT} private-key {} \
                 peer {} endpoint {address}:{PORT} allowed-ips 10.77.0.0/24",
                ours.file, theirs.public
            ),
        )?;
    }
    pair.about = about;
    pair.address(&names[0], &names[1])
}

struct Key {
    file: String,
    public: String,
}

impl Key {
    fn new(pair: &Pair, role: &str) -> anyhow::Result<Key> {
        let file = pair.file(&format!("{role}.key"));
        try_sh(&pair.client, &format!("umask 077; wg genkey >{file}"))?;
        let public = try_sh(&pair.client, &format!("wg pubkey <{file}"))?.trim().to_owned();
        anyhow::ensure!(fs::metadata(&file)?.len() > 0 && !public.is_empty(), "wg generated no key");
        Ok(Key { file, public })
    }
}
