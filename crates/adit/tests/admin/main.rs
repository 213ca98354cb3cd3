//! The administration interface of the real server: who may ask what, what is refused and how, who follows, and that a
//! command does the same with a server and without one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod both_ways;
#[path = "../common/mod.rs"]
mod common;
mod followers;
mod import;
mod refusals;

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;

use adit_api::{Request, Response};
use adit_testbed::Host;
use common::*;

/// A server, and the host at the other end of its wire, without which it has no public address.
fn server(config: &str) -> (Host, Server) {
    let (neighbour, host) = neighbours();
    (neighbour, Server::start(host, config, &[]))
}

/// A connection to the control socket.
struct ControlClient {
    reader: BufReader<UnixStream>,
}

impl ControlClient {
    fn open(server: &Server) -> ControlClient {
        let stream = UnixStream::connect(server.dir.path().join("run/adit.sock")).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        ControlClient { reader: BufReader::new(stream) }
    }

    fn send(&mut self, line: &str) {
        self.reader.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The next answer; `None` when the server closed the connection.
    fn receive(&mut self) -> Option<Response> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).unwrap();
        (read > 0).then(|| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    fn ask(&mut self, request: &Request) -> Response {
        self.send(&serde_json::to_string(request).unwrap());
        self.receive().unwrap()
    }
}

/// Adds a user, whose password is read from stdin, with a command beside the server.
fn add(server: &Server, name: &str, more: &[&str]) -> std::process::Output {
    let arguments = [&["user", "add", name, "--password-stdin"], more].concat();
    with_input(&mut adit(server.dir.path(), &arguments), PASSWORD)
}
