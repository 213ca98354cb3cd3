use super::*;
use crate::packet::{Kind, Segment};

const INSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);
const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn gre(src: Ipv4Addr, dst: Ipv4Addr) -> Packet {
    Packet { src, dst, body: Body::Gre(vec![0x30, 1, 0x88, 0x0b, 0, 0, 0, 9]) }
}

fn syn() -> Packet {
    let segment = Segment { src_port: 40_000, dst_port: 1723, kind: Kind::Syn };
    Packet { src: INSIDE, dst: SERVER, body: Body::Tcp(segment) }
}

#[test]
fn a_rule_drops_its_packets_from_its_time_on() {
    let now = Instant::now();
    let later = now + Duration::from_secs(5);
    let mut firewall = Firewall::new(ROUTER).with(What::GreOut, later, Action::Drop);
    assert!(matches!(firewall.outward(now, gre(INSIDE, SERVER)), Verdict::Pass(_)));
    assert!(matches!(firewall.outward(later, gre(INSIDE, SERVER)), Verdict::Drop(_)));
    assert!(matches!(firewall.inward(later, gre(SERVER, INSIDE)), Verdict::Pass(_)));
    assert!(matches!(firewall.outward(later, syn()), Verdict::Pass(_)));
}

#[test]
fn a_rejection_is_answered() {
    let now = Instant::now();
    let mut firewall = Firewall::new(ROUTER).with(What::Tcp, now, Action::Reject(0)).with(
        What::GreOut,
        now,
        Action::Reject(13),
    );
    let Verdict::Answer(reset) = firewall.outward(now, syn()) else { panic!() };
    assert_eq!((reset.src, reset.dst), (SERVER, INSIDE));
    assert!(matches!(reset.body, Body::Tcp(Segment { kind: Kind::Rst, dst_port: 40_000, .. })));
    let Verdict::Answer(icmp) = firewall.outward(now, gre(INSIDE, SERVER)) else { panic!() };
    assert_eq!((icmp.src, icmp.dst), (ROUTER, INSIDE));
    let Body::Unreachable(unreachable) = icmp.body else { panic!() };
    assert_eq!((unreachable.code, unreachable.quoted_dst, unreachable.quoted[7]), (13, SERVER, 9));
}

#[test]
fn tracking_lets_answers_in_until_it_forgets() {
    let now = Instant::now();
    let seconds = |n| now + Duration::from_secs(n);
    let mut firewall = Firewall::new(ROUTER).tracking(Duration::from_secs(30));
    assert!(matches!(firewall.inward(now, gre(SERVER, INSIDE)), Verdict::Drop(_)));
    firewall.outward(now, gre(INSIDE, SERVER));
    assert!(matches!(firewall.inward(seconds(29), gre(SERVER, INSIDE)), Verdict::Pass(_)));
    assert!(matches!(firewall.inward(seconds(58), gre(SERVER, INSIDE)), Verdict::Pass(_)));
    assert!(matches!(firewall.inward(seconds(88), gre(SERVER, INSIDE)), Verdict::Drop(_)));
    firewall.outward(seconds(90), gre(INSIDE, SERVER));
    assert!(matches!(firewall.inward(seconds(91), gre(SERVER, INSIDE)), Verdict::Pass(_)));
}
