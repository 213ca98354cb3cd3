//! A server's host on prepared observations: nothing wrong, and each thing that can be.

#![allow(clippy::unwrap_used, missing_docs)]

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_diag::Code;
use adit_doctor::facts::host::*;
use adit_doctor::{Facts, Outcome, State, Vantage, host, judge, rules};

fn passage() -> Passage {
    Passage { fate: Fate::Passes, rule: None, except: vec![], doubts: vec![], source: None, fix: None }
}

fn rule(text: &str) -> Rule {
    Rule {
        place: "nftables inet filter input handle 7".into(),
        text: text.into(),
        packets: Some(3041),
        policy: false,
    }
}

fn lost(text: &str) -> Passage {
    let fix = Some("nft insert rule inet filter input meta l4proto 47 accept".to_owned());
    Passage { fate: Fate::Dropped, rule: Some(rule(text)), fix, ..passage() }
}

/// A server as it should be.
fn healthy() -> Host {
    let address = Ipv4Addr::new(203, 0, 113, 10);
    let ours = Holder { address: "203.0.113.10:1723".into(), process: Some(812), name: "adit".into() };
    Host {
        system: Some(System {
            kernel: "6.1.0".into(),
            runs: true,
            files: Some(65_536),
            sessions: Some(200),
            ..System::default()
        }),
        listen: Some(Listen {
            wanted: vec!["203.0.113.10:1723".into()],
            port: 1723,
            holders: vec![ours.clone()],
            gre: vec![Holder { address: "0.0.0.0".into(), ..ours }],
            daemon: Some(812),
            sessions: Some((47, 200)),
            ..Listen::default()
        }),
        filter: Some(Filter {
            by: "nftables".into(),
            control_in: Passage {
                rule: Some(Rule { packets: Some(812), ..rule("tcp dport 1723 accept") }),
                ..passage()
            },
            control_out: passage(),
            gre_in: Passage { rule: Some(rule("meta l4proto 47 accept")), ..passage() },
            gre_out: passage(),
            port_47: vec![],
            invalid: vec![rule("ct state invalid drop")],
            gre_untracked: false,
            helper: None,
        }),
        wan: Some(Wan { interface: "eth0".into(), address: Some(address), router: None, inside_only: false }),
        forward: Some(Forward {
            on: Some(true),
            networks: vec!["192.168.10.0/24".parse().unwrap()],
            out: Some(passage()),
            back: Some(passage()),
            ..Forward::default()
        }),
        reverse_path: Some(ReversePath {
            strict: vec!["eth0".into()],
            dropped: Some(4),
            ..ReversePath::default()
        }),
        back: Some(Back {
            from: Some(Ipv4Addr::new(10, 99, 0, 1)),
            ours: Some(Ipv4Addr::new(192, 168, 10, 1)),
            asked: vec![Asked {
                who: Ipv4Addr::new(192, 168, 10, 5),
                seen: true,
                answers_us: true,
                answers_pool: Some(true),
            }],
        }),
        dns: vec![DnsServer {
            server: Ipv4Addr::new(192, 168, 10, 5),
            answered: Some(Duration::from_millis(2)),
            answers_pool: Some(true),
        }],
        pools: vec![Pool {
            name: "default".into(),
            net: "10.99.0.0/24".parse().unwrap(),
            used: Some(47),
            size: 241,
            holders: vec![("alice".into(), 2)],
            no_dns: false,
        }],
        config: Some(Config { file: "/etc/adit/adit.toml".into(), ..Config::default() }),
        sizes: Some(Sizes { outer: 1500, inner: 1400, overhead: 44, clamped: true }),
        tracking: Some(Tracking {
            entries: 100,
            limit: 65_536,
            gre: Some(3),
            gre_seconds: Some(180),
            echo_seconds: 30,
        }),
        clock: Some(Clock { now: "2026-11-23T08:00:00Z".into(), absurd: false, synchronised: Some(true) }),
        disk: Some(Disk {
            path: "/var/lib/adit".into(),
            free: 9 << 30,
            size: 20 << 30,
            files: Some(9999),
            read_only: false,
        }),
        users: Some(Users { all: 12, ..Users::default() }),
        calls: Some(Calls { up: 211, ..Calls::default() }),
        ..Host::default()
    }
}

fn facts(host: Host) -> Facts {
    Facts { host, ..Facts::new(Vantage::Host, "vpn.example.org") }
}

/// The verdict of a healthy host with one thing changed, and the codes of the warnings.
fn with(change: impl FnOnce(&mut Host)) -> (Option<Code>, Vec<Code>) {
    let mut host = healthy();
    change(&mut host);
    let facts = facts(host);
    let verdict = judge(&facts);
    let lines = host::lines(&facts);
    let warned = lines.iter().filter(|line| line.state == State::Warn).filter_map(|line| line.code).collect();
    let failed = lines.iter().find(|line| line.state == State::Fail);
    assert_eq!(
        failed.and_then(|line| line.code),
        verdict.first_failure,
        "the first line that fails is the verdict"
    );
    if let Some(failed) = failed {
        assert!(!failed.summary.is_empty() && !failed.fixes.is_empty(), "{failed:?}");
        assert_eq!(verdict.fixes, failed.fixes);
        assert_eq!(verdict.headline, failed.summary);
        assert_eq!(verdict.outcome, Outcome::Failed);
        assert!(!verdict.next.is_empty());
        assert_eq!(
            verdict.causes.iter().map(|cause| u32::from(cause.weight)).sum::<u32>(),
            100,
            "{:?}",
            verdict.causes
        );
    }
    (verdict.first_failure, warned)
}

fn fails(code: Code) -> (Option<Code>, Vec<Code>) {
    (Some(code), vec![])
}

fn warns(code: Code) -> (Option<Code>, Vec<Code>) {
    (None, vec![code])
}

const NOTHING: (Option<Code>, Vec<Code>) = (None, vec![]);

#[test]
fn a_healthy_server_has_a_line_for_every_check() {
    assert_eq!(with(|_| {}), NOTHING);
    let lines = host::lines(&facts(healthy()));
    let words: Vec<&str> = lines.iter().map(|line| line.check.word()).collect();
    assert_eq!(
        words,
        [
            "host",
            "config",
            "listen",
            "firewall",
            "nat",
            "forward",
            "rp_filter",
            "return",
            "dns",
            "pool",
            "mtu",
            "clock",
            "disk",
            "users",
            "last 24 h"
        ]
    );
    assert!(lines.iter().all(|line| line.state == State::Pass && !line.summary.is_empty()), "{lines:#?}");
    // What was not examined has no line, and is no fault.
    assert!(host::lines(&facts(Host::default())).is_empty());
    assert_eq!(judge(&facts(Host::default())).first_failure, None);
}

#[test]
fn rows_05_09_25_who_listens() {
    use Code::*;
    let listen = |change: fn(&mut Listen)| with(|host| change(host.listen.as_mut().unwrap()));
    let web = Holder { address: "203.0.113.10:1723".into(), process: Some(9), name: "nginx".into() };
    assert_eq!(listen(|listen| listen.holders.clear()), fails(C02));
    assert_eq!(listen(|listen| (listen.holders.clear(), listen.daemon = None).1), fails(C02));
    let stranger = with(|host| {
        let listen = host.listen.as_mut().unwrap();
        (listen.holders, listen.gre, listen.daemon) = (vec![web], vec![], None);
    });
    assert_eq!(stranger, fails(S01));
    assert_eq!(listen(|listen| listen.gre.clear()), fails(S02));
    assert_eq!(listen(|listen| listen.gre[0].process = Some(9)), warns(S02));
    assert_eq!(listen(|listen| listen.missing.push("203.0.113.9".into())), fails(S10));
    // pptpd on a host without adit is as it should be; the kernel may take GRE for it.
    let foreign = with(|host| {
        let listen = host.listen.as_mut().unwrap();
        listen.holders[0].name = "pptpd".into();
        (listen.daemon, listen.gre) = (None, vec![]);
    });
    assert_eq!(foreign, NOTHING);
    assert_eq!(listen(|listen| listen.draining = true), warns(C05));
    assert_eq!(listen(|listen| listen.sessions = Some((200, 200))), fails(C05));
    let tun = |runs| {
        with(|host| {
            let system = host.system.as_mut().unwrap();
            (system.tun, system.runs) = (Some("No such file or directory".into()), runs);
        })
    };
    assert_eq!((tun(false), tun(true)), (fails(S07), NOTHING));
    assert_eq!(with(|host| host.system.as_mut().unwrap().files = Some(100)), warns(S08));
}

#[test]
fn rows_07_16_17_18_22_23_68_firewall_and_translation() {
    use Code::*;
    let filter = |change: fn(&mut Filter)| with(|host| change(host.filter.as_mut().unwrap()));
    assert_eq!(filter(|filter| filter.control_in = lost("tcp dport 1723 drop")), fails(S03));
    assert_eq!(filter(|filter| filter.control_out = lost("drop")), fails(S03));
    assert_eq!(filter(|filter| filter.gre_in = lost("meta l4proto 47 drop")), fails(S03));
    assert_eq!(filter(|filter| filter.gre_out = lost("meta l4proto 47 drop")), fails(S03));
    assert_eq!(filter(|filter| filter.control_in.fate = Fate::Elsewhere("192.168.10.20".into())), fails(S03));
    // The mistake behind it is told with it, not beside it.
    let mut host = healthy();
    let filter_of = host.filter.as_mut().unwrap();
    (filter_of.gre_in, filter_of.port_47) = (lost("policy drop"), vec![rule("tcp dport 47 accept")]);
    let lines = host::lines(&facts(host));
    let failed: Vec<_> = lines.iter().filter(|line| line.code.is_some()).collect();
    assert_eq!(failed.len(), 1);
    assert!(
        failed[0].evidence[1].text.contains("opens TCP or UDP port 47; GRE is protocol 47"),
        "{failed:?}"
    );
    assert_eq!(filter(|filter| filter.port_47 = vec![rule("tcp dport 47 accept")]), warns(S03));
    // A restriction is on purpose.
    let restricted = filter(|filter| {
        filter.gre_in = Passage { except: vec![rule("ip saddr 192.0.2.0/24 accept")], ..lost("policy drop") };
    });
    assert_eq!(restricted, warns(S03));
    assert_eq!(filter(|filter| filter.gre_untracked = true), warns(S03));
    // What is not understood is said, and is no verdict.
    let doubt = |filter: &mut Filter| {
        filter.gre_in =
            Passage { fate: Fate::Unknown, doubts: vec![rule("xt match conntrack drop")], ..passage() };
    };
    assert_eq!(with(|host| doubt(host.filter.as_mut().unwrap())), NOTHING);
    let mut host = healthy();
    doubt(host.filter.as_mut().unwrap());
    let line = host::lines(&facts(host)).into_iter().find(|line| line.check == Check::Firewall).unwrap();
    assert_eq!(line.state, State::NotVisible);
    assert!(
        line.summary.starts_with("cannot tell what becomes of protocol 47 to this host"),
        "{}",
        line.summary
    );
    assert_eq!(
        filter(|filter| filter.gre_out.source = Some(("203.0.113.11".into(), rule("snat")))),
        fails(G03)
    );

    let wan =
        |address: [u8; 4]| move |host: &mut Host| host.wan.as_mut().unwrap().address = Some(address.into());
    assert_eq!(with(wan([100, 64, 7, 10])), fails(N03));
    assert_eq!(with(wan([192, 168, 200, 10])), warns(N03));
    let only_tcp = with(|host| {
        wan([192, 168, 200, 10])(host);
        let failed = Failed { code: G02, count: 3, most_from: None };
        host.calls = Some(Calls { failed: vec![failed], ..Calls::default() });
    });
    assert_eq!(only_tcp, fails(N03));
    let tracking = |change: fn(&mut Tracking)| with(|host| change(host.tracking.as_mut().unwrap()));
    assert_eq!(tracking(|tracking| tracking.entries = 65_000), warns(G05));
    let helped = with(|host| {
        host.filter.as_mut().unwrap().helper = Some("pptp".into());
        host.tracking.as_mut().unwrap().echo_seconds = 0;
    });
    assert_eq!(helped, warns(G05));
}

#[test]
fn rows_52_54_55_56_57_59_behind_the_server() {
    use Code::*;
    let forward = |change: fn(&mut Forward)| with(|host| change(host.forward.as_mut().unwrap()));
    assert_eq!(forward(|forward| forward.on = Some(false)), fails(R06));
    assert_eq!(forward(|forward| (forward.on, forward.networks) = (Some(false), vec![])), NOTHING);
    assert_eq!(forward(|forward| forward.out = Some(lost("policy drop"))), fails(R06));
    assert_eq!(forward(|forward| forward.back = Some(lost("policy drop"))), fails(R06));
    assert_eq!(
        forward(|forward| forward.denied = vec![("172.16.50.0/24".parse().unwrap(), lost("drop"))]),
        fails(R02)
    );
    assert_eq!(forward(|forward| forward.no_route = vec!["172.16.50.0/24".parse().unwrap()]), warns(R01));
    assert_eq!(
        forward(
            |forward| forward.pool_elsewhere = vec![("10.99.0.0/24".parse().unwrap(), "through eth1".into())]
        ),
        fails(R01)
    );
    let silent = |host: &mut Host| host.back.as_mut().unwrap().asked[0].answers_pool = Some(false);
    assert_eq!(with(silent), fails(R03));
    assert_eq!(
        with(|host| {
            silent(host);
            host.reverse_path.as_mut().unwrap().grew = Some(2);
        }),
        fails(R07)
    );
    // Some answer: the others may have a firewall of their own.
    assert_eq!(
        with(|host| {
            let asked = &mut host.back.as_mut().unwrap().asked;
            asked.push(Asked { answers_pool: Some(false), ..asked[0].clone() });
        }),
        warns(R03)
    );
    let bite = |certain| {
        let bite = Bite {
            interface: "eth1".into(),
            from: "10.99.0.0/24".into(),
            way_back: "through eth2".into(),
            certain,
        };
        with(|host| host.reverse_path.as_mut().unwrap().bites = vec![bite])
    };
    assert_eq!((bite(true), bite(false)), (fails(R07), warns(S04)));
    assert_eq!(with(|host| (host.dns[0].answered, host.dns[0].answers_pool) = (None, None)), fails(R04));
    assert_eq!(with(|host| host.dns[0].answers_pool = Some(false)), fails(R04));
}

#[test]
fn rows_33_46_48_49_51_65_66_the_rest() {
    use Code::*;
    assert_eq!(with(|host| host.pools[0].used = Some(241)), fails(I01));
    assert_eq!(with(|host| host.pools[0].used = Some(230)), warns(I01));
    assert_eq!(with(|host| host.pools[0].no_dns = true), warns(I04));
    let remark = |code, error| {
        let remark = Remark {
            code,
            error,
            text: "line 5: pool.net lies inside the LAN".into(),
            fix: Some("net = ...".into()),
        };
        with(|host| host.config.as_mut().unwrap().remarks = vec![remark])
    };
    assert_eq!(remark(P01, true), fails(P01));
    assert_eq!(remark(P03, false), fails(P03));
    assert_eq!(remark(F16, false), warns(F16));
    assert_eq!(with(|host| host.clock.as_mut().unwrap().absurd = true), fails(S05));
    assert_eq!(with(|host| host.clock.as_mut().unwrap().synchronised = Some(false)), NOTHING);
    assert_eq!(with(|host| host.disk.as_mut().unwrap().free = 0), fails(S06));
    assert_eq!(with(|host| host.disk.as_mut().unwrap().files = Some(0)), fails(S06));
    assert_eq!(with(|host| host.disk.as_mut().unwrap().read_only = true), fails(S06));
    assert_eq!(with(|host| host.disk.as_mut().unwrap().free = 20 << 20), warns(S06));
    assert_eq!(with(|host| host.sizes.as_mut().unwrap().outer = 1400), warns(M03));
    assert_eq!(with(|host| host.sizes.as_mut().unwrap().clamped = false), warns(M02));
    let users = |change: fn(&mut Users)| with(|host| change(host.users.as_mut().unwrap()));
    assert_eq!(users(|users| users.barred = vec![("bob".into(), A04)]), warns(A04));
    // A disabled account is reported only when it tried to log in.
    assert_eq!(users(|users| users.barred = vec![("bob".into(), A02)]), NOTHING);
    assert_eq!(users(|users| users.soon = vec!["carol".into()]), warns(A10));
    let failed = |code| {
        let failed = Failed { code, count: 2, most_from: Some(("198.51.100.7".into(), 2)) };
        with(|host| host.calls.as_mut().unwrap().failed = vec![failed])
    };
    assert_eq!(failed(A02), warns(A02));
    assert_eq!(failed(A07), warns(A07));
    assert_eq!(failed(C05), warns(C05));
    assert_eq!(failed(A01), NOTHING);
    assert_eq!(
        with(|host| host.calls.as_mut().unwrap().denied = vec![("bob".into(), "3 packets".into())]),
        warns(R02)
    );
}

#[test]
fn of_several_faults_the_outermost_is_the_verdict() {
    let (first, _) = with(|host| {
        host.forward.as_mut().unwrap().on = Some(false);
        host.filter.as_mut().unwrap().gre_in = lost("drop");
        host.disk.as_mut().unwrap().free = 0;
    });
    assert_eq!(first, Some(Code::S03));
    assert!(rules::all().count() > 100);
}

#[test]
fn what_the_running_server_reports_is_a_fault_until_it_is_repaired() {
    let reported = |code, repaired_s| {
        with(|host| {
            host.reported =
                vec![Reported { code, text: "another program has removed it".to_owned(), repaired_s }];
        })
    };
    for code in [Code::S06, Code::S07, Code::S08, Code::S09, Code::S10] {
        assert_eq!(reported(code, None).0, Some(code));
    }
    for code in [Code::S07, Code::S09, Code::S10] {
        assert_eq!(reported(code, Some(7)), (None, vec![code]), "it may come back");
    }
    assert_eq!(reported(Code::S05, None), (None, vec![Code::S05]));
}

#[test]
fn the_last_day_in_one_line() {
    let failed = |code, count, from: Option<(&str, u64)>| Failed {
        code,
        count,
        most_from: from.map(|(from, number)| (from.to_owned(), number)),
    };
    let calls = Calls {
        up: 211,
        failed: vec![
            failed(Code::A01, 22, Some(("203.0.113.77", 19))),
            failed(Code::G01, 11, None),
            failed(Code::A05, 4, Some(("192.0.2.9", 4))),
        ],
        denied: vec![],
    };
    assert_eq!(
        host::calls(&calls),
        "211 logins ok; 37 failed: 22 A01 (19 from 203.0.113.77), 11 G01, 4 A05 (from 192.0.2.9)"
    );
    assert_eq!(host::calls(&Calls { up: 1, ..Calls::default() }), "1 login ok; none failed");
}
