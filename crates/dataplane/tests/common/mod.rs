//! Two data planes in namespaces of their own, without a control connection.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use adit_crypto::mppe::{StartKey, StartKeys, Strength};
use adit_dataplane::{Dataplane, DataplaneConfig, Events};
use adit_diag::Counters;
use adit_ppp::mppe::Mppe;
use adit_sys::tun::{Tun, TunOptions};
use adit_testbed::Host;
use adit_tunnel::path::{Network, PathCommand, PathConfig};
use adit_wire::{LocalCallId, PeerCallId};

/// Addresses inside the tunnel.
pub const INNER: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
/// Addresses outside.
pub const OUTER: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)];

/// One end of a tunnel.
pub struct Site {
    pub plane: Dataplane,
    pub events: Events,
    pub call_id: LocalCallId,
    /// 0 or 1.
    pub number: usize,
}

impl Site {
    /// Starts a data plane on `host`; its GRE goes between the outer addresses.
    pub fn new(host: &Host, number: usize, config: DataplaneConfig) -> Site {
        // With two workers one of them reads for both; with more each has a queue of its own.
        let options = TunOptions { multi_queue: config.worker_count() > 2, ..TunOptions::default() };
        let options = TunOptions { name: "adit0".to_owned(), ..options };
        let tun = host.run(|| Tun::open(&options).unwrap());
        let (own, peer) = (INNER[number], INNER[1 - number]);
        host.sh(&format!("ip link set adit0 mtu 1400 up; ip address add {own} peer {peer} dev adit0"));
        let config = DataplaneConfig { networks: vec!["10.0.0.0/24".parse().unwrap()], ..config };
        let (plane, events) = host.run(|| Dataplane::start(config, tun).unwrap());
        let call_id = plane.reserve_call_id(OUTER[1 - number]).unwrap();
        Site { plane, events, call_id, number }
    }

    /// Opens the call towards the peer's Call ID, IP up, encrypted or not.
    pub fn open(&self, peer_call_id: PeerCallId, encrypted: bool) {
        let (own, peer) = (self.number, 1 - self.number);
        let config =
            PathConfig { encryption_required: encrypted, ..PathConfig::new(self.call_id, peer_call_id) };
        self.plane.open(self.call_id, OUTER[own], OUTER[peer], config);
        self.plane.command(self.call_id, PathCommand::Link { peer_mru: 1404, pfc: true, acfc: true });
        if encrypted {
            let (a, b) = (StartKey::new([0xa5; 16]), StartKey::new([0x5a; 16]));
            let keys =
                if own == 0 { StartKeys { send: a, receive: b } } else { StartKeys { send: b, receive: a } };
            let mppe = Mppe { strength: Strength::Bits128, stateless: true, keys };
            self.plane.command(self.call_id, PathCommand::Encryption(Some(mppe)));
        }
        let network = Network {
            peer_networks: vec![INNER[peer].into(), "172.16.0.0/12".parse().unwrap()],
            acl: None,
            local: INNER[own],
            mtu: 1400,
            answer_dhcp: false,
            ipv6: None,
        };
        self.plane.command(self.call_id, PathCommand::Network(Some(network)));
    }

    /// What the other site calls the call by: the Call ID that this one gave.
    pub fn named_by_peer(&self) -> PeerCallId {
        PeerCallId::new(self.call_id.get())
    }

    pub fn counters(&self) -> Counters {
        self.plane.counters(self.call_id).unwrap()
    }
}

/// Two sites, connected.
pub fn pair(a: &Host, b: &Host, config: &DataplaneConfig, encrypted: bool) -> [Site; 2] {
    let sites = [Site::new(a, 0, config.clone()), Site::new(b, 1, config.clone())];
    sites[0].open(sites[1].named_by_peer(), encrypted);
    sites[1].open(sites[0].named_by_peer(), encrypted);
    sites
}

/// Sends `len` octets over TCP from one host to `address` on the other, and checks every one of them.
pub fn transfer(from: &Host, to: &Host, address: Ipv4Addr, len: usize) {
    let octet = |n: usize| (n ^ (n >> 8) ^ (n >> 16)) as u8;
    let listener = to.run(|| TcpListener::bind((address, 0)).unwrap());
    let port = listener.local_addr().unwrap().port();
    let receiver = to.thread(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut buffer = vec![0; 1 << 16];
        let mut got = 0;
        loop {
            let n = stream.read(&mut buffer).unwrap();
            if n == 0 {
                return got;
            }
            for (at, value) in buffer[..n].iter().enumerate() {
                assert_eq!(*value, octet(got + at), "octet {}", got + at);
            }
            got += n;
        }
    });
    from.run(|| {
        let mut stream = TcpStream::connect((address, port)).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        let data: Vec<u8> = (0..len).map(octet).collect();
        stream.write_all(&data).unwrap();
    });
    assert_eq!(receiver.join().unwrap(), len);
}
