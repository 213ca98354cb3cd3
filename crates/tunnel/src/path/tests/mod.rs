//! Test fixtures: two connected paths, and a peer played by the test.

mod batch;
mod encryption;
mod forged;
mod gate;
mod gre;
mod mtu;
mod sent;
mod window;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::mppe::{StartKey, StartKeys, Strength};
use adit_ppp::mppe::Mppe;
use adit_wire::{checksum, icmp, ipv4, tcp, udp};

use super::*;

/// The client's address in the tunnel, and the server's.
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// A host behind the server.
const HOST: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);

/// A path with its clock and its output.
struct End {
    path: Path,
    now: Instant,
    out: Collected,
}

impl End {
    fn new(config: PathConfig) -> End {
        let now = Instant::now();
        End { path: Path::new(config, now), now, out: Collected::default() }
    }

    fn command(&mut self, command: PathCommand) {
        self.path.command(self.now, command);
    }

    fn gre(&mut self, packet: &[u8]) {
        self.path.handle_gre(self.now, &mut packet.to_vec(), &mut self.out);
    }

    fn ip(&mut self, packet: &[u8]) {
        let mut buffer = vec![0; HEADROOM];
        buffer.extend_from_slice(packet);
        self.path.handle_ip(self.now, &mut buffer, &mut self.out);
    }

    fn frame(&mut self, frame: &[u8]) {
        self.path.send_frame(self.now, frame, &mut self.out);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.path.handle_timeout(self.now, &mut self.out);
    }

    /// The GRE packets made since the last call.
    fn sent(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.out.gre)
    }

    fn counters(&self) -> Counters {
        self.path.counters()
    }
}

fn config() -> PathConfig {
    PathConfig { encryption_required: false, ..PathConfig::new(LocalCallId::new(7), PeerCallId::new(9)) }
}

fn network() -> Network {
    Network {
        peer_networks: vec![CLIENT.into()],
        acl: None,
        local: SERVER,
        mtu: 1400,
        answer_dhcp: false,
        ipv6: None,
    }
}

/// The server's end in clear, network up.
fn server() -> End {
    let mut end = End::new(config());
    end.command(PathCommand::Network(Some(network())));
    end
}

/// The client's end in clear, network up.
fn client() -> End {
    let mut end = End::new(PathConfig {
        encryption_required: false,
        ..PathConfig::new(LocalCallId::new(9), PeerCallId::new(7))
    });
    let network = Network { peer_networks: vec!["0.0.0.0/0".parse().unwrap()], local: CLIENT, ..network() };
    end.command(PathCommand::Network(Some(network)));
    end
}

/// Encryption as agreed, for one side.
fn mppe(server: bool, stateless: bool) -> Mppe {
    let (a, b) = (StartKey::new([0xa5; 16]), StartKey::new([0x5a; 16]));
    let keys = if server { StartKeys { send: a, receive: b } } else { StartKeys { send: b, receive: a } };
    Mppe { strength: Strength::Bits128, stateless, keys }
}

/// Both ends encrypted, network up.
fn encrypted_pair() -> (End, End) {
    let (mut server, mut client) = (server(), client());
    server.command(PathCommand::Encryption(Some(mppe(true, true))));
    client.command(PathCommand::Encryption(Some(mppe(false, true))));
    (server, client)
}

fn ipv4_packet(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let header = ipv4::Repr::new(src, dst, protocol);
    ipv4::Repr { identification: 77, dont_fragment: true, ..header }.packet(payload)
}

/// A ping from the client with a total length of `len` octets, at least 28; `number` identifies it.
fn ping(number: u16, len: usize) -> Vec<u8> {
    ipv4_packet(CLIENT, HOST, ipv4::ICMP, &icmp::echo_request(0, number, &vec![0; len - 28]))
}

/// The corresponding answer to the client.
fn pong(number: u16, len: usize) -> Vec<u8> {
    let mut packet = ping(number, len);
    packet[12..16].copy_from_slice(&HOST.octets());
    packet[16..20].copy_from_slice(&CLIENT.octets());
    packet
}

/// A TCP segment of 20 octets of header and one option of 4, with a right checksum.
fn tcp_segment(src: Ipv4Addr, dst: Ipv4Addr, flags: u8, mss: u16) -> Vec<u8> {
    let [high, low] = mss.to_be_bytes();
    let mut segment =
        vec![0x10, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, flags, 0xff, 0xff, 0, 0, 0, 0, 2, 4, high, low];
    let sum = checksum::Sum::default().pseudo_v4(src, dst, ipv4::TCP, 24).with(&segment).finish();
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    ipv4_packet(src, dst, ipv4::TCP, &segment)
}

fn tcp_is_right(packet: &[u8]) -> bool {
    let ip = ipv4::Packet::new_checked(packet).unwrap();
    let len = ip.payload().len() as u16;
    checksum::Sum::default().pseudo_v4(ip.src(), ip.dst(), ipv4::TCP, len).with(ip.payload()).finish() == 0
}

fn mss_of(packet: &[u8]) -> u16 {
    tcp::Packet::new_checked(ipv4::Packet::new_checked(packet).unwrap().payload()).unwrap().mss().unwrap()
}

fn dhcp_inform() -> Vec<u8> {
    let mut data = vec![0; 240];
    (data[0], data[1], data[2]) = (1, 8, 6);
    data[12..16].copy_from_slice(&CLIENT.octets());
    data[236..].copy_from_slice(&[99, 130, 83, 99]);
    data.extend_from_slice(&[53, 1, 8, 255]);
    udp::datagram_v4((CLIENT, 68), (Ipv4Addr::BROADCAST, 67), &data)
}

/// A GRE packet to the path with Call ID 7, built by the test.
fn packet(seq: u32, frame: &[u8]) -> Vec<u8> {
    adit_wire::gre::packet(7, Some(seq), None, frame)
}

/// An IPv4 frame in clear.
fn clear(inner: &[u8]) -> Vec<u8> {
    [&[0xff, 0x03, 0x00, 0x21], inner].concat()
}

const LCP_ECHO: [u8; 12] = [0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0];
