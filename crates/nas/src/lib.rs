//! RADIUS over UDP (RFC 2865): the sockets, the clock and the task of [`adit_radius::client::Client`].
//!
//! A [`RadiusClient`] is a handle; clones share one task. The task has one connected socket per server, and a further one
//! only while the 256 identifiers of those before are in use. A login that waits holds no thread and delays no other.
#![forbid(unsafe_code)]

mod driver;
mod sockets;
mod status;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use adit_crypto::Rng;
use adit_radius::client::{Client, ClientConfig, Command, Failure, RequestId, ServerId};
use adit_radius::{AccessRequest, Reply};
use tokio::sync::{mpsc, oneshot};

use driver::{Driver, Order};
use status::Statuses;
pub use status::{Notice, ServerStatus};

/// A verdict, with the server that gave it: another round of the login goes to the same one.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The server, by its position in the configuration.
    pub server: ServerId,
    /// Its verdict.
    pub reply: Reply,
}

/// A client of several RADIUS servers. The task ends when the last clone and the last open login are dropped.
#[derive(Clone, Debug)]
pub struct RadiusClient {
    orders: mpsc::Sender<Order>,
    /// Logins that are withdrawn: no more than there are open ones.
    withdrawn: mpsc::UnboundedSender<RequestId>,
    next: Arc<AtomicU64>,
    limit: usize,
    statuses: Arc<Statuses>,
}

impl RadiusClient {
    /// Starts the task on the current runtime. `notify` is called for each change of a server and each dropped reply that
    /// is evidence of a wrong setting; it must not block.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn start(
        config: ClientConfig,
        rng: Rng,
        notify: impl Fn(Notice) + Send + Sync + 'static,
    ) -> RadiusClient {
        let limit = config.requests.max(1);
        let statuses = Arc::new(Statuses::new(&config));
        let (orders, orders_in) = mpsc::channel(limit);
        let (withdrawn, withdrawn_in) = mpsc::unbounded_channel();
        let client = Client::new(config, rng);
        let driver = Driver::new(client, Arc::clone(&statuses), Box::new(notify));
        tokio::spawn(driver.run(orders_in, withdrawn_in));
        RadiusClient { orders, withdrawn, next: Arc::default(), limit, statuses }
    }

    /// Asks about a login; with `server` only that one, which has sent a Challenge. Dropping the future withdraws the
    /// login.
    ///
    /// # Errors
    /// Why there is no verdict.
    pub async fn ask(&self, request: AccessRequest, server: Option<ServerId>) -> Result<Answer, Failure> {
        let id = RequestId(self.next.fetch_add(1, Ordering::Relaxed));
        let (answer, answer_in) = oneshot::channel();
        let command = Command::Send { id, request: Box::new(request), server };
        self.orders
            .try_send(Order { id, command, answer })
            .map_err(|_| Failure::TooManyRequests(self.limit))?;
        let mut open = Open { id, withdrawn: Some(&self.withdrawn) };
        // The task answers each order; it can only be gone with its runtime.
        let answer = answer_in.await.unwrap_or(Err(Failure::NoServer));
        open.withdrawn = None;
        answer
    }

    /// The servers in order, with their state.
    pub fn servers(&self) -> Vec<ServerStatus> {
        self.statuses.all()
    }
}

/// An open login. Dropped before the answer, it is withdrawn.
struct Open<'a> {
    id: RequestId,
    withdrawn: Option<&'a mpsc::UnboundedSender<RequestId>>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(withdrawn) = self.withdrawn {
            // An error means that the task is gone, and the login with it.
            let _ = withdrawn.send(self.id);
        }
    }
}
