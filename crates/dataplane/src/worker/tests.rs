//! Tests of workers with in-process queues as their I/O.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use adit_crypto::mppe::{StartKey, StartKeys, Strength};
use adit_ppp::mppe::Mppe;
use adit_sys::poll::Waker;
use adit_tunnel::path::{Network, Origin, PathConfig};
use adit_wire::{icmp, ipv4, tcp, udp};

use super::*;
use crate::counters::{SharedCounters, SharedDrops};
use crate::event::{self, Events};
use crate::order::{self, Open};

const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const CLIENT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
const INNER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const HOST: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);

/// The environment of a worker.
#[derive(Default)]
struct World {
    gre_in: VecDeque<(Ipv4Addr, Vec<u8>)>,
    gre_out: Vec<(Ipv4Addr, Option<Ipv4Addr>, Vec<u8>)>,
    icmp: VecDeque<IcmpReport>,
    tun_in: VecDeque<(VnetHeader, Vec<u8>)>,
    tun_out: Vec<Vec<u8>>,
    /// The number of packets that the network accepts in a flush; `None` for all.
    takes: Option<usize>,
    /// The number of packets that the kernel has dropped on receipt.
    overflowed: u64,
}

type Shared = Rc<RefCell<World>>;

struct FakeIn(Shared, Vec<(Ipv4Addr, Vec<u8>)>);

impl GreIn for FakeIn {
    fn receive(&mut self, _: Ask) -> io::Result<usize> {
        let mut world = self.0.borrow_mut();
        let n = world.gre_in.len().min(64);
        self.1 = world.gre_in.drain(..n).collect();
        Ok(n)
    }

    fn packet(&mut self, index: usize) -> Option<(Ipv4Addr, &mut [u8])> {
        self.1.get_mut(index).map(|(source, packet)| (*source, &mut packet[..]))
    }

    fn octets(&self, index: usize) -> &[u8] {
        self.1.get(index).map(|(_, packet)| &packet[..]).unwrap_or_default()
    }

    fn packets(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.1.iter_mut().map(|(_, packet)| &mut packet[..])
    }

    fn damaged(&self) -> u64 {
        0
    }

    fn overflowed(&self) -> u64 {
        self.0.borrow().overflowed
    }

    fn icmp(&mut self) -> Option<IcmpReport> {
        self.0.borrow_mut().icmp.pop_front()
    }
}

/// Packets with their destinations and sources.
type Waiting = Vec<(Ipv4Addr, Option<Ipv4Addr>, std::ops::Range<usize>)>;

/// Packets that were flushed but not accepted are last.
struct FakeOut(Shared, Vec<Vec<u8>>, Waiting, VecDeque<(Ipv4Addr, Option<Ipv4Addr>, Vec<u8>)>);

impl FakeOut {
    fn new(world: &Shared) -> FakeOut {
        FakeOut(Rc::clone(world), vec![vec![0; SLOT]; 8], Vec::new(), VecDeque::new())
    }
}

impl GreOut for FakeOut {
    fn slot(&mut self) -> Option<&mut [u8]> {
        self.1.get_mut(self.2.len()).map(|slot| &mut slot[..])
    }

    fn push(&mut self, destination: Ipv4Addr, source: Option<Ipv4Addr>, range: std::ops::Range<usize>) {
        self.2.push((destination, source, range));
    }

    fn slots(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.1.iter_mut().take(self.2.len()).map(|slot| &mut slot[..])
    }

    fn flush(&mut self) {
        let takes = self.0.borrow().takes.unwrap_or(usize::MAX);
        for (slot, (destination, source, range)) in self.1.iter().zip(self.2.drain(..)) {
            self.3.push_back((destination, source, slot[range].to_vec()));
        }
        let taken = self.3.drain(..takes.min(self.3.len()));
        self.0.borrow_mut().gre_out.extend(taken);
    }

    fn has_backlog(&mut self) -> bool {
        !self.3.is_empty()
    }

    fn refused(&self) -> u64 {
        0
    }
}

struct FakeTun(Shared);

impl TunIo for FakeTun {
    fn read(&mut self, packet: &mut [u8]) -> io::Result<Option<(VnetHeader, usize)>> {
        let Some((header, octets)) = self.0.borrow_mut().tun_in.pop_front() else { return Ok(None) };
        packet[..octets.len()].copy_from_slice(&octets);
        Ok(Some((header, octets.len())))
    }

    /// Segments a joined packet, as a kernel does that forwards it.
    fn write(&mut self, header: VnetHeader, packet: &[&[u8]]) -> io::Result<()> {
        let mut buffer = [&[0; HEADROOM][..], &packet.concat()].concat();
        let mut piece = vec![0; HEADROOM + TUN_PACKET];
        let whole = each_piece(header, &mut buffer, &mut piece, |buffer| {
            self.0.borrow_mut().tun_out.push(buffer[HEADROOM..].to_vec());
        });
        assert!(whole, "{header:?}");
        Ok(())
    }

    fn replace(&mut self, _tun: Arc<Tun>) {}
}

/// A worker, its environment, its clock, and the owner's side of it.
struct Bench {
    worker: Worker<FakeIn, FakeOut, FakeTun>,
    world: Shared,
    orders: Orders,
    events: Events,
    drops: Arc<SharedDrops>,
    now: Instant,
}

/// `count` workers that are connected to each other.
fn benches(count: usize, dont_fragment: bool) -> Vec<Bench> {
    let (orders, receivers): (Vec<_>, Vec<_>) =
        (0..count).map(|_| order::queue(Waker::new().unwrap())).unzip();
    let bench = |(number, receiver)| {
        let world = Shared::default();
        let (sender, events) = event::queue();
        let drops = Arc::new(SharedDrops::default());
        let worker = Worker::new(Parts {
            input: FakeIn(Rc::clone(&world), Vec::new()),
            gre: FakeOut::new(&world),
            around: Around {
                tun: FakeTun(Rc::clone(&world)),
                events: sender,
                drops: Arc::clone(&drops),
                orders: receiver,
                workers: orders.clone(),
                number,
                reads_tun: true,
                dont_fragment,
            },
        });
        Bench { worker, world, orders: orders[number].clone(), events, drops, now: Instant::now() }
    };
    receivers.into_iter().enumerate().map(bench).collect()
}

impl Bench {
    fn new() -> Bench {
        benches(1, false).remove(0)
    }

    fn order(&self, order: Order) {
        self.orders.give(order);
    }

    /// Opens a call with `CLIENT` with equal ids on both sides.
    fn open(&self, call_id: u16) -> Arc<SharedCounters> {
        let counters = Arc::new(SharedCounters::default());
        let config = PathConfig {
            encryption_required: false,
            ..PathConfig::new(LocalCallId::new(call_id), PeerCallId::new(call_id))
        };
        let open = Open { local: SERVER, peer: CLIENT, config, counters: Arc::clone(&counters) };
        self.order(Order::Open(Box::new(open)));
        counters
    }

    /// Opens the call for IP packets from and to `inner`.
    fn up(&self, call_id: u16, inner: Ipv4Addr) {
        let network = Network {
            peer_networks: vec![inner.into()],
            acl: None,
            local: Ipv4Addr::new(10, 0, 0, 1),
            mtu: 1400,
            answer_dhcp: true,
            ipv6: None,
        };
        self.order(Order::Path(LocalCallId::new(call_id), PathCommand::Network(Some(network))));
        self.order(Order::Routes(LocalCallId::new(call_id), vec![ipnet::Ipv4Net::from(inner).into()]));
    }

    /// Runs turns until no work is left.
    fn turn(&mut self) -> Option<Instant> {
        for _ in 0..1000 {
            match self.worker.turn(self.now, Ask::ALL) {
                Turn::Busy => {}
                Turn::Idle(next) => return next,
                Turn::Stop => panic!("stopped"),
            }
        }
        panic!("never idle");
    }

    fn gre(&self, source: Ipv4Addr, packet: Vec<u8>) {
        self.world.borrow_mut().gre_in.push_back((source, packet));
    }

    fn tun(&self, header: VnetHeader, packet: Vec<u8>) {
        self.world.borrow_mut().tun_in.push_back((header, packet));
    }

    fn sent(&self) -> Vec<(Ipv4Addr, Option<Ipv4Addr>, Vec<u8>)> {
        std::mem::take(&mut self.world.borrow_mut().gre_out)
    }

    fn written(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.world.borrow_mut().tun_out)
    }

    fn reported(&self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.try_recv()).collect()
    }
}

fn gre_packet(call_id: u16, seq: u32, ack: Option<u32>, frame: &[u8]) -> Vec<u8> {
    gre::packet(call_id, Some(seq), ack, frame)
}

const LCP: [u8; 8] = [0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 4];

fn datagram(from: Ipv4Addr, to: Ipv4Addr, number: u8) -> Vec<u8> {
    udp::datagram_v4((from, 1000), (to, 2000), &[number; 100])
}

fn clear(packet: &[u8]) -> Vec<u8> {
    [&[0xff, 0x03, 0, 0x21], packet].concat()
}

#[test]
fn c069_c070_c087_only_packets_of_open_calls_from_their_peer_are_heard() {
    let mut bench = Bench::new();
    bench.gre(CLIENT, gre_packet(7, 0, None, &LCP));
    bench.turn(); // before the call is open
    bench.open(7);
    bench.gre(CLIENT, gre_packet(8, 0, None, &LCP));
    bench.gre(HOST, gre_packet(7, 0, None, &LCP));
    bench.gre(CLIENT, vec![0x30, 0x01]);
    bench.gre(CLIENT, vec![0, 0, 8, 0, 1, 2, 3, 4, 5]);
    bench.gre(CLIENT, gre_packet(7, 0, None, &LCP));
    bench.turn();
    assert_eq!(
        bench.reported(),
        [Event::Frame { call_id: LocalCallId::new(7), frame: LCP.to_vec(), origin: Origin::Clear }]
    );
    bench.order(Order::Close(LocalCallId::new(7)));
    bench.gre(CLIENT, gre_packet(7, 1, None, &LCP));
    bench.turn();
    assert!(bench.reported().is_empty() && bench.sent().is_empty());
    let drops = bench.drops.read();
    assert_eq!((drops.unknown_call, drops.spoofed, drops.malformed), (3, 1, 2));
}

#[test]
fn c044_a_call_opened_before_its_first_packet_hears_it_even_in_one_turn() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.gre(CLIENT, gre_packet(7, 0, None, &LCP));
    bench.worker.turn(bench.now, Ask::ALL);
    assert_eq!(bench.reported().len(), 1);
}

#[test]
fn c044_a_call_opened_in_a_crowd_hears_its_first_packet_too() {
    let mut bench = Bench::new();
    for call_id in 1..1000 {
        bench.open(call_id);
    }
    bench.gre(CLIENT, gre_packet(999, 0, None, &LCP));
    bench.worker.turn(bench.now, Ask::ALL);
    assert_eq!(bench.reported().len(), 1);
}

#[test]
fn the_first_packets_of_an_expected_call_wait_until_it_is_open() {
    let mut bench = Bench::new();
    bench.order(Order::Expect(LocalCallId::new(7), CLIENT));
    bench.order(Order::Expect(LocalCallId::new(8), CLIENT));
    bench.turn();
    for seq in 0..20 {
        bench.gre(CLIENT, gre_packet(7, seq, None, &LCP));
    }
    bench.gre(HOST, gre_packet(8, 0, None, &LCP));
    bench.gre(CLIENT, gre_packet(8, 0, None, &LCP));
    bench.gre(CLIENT, gre_packet(9, 0, None, &LCP));
    bench.turn();
    assert!(bench.reported().is_empty());
    bench.open(7);
    bench.turn();
    assert_eq!(
        bench.reported(),
        vec![Event::Frame { call_id: LocalCallId::new(7), frame: LCP.to_vec(), origin: Origin::Clear }; 8],
        "and no more"
    );
    // A call that was never opened leaves nothing to the next call with its Call ID.
    bench.order(Order::Close(LocalCallId::new(8)));
    bench.open(8);
    bench.turn();
    assert!(bench.reported().is_empty());
    assert_eq!(bench.drops.read().unknown_call, 12 + 2);
}

#[test]
fn packets_cross_from_host_to_peer_and_back() {
    let mut bench = Bench::new();
    bench.order(Order::Pools(vec!["10.0.0.0/24".parse().unwrap()]));
    let counters = bench.open(7);
    bench.up(7, INNER);
    bench.tun(VnetHeader::default(), datagram(HOST, INNER, 1));
    bench.tun(VnetHeader::default(), datagram(HOST, Ipv4Addr::new(10, 0, 0, 3), 2));
    bench.gre(CLIENT, gre_packet(7, 0, None, &clear(&datagram(INNER, HOST, 3))));
    bench.turn();
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].0, sent[0].1), (CLIENT, Some(SERVER)));
    let frame = gre::Packet::new_checked(&sent[0].2).unwrap().payload().to_vec();
    assert_eq!(frame, clear(&datagram(HOST, INNER, 1)));
    assert_eq!(bench.written(), [datagram(INNER, HOST, 3)]);
    assert_eq!(bench.drops.read().no_route, 1);
    let counters = counters.read();
    assert_eq!((counters.rx_packets, counters.tx_packets, counters.tx_bytes), (1, 1, 128));
}

#[test]
fn what_a_call_carried_in_the_turn_of_its_end_is_counted() {
    let mut bench = Bench::new();
    let counters = bench.open(7);
    bench.up(7, INNER);
    bench.order(Order::Packet(LocalCallId::new(7), [&[0; HEADROOM][..], &datagram(HOST, INNER, 1)].concat()));
    bench.order(Order::Close(LocalCallId::new(7)));
    bench.turn();
    assert_eq!(counters.read().tx_packets, 1);
}

#[test]
fn a_route_ends_with_its_call() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.up(7, INNER);
    bench.turn();
    bench.order(Order::Close(LocalCallId::new(7)));
    bench.tun(VnetHeader::default(), datagram(HOST, INNER, 1));
    bench.turn();
    assert_eq!((bench.sent().len(), bench.drops.read().no_route), (0, 1));
}

/// A TCP super-packet with `len` octets of data.
fn super_packet(len: usize) -> Vec<u8> {
    let mut segment = vec![0x10, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, tcp::ACK, 1, 0, 0, 0, 0, 0];
    segment.extend((0..len).map(|n| (n / 7) as u8));
    let header = ipv4::Repr::new(HOST, INNER, ipv4::TCP);
    ipv4::Repr { identification: 1, dont_fragment: true, ..header }.packet(&segment)
}

#[test]
fn a_super_packet_crosses_two_encrypted_workers_in_pieces() {
    let (mut a, mut b) = (Bench::new(), Bench::new());
    let keys =
        |send, receive| StartKeys { send: StartKey::new([send; 16]), receive: StartKey::new([receive; 16]) };
    for (bench, keys) in [(&a, keys(1, 2)), (&b, keys(2, 1))] {
        bench.open(7);
        bench.up(7, INNER);
        let mppe = Mppe { strength: Strength::Bits128, stateless: true, keys };
        bench.order(Order::Path(LocalCallId::new(7), PathCommand::Encryption(Some(mppe))));
    }
    // On a client, the peer may send from any address.
    let network = Network {
        peer_networks: vec!["0.0.0.0/0".parse().unwrap()],
        acl: None,
        local: INNER,
        mtu: 1400,
        answer_dhcp: false,
        ipv6: None,
    };
    b.order(Order::Path(LocalCallId::new(7), PathCommand::Network(Some(network))));
    let whole = super_packet(60_000);
    let header =
        VnetHeader { needs_checksum: true, gso: Gso::TcpV4, gso_size: 1360, ..VnetHeader::default() };
    a.tun(header, whole.clone());
    a.turn();
    let sent = a.sent();
    assert_eq!(sent.len(), 60_000usize.div_ceil(1360));
    for (_, _, packet) in sent {
        b.gre(CLIENT, packet);
    }
    b.turn();
    let mut data = Vec::new();
    for packet in b.written() {
        assert!(packet.len() <= 1400);
        let ip = ipv4::Packet::new_checked(&packet).unwrap();
        let len = ip.payload().len() as u16;
        let sum = adit_wire::checksum::Sum::default().pseudo_v4(HOST, INNER, ipv4::TCP, len);
        assert_eq!(sum.with(ip.payload()).finish(), 0);
        data.extend_from_slice(tcp::Packet::new_checked(ip.payload()).unwrap().payload());
    }
    assert_eq!(data, whole[40..]);
}

#[test]
fn what_the_network_does_not_take_leaves_without_new_packets() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.up(7, INNER);
    bench.turn();
    bench.world.borrow_mut().takes = Some(1);
    for port in 1..4 {
        bench.tun(VnetHeader::default(), udp::datagram_v4((HOST, port), (INNER, 2), &[0; 100]));
    }
    let mut sent = 0;
    for _ in 0..10 {
        let turn = bench.worker.turn(bench.now, Ask { reports: false, ..Ask::ALL });
        sent += bench.sent().len();
        if let (Turn::Idle(next), true) = (turn, sent < 3) {
            bench.now = next.expect("a time to try again");
        }
    }
    assert_eq!(sent, 3);
    assert_eq!(bench.worker.turn(bench.now, Ask { reports: false, ..Ask::ALL }), Turn::Idle(None));
}

#[test]
fn c090_the_host_hears_of_packets_that_are_too_big() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.up(7, INNER);
    let mut big = udp::datagram_v4((HOST, 1), (INNER, 2), &[0; 1400]);
    big[6] = 0x40;
    bench.tun(VnetHeader::default(), big);
    bench.turn();
    let written = bench.written();
    let answer = ipv4::Packet::new_checked(&written[0]).unwrap();
    let message = icmp::Packet::new_checked(answer.payload()).unwrap();
    assert_eq!((message.kind(), message.code(), message.mtu()), (3, 4, 1400));
}

#[test]
fn a_missing_checksum_is_completed_and_a_lie_is_dropped() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.up(7, INNER);
    let right = datagram(HOST, INNER, 1);
    let mut undone = right.clone();
    let partial = adit_wire::checksum::Sum::default().pseudo_v4(HOST, INNER, 17, 108).partial();
    undone[26..28].copy_from_slice(&partial.to_be_bytes());
    let header =
        VnetHeader { needs_checksum: true, checksum_start: 20, checksum_offset: 6, ..VnetHeader::default() };
    bench.tun(header, undone);
    bench.tun(VnetHeader { checksum_start: 5000, ..header }, right.clone());
    bench.tun(VnetHeader { gso: Gso::Unknown(9), gso_size: 5, ..header }, right.clone());
    bench.turn();
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(gre::Packet::new_checked(&sent[0].2).unwrap().payload(), clear(&right));
    assert_eq!(bench.drops.read().malformed, 2);
}

#[test]
fn c065_c080_an_acknowledgment_goes_alone_in_its_time() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.gre(CLIENT, gre_packet(7, 41, None, &LCP));
    let next = bench.turn().unwrap();
    assert_eq!(next, bench.now + Duration::from_millis(100));
    assert!(bench.sent().is_empty());
    bench.now = next;
    bench.turn();
    let sent = bench.sent();
    assert_eq!(sent[0].2, [0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 7, 0, 0, 0, 41]);
}

#[test]
fn timers_of_closed_calls_do_nothing() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.gre(CLIENT, gre_packet(7, 0, None, &LCP));
    bench.turn();
    bench.order(Order::Close(LocalCallId::new(7)));
    bench.open(7);
    bench.turn();
    bench.now += Duration::from_secs(1);
    assert_eq!(bench.turn(), None);
    assert!(bench.sent().is_empty());
}

#[test]
fn frames_and_packets_of_the_shell_are_sent() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.up(7, INNER);
    bench.order(Order::Frame(LocalCallId::new(7), LCP.to_vec()));
    let mut packet = vec![0; HEADROOM];
    packet.extend(datagram(HOST, INNER, 1));
    bench.order(Order::Packet(LocalCallId::new(7), packet));
    bench.order(Order::Frame(LocalCallId::new(8), LCP.to_vec()));
    bench.turn();
    let sent = bench.sent();
    let numbers: Vec<_> =
        sent.iter().map(|(_, _, packet)| gre::Repr::parse(packet).unwrap().seq.unwrap()).collect();
    assert_eq!(numbers, [0, 1]);
}

#[test]
fn the_first_acknowledgment_is_reported_once() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.order(Order::Frame(LocalCallId::new(7), LCP.to_vec()));
    bench.turn();
    for seq in 0..3 {
        bench.gre(CLIENT, gre_packet(7, seq, Some(0), &LCP));
    }
    bench.turn();
    let acknowledged = |event: &Event| *event == Event::Acknowledged { call_id: LocalCallId::new(7) };
    assert_eq!(bench.reported().iter().filter(|event| acknowledged(event)).count(), 1);
}

#[test]
fn c231_dhcp_inform_goes_to_the_shell() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.up(7, INNER);
    let mut data = vec![0; 240];
    data[0] = 1;
    data[236..].copy_from_slice(&[99, 130, 83, 99]);
    data.extend([53, 1, 8, 255]);
    let packet = udp::datagram_v4((INNER, 68), (Ipv4Addr::BROADCAST, 67), &data);
    bench.gre(CLIENT, gre_packet(7, 0, None, &clear(&packet)));
    bench.turn();
    assert_eq!(bench.reported(), [Event::Dhcp { call_id: LocalCallId::new(7), packet }]);
}

fn refusal(kind: IcmpKind, destination: Ipv4Addr, call_id: Option<u16>) -> IcmpReport {
    IcmpReport { destination, from: Some(HOST), kind, call_id }
}

#[test]
fn c088_protocol_unreachable_that_quotes_a_live_call_is_reported_at_a_limited_rate() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.turn();
    let put = |bench: &Bench, report| bench.world.borrow_mut().icmp.push_back(report);
    for _ in 0..100 {
        put(&bench, refusal(IcmpKind::ProtocolUnreachable, CLIENT, Some(7)));
        put(&bench, refusal(IcmpKind::ProtocolUnreachable, CLIENT, Some(8)));
        put(&bench, refusal(IcmpKind::ProtocolUnreachable, HOST, Some(7)));
        put(&bench, refusal(IcmpKind::ProtocolUnreachable, CLIENT, None));
    }
    bench.turn();
    assert_eq!(bench.reported(), [Event::Unreachable { call_id: LocalCallId::new(7), from: HOST, code: 2 }]);
    bench.now += Duration::from_secs(1);
    put(&bench, refusal(IcmpKind::Prohibited, CLIENT, Some(7)));
    bench.turn();
    assert_eq!(bench.reported(), [Event::Unreachable { call_id: LocalCallId::new(7), from: HOST, code: 13 }]);
}

#[test]
fn c089_fragmentation_needed_is_believed_only_for_a_live_call_and_a_sane_value() {
    for (dont_fragment, kind, call_id, mtu) in [
        (true, IcmpKind::FragmentationNeeded { mtu: 1300 }, Some(7), 1256),
        (true, IcmpKind::FragmentationNeeded { mtu: 1300 }, Some(8), 1400),
        (true, IcmpKind::FragmentationNeeded { mtu: 551 }, Some(7), 1400),
        (true, IcmpKind::FragmentationNeeded { mtu: 0 }, Some(7), 1400),
        (true, IcmpKind::FragmentationNeeded { mtu: 100_000 }, Some(7), 1400),
        (false, IcmpKind::FragmentationNeeded { mtu: 1300 }, Some(7), 1400),
    ] {
        let mut bench = benches(1, dont_fragment).remove(0);
        bench.open(7);
        bench.up(7, INNER);
        bench.turn();
        bench.world.borrow_mut().icmp.push_back(refusal(kind, CLIENT, call_id));
        bench.turn();
        assert_eq!(bench.worker.calls.touch(LocalCallId::new(7)).unwrap().path.mtu(), mtu, "{kind:?}");
        assert!(bench.reported().is_empty());
    }
}

#[test]
fn broken_encryption_is_reported() {
    let mut bench = Bench::new();
    bench.open(7);
    let keys = StartKeys { send: StartKey::new([1; 16]), receive: StartKey::new([2; 16]) };
    let mppe = Mppe { strength: Strength::Bits128, stateless: true, keys };
    bench.order(Order::Path(LocalCallId::new(7), PathCommand::Encryption(Some(mppe))));
    for seq in 0..32 {
        bench.gre(CLIENT, gre_packet(7, seq, None, &[0, 0xfd, 0, 0, 1, 2, 3]));
        bench.turn();
        bench.now += Duration::from_millis(200);
    }
    assert_eq!(bench.reported(), [Event::EncryptionBroken { call_id: LocalCallId::new(7) }]);
}

#[test]
fn c038_a_flooding_call_takes_no_capacity_from_others() {
    let mut bench = Bench::new();
    bench.open(7);
    bench.open(8);
    for seq in 0..10_000 {
        bench.gre(CLIENT, gre_packet(7, seq, None, &LCP));
    }
    bench.gre(CLIENT, gre_packet(8, 0, None, &LCP));
    bench.turn();
    let reported = bench.reported();
    assert_eq!(reported.iter().filter(|event| event.call_id() == LocalCallId::new(7)).count(), 64);
    assert_eq!(reported.iter().filter(|event| event.call_id() == LocalCallId::new(8)).count(), 1);
    assert_eq!(bench.drops.read().queue_full, 10_000 - 64);
}

#[test]
fn c193_key_changes_of_all_calls_together_are_bounded() {
    let mut bench = Bench::new();
    for call_id in 1..=100 {
        bench.open(call_id);
        let keys = StartKeys { send: StartKey::new([1; 16]), receive: StartKey::new([2; 16]) };
        let mppe = Mppe { strength: Strength::Bits128, stateless: true, keys };
        bench.order(Order::Path(LocalCallId::new(call_id), PathCommand::Encryption(Some(mppe))));
    }
    for call_id in 1..=100 {
        for seq in 0..2 {
            // The second has a count for which a key was kept.
            let frame = [&[0, 0xfd, 0x9f, seq as u8][..], &[0x5a; 60]].concat();
            bench.gre(CLIENT, gre_packet(call_id, seq, None, &frame));
        }
    }
    bench.turn();
    let tried: u64 = (1..=100)
        .map(|id| bench.worker.calls.touch(LocalCallId::new(id)).unwrap().path.counters().decrypt_failures)
        .sum();
    // Each first attempt costs 0xf40 of the 50 000 changes.
    assert_eq!(tried / 2, 12);
}

#[test]
fn a_worker_hands_packets_to_the_owner_of_their_call() {
    let mut benches = benches(2, false);
    let (call_id, owner) = (7, 1);
    benches[owner].open(call_id);
    benches[owner].up(call_id, INNER);
    let routes = vec![ipnet::Ipv4Net::from(INNER).into()];
    benches[0].order(Order::Routes(LocalCallId::new(call_id), routes));
    let header =
        VnetHeader { needs_checksum: true, gso: Gso::TcpV4, gso_size: 1360, ..VnetHeader::default() };
    benches[0].tun(header, super_packet(10_000));
    benches[0].tun(VnetHeader::default(), datagram(HOST, INNER, 1));
    benches[0].turn();
    assert!(benches[0].sent().is_empty());
    benches[1].turn();
    assert_eq!(benches[1].sent().len(), 8 + 1);
}

#[test]
fn packets_that_the_kernel_dropped_are_counted_once_within_a_second() {
    let mut bench = Bench::new();
    bench.turn();
    for (dropped, waited, counted) in [(7, 0, 0), (7, 1000, 7), (7, 2000, 7), (12, 500, 7), (12, 600, 12)] {
        bench.world.borrow_mut().overflowed = dropped;
        bench.now += Duration::from_millis(waited);
        bench.turn();
        assert_eq!(bench.drops.read().overflowed, counted, "{dropped} dropped, {waited} ms later");
    }
}

#[test]
fn c061_ten_thousand_calls_leave_nothing_behind() {
    let mut bench = Bench::new();
    for n in 0..10_000u16 {
        bench.open(n + 1);
        bench.up(n + 1, INNER);
        bench.gre(CLIENT, gre_packet(n + 1, 0, None, &LCP));
        bench.order(Order::Close(LocalCallId::new(n + 1)));
        bench.turn();
        bench.now += Duration::from_millis(10);
        bench.reported();
    }
    bench.now += Duration::from_secs(1);
    assert_eq!(bench.turn(), None, "no timer is left");
    assert_eq!(bench.drops.read().unknown_call, 10_000, "each frame came in the turn that closed its call");
    assert_eq!(bench.drops.queue_full.load(Ordering::Relaxed), 0);
}

#[test]
fn stop_stops() {
    let mut bench = Bench::new();
    bench.order(Order::Stop);
    assert_eq!(bench.worker.turn(bench.now, Ask::ALL), Turn::Stop);
}
