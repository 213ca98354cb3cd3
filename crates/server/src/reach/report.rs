//! Events about packets that rules denied, or logged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_api::session::RuleRow;
use adit_diag::Code;
use adit_diag::event::{EventFacts, RuleMatched};
use adit_policy::reach::{Acl, Action, Decider, Hit, Hits, Reach};
use adit_tunnel::path::denied;

/// The shortest time between two events about the same rule, unless it has `log`: one with `log` has an event each time that
/// the counters are read.
const INTERVAL: Duration = Duration::from_secs(60);

/// What was reported about one session.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    /// The rules to which the numbers belong.
    acl: Option<Arc<Acl>>,
    by: BTreeMap<Decider, (u64, Instant)>,
}

impl Reported {
    /// The events that are due, at most `most`; all of them if the session `is_over`.
    pub(crate) fn due(&mut self, hits: &Hits, now: Instant, is_over: bool, most: usize) -> Vec<EventFacts> {
        let Some(reach) = hits.reach() else { return Vec::new() };
        if !self.acl.as_ref().is_some_and(|acl| Arc::ptr_eq(acl, &reach.acl)) {
            *self = Reported { acl: Some(Arc::clone(&reach.acl)), by: BTreeMap::new() };
        }
        let mut events = Vec::new();
        for hit in hits.hits() {
            if events.len() == most {
                break;
            }
            let (has_log, is_denial) = kind(reach, hit);
            // Hosts send many packets to all hosts. Those are worth an event only if it was asked for.
            let count = if has_log { hit.packets } else { hit.unicast };
            let (before, at) =
                self.by.get(&hit.by).copied().map_or((0, None), |(count, at)| (count, Some(at)));
            let is_time = |at: Instant| now.saturating_duration_since(at) >= INTERVAL;
            let is_due = is_over || has_log || at.is_none_or(is_time);
            if !(has_log || is_denial) || count == before || !is_due {
                continue;
            }
            self.by.insert(hit.by, (count, now));
            let matched = RuleMatched {
                key: reach.key(hit.by),
                rule: reach.value(hit.by),
                packets: count.saturating_sub(before),
                last: denied::unpack(hit.last),
            };
            events.push(if is_denial { EventFacts::AclDeny(matched) } else { EventFacts::AclAllow(matched) });
        }
        events
    }
}

/// Whether a decider has `log`, and whether it denies.
fn kind(reach: &Reach, hit: &Hit) -> (bool, bool) {
    match hit.by {
        Decider::Rule(_) => {
            let rule = reach.rule(hit.by);
            (rule.is_some_and(|rule| rule.log), rule.is_some_and(|rule| rule.action == Action::Deny))
        }
        // Allowed and denied packets to the server are counted apart.
        Decider::Server => (false, hit.is_denied),
        Decider::Clients | Decider::End => (false, true),
        // A host that answers nothing that the client asked for is no fault of the client.
        Decider::Source => (false, false),
    }
}

/// The code of an event about rules.
pub(crate) fn denial_code(facts: &EventFacts) -> Option<Code> {
    matches!(facts, EventFacts::AclDeny(_)).then_some(Code::R02)
}

/// The counters in the form of the interface.
pub(crate) fn rows(hits: &Hits) -> Vec<RuleRow> {
    let Some(reach) = hits.reach() else { return Vec::new() };
    let row = |hit: &Hit| RuleRow {
        key: reach.key(hit.by),
        rule: reach.value(hit.by),
        is_denied: hit.is_denied,
        packets: hit.packets,
        last: denied::unpack(hit.last),
    };
    hits.hits().iter().map(row).collect()
}
