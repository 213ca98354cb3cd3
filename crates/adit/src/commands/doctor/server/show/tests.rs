//! The output of `adit doctor --server`, on prepared observations.

use adit_diag::Code;
use adit_doctor::facts::host::*;
use adit_doctor::{Facts, Vantage, host, judge};

use super::*;

fn passage(text: &str, packets: u64) -> Passage {
    let rule = Rule {
        place: "nftables inet filter input handle 7".into(),
        text: text.into(),
        packets: Some(packets),
        policy: text.starts_with("policy"),
    };
    Passage { fate: Fate::Passes, rule: Some(rule), except: vec![], doubts: vec![], source: None, fix: None }
}

fn report() -> Report {
    let ours = Holder { address: "203.0.113.10:1723".into(), process: Some(812), name: "adit".into() };
    let accepted = passage("tcp dport 1723 accept", 812);
    let dropped = Passage {
        fate: Fate::Dropped,
        fix: Some("nft insert rule inet filter input meta l4proto 47 accept".into()),
        ..passage("policy drop", 3041)
    };
    let host = Host {
        system: Some(System { kernel: "6.1.0-18-amd64".into(), runs: true, ..System::default() }),
        config: Some(Config { file: "/etc/adit/adit.toml".into(), ..Config::default() }),
        listen: Some(Listen {
            port: 1723,
            holders: vec![ours.clone()],
            gre: vec![ours],
            daemon: Some(812),
            sessions: Some((47, 200)),
            ..Listen::default()
        }),
        filter: Some(Filter {
            by: "nftables".into(),
            control_in: accepted.clone(),
            control_out: accepted.clone(),
            gre_in: dropped,
            gre_out: accepted.clone(),
            port_47: vec![],
            invalid: vec![],
            gre_untracked: false,
            helper: None,
        }),
        wan: Some(Wan {
            interface: "eth0".into(),
            address: Some([203, 0, 113, 10].into()),
            router: None,
            inside_only: false,
        }),
        forward: Some(Forward {
            on: Some(true),
            networks: vec!["192.168.10.0/24".parse().unwrap()],
            out: Some(accepted.clone()),
            back: Some(accepted),
            ..Forward::default()
        }),
        reverse_path: Some(ReversePath {
            strict: vec!["eth1".into()],
            bites: vec![Bite {
                interface: "eth1".into(),
                from: "192.168.20.7".into(),
                way_back: "through eth2".into(),
                certain: false,
            }],
            ..ReversePath::default()
        }),
        dns: vec![DnsServer {
            server: [192, 168, 10, 5].into(),
            answered: Some(std::time::Duration::from_millis(2)),
            answers_pool: Some(true),
        }],
        users: Some(Users { all: 12, barred: vec![("carol".into(), Code::A04)], soon: vec![] }),
        calls: Some(Calls {
            up: 211,
            failed: vec![
                Failed { code: Code::A01, count: 22, most_from: Some(("203.0.113.77".into(), 19)) },
                Failed { code: Code::G02, count: 11, most_from: None },
            ],
            denied: vec![],
        }),
        not_tested: [(Check::Return, "no host behind this one is known to ask".into())].into(),
        ..Host::default()
    };
    let facts = Facts { host, ..Facts::new(Vantage::Host, "vpn.example.org") };
    Report {
        lines: host::lines(&facts),
        verdict: judge(&facts),
        next: "from another network: adit doctor vpn.example.org".to_owned(),
    }
}

#[test]
fn for_people() {
    let text = report().text(&|_, word| word.to_owned());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn for_programs() {
    insta::assert_json_snapshot!(report().document());
}
