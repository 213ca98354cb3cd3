//! What may stand behind TCP 1723 in place of a PPTP server.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adit_testbed::Host;

use crate::common::SERVER;
use crate::common::services::Service;

/// What it does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// It speaks HTTP.
    Web,
    /// It resets the connection as soon as something is said.
    Resets,
    /// It reads, and says nothing.
    Mute,
}

/// Puts it on TCP 1723.
pub(crate) fn open(host: &Host, behaviour: Behaviour) -> Service {
    let listener = listen(host);
    Service::start(host, move |stop| {
        each_connection(&listener, stop, |mut stream| match behaviour {
            Behaviour::Web => {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request);
                let page =
                    "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nConnection: close\r\n\r\n400 Bad Request\n";
                let _ = stream.write_all(page.as_bytes());
            }
            Behaviour::Resets => {
                // Unread octets make the kernel reset the connection when it is closed.
                let _ = stream.peek(&mut [0; 1]);
            }
            Behaviour::Mute => {
                let mut heard = [0; 1024];
                let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
                while !stop.load(Ordering::Relaxed) {
                    match stream.read(&mut heard) {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                        Err(_) => break,
                    }
                }
            }
        });
    })
}

pub(crate) fn listen(host: &Host) -> TcpListener {
    let listener = host.run(|| TcpListener::bind((SERVER, 1723)).unwrap());
    listener.set_nonblocking(true).unwrap();
    listener
}

/// A thread for each connection, until `stop` is true.
pub(crate) fn each_connection(listener: &TcpListener, stop: &AtomicBool, serve: impl Fn(TcpStream) + Sync) {
    std::thread::scope(|scope| {
        while !stop.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    let serve = &serve;
                    scope.spawn(move || serve(stream));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    });
}
