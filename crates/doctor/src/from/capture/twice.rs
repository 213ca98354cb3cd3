//! Detection of one inner address in two calls at once, which no single call shows.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use adit_capture::conversation::Conversation;

use super::{PATIENCE, View};
use crate::facts::Facts;
use crate::{At, Seen};

/// A call that holds an address, with capture times.
struct Holder {
    /// The index of the call.
    at: usize,
    frame: Option<u64>,
    since: Duration,
    /// When its client was last heard, or the call ended.
    until: Duration,
}

/// Adds to the facts of every call of a capture which addresses another call to the same server holds at the
/// same time.
///
/// A call counts as alive as long as its client is heard: a server may reassign the address of a client that
/// disappeared without ending its call.
pub fn addresses_twice(calls: &mut [(&Conversation, usize, &mut Facts)]) {
    let mut holders: BTreeMap<(IpAddr, Ipv4Addr), Vec<Holder>> = BTreeMap::new();
    for (at, (conversation, call, facts)) in calls.iter().enumerate() {
        if let Some((address, holder)) = holder(conversation, *call, facts, at) {
            holders.entry((conversation.server, address)).or_default().push(holder);
        }
    }
    for ((_, address), mut of_address) in holders {
        of_address.sort_by_key(|holder| holder.since);
        // The call so far that lasts longest.
        let mut longest: Option<&Holder> = None;
        for holder in &of_address {
            if let Some(other) = longest
                && other.until.min(holder.until) >= holder.since + PATIENCE
            {
                for one in [other, holder] {
                    if let Some((conversation, _, facts)) = calls.get_mut(one.at) {
                        let time = holder.since.saturating_sub(conversation.began());
                        let at = At { frame: holder.frame, time: Some(time) };
                        facts.address.twice.get_or_insert(Seen::at(address, at));
                    }
                }
            }
            if longest.is_none_or(|other| holder.until > other.until) {
                longest = Some(holder);
            }
        }
    }
}

fn holder(conversation: &Conversation, index: usize, facts: &Facts, at: usize) -> Option<(Ipv4Addr, Holder)> {
    let assigned = facts.address.assigned.as_ref()?;
    let view = View { conversation, index, call: conversation.calls.get(index) };
    let heard = view.call?.to_server.last?.1;
    let ended = view.steps().find(|step| step.is_end()).map(|step| step.time);
    Some((
        assigned.what,
        Holder {
            at,
            frame: assigned.at.frame,
            since: conversation.began() + assigned.at.time?,
            until: ended.map_or(heard, |ended| ended.min(heard)),
        },
    ))
}
