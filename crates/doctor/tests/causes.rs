//! Whose fault it is: what the place of the capture, or a device's own words, say for one cause and against another.

mod common;

use std::net::{IpAddr, Ipv4Addr};

use adit_diag::{Code, Layer};
use adit_doctor::facts::*;
use adit_doctor::{Facts, Owner, Side, judge};

use common::*;

/// The causes, with who can fix each.
fn causes(f: &Facts, code: Code) -> Vec<(Owner, String)> {
    let verdict = judge(f);
    assert_eq!(verdict.first_failure, Some(code), "{verdict}");
    verdict.causes.into_iter().map(|cause| (cause.owner, cause.text)).collect()
}

fn owners(f: &Facts, code: Code) -> Vec<Owner> {
    causes(f, code).into_iter().map(|(owner, _)| owner).collect()
}

fn refused_by(from: Ipv4Addr) -> Facts {
    let mut f = up_to(D, Layer::Name);
    f.tcp.connect = Some(seen(Connect::Unreachable { from: from.into(), code: 13 }));
    f
}

#[test]
fn a_device_that_rejects_tcp() {
    assert_eq!(owners(&refused_by(HOME), Code::C01), [Owner::ClientNetwork]);
    assert_eq!(owners(&refused_by(Ipv4Addr::new(198, 51, 100, 1)), Code::C01), [Owner::Provider]);
    assert_eq!(owners(&refused_by(Ipv4Addr::new(203, 0, 113, 1)), Code::C01), [Owner::ServerNetwork]);
    assert_eq!(owners(&refused_by(SERVER), Code::C01), [Owner::Server]);
    assert!(causes(&refused_by(HOME), Code::C01)[0].1.contains("192.168.1.1"));
}

#[test]
fn a_device_that_rejects_gre() {
    let refused = |from: Ipv4Addr, about| {
        let mut f = granted(PS, 0, 4);
        f.gre.errors = vec![seen(IcmpError { from: IpAddr::V4(from), kind: 3, code: 2, about, mtu: None })];
        owners(&f, Code::G01)
    };
    // The client's NAT router does not know whose the server's GRE is.
    assert_eq!(refused(Ipv4Addr::new(198, 51, 100, 7), Side::Server), [Owner::ClientNetwork]);
    assert_eq!(refused(SERVER, Side::Client), [Owner::Server]);
}

#[test]
fn beside_the_server_what_came_by_is_not_lost_before() {
    let mut f = granted(PS, 4, 4);
    f.gre.to_client.arrival = Arrival::Proven;
    assert_eq!(causes(&f, Code::G02).len(), 1, "{:?}", causes(&f, Code::G02));
    assert!(causes(&f, Code::G02)[0].1.contains("on the server's side"));
}

#[test]
fn beside_the_server_what_never_came_is_not_lost_in_it() {
    let f = granted(PS, 0, 4);
    let causes = causes(&f, Code::G02);
    assert!(causes.iter().all(|(_, text)| !text.contains("drops incoming GRE")), "{causes:?}");
    assert!(causes.iter().any(|(_, text)| text.contains("before the server")), "{causes:?}");
}

#[test]
fn beside_the_server_its_own_silence_is_not_the_clients_router() {
    let f = granted(PS, 4, 0);
    assert!(!owners(&f, Code::G03).contains(&Owner::ClientNetwork));
}

#[test]
fn who_is_silent_is_asked_about() {
    for (asked_by, owner) in [(Side::Client, Owner::Server), (Side::Server, Owner::Client)] {
        let mut f = up_to(PS, Layer::Address);
        f.lcp.echo_lost = Some(seen(EchoLost { asked_by, count: 4, control_lives: Some(false) }));
        assert_eq!(owners(&f, Code::L04)[0], owner);
    }
}

#[test]
fn the_servers_record_is_of_its_own_echoes() {
    let mut f = up_to(R, Layer::Address);
    f.reported = Some(Reported { code: Code::L04, detail: String::new() });
    assert_eq!(owners(&f, Code::L04)[0], Owner::Client);
}

#[test]
fn the_end_of_a_call_is_no_second_cause_of_its_fault() {
    let mut f = up_to(D, Layer::Gre);
    f.lcp.looped_back = Some(seen(0x1234_5678));
    f.lcp.terminated = Some(seen(Terminated { by: Side::Server, text: String::new() }));
    assert_eq!(causes(&f, Code::L02).len(), 1);
}

#[test]
fn an_address_that_is_lent_twice_is_the_servers() {
    let mut f = up_to(PS, Layer::Address);
    f.address.twice = Some(seen(Ipv4Addr::new(10, 99, 0, 10)));
    assert_eq!(owners(&f, Code::I03), [Owner::Server]);
}
