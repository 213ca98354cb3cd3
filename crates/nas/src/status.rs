//! The state of the servers, for administrators.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use adit_radius::Dropped;
use adit_radius::client::{ClientConfig, ServerFailure, ServerId};

/// The state of a server.
#[derive(Clone, Debug)]
pub struct ServerStatus {
    /// Its address.
    pub address: SocketAddr,
    /// Whether it is asked: it answers, or it was not found silent yet.
    pub is_in_service: bool,
    /// Since when; the start of the client if nothing has changed.
    pub since: Instant,
    /// Logins that it has decided.
    pub answered: u64,
    /// Logins for which it gave no usable answer.
    pub unanswered: u64,
    /// What was wrong the last time; `None` if nothing was since its last answer.
    pub problem: Option<String>,
}

impl ServerStatus {
    /// A server that was not asked yet.
    pub fn new(address: SocketAddr) -> ServerStatus {
        ServerStatus {
            address,
            is_in_service: true,
            since: Instant::now(),
            answered: 0,
            unanswered: 0,
            problem: None,
        }
    }
}

/// A change that administrators should know of.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A server has not answered for some time; the next ones are asked.
    Down {
        /// The server.
        server: SocketAddr,
        /// The last observation.
        problem: Option<String>,
    },
    /// A server is asked again.
    Up {
        /// The server.
        server: SocketAddr,
    },
    /// A reply does not count, and shows that a setting is wrong. Once a minute for each reason and server.
    Dropped {
        /// The server.
        server: SocketAddr,
        /// The reason.
        why: Dropped,
    },
}

/// The states of all servers.
#[derive(Debug)]
pub(crate) struct Statuses(Mutex<Vec<ServerStatus>>);

impl Statuses {
    pub(crate) fn new(config: &ClientConfig) -> Statuses {
        Statuses(Mutex::new(config.servers.iter().map(|server| ServerStatus::new(server.address)).collect()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ServerStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn all(&self) -> Vec<ServerStatus> {
        self.lock().clone()
    }

    fn change<T>(&self, server: ServerId, change: impl FnOnce(&mut ServerStatus) -> T) -> Option<T> {
        self.lock().get_mut(usize::from(server.0)).map(change)
    }

    pub(crate) fn answered(&self, server: ServerId) {
        self.change(server, |status| {
            status.answered += 1;
            status.problem = None;
        });
    }

    pub(crate) fn unanswered(&self, failure: &ServerFailure) {
        self.change(failure.server, |status| {
            status.unanswered += 1;
            status.problem = Some(failure.to_string());
        });
    }

    /// A reply of a server that cannot be used, or a packet that could not be sent.
    pub(crate) fn failed(&self, server: ServerId, problem: String) {
        self.change(server, |status| status.problem = Some(problem));
    }

    /// Sets whether a server is in service; the notice of the change.
    pub(crate) fn put_in_service(&self, server: ServerId, is_in_service: bool) -> Option<Notice> {
        self.change(server, |status| {
            (status.is_in_service, status.since) = (is_in_service, Instant::now());
            let (server, problem) = (status.address, status.problem.clone());
            if is_in_service { Notice::Up { server } } else { Notice::Down { server, problem } }
        })
    }

    pub(crate) fn dropped(&self, server: ServerId, why: Dropped) -> Option<Notice> {
        self.change(server, |status| {
            status.problem = Some(format!("{}: {why}", status.address));
            Notice::Dropped { server: status.address, why }
        })
    }
}
