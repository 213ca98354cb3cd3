//! A connection's changes to a real host, and their undoing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::future::Future;
use std::net::Ipv4Addr;
use std::path::Path;

use adit_client::setup::{FOLDER, Plan, Setup};
use adit_diag::Code;
use adit_sys::resolver::ResolverFiles;
use adit_sys::tun::{Tun, TunOptions};
use adit_testbed::{Host, wire};
use tempfile::TempDir;

/// A host at home, behind a router, with a tunnel interface and a folder for files.
struct Home {
    host: Host,
    _router: Host,
    tun: Tun,
    folder: TempDir,
}

const OLD_RESOLV_CONF: &str = "search home\nnameserver 192.168.1.1\n";

fn home() -> Home {
    let (host, router) = (Host::new("home"), Host::new("router"));
    wire((&host, "eth0", "192.168.1.23/24"), (&router, "eth0", "192.168.1.1/24"));
    host.ip("route add default via 192.168.1.1");
    let tun = host.run(|| Tun::open(&TunOptions::default()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("resolv.conf"), OLD_RESOLV_CONF).unwrap();
    Home { host, _router: router, tun, folder }
}

fn plan(home: &Home, routes: Option<&[&str]>) -> Plan {
    Plan {
        interface: home.tun.name().to_owned(),
        server: Ipv4Addr::new(203, 0, 113, 10),
        local: Ipv4Addr::new(10, 99, 0, 14),
        peer: Ipv4Addr::new(10, 99, 0, 1),
        mtu: 1400,
        routes: routes.map(|all| all.iter().map(|net| net.parse().unwrap()).collect()),
        dns: vec![Ipv4Addr::new(192, 168, 10, 5)],
        domains: vec!["corp.example.org".to_owned()],
    }
}

/// Everything that a connection may change.
fn state(home: &Home) -> String {
    let resolv = std::fs::read_to_string(home.folder.path().join("resolv.conf")).unwrap_or_default();
    let addresses = home.host.sh("ip -4 -o address show | sed 's/ valid_lft.*//'");
    let routes = home.host.sh("ip -4 route show table all | sort");
    format!("{addresses}\n{routes}\n{resolv}")
}

fn within<T: Send, F: Future<Output = T>>(home: &Home, work: impl FnOnce() -> F + Send) -> T {
    home.host.run(|| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(work())
    })
}

async fn open(folder: &Path) -> Setup {
    let files = ResolverFiles {
        resolv_conf: folder.join("resolv.conf"),
        bus: Some("unix:path=/nonexistent".to_owned()),
    };
    Setup::with_resolver(folder, files).await.unwrap()
}

fn journals(home: &Home) -> usize {
    std::fs::read_dir(home.folder.path().join(FOLDER)).map_or(0, Iterator::count)
}

#[test]
fn a_connection_is_set_up_and_everything_comes_back() {
    let home = home();
    let before = state(&home);
    let plan = plan(&home, Some(&["192.168.10.0/24"]));
    within(&home, async || {
        let mut setup = open(home.folder.path()).await;
        let done = setup.apply(&plan).await.unwrap();
        assert_eq!(done.routes, "192.168.10.0/24");
        assert!(
            done.dns
                .starts_with("192.168.10.5 for all names (resolv.conf cannot keep corp.example.org apart)")
        );
        let during = state(&home);
        assert!(during.contains("inet 10.99.0.14 peer 10.99.0.1/32"), "{during}");
        assert!(during.contains("192.168.10.0/24 dev adit0 proto 173 scope link src 10.99.0.14"), "{during}");
        assert!(
            during
                .contains("search corp.example.org home\nnameserver 192.168.10.5\nnameserver 192.168.1.1\n"),
            "{during}"
        );
        assert!(home.host.ip("link show dev adit0").contains("mtu 1400"));
        assert_eq!(journals(&home), 1);
        assert_eq!(setup.apply(&plan).await.unwrap(), done, "the same plan again");
        assert_eq!(state(&home), during);
        assert_eq!(setup.undo().await, Vec::<String>::new());
        assert_eq!(setup.undo().await, Vec::<String>::new(), "twice does no harm");
    });
    assert_eq!(state(&home), before);
    assert_eq!(journals(&home), 0);
}

#[test]
fn with_everything_through_the_tunnel_its_own_packets_stay_outside() {
    let home = home();
    let before = state(&home);
    within(&home, async || {
        let mut setup = open(home.folder.path()).await;
        let done = setup.apply(&plan(&home, None)).await.unwrap();
        assert!(done.routes.starts_with("all of IPv4"));
        let way = |to: &str| home.host.ip(&format!("route get {to}"));
        assert!(way("203.0.113.10").contains("via 192.168.1.1 dev eth0"), "{}", way("203.0.113.10"));
        assert!(way("8.8.8.8").contains("dev adit0"), "{}", way("8.8.8.8"));
        assert!(way("203.0.113.11").contains("dev adit0"));
        assert!(way("192.168.1.77").contains("dev eth0"), "neighbours stay reachable");
        assert!(home.host.ip("route show default").contains("via 192.168.1.1 dev eth0"));
        // Dropped, as when the program ends by itself.
        drop(setup);
    });
    assert_eq!(state(&home), before);
}

#[test]
fn another_plan_replaces_the_first() {
    let home = home();
    let before = state(&home);
    within(&home, async || {
        let mut setup = open(home.folder.path()).await;
        setup.apply(&plan(&home, Some(&["192.168.10.0/24"]))).await.unwrap();
        let other = Plan {
            local: Ipv4Addr::new(10, 99, 0, 77),
            dns: Vec::new(),
            ..plan(&home, Some(&["172.20.0.0/16"]))
        };
        setup.apply(&other).await.unwrap();
        let during = state(&home);
        assert!(during.contains("10.99.0.77") && during.contains("172.20.0.0/16 dev adit0"), "{during}");
        assert!(!during.contains("10.99.0.14") && !during.contains("192.168.10.0/24"), "{during}");
        assert!(during.ends_with(OLD_RESOLV_CONF));
        setup.undo().await;
    });
    assert_eq!(state(&home), before);
}

#[test]
fn a_set_up_that_fails_halfway_is_undone_and_names_the_network() {
    let home = home();
    home.host.ip("route add 172.20.0.0/16 via 192.168.1.1");
    let before = state(&home);
    within(&home, async || {
        let mut setup = open(home.folder.path()).await;
        let own = setup.apply(&plan(&home, Some(&["192.168.1.0/24"]))).await.unwrap_err();
        assert_eq!(own.code(), Some(Code::I03));
        let theirs =
            setup.apply(&plan(&home, Some(&["192.168.10.0/24", "172.20.0.0/16"]))).await.unwrap_err();
        assert_eq!(theirs.code(), Some(Code::I03));
        assert!(
            theirs
                .to_string()
                .starts_with("cannot route 172.20.0.0/16 through the tunnel: the route already exists"),
            "{theirs}"
        );
        assert_eq!(state(&home), before);
        // The next try works.
        setup.apply(&plan(&home, Some(&["192.168.10.0/24"]))).await.unwrap();
        setup.undo().await;
    });
    assert_eq!(state(&home), before);
}

#[test]
fn changes_by_another_program_are_kept_and_reported() {
    let home = home();
    let path = home.folder.path().join("resolv.conf");
    within(&home, async || {
        let mut setup = open(home.folder.path()).await;
        setup.apply(&plan(&home, Some(&[]))).await.unwrap();
        std::fs::write(&path, "nameserver 9.9.9.9\n").unwrap();
        let remarks = setup.undo().await;
        assert_eq!(remarks.len(), 1, "{remarks:?}");
        assert!(remarks[0].ends_with("left as it is: changed by another program since"), "{remarks:?}");
    });
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "nameserver 9.9.9.9\n");
    assert_eq!(journals(&home), 0);
}

#[test]
fn c234_the_next_start_cleans_up_after_a_kill() {
    const INSIDE: &str = "ADIT_TEST_SETUP_FOLDER";
    if let Ok(folder) = std::env::var(INSIDE) {
        // The child: it runs in the host's namespace already.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let tun = Tun::open(&TunOptions { name: "dying".to_owned(), ..TunOptions::default() }).unwrap();
            let mut setup = open(Path::new(&folder)).await;
            let plan = Plan {
                interface: tun.name().to_owned(),
                server: Ipv4Addr::new(203, 0, 113, 10),
                local: Ipv4Addr::new(10, 99, 0, 14),
                peer: Ipv4Addr::new(10, 99, 0, 1),
                mtu: 1400,
                routes: None,
                dns: vec![Ipv4Addr::new(192, 168, 10, 5)],
                domains: Vec::new(),
            };
            setup.apply(&plan).await.unwrap();
            println!("set up");
            std::future::pending::<()>().await;
        });
        return;
    }
    let home = home();
    let before = state(&home);
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "c234_the_next_start_cleans_up_after_a_kill", "--nocapture"]);
    let mut child = home.host.spawn(command.env(INSIDE, home.folder.path()));
    child.wait_for("set up", std::time::Duration::from_secs(30));
    within(&home, async || {
        // While it runs, its changes are not undone.
        drop(open(home.folder.path()).await);
        assert!(state(&home).contains("203.0.113.10 via 192.168.1.1 dev eth0 proto 173"));
    });
    child.kill();
    assert_ne!(state(&home), before);
    within(&home, async || assert_eq!(open(home.folder.path()).await.undo().await, Vec::<String>::new()));
    assert_eq!(state(&home), before);
    assert_eq!(journals(&home), 0);
}

#[test]
fn an_address_of_the_network_at_home_is_refused_and_nothing_is_changed() {
    let home = home();
    let before = state(&home);
    within(&home, async || {
        for local in ["192.168.1.1", "192.168.1.23", "203.0.113.10"] {
            let mut setup = open(home.folder.path()).await;
            let plan = Plan { local: local.parse().unwrap(), ..plan(&home, None) };
            let error = setup.apply(&plan).await.unwrap_err();
            assert_eq!(error.code(), Some(Code::I03), "{local}: {error}");
            assert!(error.to_string().contains(local), "{error}");
            assert_eq!(setup.undo().await, Vec::<String>::new());
        }
    });
    assert_eq!(state(&home), before);
    home.host.ping("192.168.1.1".parse().unwrap());
}
