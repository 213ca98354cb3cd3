//! A host's own packets, seen both ways.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, SystemTime};

use adit_sys::observe::Observer;
use adit_testbed::{Host, wait_until, wire};

#[test]
fn what_belongs_to_pptp_is_seen_both_ways_and_nothing_else() {
    let (one, two) = (Host::new("one"), Host::new("two"));
    wire((&one, "eth0", "192.0.2.1/24"), (&two, "eth0", "192.0.2.2/24"));
    one.ping("192.0.2.2".parse().unwrap());
    let observer = one.run(|| Observer::open(1723).unwrap());
    let listener = two.run(|| TcpListener::bind("192.0.2.2:1723").unwrap());
    let other = two.run(|| TcpListener::bind("192.0.2.2:80").unwrap());
    drop(one.run(|| TcpStream::connect("192.0.2.2:80").unwrap()));
    drop(one.run(|| TcpStream::connect("192.0.2.2:1723").unwrap()));
    let udp = one.run(|| UdpSocket::bind("192.0.2.1:0").unwrap());
    udp.send_to(b"question", "192.0.2.2:53").unwrap();
    udp.send_to(b"elsewhere", "192.0.2.2:54").unwrap();
    let (mut packet, mut seen) = ([0; 2048], Vec::new());
    let port = |packet: &[u8]| u16::from_be_bytes([packet[22], packet[23]]);
    wait_until("the packets", Duration::from_secs(10), || {
        while let Some(found) = observer.receive(&mut packet).unwrap() {
            let age = SystemTime::UNIX_EPOCH.elapsed().unwrap().abs_diff(found.time);
            assert!(age < Duration::from_secs(60), "{found:?}");
            assert_eq!((found.len, packet[0] >> 4), (found.total, 4));
            seen.push((packet[9], found.outgoing, port(&packet)));
        }
        // Wait for the ICMP errors about both datagrams; the second has no other trace.
        seen.iter().filter(|(protocol, outgoing, _)| (*protocol, *outgoing) == (1, false)).count() == 2
    });
    assert!(seen.contains(&(6, true, 1723)), "the SYN: {seen:?}");
    assert!(seen.iter().any(|(protocol, outgoing, _)| (*protocol, *outgoing) == (6, false)), "{seen:?}");
    assert!(seen.contains(&(17, true, 53)), "{seen:?}");
    assert!(!seen.iter().any(|(protocol, _, port)| (*protocol, *port) == (6, 80)), "{seen:?}");
    assert!(!seen.contains(&(17, true, 54)), "{seen:?}");
    drop((listener, other));
}
