//! One end of a TCP connection, as far as the simulation needs it: the network keeps the order of segments.

use std::net::Ipv4Addr;

use crate::packet::{Body, Kind, Packet, Segment};

/// An address and a port.
pub type Socket = (Ipv4Addr, u16);

/// One end of an open connection.
#[derive(Debug)]
pub struct Tcp {
    local: Socket,
    remote: Socket,
    sent: u64,
    received: u64,
    /// Whether our end of the stream was sent.
    finished: bool,
    /// Whether the other end has closed or reset the connection.
    lost: bool,
}

/// The result of a received segment.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// Data, the next in order.
    Octets(Vec<u8>),
    /// The peer's stream has ended, or the connection was reset. Reported once.
    Closed,
    /// Nothing: a retransmission, or a segment after one that a firewall dropped.
    Nothing,
}

impl Tcp {
    /// Creates an end of the connection between `local` and `remote`.
    pub fn new(local: Socket, remote: Socket) -> Tcp {
        Tcp { local, remote, sent: 0, received: 0, finished: false, lost: false }
    }

    /// The other end.
    pub fn remote(&self) -> Socket {
        self.remote
    }

    /// Whether no more data can be sent.
    pub fn is_over(&self) -> bool {
        self.finished || self.lost
    }

    /// Sends octets in one segment.
    pub fn send(&mut self, octets: Vec<u8>) -> Option<Packet> {
        if self.is_over() {
            return None;
        }
        let offset = self.sent;
        self.sent += octets.len() as u64;
        Some(segment(self.local, self.remote, Kind::Data { offset, octets }))
    }

    /// Ends our stream with a FIN.
    pub fn finish(&mut self) -> Option<Packet> {
        if self.is_over() {
            return None;
        }
        self.finished = true;
        Some(segment(self.local, self.remote, Kind::Fin { offset: self.sent }))
    }

    /// Handles a segment of this connection.
    pub fn receive(&mut self, kind: Kind) -> Received {
        let closed = match kind {
            Kind::Data { offset, octets } if offset == self.received && !self.lost => {
                self.received += octets.len() as u64;
                return Received::Octets(octets);
            }
            Kind::Fin { offset } => offset == self.received,
            Kind::Rst => true,
            Kind::Syn | Kind::SynAck | Kind::Data { .. } => false,
        };
        if closed && !self.lost {
            self.lost = true;
            return Received::Closed;
        }
        Received::Nothing
    }
}

/// A segment from one socket to another.
pub fn segment(from: Socket, to: Socket, kind: Kind) -> Packet {
    let body = Body::Tcp(Segment { src_port: from.1, dst_port: to.1, kind });
    Packet { src: from.0, dst: to.0, body }
}
