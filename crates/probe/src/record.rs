//! Recording of the test's own packets, as a pcap capture (Linux cooked).

use std::net::{IpAddr, Ipv4Addr};

use adit_capture::write;
use adit_sys::observe::{Observer, Seen};
use adit_wire::{LocalCallId, gre, icmp, ipv4};

/// LINKTYPE_LINUX_SLL: its header has the direction of each packet.
const COOKED: u16 = 113;
/// Maximum number of bytes recorded; a test needs a small part of that.
const KEPT_MAX: usize = 16 << 20;
/// Maximum number of packets taken at one time, so that the rest of the test can continue.
const TURN: usize = 256;
const DNS: u16 = 53;

/// Records the packets of the test, and no other traffic of this host.
pub(crate) struct Recorder {
    observer: Option<Observer>,
    pcap: Vec<u8>,
    buffer: Vec<u8>,
    servers: Vec<Ipv4Addr>,
    port: u16,
    /// Local ports of the test's own connections.
    ports: Vec<u16>,
    /// The name in DNS wire format.
    name: Vec<u8>,
    /// Our Call ID, which identifies GRE packets from other addresses.
    pub(crate) call_id: LocalCallId,
}

impl Recorder {
    pub(crate) fn new(observer: Option<Observer>, host: &str, port: u16, call_id: LocalCallId) -> Recorder {
        let mut name = Vec::new();
        for label in host.trim_end_matches('.').split('.') {
            name.push(label.len() as u8);
            name.extend_from_slice(label.to_ascii_lowercase().as_bytes());
        }
        Recorder {
            observer,
            pcap: write::header(COOKED).to_vec(),
            buffer: vec![0; 65_536],
            servers: Vec::new(),
            port,
            ports: Vec::new(),
            name,
            call_id,
        }
    }

    /// Whether packets can be captured.
    pub(crate) fn sees(&self) -> bool {
        self.observer.is_some()
    }

    pub(crate) fn observer(&self) -> Option<&Observer> {
        self.observer.as_ref()
    }

    /// Sets the servers: packets to and from these addresses belong to the test.
    pub(crate) fn set_servers(&mut self, servers: &[Ipv4Addr]) {
        self.servers = servers.to_vec();
    }

    /// Adds the local port of a connection of the test.
    pub(crate) fn add_port(&mut self, port: u16) {
        self.ports.push(port);
    }

    /// Records the packets since the last call.
    pub(crate) fn turn(&mut self) {
        for _ in 0..TURN {
            let Some(observer) = &self.observer else { return };
            match observer.receive(&mut self.buffer) {
                Ok(Some(seen)) => self.take(seen),
                Ok(None) => return,
                // An interface went down; the other sockets continue.
                Err(_) => {}
            }
        }
    }

    fn take(&mut self, seen: Seen) {
        let packet = self.buffer.get(..seen.len).unwrap_or_default();
        if !self.is_ours(packet) || self.pcap.len() + packet.len() > KEPT_MAX {
            return;
        }
        let ethertype: u16 =
            if packet.first().is_some_and(|first| first >> 4 == 6) { 0x86dd } else { 0x0800 };
        let kind: u16 = if seen.outgoing { 4 } else { 0 };
        let mut frame = Vec::with_capacity(16 + packet.len());
        for half in [kind, 1, 6, 0, 0, 0, 0, ethertype] {
            frame.extend_from_slice(&half.to_be_bytes());
        }
        frame.extend_from_slice(packet);
        write::frame(&mut self.pcap, seen.time, &frame, 16 + seen.total);
    }

    fn is_ours(&self, packet: &[u8]) -> bool {
        let Ok(ip) = ipv4::Packet::new_checked(packet) else { return self.asks_our_name(packet) };
        let (source, destination) = (ip.src(), ip.dst());
        let with_server = self.servers.contains(&source) || self.servers.contains(&destination);
        let half = |at: usize| {
            ip.payload().get(at..).and_then(|rest| rest.first_chunk()).map(|half| u16::from_be_bytes(*half))
        };
        match ip.protocol() {
            ipv4::TCP if with_server => {
                let (from, to) = (half(0), half(2));
                let is = |ours: Option<u16>, theirs: Option<u16>| {
                    theirs == Some(self.port) && ours.is_some_and(|ours| self.ports.contains(&ours))
                };
                is(from, to) || is(to, from)
            }
            gre::IP_PROTOCOL => with_server || half(6) == Some(self.call_id.get()),
            ipv4::ICMP => icmp::Packet::new_checked(ip.payload()).is_ok_and(|message| {
                let quoted = message.payload();
                let to =
                    quoted.get(16..).and_then(|rest| rest.first_chunk::<4>()).map(|a| Ipv4Addr::from(*a));
                let protocol = quoted.get(9).copied();
                matches!(message.kind(), 3 | 11)
                    && matches!(protocol, Some(ipv4::TCP | gre::IP_PROTOCOL))
                    && to.is_some_and(|to| self.servers.contains(&to))
            }),
            ipv4::UDP if half(0) == Some(DNS) || half(2) == Some(DNS) => self.asks_our_name(packet),
            _ => false,
        }
    }

    /// Whether this is a query for our name: queries for other names are not recorded.
    fn asks_our_name(&self, packet: &[u8]) -> bool {
        let lower = packet.to_ascii_lowercase();
        self.name.len() > 3 && lower.windows(self.name.len()).any(|window| window == self.name)
    }

    /// The capture so far.
    pub(crate) fn pcap(&self) -> &[u8] {
        &self.pcap
    }

    pub(crate) fn into_pcap(self) -> Vec<u8> {
        self.pcap
    }
}

/// The address, if it is IPv4.
pub(crate) fn v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use adit_wire::udp;

    const US: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 23);
    const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
    const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

    fn recorder() -> Recorder {
        let mut recorder = Recorder::new(None, "vpn.Example.org", 1723, LocalCallId::new(7));
        recorder.set_servers(&[SERVER]);
        recorder.add_port(40_000);
        recorder
    }

    fn packet(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
        ipv4::Repr::new(from, to, protocol).packet(payload)
    }

    fn tcp(from: u16, to: u16) -> Vec<u8> {
        [&from.to_be_bytes()[..], &to.to_be_bytes(), &[0; 16]].concat()
    }

    #[test]
    fn the_tests_own_packets_are_taken_and_no_others() {
        let recorder = recorder();
        let ours = |packet: &[u8]| recorder.is_ours(packet);
        assert!(ours(&packet(US, SERVER, ipv4::TCP, &tcp(40_000, 1723))));
        assert!(ours(&packet(SERVER, US, ipv4::TCP, &tcp(1723, 40_000))));
        assert!(!ours(&packet(US, SERVER, ipv4::TCP, &tcp(40_001, 1723))), "another program's call");
        assert!(!ours(&packet(US, OTHER, ipv4::TCP, &tcp(40_000, 1723))));
        let gre = |call: u8| [0x30, 0x01, 0x88, 0x0b, 0, 0, 0, call];
        assert!(ours(&packet(SERVER, US, gre::IP_PROTOCOL, &gre(9))));
        assert!(ours(&packet(OTHER, US, gre::IP_PROTOCOL, &gre(7))), "our call, from elsewhere");
        assert!(!ours(&packet(OTHER, US, gre::IP_PROTOCOL, &gre(9))));
    }

    #[test]
    fn of_dns_only_the_servers_own_name_is_taken() {
        let recorder = recorder();
        let asks = |name: &str| {
            let query = adit_netstack::query(1, name).unwrap();
            recorder.is_ours(&udp::datagram_v4((US, 4000), (OTHER, 53), &query))
        };
        assert!(asks("vpn.example.org") && asks("VPN.example.ORG"));
        assert!(!asks("example.org") && !asks("bank.example.com"));
    }

    #[test]
    fn an_icmp_error_is_taken_when_it_is_about_ours() {
        let recorder = recorder();
        let error = |about: &[u8]| {
            let prohibited = icmp::message(icmp::UNREACHABLE, 13, [0; 4], &about[..28]);
            recorder.is_ours(&packet(OTHER, US, ipv4::ICMP, &prohibited))
        };
        assert!(error(&packet(US, SERVER, ipv4::TCP, &tcp(40_000, 1723))));
        assert!(!error(&packet(US, OTHER, ipv4::TCP, &tcp(40_000, 1723))));
    }
}
