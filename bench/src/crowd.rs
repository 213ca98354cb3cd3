//! All clients of this process by Call ID, and their timers.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use adit_wire::gre;

use crate::client::Client;
use crate::io::Gre;

/// The resolution of timers; PPTP needs no finer one.
const TICK: Duration = Duration::from_millis(5);

/// The clients.
pub(crate) struct Crowd {
    pub(crate) gre: Rc<Gre>,
    /// By Call ID.
    clients: RefCell<Vec<Option<Box<Client>>>>,
    timers: RefCell<BTreeSet<(Instant, u16)>>,
    output: RefCell<Vec<u8>>,
    /// Echo requests answered, of all clients.
    pub(crate) answered: Cell<u64>,
}

impl Crowd {
    pub(crate) fn new(gre: Rc<Gre>) -> Crowd {
        let clients = (0..=u16::MAX).map(|_| None).collect();
        Crowd {
            gre,
            clients: RefCell::new(clients),
            timers: RefCell::default(),
            output: RefCell::default(),
            answered: Cell::new(0),
        }
    }

    pub(crate) fn join(&self, call_id: u16, client: Client) {
        if let Some(place) = self.clients.borrow_mut().get_mut(usize::from(call_id)) {
            *place = Some(Box::new(client));
        }
    }

    pub(crate) fn leave(&self, call_id: u16) -> Option<Client> {
        let client = self.clients.borrow_mut().get_mut(usize::from(call_id))?.take()?;
        if let Some(at) = client.wakes {
            self.timers.borrow_mut().remove(&(at, call_id));
        }
        Some(*client)
    }

    /// Whether this client carries traffic.
    pub(crate) fn is_up(&self, call_id: u16) -> bool {
        let clients = self.clients.borrow();
        clients.get(usize::from(call_id)).and_then(Option::as_ref).is_some_and(|client| client.is_up())
    }

    /// Does something with a client, then what follows from it; GRE packets go at once. Returns whether its connection
    /// is over.
    pub(crate) fn with(&self, call_id: u16, act: impl FnOnce(&mut Client)) -> bool {
        let closed = self.stir(call_id, act);
        self.gre.flush();
        closed
    }

    /// The same, but GRE packets wait for [`Gre::flush`].
    pub(crate) fn stir(&self, call_id: u16, act: impl FnOnce(&mut Client)) -> bool {
        let mut clients = self.clients.borrow_mut();
        let Some(client) = clients.get_mut(usize::from(call_id)).and_then(Option::as_mut) else {
            return true;
        };
        act(client);
        client.settle(&mut self.output.borrow_mut());
        let wake = client.wake();
        if wake != client.wakes {
            let mut timers = self.timers.borrow_mut();
            if let Some(at) = client.wakes {
                timers.remove(&(at, call_id));
            }
            if let Some(at) = wake {
                timers.insert((at, call_id));
            }
            client.wakes = wake;
        }
        client.is_closed()
    }

    /// Calls of those that are up.
    pub(crate) fn up(&self) -> Vec<u16> {
        (0..=u16::MAX).filter(|call_id| self.is_up(*call_id)).collect()
    }

    /// Reads GRE for all of them and calls `after` after each batch; never returns.
    pub(crate) async fn hear(&self, after: impl Fn()) {
        let each = |packet: &mut [u8]| {
            if let Ok(call_id) = gre::Packet::new_checked(&*packet).map(|packet| packet.call_id()) {
                self.stir(call_id, |client| {
                    let before = client.pings().answered;
                    client.packet(packet);
                    self.answered.set(self.answered.get() + (client.pings().answered - before));
                });
            }
        };
        self.gre.run(each, after).await;
    }

    /// Runs the timers of all clients; never returns.
    pub(crate) async fn wake(&self) {
        let mut every = tokio::time::interval(TICK);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let now = Instant::now();
            loop {
                let due = self.timers.borrow().first().copied().filter(|(at, _)| *at <= now);
                let Some((at, call_id)) = due else { break };
                let gone = {
                    let mut clients = self.clients.borrow_mut();
                    match clients.get_mut(usize::from(call_id)).and_then(Option::as_mut) {
                        Some(client) => {
                            client.wakes = None;
                            false
                        }
                        None => true,
                    }
                };
                self.timers.borrow_mut().remove(&(at, call_id));
                if !gone {
                    self.stir(call_id, |client| client.time(now));
                }
            }
            self.gre.flush();
        }
    }
}
