//! Name servers through systemd-resolved: a substitute for that service on a message bus of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::net::IpAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adit_sys::Kind;
use adit_sys::journal::{Journal, Lasts, Scope, Undone, recover};
use adit_sys::resolver::{Dns, DnsMethod, ResolverFiles};
use adit_testbed::{Host, Running, wire};
use tempfile::TempDir;

/// The calls that the service received, in order.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// org.freedesktop.resolve1.Manager, as far as it is called.
struct Manager(Calls);

#[zbus::interface(name = "org.freedesktop.resolve1.Manager")]
impl Manager {
    #[zbus(name = "SetLinkDNS")]
    fn set_link_dns(&self, index: i32, servers: Vec<(i32, Vec<u8>)>) {
        self.0.note(format!("dns {index} {servers:?}"));
    }

    fn set_link_domains(&self, index: i32, domains: Vec<(String, bool)>) {
        self.0.note(format!("domains {index} {domains:?}"));
    }

    fn set_link_default_route(&self, index: i32, yes: bool) -> zbus::fdo::Result<()> {
        if index == 3 {
            return Err(zbus::fdo::Error::AccessDenied("not you".to_owned()));
        }
        self.0.note(format!("default {index} {yes}"));
        Ok(())
    }

    fn revert_link(&self, index: i32) {
        self.0.note(format!("revert {index}"));
    }

    #[zbus(property, name = "DNSStubListener")]
    fn stub(&self) -> String {
        "yes".to_owned()
    }
}

/// A bus with the service on it, and a host with interfaces 2 (eth0) and 3 (eth1).
struct World {
    host: Host,
    _peer: Host,
    files: ResolverFiles,
    calls: Calls,
    folder: TempDir,
    _bus: Running,
    _service: zbus::Connection,
    _runtime: tokio::runtime::Runtime,
}

fn bus(folder: &TempDir) -> (Running, String) {
    let address = format!("unix:path={}", folder.path().join("bus").display());
    let config = folder.path().join("bus.conf");
    let policy =
        "<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/>";
    let text = format!(
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
         \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\
         <busconfig><type>session</type><listen>{address}</listen>\
         <policy context=\"default\">{policy}</policy></busconfig>"
    );
    fs::write(&config, text).unwrap();
    let host = Host::new("bus");
    let mut command = Command::new("dbus-daemon");
    let mut running =
        host.spawn(command.arg("--config-file").arg(config).args(["--nofork", "--print-address=1"]));
    running.wait_for("unix:path=", Duration::from_secs(20));
    (running, address)
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let (bus, address) = bus(&folder);
    let calls = Calls::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let service = runtime.block_on(async {
        zbus::connection::Builder::address(address.as_str())
            .name("org.freedesktop.resolve1")
            .serve_at("/org/freedesktop/resolve1", Manager(calls.clone()))
            .build()
            .await
            .unwrap()
    });
    let (host, peer) = (Host::new("host"), Host::new("peer"));
    wire((&host, "eth0", "192.0.2.1/24"), (&peer, "eth0", "192.0.2.2/24"));
    wire((&host, "eth1", "198.51.100.1/24"), (&peer, "eth1", ""));
    let resolv_conf = folder.path().join("resolv.conf");
    fs::write(&resolv_conf, "nameserver 127.0.0.53\noptions edns0\n").unwrap();
    World {
        host,
        _peer: peer,
        files: ResolverFiles { resolv_conf, bus: Some(address) },
        calls,
        folder,
        _bus: bus,
        _service: service,
        _runtime: runtime,
    }
}

fn dns(domains: &[&str]) -> Dns {
    let servers: [IpAddr; 2] = ["192.168.10.5".parse().unwrap(), "fd00::5".parse().unwrap()];
    Dns { servers: servers.to_vec(), domains: domains.iter().map(|d| (*d).to_owned()).collect() }
}

impl World {
    fn journal(&self) -> Journal {
        self.host
            .run(|| Journal::open(&self.folder.path().join("journal"), "test", Lasts::UntilExit).unwrap())
            .within(Scope::default().with_resolver(&self.files))
    }

    fn set(&self, journal: &mut Journal, interface: &str, dns: &Dns) -> adit_sys::Result<DnsMethod> {
        let interface = journal.net().interface(interface).unwrap();
        journal.set_dns(&interface, dns, &self.files)
    }
}

const SERVERS: &str =
    "dns 2 [(2, [192, 168, 10, 5]), (10, [253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5])]";

#[test]
fn resolved_gets_domains_and_its_settings_are_reverted() {
    let world = world();
    let mut journal = world.journal();
    let method = world.set(&mut journal, "eth0", &dns(&["corp.example.org"])).unwrap();
    assert_eq!(method, DnsMethod::Resolved);
    assert_eq!(world.calls.take(), [SERVERS, "domains 2 [(\"corp.example.org\", false)]", "default 2 false"]);
    assert_eq!(journal.undo()[0].1, Undone::Undone);
    assert_eq!(world.calls.take(), ["revert 2"]);

    world.set(&mut journal, "eth0", &dns(&[])).unwrap();
    assert_eq!(world.calls.take(), [SERVERS, "domains 2 [(\".\", true)]", "default 2 true"]);
    drop(journal);
    assert_eq!(world.calls.take(), ["revert 2"]);
}

#[test]
fn an_interface_that_is_gone_needs_no_revert() {
    let world = world();
    let mut journal = world.journal();
    world.set(&mut journal, "eth0", &dns(&[])).unwrap();
    world.calls.take();
    world.host.ip("link del dev eth0");
    assert_eq!(journal.undo()[0].1, Undone::Gone);
    assert!(world.calls.take().is_empty());
}

#[test]
fn after_a_crash_the_next_start_reverts_the_settings() {
    let world = world();
    let mut journal = world.journal();
    world.set(&mut journal, "eth0", &dns(&[])).unwrap();
    let folder = world.folder.path().join("journal");
    let path = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let text = fs::read(&path).unwrap();
    std::mem::forget(journal);
    fs::remove_file(path).unwrap();
    fs::write(folder.join("1-1-0.journal"), text).unwrap();
    world.calls.take();
    let report = world
        .host
        .run(|| recover(&folder, &Scope::default().with_resolver(&world.files), false, false).unwrap());
    assert_eq!(report.outcomes[0].undone, Some(Undone::Undone));
    assert_eq!(world.calls.take(), ["revert 2"]);
}

#[test]
fn a_refusal_is_an_error_with_a_fix_and_leaves_nothing_behind() {
    let world = world();
    let mut journal = world.journal();
    let error = world.set(&mut journal, "eth1", &dns(&[])).unwrap_err();
    assert_eq!(error.kind(), Kind::NotPermitted);
    assert_eq!(error.answer(), "not you");
    assert!(error.fix().contains("polkit"), "{error}");
    assert_eq!(world.calls.take().last().unwrap(), "revert 3", "no half of it stays");
    assert_eq!(journal.changes().count(), 0);
}

#[test]
fn without_resolved_the_file_is_replaced_and_restored() {
    let world = world();
    let old = "nameserver 192.168.1.1\n";
    fs::write(&world.files.resolv_conf, old).unwrap();
    let mut journal = world.journal();
    assert_eq!(world.set(&mut journal, "eth0", &dns(&[])).unwrap(), DnsMethod::ResolvConf);
    let text = fs::read_to_string(&world.files.resolv_conf).unwrap();
    assert!(text.ends_with("\nnameserver 192.168.10.5\nnameserver fd00::5\n"), "{text}");
    assert!(world.calls.take().is_empty(), "the file does not refer to resolved");
    drop(journal);
    assert_eq!(fs::read_to_string(&world.files.resolv_conf).unwrap(), old);
}

#[test]
fn a_stub_without_its_service_is_replaced_as_well() {
    let world = world();
    let files = ResolverFiles { bus: Some("unix:path=/nonexistent".to_owned()), ..world.files.clone() };
    let mut journal = world.journal();
    let eth0 = journal.net().interface("eth0").unwrap();
    assert_eq!(journal.set_dns(&eth0, &dns(&[]), &files).unwrap(), DnsMethod::ResolvConf);
    assert!(fs::read_to_string(&files.resolv_conf).unwrap().contains("options edns0"));
}
