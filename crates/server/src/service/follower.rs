//! A client that follows events.

use std::sync::Arc;
use std::time::Duration;

use adit_api::log::{Event, Filter, Followed, Lagged};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

/// How often an idle follower gets a sign that the server is alive.
const IDLE: Duration = Duration::from_secs(5);

/// A follower; ends with the server.
pub(crate) struct Follower {
    events: Receiver<Arc<Event>>,
    filter: Filter,
    has_begun: bool,
    idle_at: Instant,
    /// Its permit, released when the follower is dropped.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Follower {
    pub(crate) fn new(
        events: Receiver<Arc<Event>>,
        filter: Filter,
        permit: impl Into<Option<OwnedSemaphorePermit>>,
    ) -> Follower {
        Follower { events, filter, has_begun: false, idle_at: Instant::now() + IDLE, _permit: permit.into() }
    }

    /// The next item to send to it; `None` when the server stops. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Followed> {
        if !self.has_begun {
            self.has_begun = true;
            return Some(Followed::Begun);
        }
        let next = loop {
            match tokio::time::timeout_at(self.idle_at, self.events.recv()).await {
                Err(_) => break Followed::Idle,
                Ok(Ok(event)) if self.filter.fits(&event) => {
                    break Followed::Event(Box::new(event.as_ref().clone()));
                }
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Lagged(missed))) => break Followed::Lagged(Lagged { missed }),
                Ok(Err(RecvError::Closed)) => return None,
            }
        };
        self.idle_at = Instant::now() + IDLE;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use adit_diag::EventFacts;
    use adit_store::NewEvent;
    use jiff::Timestamp;
    use tokio::sync::broadcast;

    use super::*;

    fn event(id: i64, user: &str) -> Arc<Event> {
        let mut event = NewEvent::new(Timestamp::UNIX_EPOCH, EventFacts::ServerStart);
        event.user = Some(user.to_owned());
        Arc::new(adit_admin::event(Some(id), event))
    }

    fn id(followed: Option<Followed>) -> i64 {
        match followed {
            Some(Followed::Event(event)) => event.id.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn only_what_fits_arrives_and_the_end_is_seen() {
        let (sender, receiver) = broadcast::channel(8);
        let filter = Filter { user: Some("bob".into()), ..Filter::default() };
        let mut follower = Follower::new(receiver, filter, None);
        assert_eq!(follower.next().await, Some(Followed::Begun));
        for (number, user) in [(1, "alice"), (2, "bob"), (3, "alice"), (4, "BOB")] {
            sender.send(event(number, user)).unwrap();
        }
        assert_eq!((id(follower.next().await), id(follower.next().await)), (2, 4));
        drop(sender);
        assert_eq!(follower.next().await, None);
    }

    #[tokio::test]
    async fn a_slow_one_loses_the_oldest_and_receives_their_number() {
        let (sender, receiver) = broadcast::channel(4);
        let mut follower = Follower::new(receiver, Filter::default(), None);
        follower.next().await;
        for number in 1..=10 {
            sender.send(event(number, "bob")).unwrap();
        }
        assert_eq!(follower.next().await, Some(Followed::Lagged(Lagged { missed: 6 })));
        assert_eq!(id(follower.next().await), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn while_nothing_fits_it_hears_that_the_server_is_alive() {
        let (sender, receiver) = broadcast::channel(64);
        let filter = Filter { user: Some("bob".into()), ..Filter::default() };
        let mut follower = Follower::new(receiver, filter, None);
        follower.next().await;
        let began = Instant::now();
        let others = async {
            loop {
                sender.send(event(1, "alice")).unwrap();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            next = follower.next() => assert_eq!(next, Some(Followed::Idle)),
            () = others => {}
        }
        assert_eq!(began.elapsed(), IDLE);
    }
}
