//! `adit connect` in a network namespace: the resolver's configuration of the machine is left alone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use adit_testbed::{Host, Running, wrap};
use tempfile::TempDir;

use crate::common::*;

const MACHINE: &str = "nameserver 192.168.1.1\n";

/// A machine as its own programs see it: process 1 has its own /etc, and is in its own network namespace.
struct Machine {
    unshare: Running,
    init: u32,
}

impl Machine {
    fn start(host: &Host, dir: &Path) -> Machine {
        std::fs::write(dir.join("resolv.conf"), MACHINE).unwrap();
        let script = format!(
            "mount -t tmpfs none /mnt; mkdir /mnt/up /mnt/work\n\
             mount -t overlay -o lowerdir=/etc,upperdir=/mnt/up,workdir=/mnt/work none /etc\n\
             rm -f /etc/resolv.conf; cp {}/resolv.conf /etc/resolv.conf\n\
             echo mounted; exec sleep 1000",
            dir.display()
        );
        let mut command = Command::new("unshare");
        command.args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-e",
            "-c",
            &script,
        ]);
        let mut unshare = host.spawn(&mut command);
        unshare.wait_for("mounted", Duration::from_secs(30));
        let pid = unshare.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        Machine { unshare, init: children.trim().parse().unwrap() }
    }

    fn resolv_conf(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root/etc/resolv.conf", self.init))
    }

    /// The same command as a process of this machine, in whatever network namespace it is started, after a script that may
    /// mount.
    fn inside(&self, script: &str, command: &Command) -> Command {
        let mut wrapped = Command::new("nsenter");
        wrapped.args(["--mount", "--pid", "--target", &self.init.to_string(), "--"]);
        wrapped.args(["unshare", "--mount", "sh", "-e", "-c", &format!("{script}\nexec \"$@\""), "sh"]);
        wrap(&mut wrapped, command);
        wrapped
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.unshare.kill();
    }
}

#[test]
fn in_a_network_namespace_only_a_resolv_conf_of_its_own_is_changed() {
    let (client_host, server_host) = neighbours();
    let _server = Server::start(server_host, CONFIG, &["alice"]);
    let machine_host = Host::new("machine");
    let dir = TempDir::new().unwrap();
    let machine = Machine::start(&machine_host, dir.path());
    std::fs::write(dir.path().join("password"), PASSWORD).unwrap();
    let password = dir.path().join("password").display().to_string();
    let arguments =
        ["connect", "203.0.113.10", "-u", "alice", "--password-file", &password, "--io", "socket"];
    let connect = |host: &Host, script: &str| {
        let mut client = host.spawn(&mut machine.inside(script, &adit(dir.path(), &arguments)));
        client.wait_for("connected", SOON);
        client
    };
    let hang_up = |mut client: Running| {
        // The program is a child of nsenter.
        let ended = client_host.command(&mut machine.inside("true", &adit(dir.path(), &["disconnect"])));
        assert!(ended.ok, "{ended}");
        assert!(client.wait(SOON).success(), "{}", client.log());
    };
    let of_machine = || std::fs::read_to_string(machine.resolv_conf()).unwrap();

    // The machine's file: unchanged, and the line shows which servers and which file.
    let client = connect(&client_host, "true");
    assert_eq!(of_machine(), MACHINE);
    let log = client.log();
    assert!(
        log.contains("dns       192.168.10.5 not set: /etc/resolv.conf belongs to the whole machine"),
        "{log}"
    );
    hang_up(client);

    // A file of its own, as `ip netns exec` mounts it: changed, and restored.
    let own = dir.path().join("own.conf");
    std::fs::write(&own, "nameserver 192.168.2.2\n").unwrap();
    let client = connect(&client_host, &format!("mount --bind {} /etc/resolv.conf", own.display()));
    assert!(std::fs::read_to_string(&own).unwrap().contains("nameserver 192.168.10.5"), "{}", client.log());
    assert_eq!(of_machine(), MACHINE);
    hang_up(client);
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "nameserver 192.168.2.2\n");
}
