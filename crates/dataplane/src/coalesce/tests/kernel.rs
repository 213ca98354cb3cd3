//! Tests with real kernels: their packets are segmented, joined again, and accepted by a kernel.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adit_sys::poll::{Interest, Poller};
use adit_sys::tun::{Tun, TunOptions};
use adit_testbed::{Host, wire};

use super::*;

const BATCH: usize = 64;
const SLOT: usize = 2048;

/// Two TUN interfaces and a simulated tunnel between them.
struct Tunnel {
    tuns: [Tun; 2],
    /// If set, every n-th large packet towards the second interface is damaged.
    damage_every: Option<usize>,
    coalescer: Coalescer,
    slots: Memory,
    used: usize,
    report: Report,
}

#[derive(Clone, Copy, Debug, Default)]
struct Report {
    /// The number of segments with data towards the second interface.
    segments: usize,
    /// The number of writes there with more than one segment.
    joined: usize,
    writes: usize,
    damaged: usize,
}

impl Tunnel {
    fn new(tuns: [Tun; 2], damage_every: Option<usize>) -> Tunnel {
        Tunnel {
            tuns,
            damage_every,
            coalescer: Coalescer::new(),
            slots: Memory(vec![vec![0; SLOT]; BATCH]),
            used: 0,
            report: Report::default(),
        }
    }

    /// Carries packets until it is stopped.
    fn run(mut self, stop: &AtomicBool) -> Report {
        let poller = Poller::new().unwrap();
        for (token, tun) in (0..).zip(&self.tuns) {
            poller.add(tun, token, Interest::Read).unwrap();
        }
        let mut packet = vec![0; 65_536];
        while !stop.load(Ordering::Relaxed) {
            poller.wait(Some(Duration::from_millis(20)), |_| ()).unwrap();
            for to in [0, 1] {
                while let Some((header, len)) = self.tuns[1 - to].read(&mut packet).unwrap() {
                    self.carry(header, &mut packet[..len], to);
                }
                self.flush(to);
            }
        }
        self.report
    }

    fn carry(&mut self, header: VnetHeader, packet: &mut [u8], to: usize) {
        if header.gso == Gso::None {
            assert!(complete_checksum(header, packet));
            self.slots.0[self.used][..packet.len()].copy_from_slice(packet);
            return self.note(packet.len(), to);
        }
        let mut segments = Segments::new(header, packet).unwrap();
        while let Some(len) = segments.next_into(&mut self.slots.0[self.used]) {
            self.note(len, to);
        }
    }

    fn note(&mut self, len: usize, to: usize) {
        if to == 1 && len > 1000 {
            self.report.segments += 1;
            if self.damage_every.is_some_and(|every| self.report.segments.is_multiple_of(every)) {
                self.report.damaged += 1;
                self.slots.0[self.used][len - 1] ^= 1;
            }
        }
        self.coalescer.push(self.used, 0..len);
        self.used += 1;
        if self.used == BATCH {
            self.flush(to);
        }
    }

    fn flush(&mut self, to: usize) {
        let report = &mut self.report;
        self.coalescer.flush(&mut self.slots, |header, slices| {
            self.tuns[to].write(header, slices).unwrap();
            if to == 1 {
                report.writes += 1;
                report.joined += usize::from(header.gso != Gso::None);
            }
        });
        self.used = 0;
    }
}

fn up(host: &Host, addresses: [&str; 2]) -> Tun {
    host.sysctl("net.ipv4.tcp_ecn", "1");
    let tun = host.run(|| Tun::open(&TunOptions::default()).unwrap());
    host.ip(&format!("link set dev {} mtu 1400 up", tun.name()));
    for address in addresses {
        let nodad = if address.contains(':') { "nodad" } else { "" };
        host.ip(&format!("address add {address} dev {} {nodad}", tun.name()));
    }
    tun
}

/// The errors counted by the TCP of the host: the total, and checksum errors.
fn errors(host: &Host) -> [usize; 2] {
    let all = host.sh("cat /proc/net/snmp");
    let mut lines = all.lines().filter(|line| line.starts_with("Tcp:")).map(str::split_whitespace);
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let of = |name| names.clone().zip(values.clone()).find(|(n, _)| *n == name).unwrap().1.parse().unwrap();
    [of("InErrs"), of("InCsumErrors")]
}

/// Sends a stream through a tunnel to `address` on `receiver`.
fn stream(sender: &Host, receiver: &Host, tunnel: Tunnel, address: &str) -> Report {
    let stop = AtomicBool::new(false);
    std::thread::scope(|s| {
        let carrier = s.spawn(|| tunnel.run(&stop));
        let octets: Vec<u8> = (0..8u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let listener = receiver.run(|| TcpListener::bind(address).unwrap());
        let reader = s.spawn(move || {
            let mut all = Vec::new();
            listener.accept().unwrap().0.read_to_end(&mut all).unwrap();
            all
        });
        sender.run(|| TcpStream::connect(address).unwrap().write_all(&octets).unwrap());
        assert!(reader.join().unwrap() == octets, "the stream arrives as it was sent");
        stop.store(true, Ordering::Relaxed);
        carrier.join().unwrap()
    })
}

fn pair() -> (Host, Host, [Tun; 2]) {
    let (a, b) = (Host::new("a"), Host::new("b"));
    let tuns = [up(&a, ["10.0.0.1/24", "fd00::1/64"]), up(&b, ["10.0.0.2/24", "fd00::2/64"])];
    (a, b, tuns)
}

#[test]
fn a_kernel_takes_joined_segments_without_an_error() {
    for address in ["10.0.0.2:9", "[fd00::2]:9"] {
        let (a, b, tuns) = pair();
        let report = stream(&a, &b, Tunnel::new(tuns, None), address);
        assert_eq!(errors(&b), [0, 0], "{address}");
        assert!(report.segments > 5000 && report.joined > 50, "{report:?}");
        assert!(report.writes < report.segments / 2, "{report:?}");
    }
}

#[test]
fn a_kernel_sees_every_damaged_segment_and_no_other() {
    let (a, b, tuns) = pair();
    let report = stream(&a, &b, Tunnel::new(tuns, Some(500)), "10.0.0.2:9");
    assert!(report.damaged > 5 && report.joined > 50, "{report:?}");
    assert_eq!(errors(&b), [report.damaged; 2]);
}

#[test]
fn a_kernel_that_forwards_them_cuts_them_again() {
    let (a, b, tuns) = pair();
    let c = Host::new("c");
    wire((&b, "eth0", "192.0.2.1/24"), (&c, "eth0", "192.0.2.2/24"));
    b.sysctl("net.ipv4.ip_forward", "1");
    // No packet is larger than a frame, as on a network card without offload.
    b.ip("link set dev eth0 gso_max_size 1500");
    a.ip("route add 192.0.2.0/24 via 10.0.0.2");
    c.ip("route add 10.0.0.0/24 via 192.0.2.1");
    let report = stream(&a, &c, Tunnel::new(tuns, None), "192.0.2.2:9");
    assert!(report.joined > 50, "{report:?}");
    assert_eq!((errors(&b), errors(&c)), ([0, 0], [0, 0]));
    let received = c.sh("awk '$1 == \"eth0:\" { print $3 }' /proc/net/dev").trim().parse::<usize>().unwrap();
    assert!(received >= report.segments, "{received} packets of {report:?}");
}
