//! One client: its control connection, its call, its session from accept to the last line of its record.
//!
//! [`machine::Machine`] decides; this file moves octets and waits.

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

/// A client that does not read what we send for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a login that waits for an account source is checked for a client that has hung up.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// Octets read at once.
const READ: usize = 2048;

/// A connection: its machine and its socket.
pub(crate) struct Connection {
    machine: Machine,
    stream: TcpStream,
    handles: Arc<Handles>,
}

/// What a turn ended with.
enum Turn {
    /// There is nothing to do until something arrives.
    Wait,
    /// The client does not take this yet.
    Write(Vec<u8>),
    /// These routes come before anything else.
    AddRoutes(Vec<Ipv4Net>),
    /// These routes go before anything else.
    RemoveRoutes(Vec<Ipv4Net>),
    /// The connection is over.
    Close,
}

impl Connection {
    /// A connection whose session has just begun.
    pub(crate) fn new(handles: Arc<Handles>, start: Start, stream: TcpStream) -> Connection {
        let machine = Machine::new(Arc::clone(&handles), start, Now::read());
        Connection { machine, stream, handles }
    }

    /// Runs the session to its end. Thousands of these wait at the same time, so what a turn needs is on the stack, and
    /// what is rare is boxed.
    pub(crate) async fn run(mut self: Box<Self>) {
        let session = Arc::clone(self.machine.session());
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

    /// Does what there is to do, until it would have to wait.
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

    /// The answer arrives as a message, a refusal after a second.
    fn answer_later(&self, id: u32, decision: BoxFuture<'static, Decision>) {
        let session = Arc::clone(self.machine.session());
        let handles = Arc::clone(&self.handles);
        tokio::spawn(async move {
            let Some((answer, learned)) = decision.await else { return };
            if matches!(answer, Answer::Reject(_)) {
                tokio::time::sleep(REFUSAL_DELAY).await;
            }
            let lease = learned.lease.clone();
            let answer = Message::Answer(Box::new(Answered { id, answer, learned }));
            // The session has ended meanwhile, and will not give the address back.
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

    /// Waits until the client has taken this.
    async fn write(&mut self, octets: Vec<u8>) {
        let written = timeout(WRITE_TIMEOUT, self.stream.write_all(&octets)).await;
        if !matches!(written, Ok(Ok(()))) {
            self.machine.handle_input(Now::read(), Input::ControlClosed);
        }
    }

    async fn add_routes(&mut self, networks: Vec<Ipv4Net>) {
        let (mut added, mut failed) = (Vec::new(), Vec::new());
        for net in networks {
            match self.handles.routes.add(net).await {
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

/// The decision on a login, which is withdrawn when the session ends.
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
