//! The task: commands and datagrams into the client, packets and events out of it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use adit_radius::client::{Client, Command, Event, Failure, RequestId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use crate::Answer;
use crate::sockets::{Arrival, Sockets};
use crate::status::{Notice, Statuses};

/// Datagrams that wait for the task; their sockets keep the others.
const ARRIVALS: usize = 256;

/// A login to ask about.
pub(crate) struct Order {
    pub(crate) id: RequestId,
    pub(crate) command: Command,
    pub(crate) answer: oneshot::Sender<Result<Answer, Failure>>,
}

pub(crate) struct Driver {
    client: Client,
    statuses: Arc<Statuses>,
    notify: Box<dyn Fn(Notice) + Send + Sync>,
    open: BTreeMap<RequestId, oneshot::Sender<Result<Answer, Failure>>>,
    packet: Vec<u8>,
}

impl Driver {
    pub(crate) fn new(
        client: Client,
        statuses: Arc<Statuses>,
        notify: Box<dyn Fn(Notice) + Send + Sync>,
    ) -> Driver {
        Driver { client, statuses, notify, open: BTreeMap::new(), packet: Vec::new() }
    }

    /// Runs until no handle and no open login is left.
    pub(crate) async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        mut withdrawn: mpsc::UnboundedReceiver<RequestId>,
    ) {
        let (arrivals, mut arrived) = mpsc::channel(ARRIVALS);
        let mut sockets = Sockets::new(arrivals);
        loop {
            self.drain(&mut sockets);
            let timeout = self.client.poll_timeout().map(|(at, _)| at);
            tokio::select! {
                order = orders.recv() => match order {
                    // It may have been withdrawn before it was read here.
                    Some(order) if order.answer.is_closed() => {}
                    Some(Order { id, command, answer }) => {
                        self.open.insert(id, answer);
                        self.client.handle_command(Instant::now(), command);
                    }
                    // Each open login keeps a handle: there is none left.
                    None => return,
                },
                Some(id) = withdrawn.recv() => {
                    self.open.remove(&id);
                    self.client.handle_command(Instant::now(), Command::Cancel(id));
                }
                Some((socket, from, arrival)) = arrived.recv() => match arrival {
                    Arrival::Datagram(octets) => {
                        self.client.handle_input(Instant::now(), socket, from, &octets);
                    }
                    Arrival::Unreachable => self.client.handle_unreachable(Instant::now(), socket),
                },
                () = wait(timeout) => self.client.handle_timeout(Instant::now()),
            }
        }
    }

    /// Sends all packets and handles all events.
    fn drain(&mut self, sockets: &mut Sockets) {
        loop {
            while let Some(event) = self.client.poll_event() {
                self.handle(event, sockets);
            }
            self.packet.clear();
            let Some(transmit) = self.client.poll_transmit(&mut self.packet) else { return };
            match sockets.send(transmit.socket, transmit.to, &self.packet) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    self.client.handle_unreachable(Instant::now(), transmit.socket);
                }
                Err(error) => {
                    let problem = format!("{}: the packet cannot be sent: {error}", transmit.to);
                    self.statuses.failed(transmit.socket.server, problem);
                    self.client.handle_unreachable(Instant::now(), transmit.socket);
                }
            }
        }
    }

    fn handle(&mut self, event: Event, sockets: &mut Sockets) {
        let notice = match event {
            Event::Reply { id, server, reply } => {
                self.statuses.answered(server);
                self.answer(id, Ok(Answer { server, reply }));
                None
            }
            Event::Failed { id, why } => {
                match &why {
                    Failure::NoAnswer(failures) => {
                        failures.iter().for_each(|failure| self.statuses.unanswered(failure));
                    }
                    Failure::Unusable { server, .. } => self.statuses.failed(*server, why.to_string()),
                    Failure::NoServer | Failure::TooManyRequests(_) | Failure::Unsendable(_) => {}
                }
                self.answer(id, Err(why));
                None
            }
            Event::Dropped { server, why } => self.statuses.dropped(server, why),
            Event::ServerDown(server) => self.statuses.put_in_service(server, false),
            Event::ServerUp(server) => self.statuses.put_in_service(server, true),
            Event::CloseSocket(socket) => {
                sockets.close(socket);
                None
            }
        };
        if let Some(notice) = notice {
            (self.notify)(notice);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Result<Answer, Failure>) {
        if let Some(open) = self.open.remove(&id) {
            // The login may have ended at this moment.
            let _ = open.send(answer);
        }
    }
}

/// Waits until a time; for ever without one.
async fn wait(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}
