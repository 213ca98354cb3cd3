//! The connections that are being set up, and which of them make no progress.

use core::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::{Crowd, Standing};

/// How far a set-up is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Its control connection is admitted.
    Admitted,
    /// The client has requested a call.
    Called,
    /// A frame of the client arrived: GRE works.
    Linked,
    /// LCP is up.
    Lcp,
    /// A login waits for one of our account sources: the client cannot do anything.
    Login,
    /// The source has answered.
    Answered,
}

impl Stage {
    /// The longest time in this stage while other connections wait; `None` while the server itself is awaited.
    fn longest(self) -> Option<Duration> {
        match self {
            Stage::Admitted => Some(SetupSlots::NO_CALL),
            Stage::Called => Some(SetupSlots::NO_GRE),
            Stage::Linked | Stage::Lcp | Stage::Answered => Some(SetupSlots::NO_PROGRESS),
            Stage::Login => None,
        }
    }
}

/// One set-up.
#[derive(Clone, Copy, Debug)]
struct Setup {
    from: Ipv4Addr,
    began: Instant,
    stage: Stage,
    since: Instant,
}

impl Setup {
    /// When it has to give way to connections that wait, if it is one of a crowd, and otherwise.
    fn gives_way_at(&self) -> Option<(Instant, Instant)> {
        let longest = self.stage.longest()?;
        let at = |part| (self.since + longest / part).min(self.began + SetupSlots::SLOW / part);
        Some((at(2), at(1)))
    }
}

/// The connections that are being set up. While others wait, set-ups without progress end, those of the largest network
/// first. A part of the slots is kept for addresses from which a user logged in before.
#[derive(Debug)]
pub struct SetupSlots {
    limit: usize,
    setups: BTreeMap<u64, Setup>,
    /// When each has to give way if it is one of a crowd.
    deadlines: BTreeSet<(Instant, u64)>,
    crowd: Crowd,
}

impl SetupSlots {
    /// A connection that has not requested a call for this long may be ended for one that waits.
    pub const NO_CALL: Duration = Duration::from_secs(2);
    /// A call without a GRE packet from the client may be ended after this time.
    pub const NO_GRE: Duration = Duration::from_secs(3);
    /// A later stage that lasts this long may be ended.
    pub const NO_PROGRESS: Duration = Duration::from_secs(5);
    /// A set-up that takes longer may be ended at any stage, unless the server itself is awaited.
    pub const SLOW: Duration = Duration::from_secs(12);
    /// If one address has more set-ups than this, half of these times apply to them: clients behind one address wait
    /// for each other, and none needs more than a few round trips.
    pub const CROWD: usize = 64;

    /// Slots for `limit` set-ups, at least one.
    pub fn new(limit: usize) -> SetupSlots {
        SetupSlots {
            limit: limit.max(1),
            setups: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            crowd: Crowd::new(),
        }
    }

    /// Changes the number of slots; set-ups that have begun stay.
    pub fn resize(&mut self, limit: usize) {
        self.limit = limit.max(1);
    }

    /// The number of set-ups.
    pub fn len(&self) -> usize {
        self.setups.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.setups.is_empty()
    }

    /// Whether no slot is free for an address of this standing: an eighth is kept for known addresses.
    pub fn is_full_for(&self, standing: Standing) -> bool {
        let kept = if standing == Standing::Known { 0 } else { self.limit / 8 };
        self.len() >= self.limit - kept
    }

    /// A set-up begins, or continues after its login left the slot to others.
    pub fn begin(&mut self, now: Instant, id: u64, from: Ipv4Addr, stage: Stage) {
        self.end(id);
        self.crowd.insert(from, id);
        self.put(id, Setup { from, began: now, stage, since: now });
    }

    fn put(&mut self, id: u64, setup: Setup) {
        self.deadlines.extend(setup.gives_way_at().map(|(early, _)| (early, id)));
        self.setups.insert(id, setup);
    }

    fn take(&mut self, id: u64) -> Option<Setup> {
        let setup = self.setups.remove(&id)?;
        if let Some((early, _)) = setup.gives_way_at() {
            self.deadlines.remove(&(early, id));
        }
        Some(setup)
    }

    /// A set-up has reached a stage. An earlier one is no progress, except that a login may have another round.
    pub fn reached(&mut self, now: Instant, id: u64, stage: Stage) {
        let Some(setup) = self.take(id) else { return };
        let setup = if stage > setup.stage || stage == Stage::Login {
            Setup { stage, since: now, ..setup }
        } else {
            setup
        };
        self.put(id, setup);
    }

    /// It is up, or has ended; false if it had no slot.
    pub fn end(&mut self, id: u64) -> bool {
        self.take(id).is_some_and(|setup| self.crowd.remove(setup.from, id))
    }

    /// At most `most` set-ups that have to give way to connections that wait, those of the largest groups first.
    pub fn stalled(&self, now: Instant, most: usize) -> Vec<u64> {
        let mut stalled: Vec<_> = self
            .deadlines
            .range(..=(now, u64::MAX))
            .filter_map(|(early, id)| {
                let setup = self.setups.get(id)?;
                let (_, at) = setup.gives_way_at()?;
                let counts = self.crowd.counts(setup.from);
                let is_stalled = at <= now || counts.1 > SetupSlots::CROWD;
                is_stalled.then_some((Reverse(counts), *early, *id))
            })
            .collect();
        stalled.sort_unstable();
        stalled.into_iter().take(most).map(|(.., id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> Ipv4Addr {
        Ipv4Addr::from(0x0a00_0000 + n)
    }

    #[test]
    fn c232_a_crowd_from_one_address_cannot_keep_others_out() {
        let now = Instant::now();
        let mut slots = SetupSlots::new(32);
        for id in 0..32 {
            assert!(!slots.is_full_for(Standing::Known));
            slots.begin(now, id, address(1), Stage::Admitted);
        }
        assert!(slots.is_full_for(Standing::Known));
        slots.reached(now, 0, Stage::Called);
        assert_eq!(slots.stalled(now, 99), [0u64; 0], "all are young");
        let silent = now + SetupSlots::NO_CALL;
        assert_eq!(slots.stalled(silent, 99), (1..32).collect::<Vec<_>>(), "0 has requested a call");
        assert_eq!(slots.stalled(silent, 2), [1, 2]);
        assert_eq!(slots.stalled(now + SetupSlots::NO_GRE, 99).len(), 32);
        assert!(slots.end(0) && !slots.end(0));
        (1..32).for_each(|id| assert!(slots.end(id)));
        assert!(slots.is_empty() && slots.deadlines.is_empty() && slots.crowd.is_empty());
    }

    #[test]
    fn each_stage_has_its_time_and_a_login_that_waits_for_the_server_is_not_stalled() {
        let start = Instant::now();
        let mut slots = SetupSlots::new(4);
        slots.begin(start, 1, address(1), Stage::Admitted);
        let mut now = start;
        for (stage, longest) in [
            (Stage::Admitted, SetupSlots::NO_CALL),
            (Stage::Called, SetupSlots::NO_GRE),
            (Stage::Linked, SetupSlots::NO_PROGRESS),
        ] {
            slots.reached(now, 1, stage);
            let almost = now + longest - Duration::from_millis(1);
            slots.reached(almost, 1, stage);
            assert_eq!(slots.stalled(almost, 9), [0u64; 0], "{stage:?}");
            assert_eq!(slots.stalled(now + longest, 9), [1], "repeating {stage:?} is no progress");
            now = almost;
        }
        slots.reached(now, 1, Stage::Login);
        slots.reached(now, 1, Stage::Called);
        assert_eq!(slots.stalled(now + Duration::from_secs(60), 9), [0u64; 0]);
        slots.reached(now, 1, Stage::Answered);
        assert_eq!(slots.stalled(start + SetupSlots::SLOW, 9), [1], "the whole set-up is too slow");
        slots.reached(now, 1, Stage::Login);
        assert_eq!(
            slots.stalled(now + Duration::from_secs(60), 9),
            [0u64; 0],
            "a second round waits for the server"
        );
    }

    #[test]
    fn the_largest_network_gives_way_first() {
        let start = Instant::now();
        let mut slots = SetupSlots::new(100);
        slots.begin(start, 0, address(0xff00), Stage::Admitted);
        for id in 1..50 {
            slots.begin(start, id, address(id as u32), Stage::Admitted);
        }
        let stalled = slots.stalled(start + SetupSlots::NO_CALL, 50);
        assert_eq!(stalled.last(), Some(&0), "{stalled:?}");
        assert_eq!(stalled.len(), 50);
    }

    #[test]
    fn a_crowd_behind_one_address_has_half_the_time() {
        let start = Instant::now();
        let mut slots = SetupSlots::new(1_000);
        let crowd = SetupSlots::CROWD as u64 + 1;
        for id in 0..crowd {
            slots.begin(start, id, address(1), Stage::Called);
        }
        slots.begin(start, crowd, address(2), Stage::Called);
        let half = start + SetupSlots::NO_GRE / 2;
        assert_eq!(slots.stalled(half, 1_000), (0..crowd).collect::<Vec<_>>());
        slots.end(0);
        assert_eq!(slots.stalled(half, 1_000), [0u64; 0]);
        assert_eq!(slots.stalled(start + SetupSlots::NO_GRE, 1_000).len(), crowd as usize);
    }

    #[test]
    fn an_eighth_of_the_slots_is_kept_for_known_addresses() {
        let now = Instant::now();
        let mut slots = SetupSlots::new(16);
        for id in 0..14 {
            assert!(!slots.is_full_for(Standing::New), "{id}");
            slots.begin(now, id, address(id as u32), Stage::Admitted);
        }
        assert!(slots.is_full_for(Standing::New) && slots.is_full_for(Standing::Failed));
        assert!(!slots.is_full_for(Standing::Known));
        slots.resize(1);
        assert!(slots.is_full_for(Standing::Known));
    }
}
