//! A peer made by hand: it says what a test tells it to say, however wrong.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use adit_sys::gre::{GreOptions, GreSocket, RecvBatch, SendBatch};
use adit_testbed::{Host, wire};
use adit_wire::gre;
use adit_wire::pptp::{
    Frame, Framer, Message, OutgoingCallReply, OutgoingCallRequest, OutgoingResult,
    StartControlConnectionReply, StartControlConnectionRequest, StartResult,
};

use crate::common::*;

/// One end of a control connection.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    framer: Framer,
}

impl Peer {
    /// Opens a TCP connection to the server from `host` and says nothing.
    pub(crate) fn open(host: &Host) -> Peer {
        let address = SocketAddrV4::new(SERVER, 1723).into();
        Peer::of(host.run(|| TcpStream::connect_timeout(&address, SOON).unwrap()))
    }

    /// Takes an open connection.
    pub(crate) fn of(stream: TcpStream) -> Peer {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        Peer { stream, framer: Framer::default() }
    }

    pub(crate) fn send(&mut self, message: &Message) {
        self.stream.write_all(&message.to_octets()).unwrap();
    }

    /// The next message; `None` when the connection is closed or reset.
    pub(crate) fn receive(&mut self) -> Option<Message> {
        loop {
            match self.framer.next_frame() {
                Some(Ok(Frame::Message(message))) => return Some(message),
                Some(other) => panic!("{other:?}"),
                None => {}
            }
            let mut buffer = [0; 64];
            let len = match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(len) => len,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(self.framer.push(&buffer[..len]), len);
        }
    }

    /// Whether the other end closes within `limit`, whatever it says before.
    pub(crate) fn is_closed_within(&mut self, limit: Duration) -> bool {
        let begin = Instant::now();
        let mut buffer = [0; 4096];
        while let Some(left) = limit.checked_sub(begin.elapsed()) {
            self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
            match self.stream.read(&mut buffer) {
                Ok(0) => return true,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return true,
                _ => {}
            }
        }
        false
    }

    /// Start-Control-Connection.
    pub(crate) fn start(&mut self) {
        self.send(&start());
        match self.receive() {
            Some(Message::StartControlConnectionReply(reply)) => {
                assert_eq!(reply.result, StartResult::Success);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Outgoing-Call; the server's Call ID.
    pub(crate) fn call(&mut self, call_id: u16) -> u16 {
        self.send(&call(call_id));
        match self.receive() {
            Some(Message::OutgoingCallReply(reply)) => {
                assert_eq!(reply.result, OutgoingResult::Connected, "{reply}");
                reply.call_id
            }
            other => panic!("{other:?}"),
        }
    }

    /// The server's part of both, towards a client.
    pub(crate) fn accept(&mut self, call_id: u16) -> u16 {
        assert!(matches!(self.receive(), Some(Message::StartControlConnectionRequest(_))));
        self.send(&StartControlConnectionReply::new(b"loop", b"by hand").into());
        let Some(Message::OutgoingCallRequest(request)) = self.receive() else { panic!("no call") };
        self.send(&OutgoingCallReply::connected(call_id, request.call_id).into());
        request.call_id
    }
}

/// Start-Control-Connection-Request.
pub(crate) fn start() -> Message {
    start_as(b"mallory")
}

/// The same from a host of this name.
pub(crate) fn start_as(host_name: &[u8]) -> Message {
    StartControlConnectionRequest { firmware: 1, ..StartControlConnectionRequest::new(host_name, b"by hand") }
        .into()
}

/// Outgoing-Call-Request.
pub(crate) fn call(call_id: u16) -> Message {
    OutgoingCallRequest::new(call_id).into()
}

/// GRE by hand.
pub(crate) struct Gre {
    socket: GreSocket,
    to: Ipv4Addr,
    seq: u32,
}

impl Gre {
    pub(crate) fn open(host: &Host, to: Ipv4Addr) -> Gre {
        Gre { socket: host.run(|| GreSocket::open(&GreOptions::default()).unwrap()), to, seq: 0 }
    }

    /// Sends a PPP frame under the receiver's Call ID.
    pub(crate) fn send(&mut self, call_id: u16, frame: &[u8]) {
        let seq = self.seq;
        self.seq += 1;
        self.send_as(call_id, seq, frame);
    }

    pub(crate) fn send_as(&self, call_id: u16, seq: u32, frame: &[u8]) {
        self.raw(&gre::packet(call_id, Some(seq), None, frame));
    }

    /// The same from another of the host's addresses.
    pub(crate) fn send_from(&self, source: Ipv4Addr, call_id: u16, seq: u32, frame: &[u8]) {
        self.octets(Some(source), &gre::packet(call_id, Some(seq), None, frame));
    }

    /// Sends octets in place of a GRE packet.
    pub(crate) fn raw(&self, packet: &[u8]) {
        self.octets(None, packet);
    }

    fn octets(&self, source: Option<Ipv4Addr>, packet: &[u8]) {
        let mut batch = SendBatch::new(1, 2048);
        assert!(batch.push(self.to, source, packet));
        self.socket.send(&mut batch);
    }

    /// Gives every frame for `call_id` to `take`, for as long as `go_on` is true.
    pub(crate) fn each(
        &mut self,
        call_id: u16,
        go_on: impl Fn() -> bool,
        mut take: impl FnMut(&mut Gre, &[u8]),
    ) {
        let mut batch = RecvBatch::new(16, 2048);
        while go_on() {
            self.socket.receive(&mut batch).unwrap();
            let frames: Vec<Vec<u8>> = batch
                .packets()
                .filter_map(|packet| {
                    let packet = gre::Packet::new_checked(packet.gre).ok()?;
                    let mine = packet.call_id() == call_id && !packet.payload().is_empty();
                    mine.then(|| packet.payload().to_vec())
                })
                .collect();
            if frames.is_empty() {
                std::thread::sleep(Duration::from_millis(2));
            }
            for frame in frames {
                take(self, &frame);
            }
        }
    }
}

/// A host that reaches the server on another wire.
pub(crate) fn outsider(server: &Host) -> Host {
    let outsider = Host::new("outsider");
    wire((&outsider, "eth0", "198.51.100.66/24"), (server, "eth9", "198.51.100.1/24"));
    outsider.ip("route add default via 198.51.100.1");
    outsider
}
