//! The service behind every interface: typed requests and typed responses.

mod caller;
mod follower;

use std::sync::Arc;
use std::time::Duration;

use adit_admin::{Context, PageLimit, Recorder, refused};
use adit_api::log::Filter;
use adit_api::{Done, Error, Kind, Request, Response, Result};
use adit_store::NewEvent;
use adit_tunnel::events::Why;
use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

pub(crate) use caller::Caller;
pub(crate) use follower::Follower;

use crate::event_writer::EventWriter;
use crate::server::Server;

/// The most requests that use the store at once; the other threads for it are reserved for logins.
const AT_THE_STORE: usize = 2;
/// How long a request waits for its turn to use the store.
const TURN: Duration = Duration::from_secs(5);
/// The most followers at once.
const FOLLOWERS: usize = 32;
/// The most events that one request enqueues before it waits until they are written: the queue has space for others.
const EVENTS: usize = 500;
/// The size of one page: half of the 8 MiB that `adit` accepts as one line.
const PAGE: PageLimit = PageLimit { items: 2000, octets: 4 << 20 };

/// The service; clones share its state.
#[derive(Clone)]
pub(crate) struct Service {
    server: Arc<Server>,
    at_the_store: Arc<Semaphore>,
    /// Held while a change is made: what was checked stays true until it is written.
    changes: Arc<Mutex<()>>,
    followers: Arc<Semaphore>,
    imports: Arc<Semaphore>,
}

impl Service {
    pub(crate) fn new(server: Arc<Server>) -> Service {
        Service {
            server,
            at_the_store: Arc::new(Semaphore::new(AT_THE_STORE)),
            changes: Arc::default(),
            followers: Arc::new(Semaphore::new(FOLLOWERS)),
            imports: Arc::new(Semaphore::new(1)),
        }
    }

    /// Carries out one request.
    pub(crate) async fn call(&self, request: Request, caller: Caller) -> Result<Response> {
        let server = &self.server;
        match request {
            Request::Identity => Ok(Response::Identity(server.identity())),
            Request::Status => Ok(Response::Status(Box::new(server.status().await))),
            Request::Sessions => {
                Ok(Response::Sessions(server.registry.all().iter().map(|session| session.row()).collect()))
            }
            Request::Session { selector } => match server.registry.select(&selector).last() {
                Some(session) => {
                    server.read_hits(session);
                    Ok(Response::Session(Box::new(session.detail())))
                }
                None => Err(no_session(&selector)),
            },
            Request::Kick { selector, reason, dry_run } => self.kick(&selector, &reason, dry_run),
            Request::Reload => {
                let server = Arc::clone(server);
                blocking(move || server.reload()).await.map(|()| Response::Done(Done::Reloaded))
            }
            Request::Drain { on } => {
                server.drain(on);
                Ok(Response::Done(if on { Done::Draining } else { Done::Accepting }))
            }
            Request::Stop => {
                server.request_shutdown();
                Ok(Response::Done(Done::Stopping))
            }
            Request::Accounts(_)
            | Request::Bans(_)
            | Request::Pools(_)
            | Request::History(_)
            | Request::Log(_) => self.admin(request, caller).await,
            Request::Follow(_) => {
                Err(Error::new(Kind::Invalid, "what is followed has no end, so it is no one answer"))
            }
        }
    }

    /// Starts to follow events.
    pub(crate) fn follow(&self, filter: Filter) -> Result<Follower> {
        let Ok(permit) = Arc::clone(&self.followers).try_acquire_owned() else {
            let message = format!("{FOLLOWERS} others follow the log already, and more are not allowed");
            return Err(Error::new(Kind::Busy, message).fix("end one of them: adit log -f"));
        };
        Ok(Follower::new(self.server.event_writer.subscribe(), filter, permit))
    }

    /// Begins to collect an import: one at a time, so that its memory is bounded.
    pub(crate) fn begin_import(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.imports).try_acquire_owned().map_err(|_| {
            Error::new(Kind::Busy, "another import is in progress").fix("try again when it has ended")
        })
    }

    fn kick(&self, selector: &str, reason: &str, dry_run: bool) -> Result<Response> {
        let sessions = self.server.registry.select(selector);
        if sessions.is_empty() {
            return Err(no_session(selector));
        }
        if !dry_run {
            for session in &sessions {
                session.end(Why::AdminReset, None, reason.to_owned());
            }
        }
        Ok(Response::Kicked(sessions.iter().map(|session| session.row()).collect()))
    }

    /// Handles a request that needs only store and configuration.
    async fn admin(&self, request: Request, caller: Caller) -> Result<Response> {
        let mut turn = None;
        if request.changes_store() {
            caller.may_change_accounts()?;
            // The event writer retries the store every few seconds; a request need not wait for that.
            if let Some(error) = self.server.event_writer.blocked() {
                return Err(refused(error));
            }
            let changes = Arc::clone(&self.changes);
            turn = Some(in_time(changes.lock_owned()).await?);
        }
        if request.reads_secrets() {
            caller.may_read_secrets()?;
        }
        let Ok(permit) = in_time(Arc::clone(&self.at_the_store).acquire_owned()).await? else {
            return Err(Error::new(Kind::Unavailable, "the server is being stopped"));
        };
        let server = Arc::clone(&self.server);
        blocking(move || {
            // The caller may have disconnected; the work continues and keeps its turn.
            let _turn = (turn, permit);
            let config = server.config();
            let context = Context {
                store: &server.store,
                config: &config,
                file: server.file(),
                recorder: &Through(&server.event_writer),
                lockout: &*server.lockout,
                is_serving: true,
                page: PAGE,
                now: Timestamp::now(),
            };
            adit_admin::call(&context, &request)
        })
        .await
    }
}

/// The event log of a running server: events go through its event writer, to the store and to followers.
struct Through<'a>(&'a EventWriter);

impl Recorder for Through<'_> {
    fn record(&self, event: NewEvent) -> core::result::Result<(), String> {
        self.record_all(vec![event])
    }

    fn record_all(&self, events: Vec<NewEvent>) -> core::result::Result<(), String> {
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            events.by_ref().take(EVENTS).for_each(|event| self.0.enqueue_event(event));
            self.0.flush();
            self.0.trouble().map_or(Ok(()), |error| Err(error.to_string()))?;
        }
        Ok(())
    }
}

/// Runs blocking work on the blocking pool.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Error::new(Kind::Internal, format!("the request was not finished: {error}")))
    })
}

/// Waits for a turn, for a limited time.
async fn in_time<T>(turn: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(TURN, turn).await.map_err(|_| {
        let message = format!("the server was busy with other requests for {} s", TURN.as_secs());
        Error::new(Kind::Busy, message).fix("try again")
    })
}

fn no_session(selector: &str) -> Error {
    Error::new(Kind::NotFound, format!("no active session matches {selector:?}: adit sessions"))
}
