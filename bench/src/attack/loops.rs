//! Calls that negotiate LCP without an end: every request of the server is answered with another proposal, and every second there
//! is a request with an option that the server rejects.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_sys::gre::{GreOptions, GreSocket, MAX_BATCH, RecvBatch, SendBatch};
use adit_wire::{cp, gre, ppp};

use crate::net::SERVER;

/// The time between two requests of one call.
const EVERY: Duration = Duration::from_secs(1);
/// The pause between two looks at the socket.
const PAUSE: Duration = Duration::from_millis(5);
const SLOT: usize = 2048;
/// An option that LCP does not have.
const UNKNOWN_OPTION: u8 = 0x7f;

/// The calls by the Call ID that we assigned.
pub(crate) struct Loops {
    socket: GreSocket,
    calls: RefCell<HashMap<u16, Peer>>,
    last_call_id: Cell<u16>,
}

/// One call.
pub(crate) struct Peer {
    source: Ipv4Addr,
    call_id: u16,
    seq: u32,
    id: u8,
    due: Instant,
}

impl Peer {
    /// A call from this address, with the Call ID that the server assigned.
    pub(crate) fn new(source: Ipv4Addr, call_id: u16) -> Peer {
        Peer { source, call_id, seq: 0, id: 0, due: Instant::now() }
    }

    /// The next GRE packet with this frame.
    fn packet(&mut self, frame: &[u8]) -> Vec<u8> {
        let packet = gre::packet(self.call_id, Some(self.seq), None, frame);
        self.seq = self.seq.wrapping_add(1);
        packet
    }

    /// The next request.
    fn request(&mut self) -> Vec<u8> {
        self.id = self.id.wrapping_add(1);
        self.packet(&cp::frame(
            ppp::LCP,
            cp::CONFIGURE_REQUEST,
            self.id,
            &[1, 4, 5, 0x78, UNKNOWN_OPTION, 3, self.id],
        ))
    }

    /// The reply to a packet of the server: to its Configure-Requests another MRU each time.
    fn reply(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let packet = gre::Packet::new_checked(packet).ok()?;
        let (protocol, information) = ppp::frame(packet.payload()).ok()?;
        let request = cp::Packet::parse(ppp::protocol(protocol), information).ok()?;
        (protocol == ppp::LCP && request.code == cp::CONFIGURE_REQUEST).then_some(())?;
        let [high, low] = (1000 + u16::from(request.id)).to_be_bytes();
        Some(self.packet(&cp::frame(ppp::LCP, cp::CONFIGURE_NAK, request.id, &[1, 4, high, low])))
    }
}

impl Loops {
    /// Opens the socket.
    pub(crate) fn open() -> anyhow::Result<Loops> {
        Ok(Loops {
            socket: GreSocket::open(&GreOptions::default())?,
            calls: RefCell::default(),
            last_call_id: Cell::new(99),
        })
    }

    /// A Call ID that no call has. Those up to 99 are left to the logins from the same host.
    pub(crate) fn free_call_id(&self) -> u16 {
        let calls = self.calls.borrow();
        let next = |id: u16| id.checked_add(1).unwrap_or(100);
        let mut id = next(self.last_call_id.get());
        // There are fewer calls than Call IDs.
        while calls.contains_key(&id) {
            id = next(id);
        }
        self.last_call_id.set(id);
        id
    }

    pub(crate) fn add(&self, call_id: u16, peer: Peer) {
        self.calls.borrow_mut().insert(call_id, peer);
    }

    pub(crate) fn remove(&self, call_id: u16) {
        self.calls.borrow_mut().remove(&call_id);
    }

    /// Answers, and requests again; never returns.
    pub(crate) async fn run(&self) {
        let mut received = RecvBatch::new(MAX_BATCH, SLOT);
        let mut batch = SendBatch::new(MAX_BATCH, SLOT);
        loop {
            while self.socket.receive(&mut received).is_ok_and(|number| number > 0) {
                for packet in received.packets() {
                    let call_id = gre::Packet::new_checked(&*packet.gre).map(|packet| packet.call_id());
                    let mut calls = self.calls.borrow_mut();
                    let Some(peer) = call_id.ok().and_then(|id| calls.get_mut(&id)) else { continue };
                    if let Some(reply) = peer.reply(packet.gre) {
                        // The batch is as large as that of the received packets.
                        let _ = batch.push(SERVER, Some(peer.source), &reply);
                    }
                }
                self.socket.send(&mut batch);
            }
            let now = Instant::now();
            for peer in self.calls.borrow_mut().values_mut().filter(|peer| peer.due <= now) {
                peer.due = now + EVERY;
                let request = peer.request();
                if batch.is_full() {
                    self.socket.send(&mut batch);
                }
                let _ = batch.push(SERVER, Some(peer.source), &request);
            }
            self.socket.send(&mut batch);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_the_server_is_answered_with_another_proposal() {
        let mut peer = Peer::new(Ipv4Addr::LOCALHOST, 7);
        let request = cp::frame(ppp::LCP, cp::CONFIGURE_REQUEST, 5, &[1, 4, 5, 0x78]);
        let reply = peer.reply(&gre::packet(1, Some(0), None, &request)).unwrap();
        let reply = gre::Packet::new_checked(&reply).unwrap();
        assert_eq!((reply.call_id(), reply.seq()), (7, Some(0)));
        assert_eq!(reply.payload(), cp::frame(ppp::LCP, cp::CONFIGURE_NAK, 5, &[1, 4, 3, 0xed]));
        let ack = cp::frame(ppp::LCP, cp::CONFIGURE_ACK, 5, &[]);
        assert_eq!(peer.reply(&gre::packet(1, Some(1), None, &ack)), None);
        assert_eq!(peer.reply(&[0; 3]), None);
    }

    #[test]
    fn requests_have_new_identifiers_and_sequence_numbers() {
        let mut peer = Peer::new(Ipv4Addr::LOCALHOST, 7);
        let (first, second) = (peer.request(), peer.request());
        let seq = |packet: &[u8]| gre::Packet::new_checked(packet).unwrap().seq();
        assert_eq!((seq(&first), seq(&second)), (Some(0), Some(1)));
        assert_ne!(first[12..], second[12..]);
    }
}
