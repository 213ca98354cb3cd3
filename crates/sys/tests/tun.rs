//! The TUN device of a real kernel.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use adit_diag::Code;
use adit_sys::Kind;
use adit_sys::poll::{Interest, Poller};
use adit_sys::tun::{Gso, Offload, Tun, TunOptions, VnetHeader};
use adit_testbed::{Answer, Host, Request, wait_until, wire};

const SOON: Duration = Duration::from_secs(20);

fn open(host: &Host, options: &TunOptions) -> Tun {
    let tun = host.run(|| Tun::open(options).unwrap());
    host.sysctl(&format!("net.ipv6.conf.{}.disable_ipv6", tun.name()), "1");
    tun
}

fn up(host: &Host, tun: &Tun, address: &str) {
    host.ip(&format!("address add {address} dev {}", tun.name()));
    host.ip(&format!("link set dev {} mtu 1400 up", tun.name()));
}

#[test]
fn the_first_free_number_becomes_the_name_and_the_interface_is_removed_with_its_owner() {
    let host = Host::new("host");
    let first = open(&host, &TunOptions::default());
    let second = open(&host, &TunOptions::default());
    assert_eq!((first.name(), second.name()), ("adit0", "adit1"));
    assert_eq!(first.offload(), Offload::Tcp);
    drop(first);
    wait_until("adit0 to go", SOON, || !host.try_sh("ip link show adit0").ok);
    assert!(host.try_sh("ip link show adit1").ok);
}

#[test]
fn packets_pass_both_ways() {
    let host = Host::new("host");
    let tun = open(&host, &TunOptions { offload: Offload::None, ..TunOptions::default() });
    up(&host, &tun, "10.0.0.1/24");
    let mut packet = [0; 2048];
    assert!(tun.read(&mut packet).unwrap().is_none(), "nothing yet");

    let socket = host.run(|| UdpSocket::bind("10.0.0.1:7").unwrap());
    socket.send_to(b"out", "10.0.0.9:9").unwrap();
    let (header, len) = tun.read(&mut packet).unwrap().expect("a packet");
    assert_eq!(header, VnetHeader::default());
    assert_eq!((&packet[12..20], &packet[28..len]), (&[10, 0, 0, 1, 10, 0, 0, 9][..], &b"out"[..]));

    // Back with the addresses and ports exchanged: the sums stay right.
    let mut answer = packet[..len].to_vec();
    answer[12..16].copy_from_slice(&packet[16..20]);
    answer[16..20].copy_from_slice(&packet[12..16]);
    answer[20..22].copy_from_slice(&packet[22..24]);
    answer[22..24].copy_from_slice(&packet[20..22]);
    let (one, rest) = answer.split_at(23);
    tun.write(VnetHeader::default(), &[one, &rest[..5], &rest[5..]]).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let mut text = [0; 16];
    let (n, from) = socket.recv_from(&mut text).unwrap();
    assert_eq!((&text[..n], from.to_string().as_str()), (&b"out"[..], "10.0.0.9:9"));
}

/// Carries packets between two TUN interfaces until stopped; returns how many were super-packets.
fn join(tuns: [Tun; 2], stop: &AtomicBool, large: &AtomicUsize) {
    let poller = Poller::new().unwrap();
    for (token, tun) in (0..).zip(&tuns) {
        poller.add(tun, token, Interest::Read).unwrap();
    }
    let mut packet = vec![0; 65_536];
    while !stop.load(Ordering::Relaxed) {
        poller.wait(Some(Duration::from_millis(20)), |_| ()).unwrap();
        for (from, to) in [(&tuns[0], &tuns[1]), (&tuns[1], &tuns[0])] {
            while let Some((header, len)) = from.read(&mut packet).unwrap() {
                if header.gso == Gso::TcpV4 {
                    assert!(header.gso_size > 0 && header.header_len >= 40, "{header:?}");
                    large.fetch_add(1, Ordering::Relaxed);
                }
                let (a, b) = packet[..len].split_at(len.min(61));
                to.write(header, &[a, b]).unwrap();
            }
        }
    }
}

fn transfer(offload: Offload) -> usize {
    let (a, b) = (Host::new("a"), Host::new("b"));
    let options = TunOptions { offload, ..TunOptions::default() };
    let tuns = [open(&a, &options), open(&b, &options)];
    up(&a, &tuns[0], "10.0.0.1/24");
    up(&b, &tuns[1], "10.0.0.2/24");
    let (stop, large) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|s| {
        s.spawn(|| join(tuns, &stop, &large));
        a.ping(Ipv4Addr::new(10, 0, 0, 2));
        let octets: Vec<u8> = (0..8u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let listener = b.run(|| TcpListener::bind("10.0.0.2:9").unwrap());
        let reader = s.spawn(move || {
            let mut all = Vec::new();
            listener.accept().unwrap().0.read_to_end(&mut all).unwrap();
            all
        });
        a.run(|| TcpStream::connect("10.0.0.2:9").unwrap().write_all(&octets).unwrap());
        assert!(reader.join().unwrap() == octets, "the stream arrives as it was sent");
        stop.store(true, Ordering::Relaxed);
    });
    large.into_inner()
}

#[test]
fn super_packets_pass_whole_with_offload() {
    let large = transfer(Offload::Tcp);
    assert!(large > 50, "{large} super-packets");
}

#[test]
fn without_offload_every_packet_is_whole_and_small() {
    assert_eq!(transfer(Offload::None), 0);
}

#[test]
fn udp_offload_is_requested_or_left_out() {
    let host = Host::new("host");
    let tun = open(&host, &TunOptions { offload: Offload::TcpUdp, ..TunOptions::default() });
    assert!(tun.offload() >= Offload::Tcp, "{:?}", tun.offload());
}

#[test]
fn queues_of_one_interface_share_its_packets() {
    let host = Host::new("host");
    let first = open(&host, &TunOptions { multi_queue: true, ..TunOptions::default() });
    let second = host.run(|| first.another_queue().unwrap());
    assert_eq!(first.name(), second.name());
    up(&host, &first, "10.0.0.1/24");
    let mut seen = [0; 2];
    let mut packet = vec![0; 65_536];
    host.run(|| {
        for port in 1000..1100 {
            UdpSocket::bind("10.0.0.1:0").unwrap().send_to(b"x", ("10.0.0.9", port)).unwrap();
            for (count, tun) in seen.iter_mut().zip([&first, &second]) {
                while tun.read(&mut packet).unwrap().is_some() {
                    *count += 1;
                }
            }
        }
    });
    assert_eq!(seen[0] + seen[1], 100);
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

#[test]
fn writing_to_a_down_interface_is_an_error() {
    let host = Host::new("host");
    let tun = open(&host, &TunOptions::default());
    let mut packet = [0u8; 28];
    packet[0] = 0x45;
    let error = tun.write(VnetHeader::default(), &[&packet]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EIO));
    let many = vec![&packet[..]; 65];
    assert_eq!(tun.write(VnetHeader::default(), &many).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn unavailable_names_are_errors_with_a_reason() {
    let host = Host::new("host");
    let taken = open(&host, &TunOptions { name: "vpn".to_owned(), ..TunOptions::default() });
    wire((&host, "eth0", ""), (&host, "eth1", ""));
    let fail = |name: &str| {
        let options = TunOptions { name: name.to_owned(), ..TunOptions::default() };
        host.run(|| Tun::open(&options).unwrap_err())
    };
    let busy = fail(taken.name());
    assert_eq!(busy.kind(), Kind::Busy);
    assert!(busy.to_string().contains("vpn"), "{busy}");
    let foreign = fail("eth0");
    assert!(foreign.fix().contains("choose another name"), "{foreign}");
    for wrong in ["", "a name", "a/b", "sixteen-letters-"] {
        assert!(fail(wrong).fix().contains("1 to 15"), "{wrong:?}");
    }
}

#[test]
fn a_ping_is_limited_by_the_mtu_of_the_interface() {
    let (a, b) = (Host::new("a"), Host::new("b"));
    wire((&a, "eth0", "192.0.2.1/24"), (&b, "eth0", "192.0.2.2/24"));
    let to = Ipv4Addr::new(192, 0, 2, 2);
    a.ping(to);
    let whole = |size| Request { size, dont_fragment: true, timeout: SOON, ..Request::new(to) };
    assert!(matches!(a.try_ping(&whole(1500)), Ok(Answer::Reply(_))));
    assert!(matches!(a.try_ping(&whole(1501)), Ok(Answer::Error { from: None, .. })));
}

#[test]
fn without_the_capability_the_error_names_it() {
    const INSIDE: &str = "ADIT_TEST_WITHOUT_CAPABILITY";
    if std::env::var_os(INSIDE).is_some() {
        let error = Tun::open(&TunOptions::default()).unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::NotPermitted, Some(Code::S08)));
        println!("seen: {error}");
        return;
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin"]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "without_the_capability_the_error_names_it", "--nocapture"]);
    let output = Host::new("host").command(command.env(INSIDE, "1"));
    assert!(output.ok && output.stdout.contains("this needs CAP_NET_ADMIN"), "{output}");
}
