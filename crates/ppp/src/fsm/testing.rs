//! Two layers connected for tests, with a virtual clock and a readable log.

use core::time::Duration;
use std::time::Instant;

use adit_wire::cp::{self, Packet};

use super::{ControlProtocol, Event, Fsm};

/// Two ends of a lossless line.
pub(crate) struct Pair<A, B> {
    pub(crate) now: Instant,
    pub(crate) a: Fsm<A>,
    pub(crate) b: Fsm<B>,
    /// The events of each end, in order.
    pub(crate) reported: Vec<(char, Event)>,
    /// The log of all packets, such as `a: Configure-Request id 1`, in order.
    pub(crate) log: Vec<String>,
}

impl<A: ControlProtocol, B: ControlProtocol> Pair<A, B> {
    pub(crate) fn new(a: Fsm<A>, b: Fsm<B>) -> Pair<A, B> {
        Pair { now: Instant::now(), a, b, reported: Vec::new(), log: Vec::new() }
    }

    /// Opens both ends with a lower layer and exchanges their packets.
    pub(crate) fn start(&mut self) {
        self.a.open(self.now);
        self.b.open(self.now);
        self.a.lower_up(self.now);
        self.b.lower_up(self.now);
        self.talk();
    }

    /// Exchanges packets until neither side has one; panics if that does not end.
    pub(crate) fn talk(&mut self) {
        for _ in 0..1000 {
            let from_a = packets(&mut self.a);
            let from_b = packets(&mut self.b);
            if from_a.is_empty() && from_b.is_empty() {
                self.collect();
                return;
            }
            for packet in from_a {
                self.log.push(line('a', &packet));
                let _ = self.b.handle_input(self.now, &packet);
            }
            for packet in from_b {
                self.log.push(line('b', &packet));
                let _ = self.a.handle_input(self.now, &packet);
            }
            self.collect();
        }
        panic!("they talk for ever: {:#?}", &self.log[..40]);
    }

    /// Advances the clock until no deadline is left, or by at most `limit`.
    pub(crate) fn wait(&mut self, limit: Duration) {
        let end = self.now + limit;
        loop {
            self.talk();
            let due = [self.a.poll_timeout(), self.b.poll_timeout()].into_iter().flatten().min();
            match due {
                Some((due, _)) if due <= end => self.now = due,
                _ => break,
            }
            self.a.handle_timeout(self.now);
            self.b.handle_timeout(self.now);
        }
        self.now = end;
    }

    fn collect(&mut self) {
        while let Some(event) = self.a.poll_event() {
            self.reported.push(('a', event));
        }
        while let Some(event) = self.b.poll_event() {
            self.reported.push(('b', event));
        }
    }
}

/// All packets that a layer wants to send.
pub(crate) fn packets<P: ControlProtocol>(fsm: &mut Fsm<P>) -> Vec<Vec<u8>> {
    let mut list = Vec::new();
    loop {
        let mut packet = Vec::new();
        if !fsm.poll_transmit(&mut packet) {
            return list;
        }
        list.push(packet);
    }
}

/// All events of a layer.
pub(crate) fn events<P: ControlProtocol>(fsm: &mut Fsm<P>) -> Vec<Event> {
    core::iter::from_fn(|| fsm.poll_event()).collect()
}

/// A packet as the peer would send it.
pub(crate) fn packet(code: u8, id: u8, data: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    cp::emit(&mut packet, code, id, data);
    packet
}

/// The one packet that a layer sends, as (code, id, data).
pub(crate) fn reply<P: ControlProtocol>(fsm: &mut Fsm<P>) -> (u8, u8, Vec<u8>) {
    let list = packets(fsm);
    assert_eq!(list.len(), 1, "{list:02x?}");
    let packet = Packet::parse(P::PROTOCOL, &list[0]).unwrap();
    (packet.code, packet.id, packet.data.to_vec())
}

fn line(from: char, packet: &[u8]) -> String {
    format!("{from}: {}", Packet::parse(adit_wire::Protocol::Ppp, packet).unwrap())
}
