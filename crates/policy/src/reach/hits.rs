//! How often each rule has decided.

use std::sync::Arc;

use super::{Decider, Reach};

/// The most deciders that are counted one by one.
const MOST: usize = 64;

/// The packets that one decider has decided about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The decider.
    pub by: Decider,
    /// Whether it denied them. `access.server` may do both, which is counted apart.
    pub is_denied: bool,
    /// Packets, of all destinations.
    pub packets: u64,
    /// Packets to a single host. Hosts send many packets to all hosts, which need no answer.
    pub unicast: u64,
    /// The last destination of those, packed by the caller; 0 for none.
    pub last: u64,
}

/// The counters of one call: a bounded number of deciders, in the order of their first packet.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// The rules that are counted.
    reach: Option<Arc<Reach>>,
    hits: Vec<Hit>,
    capacity: usize,
    /// The index of the decider of the last packet, which usually decides about the next one too.
    recent: usize,
    /// Packets of deciders beyond the bound.
    others: u64,
    /// What denied the last packet to a single host.
    last_denial: Option<Decider>,
    has_changed: bool,
}

impl Hits {
    /// Counters for the rules of a reach. Everything that they will need is allocated here.
    pub fn new(reach: Arc<Reach>) -> Hits {
        // Server (twice), clients, end and source are counted beside the rules.
        let capacity = (reach.acl.rules().len() + 5).min(MOST);
        Hits {
            reach: Some(reach),
            hits: Vec::with_capacity(capacity),
            capacity,
            has_changed: true,
            ..Hits::default()
        }
    }

    /// Counts for other rules from now on. If only the addresses of the host have changed, the counters are kept.
    pub fn set_reach(&mut self, reach: Arc<Reach>) {
        let is_same = self.reach.as_ref().is_some_and(|old| Arc::ptr_eq(&old.acl, &reach.acl));
        if is_same {
            self.reach = Some(reach);
            self.has_changed = true;
        } else {
            *self = Hits::new(reach);
        }
    }

    /// Counts a packet; `last` is its destination if that is a single host.
    pub fn count(&mut self, by: Decider, is_denied: bool, last: Option<u64>) {
        self.has_changed = true;
        if is_denied && last.is_some() {
            self.last_denial = Some(by);
        }
        let Some(hit) = self.hit(by, is_denied) else {
            self.others += 1;
            return;
        };
        hit.packets += 1;
        if let Some(last) = last {
            hit.unicast += 1;
            hit.last = last;
        }
    }

    fn hit(&mut self, by: Decider, is_denied: bool) -> Option<&mut Hit> {
        let is_it = |hit: &Hit| hit.by == by && hit.is_denied == is_denied;
        if !self.hits.get(self.recent).is_some_and(is_it) {
            self.recent = match self.hits.iter().position(is_it) {
                Some(at) => at,
                None if self.hits.len() < self.capacity => {
                    self.hits.push(Hit { by, is_denied, packets: 0, unicast: 0, last: 0 });
                    self.hits.len() - 1
                }
                None => return None,
            };
        }
        self.hits.get_mut(self.recent)
    }

    /// The rules that are counted; `None` before there are any.
    pub fn reach(&self) -> Option<&Arc<Reach>> {
        self.reach.as_ref()
    }

    /// The deciders that were counted one by one.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }

    /// The packets of all other deciders.
    pub fn others(&self) -> u64 {
        self.others
    }

    /// What denied the last packet to a single host.
    pub fn last_denial(&self) -> Option<Decider> {
        self.last_denial
    }

    /// Whether a packet was counted since the last call of this function.
    pub fn take_changed(&mut self) -> bool {
        core::mem::take(&mut self.has_changed)
    }

    /// Copies the counters, without allocation if there was capacity.
    pub fn copy_from(&mut self, other: &Hits) {
        self.reach.clone_from(&other.reach);
        self.hits.clone_from(&other.hits);
        (self.others, self.last_denial, self.capacity) = (other.others, other.last_denial, other.capacity);
    }
}
