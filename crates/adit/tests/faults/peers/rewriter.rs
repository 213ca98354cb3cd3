//! A router that reads PPTP badly: it gives calls another Call ID in one message and forgets to do so in the others.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use adit_testbed::Host;
use adit_wire::pptp::{Frame, Framer, Message};

use super::listener::each_connection;
use crate::common::services::Service;
use crate::common::{SERVER, SOON};

/// What it adds to the server's Call ID, on its way to the client.
const SHIFT: u16 = 1000;

/// Puts itself between on a router that is not the client's own host.
pub(crate) fn start(router: &Host) -> Service {
    router.nft(
        "table ip rewriter { chain pre { type nat hook prerouting priority -100; \
         iifname \"lan0\" tcp dport 1723 redirect to :11723;\n}\n}",
    );
    let listener = router.run(|| TcpListener::bind("0.0.0.0:11723").unwrap());
    listener.set_nonblocking(true).unwrap();
    Service::start(router, move |stop| {
        each_connection(&listener, stop, |client| {
            let Ok(server) = TcpStream::connect_timeout(&(SERVER, 1723).into(), SOON) else { return };
            between(client, server, stop);
        });
    })
}

fn between(client: TcpStream, server: TcpStream, stop: &AtomicBool) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    }
    std::thread::scope(|scope| {
        scope.spawn(|| pass_on(&client, &server, stop, |_| {}));
        pass_on(&server, &client, stop, |message| {
            if let Message::OutgoingCallReply(reply) = message {
                reply.call_id = reply.call_id.wrapping_add(SHIFT);
            }
        });
    });
}

fn pass_on(mut from: &TcpStream, mut to: &TcpStream, stop: &AtomicBool, change: impl Fn(&mut Message)) {
    let mut framer = Framer::default();
    let mut buffer = [0; 64];
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => assert_eq!(framer.push(&buffer[..len]), len),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(_) => break,
        }
        while let Some(Ok(Frame::Message(mut message))) = framer.next_frame() {
            change(&mut message);
            let _ = to.write_all(&message.to_octets());
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}
