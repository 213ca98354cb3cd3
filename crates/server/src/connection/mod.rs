//! One client connection: control connection, call and session, from accept to the last line of the record.
//!
//! [`machine::Machine`] contains the logic; this file does the I/O.

mod adapters;
mod dhcp;
mod handles;
mod machine;
mod set_up;
mod state;
mod tear_down;
#[cfg(test)]
mod tests;

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_tunnel::events::Answer;
use ipnet::Ipv4Net;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) use adapters::BlockingAddresses;
pub(crate) use handles::{Handles, Now};
pub(crate) use machine::Start;

use crate::login::REFUSAL_DELAY;
use crate::message::{Answered, Message};
use crate::session::Session;
use handles::{BoxFuture, Decision, Login};
use machine::{Effect, Input, Machine};

/// A client that reads nothing for this long is disconnected.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a login that waits for an account source checks whether the client is still connected.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// The most octets that one read takes.
const READ: usize = 2048;

/// A connection: its machine and its socket.
pub(crate) struct Connection {
    machine: Machine,
    stream: TcpStream,
    handles: Arc<Handles>,
    /// What the client sent before it was admitted.
    first: Vec<u8>,
}

/// The result of [`Connection::turn`]: what to wait for.
enum Turn {
    /// Nothing to do until there is an input.
    Wait,
    /// The socket's send buffer is full; these octets are left.
    Write(Vec<u8>),
    /// Add these routes before anything else.
    AddRoutes(Vec<Ipv4Net>),
    /// Remove these routes before anything else.
    RemoveRoutes(Vec<Ipv4Net>),
    /// The connection is over.
    Close,
}

impl Connection {
    /// Creates the connection of a new session. The octets `first` were read before it was admitted.
    pub(crate) fn new(handles: Arc<Handles>, start: Start, stream: TcpStream, first: Vec<u8>) -> Connection {
        let machine = Machine::new(Arc::clone(&handles), start, Now::read());
        Connection { machine, stream, handles, first }
    }

    /// Runs the session to its end. Thousands of these futures wait at the same time, so data needed in every
    /// turn is on the stack, and rare data is boxed.
    pub(crate) async fn run(mut self: Box<Self>) {
        let session = Arc::clone(self.machine.session());
        let first = std::mem::take(&mut self.first);
        if !first.is_empty() {
            self.machine.handle_input(Now::read(), Input::Control(&first));
        }
        drop(first);
        loop {
            match self.turn() {
                Turn::Wait => {}
                Turn::Write(octets) => {
                    Box::pin(self.write(octets)).await;
                    continue;
                }
                Turn::AddRoutes(networks) => {
                    Box::pin(self.add_routes(networks)).await;
                    continue;
                }
                Turn::RemoveRoutes(routes) => {
                    Box::pin(self.remove_routes(routes)).await;
                    continue;
                }
                Turn::Close => break,
            }
            let wake = self.machine.poll_timeout();
            tokio::select! {
                ready = self.stream.readable() => self.read(ready.is_ok()),
                message = session.queue.next() => {
                    self.machine.handle_input(Now::read(), Input::Message(message));
                }
                () = sleep_until(wake) => self.machine.handle_timeout(Now::read()),
            }
        }
        Box::pin(self.finish()).await;
    }

    /// Carries out effects until one has to wait.
    fn turn(&mut self) -> Turn {
        let mut output = Vec::new();
        loop {
            match self.machine.poll_effect(Now::read(), &mut output) {
                Some(Effect::Send) => match self.stream.try_write(&output) {
                    Ok(len) if len == output.len() => {}
                    Ok(len) => return Turn::Write(output.split_off(len)),
                    Err(_) => return Turn::Write(output),
                },
                Some(Effect::Authenticate { id, request, pending }) => {
                    let (config, from) = (Arc::clone(self.machine.config()), self.machine.session().from);
                    let login = Login { config, from, request: *request, pending };
                    let login = self.handles.authenticator.authenticate(login);
                    let session = Arc::clone(self.machine.session());
                    self.answer_later(id, Box::pin(while_open(session, login)));
                }
                Some(Effect::LendAddress { id, request }) => {
                    let (config, session) = (Arc::clone(self.machine.config()), self.machine.session().id);
                    self.answer_later(id, self.handles.addresses.lend(config, session, *request));
                }
                Some(Effect::AddRoutes(networks)) => return Turn::AddRoutes(networks),
                Some(Effect::RemoveRoutes(routes)) => return Turn::RemoveRoutes(routes),
                Some(Effect::Close) => return Turn::Close,
                None => return Turn::Wait,
            }
        }
    }

    /// Delivers the answer as a message when it is ready; a refusal a second after the request, or then.
    fn answer_later(&self, id: u32, decision: BoxFuture<'static, Decision>) {
        let session = Arc::clone(self.machine.session());
        let handles = Arc::clone(&self.handles);
        let asked = tokio::time::Instant::now();
        tokio::spawn(async move {
            let Some((answer, learned)) = decision.await else { return };
            if matches!(answer, Answer::Reject(_)) {
                tokio::time::sleep_until(asked + REFUSAL_DELAY).await;
            }
            let lease = learned.lease.clone();
            let answer = Message::Answer(Box::new(Answered { id, answer, learned }));
            // The session has ended in the meantime and will not release the address.
            if !session.queue.push(answer)
                && let Some(lease) = lease
            {
                handles.release(session.id, lease);
            }
        });
    }

    fn read(&mut self, is_alive: bool) {
        let mut input = [0u8; READ];
        let read = if is_alive { self.stream.try_read(&mut input) } else { Ok(0) };
        let input = match read {
            Ok(len @ 1..) => Input::Control(input.get(..len).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
            Ok(_) | Err(_) => Input::ControlClosed,
        };
        self.machine.handle_input(Now::read(), input);
    }

    /// Writes octets and waits until the client has taken them.
    async fn write(&mut self, octets: Vec<u8>) {
        let written = timeout(WRITE_TIMEOUT, self.stream.write_all(&octets)).await;
        if !matches!(written, Ok(Ok(()))) {
            self.machine.handle_input(Now::read(), Input::ControlClosed);
        }
    }

    async fn add_routes(&mut self, networks: Vec<Ipv4Net>) {
        let (mut added, mut failed) = (Vec::new(), Vec::new());
        let client = *self.machine.session().from.ip();
        for net in networks {
            match self.handles.routes.add(net, client).await {
                Ok(()) => added.push(net),
                Err(error) => failed.push((net, error)),
            }
        }
        self.machine.handle_input(Now::read(), Input::RoutesAdded { added, failed });
    }

    async fn remove_routes(&mut self, routes: Vec<Ipv4Net>) {
        for net in routes {
            self.handles.routes.remove(net).await;
        }
        self.machine.handle_input(Now::read(), Input::RoutesRemoved);
    }

    async fn finish(mut self: Box<Self>) {
        let _ = self.stream.shutdown().await;
        if let Some(routes) = self.machine.handle_disconnected(Now::read()) {
            self.remove_routes(routes).await;
        }
        self.machine.finish(Now::read());
    }
}

/// Resolves to the verdict on a login; withdraws the login when the session ends.
async fn while_open(session: Arc<Session>, mut login: BoxFuture<'static, Decision>) -> Decision {
    loop {
        if let Ok(decision) = timeout(CHECK_EVERY, &mut login).await {
            return decision;
        }
        if session.queue.is_closed() {
            return None;
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}
