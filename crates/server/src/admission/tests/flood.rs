//! Floods before login on a virtual clock: how long a user's login takes meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_policy::admission::{Capacity, Stage};

use super::super::MAX_BATCH;
use super::super::state::{Outcome, State};
use super::limits;

/// One step of the clock.
const TICK: Duration = Duration::from_millis(10);
/// The time between two messages of one client.
const ROUND_TRIP: Duration = Duration::from_millis(50);
/// A user's client dials again after this time.
const REDIAL: Duration = Duration::from_secs(1);
/// The most connections that a flood opens in a second.
const FLOOD_RATE: usize = 2_000;

/// What the connections of a flood do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attack {
    /// Connect and close at once.
    Close,
    /// Send nothing, or half a message: until the time limit for the first message.
    Silent,
    /// Complete the first message, then close while waiting.
    Leave,
    /// Start the control connection and do nothing more.
    Started,
    /// Request a call and send no GRE.
    Called,
    /// Negotiate LCP without end.
    LcpLoop,
}

/// Where the connections of a flood are from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sources {
    /// This many addresses next to each other.
    Adjacent(u32),
    /// This many addresses, each of another /24.
    Scattered(u32),
    /// One address.
    One(Ipv4Addr),
}

impl Sources {
    fn address(self, n: u32) -> Ipv4Addr {
        match self {
            Sources::Adjacent(many) => Ipv4Addr::from(0x0b00_0000 + n % many),
            Sources::Scattered(many) => Ipv4Addr::from(0x0b00_0000 + ((n % many) << 8) + 1),
            Sources::One(address) => address,
        }
    }
}

/// A flood that keeps `open` connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flood {
    pub(super) attack: Attack,
    pub(super) sources: Sources,
    pub(super) open: usize,
    /// The most new connections in a second.
    pub(super) rate: usize,
}

impl Flood {
    pub(super) fn of(attack: Attack, sources: Sources) -> Flood {
        Flood { attack, sources, open: 4_500, rate: FLOOD_RATE }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Message,
    Close,
    Reach(Stage),
    Up,
}

/// A login of a user.
#[derive(Debug)]
struct Login {
    from: Ipv4Addr,
    dialled: Instant,
    /// The connection of the present attempt.
    id: Option<u64>,
    redial_at: Instant,
    took: Option<Duration>,
}

/// The admission, a flood, and users who log in.
pub(super) struct World {
    pub(super) state: State,
    now: Instant,
    flood: Option<Flood>,
    opened: u32,
    /// Open connections of the flood.
    hostile: BTreeSet<u64>,
    steps: BTreeMap<(Instant, u64), Step>,
    logins: Vec<Login>,
    up: u64,
    /// The most set-ups at one time.
    pub(super) most: usize,
}

impl World {
    pub(super) fn new(descriptors: u64) -> World {
        let state = State::new(&limits(1024, 20), Capacity::new(descriptors));
        World {
            state,
            now: Instant::now(),
            flood: None,
            opened: 0,
            hostile: BTreeSet::new(),
            steps: BTreeMap::new(),
            logins: Vec::new(),
            up: 0,
            most: 0,
        }
    }

    pub(super) fn flood(&mut self, flood: Option<Flood>) {
        self.flood = flood;
    }

    /// A user dials.
    pub(super) fn dial(&mut self, from: Ipv4Addr) {
        let login = Login { from, dialled: self.now, id: None, redial_at: self.now, took: None };
        self.logins.push(login);
    }

    /// Runs until all logins are up, at most for this time.
    pub(super) fn finish(&mut self, most: Duration) {
        let end = self.now + most;
        while self.now < end && self.logins.iter().any(|login| login.took.is_none()) {
            self.run(TICK);
        }
    }

    /// The times that the logins took; `None` for those that are not up.
    pub(super) fn took(&self) -> Vec<Option<Duration>> {
        self.logins.iter().map(|login| login.took).collect()
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += TICK;
            self.open_flood();
            self.redial();
            self.carry_out_steps();
            self.admit();
        }
    }

    fn open_flood(&mut self) {
        let Some(flood) = self.flood else { return };
        for _ in 0..(flood.rate / 100).min(flood.open.saturating_sub(self.hostile.len())) {
            let from = flood.sources.address(self.opened);
            self.opened += 1;
            let Some(id) = self.arrive(from) else { continue };
            self.hostile.insert(id);
            let first = match flood.attack {
                Attack::Close => (TICK, Step::Close),
                Attack::Silent => (Duration::from_secs(10), Step::Close),
                // In another order than that in which they were opened.
                _ => (
                    ROUND_TRIP + Duration::from_micros(u64::from(self.opened.wrapping_mul(7_919) % 20_011)),
                    Step::Message,
                ),
            };
            self.steps.insert((self.now + first.0, id), first.1);
        }
    }

    fn redial(&mut self) {
        for index in 0..self.logins.len() {
            let login = &self.logins[index];
            if login.took.is_none() && login.id.is_none() && login.redial_at <= self.now {
                let from = login.from;
                let id = self.arrive(from);
                self.logins[index].id = id;
                self.logins[index].redial_at = self.now + REDIAL;
                self.steps.extend(id.map(|id| ((self.now + ROUND_TRIP, id), Step::Message)));
            }
        }
    }

    fn arrive(&mut self, from: Ipv4Addr) -> Option<u64> {
        let arrived = self.state.arrive(from, self.up);
        self.gone(arrived.removed);
        arrived.id
    }

    /// The server has closed a connection.
    fn gone(&mut self, id: Option<u64>) {
        let Some(id) = id else { return };
        if !self.hostile.remove(&id) {
            for login in self.logins.iter_mut().filter(|login| login.id == Some(id)) {
                login.id = None;
                login.redial_at = self.now + REDIAL;
            }
        }
    }

    /// Whether the server has not closed the connection.
    fn is_open(&self, id: u64) -> bool {
        self.hostile.contains(&id) || self.logins.iter().any(|login| login.id == Some(id))
    }

    fn carry_out_steps(&mut self) {
        while let Some(entry) = self.steps.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let ((_, id), step) = entry.remove_entry();
            if !self.is_open(id) {
                continue;
            }
            match step {
                Step::Message => {
                    let removed = self.state.message_complete(self.now, id);
                    self.gone(removed);
                    let leaves = self.flood.is_some_and(|flood| flood.attack == Attack::Leave);
                    if leaves && self.hostile.contains(&id) {
                        self.steps.insert((self.now + TICK, id), Step::Close);
                    }
                }
                Step::Close => {
                    if !self.state.leave(id) {
                        self.state.end(self.now, id, Outcome::Failed);
                    }
                    self.hostile.remove(&id);
                }
                Step::Reach(stage) => {
                    self.state.reached(self.now, id, stage);
                    let next = match stage {
                        Stage::Called => Step::Reach(Stage::Linked),
                        Stage::Linked => Step::Reach(Stage::Lcp),
                        Stage::Lcp => Step::Reach(Stage::Login),
                        Stage::Login => Step::Reach(Stage::Answered),
                        Stage::Answered | Stage::Admitted => Step::Up,
                    };
                    self.proceed(id, next);
                }
                Step::Up => {
                    self.state.end(self.now, id, Outcome::Up);
                    self.up += 1;
                    for login in self.logins.iter_mut().filter(|login| login.id == Some(id)) {
                        login.took = Some(self.now - login.dialled);
                    }
                }
            }
        }
    }

    /// Plans the next step of a connection, unless its attack ends here.
    fn proceed(&mut self, id: u64, next: Step) {
        let attack = self.flood.map(|flood| flood.attack).filter(|_| self.hostile.contains(&id));
        let stops = match attack {
            Some(Attack::LcpLoop) => next == Step::Reach(Stage::Lcp),
            Some(Attack::Called) => next == Step::Reach(Stage::Linked),
            Some(_) => true,
            None => false,
        };
        // The limit of the set-up as a whole.
        let (at, step) = if stops {
            (self.now + Duration::from_secs(30), Step::Close)
        } else {
            (self.now + ROUND_TRIP, next)
        };
        self.steps.insert((at, id), step);
    }

    fn admit(&mut self) {
        loop {
            let admitted = self.state.admit(self.now, MAX_BATCH);
            self.most = self.most.max(self.state.in_set_up());
            for id in &admitted {
                self.proceed(*id, Step::Reach(Stage::Called));
            }
            let evicted =
                if admitted.is_empty() { self.state.evict(self.now, MAX_BATCH) } else { Vec::new() };
            if admitted.is_empty() && evicted.is_empty() {
                return;
            }
            for id in evicted {
                self.gone(Some(id));
                self.state.end(self.now, id, Outcome::Failed);
            }
        }
    }
}
