//! How far protocol 47 passes: GRE with increasing time to live, and GRE from this host to itself.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_doctor::facts::Hop;
use adit_sys::gre::{CallFilter, GreOptions, GreSocket, IcmpKind, RecvBatch, SendBatch};
use adit_wire::gre;

use crate::call::Call;

/// Interval of packets, at most four a second.
const SPACE: Duration = Duration::from_millis(250);
/// Number of consecutive silent routers that ends the search.
const SILENT_MAX: usize = 3;
const FARTHEST: u8 = 16;
const SELF_TEST: Duration = Duration::from_millis(200);
const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Sends GRE of the call with a time to live of 1, 2, 3 ... and records which routers report time exceeded.
pub(crate) fn hops(call: &mut Call<'_>, source: Option<Ipv4Addr>, until: Instant) -> Vec<Hop> {
    let mut hops: Vec<Hop> = Vec::new();
    let Some((_, peer_id)) = call.record.granted else { return hops };
    let options = GreOptions { local: source, filter: Some(CallFilter::none()), ..GreOptions::default() };
    let Ok(socket) = GreSocket::open(&options) else { return hops };
    // An acknowledgment of no packet: harmless on arrival, and enough for devices that inspect Call IDs.
    let packet = gre::packet(peer_id.get(), None, Some(u32::MAX), &[]);
    let mut batch = SendBatch::new(1, 64);
    for ttl in 1..=FARTHEST {
        let silent = hops.iter().rev().take_while(|hop| hop.from.is_none()).count();
        if silent >= SILENT_MAX || Instant::now() + SPACE > until || !call.lives() || call.is_stopped() {
            break;
        }
        if socket.set_ttl(ttl).is_err() || !batch.push(call.server, source, &packet) {
            break;
        }
        let _ = socket.send(&mut batch);
        let mut from = None;
        call.work(Instant::now() + SPACE, |_| {
            while let Some(report) = socket.icmp() {
                if report.kind == IcmpKind::TimeExceeded {
                    from = report.from;
                }
            }
            false
        });
        hops.push(Hop { ttl, from });
    }
    // Silent hops after the last one that answered are not known to be routers.
    if hops.iter().any(|hop| hop.from.is_some()) {
        while hops.last().is_some_and(|hop| hop.from.is_none()) {
            hops.pop();
        }
    }
    hops
}

/// Whether GRE from this host to itself passes; `None` when that cannot be tried.
pub(crate) fn self_test(call_id: u16) -> Option<bool> {
    let options = GreOptions { local: Some(LOOPBACK), ..GreOptions::default() };
    let socket = GreSocket::open(&options).ok()?;
    let packet = gre::packet(call_id, None, Some(u32::MAX), &[]);
    let mut batch = SendBatch::new(1, 64);
    if !batch.push(LOOPBACK, Some(LOOPBACK), &packet) {
        return None;
    }
    let sent = socket.send(&mut batch);
    if sent.sent == 0 {
        return Some(false);
    }
    let mut received = RecvBatch::new(4, 2048);
    let end = Instant::now() + SELF_TEST;
    while Instant::now() < end {
        socket.receive(&mut received).ok()?;
        let is_ours = |packet: adit_sys::gre::Packet<'_>| {
            gre::Repr::parse(packet.gre).is_ok_and(|header| header.call_id == call_id)
        };
        if received.packets().any(is_ours) {
            return Some(true);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(false)
}
