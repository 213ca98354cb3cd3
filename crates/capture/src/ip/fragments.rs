//! Reassembly of fragments (RFC 791, RFC 8200), with limits, and reports of missing ones.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::{Fragment, Ip};
use crate::beginning::{Beginning, Upper};
use crate::note::{Missing, What};

/// The most packets that are reassembled at once.
pub const INCOMPLETE_MAX: usize = 64;
/// The most fragments of one packet.
pub const PIECES_MAX: usize = 128;
/// The longest packet.
const PACKET_MAX: usize = 65_535;
/// The time after which fragments count as missing: twice the timeout of hosts.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    id: u32,
}

/// A packet whose fragments are incomplete.
#[derive(Debug)]
struct Incomplete {
    key: Key,
    since: Duration,
    ttl: u8,
    dont_fragment: bool,
    frames: Vec<u64>,
    octets: Vec<u8>,
    /// The fragments in order of arrival: beginning and end.
    pieces: Vec<(usize, usize)>,
    /// The length of the payload; known once the last fragment arrived.
    end: Option<usize>,
    /// The end of the contiguous captured octets.
    captured_to: usize,
}

/// A reassembled packet.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The payload of the IP packet, as far as it was captured.
    pub(crate) octets: Vec<u8>,
    /// The length of the payload on the wire.
    pub(crate) len: usize,
    /// The frames that carried it.
    pub(crate) frames: Vec<u64>,
}

/// The packets that are being reassembled.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    /// The packets by age: keys increase.
    table: BTreeMap<u64, Incomplete>,
    last: u64,
}

impl Fragments {
    /// Handles a fragment; returns the packet if it is complete. Packets that are dropped to make space are
    /// passed to `report`.
    pub(crate) fn take(
        &mut self,
        ip: &Ip<'_>,
        fragment: Fragment,
        time: Duration,
        frame: u64,
        mut report: impl FnMut(What),
    ) -> Option<Whole> {
        let key =
            Key { source: ip.source, destination: ip.destination, protocol: ip.protocol, id: fragment.id };
        let known = self.table.iter().find(|(_, incomplete)| incomplete.key == key).map(|(age, _)| *age);
        let age = known.unwrap_or_else(|| {
            if self.table.len() == INCOMPLETE_MAX
                && let Some((_, oldest)) = self.table.pop_first()
            {
                report(What::Full { table: "packets in fragments", most: INCOMPLETE_MAX });
                report(oldest.to_note());
            }
            self.last += 1;
            self.table.insert(self.last, Incomplete::new(key, ip, time));
            self.last
        });
        let incomplete = self.table.get_mut(&age)?;
        let is_taken = incomplete.add(ip, fragment, frame);
        if !is_taken || incomplete.is_whole() {
            let incomplete = self.table.remove(&age)?;
            return match is_taken {
                true => Some(incomplete.into_whole()),
                false => {
                    report(incomplete.to_note());
                    None
                }
            };
        }
        None
    }

    /// The number of octets that are kept.
    pub(crate) fn kept(&self) -> usize {
        self.table.values().map(|incomplete| incomplete.octets.len()).sum()
    }

    /// Drops packets whose fragments have not arrived in time; at the end of the file, all of them.
    pub(crate) fn give_up(&mut self, now: Option<Duration>) -> Option<What> {
        let (age, oldest) = self.table.first_key_value()?;
        let is_late = now.is_none_or(|now| now.saturating_sub(oldest.since) > PATIENCE);
        let age = *age;
        if is_late { self.table.remove(&age).map(|incomplete| incomplete.to_note()) } else { None }
    }
}

impl Incomplete {
    fn new(key: Key, ip: &Ip<'_>, since: Duration) -> Incomplete {
        Incomplete {
            key,
            since,
            ttl: ip.ttl,
            dont_fragment: ip.dont_fragment,
            frames: Vec::new(),
            octets: Vec::new(),
            pieces: Vec::new(),
            end: None,
            captured_to: PACKET_MAX,
        }
    }

    /// Adds a fragment; false if there are too many, or if it ends beyond the longest packet.
    fn add(&mut self, ip: &Ip<'_>, fragment: Fragment, frame: u64) -> bool {
        let (from, to) = (fragment.offset, fragment.offset + ip.payload_len);
        if self.pieces.len() == PIECES_MAX || to > PACKET_MAX {
            return false;
        }
        self.frames.push(frame);
        self.pieces.push((from, to));
        if !fragment.more {
            self.end = Some(to);
        }
        let captured = from + ip.payload.len();
        if self.octets.len() < captured {
            self.octets.resize(captured, 0);
        }
        if let Some(place) = self.octets.get_mut(from..captured) {
            place.copy_from_slice(ip.payload);
        }
        if captured < to {
            self.captured_to = self.captured_to.min(captured);
        }
        true
    }

    /// The length of the contiguous fragments from the beginning.
    fn reach(&self) -> usize {
        let mut pieces = self.pieces.clone();
        pieces.sort_unstable();
        pieces.iter().fold(0, |reach, (from, to)| if *from <= reach { reach.max(*to) } else { reach })
    }

    fn is_whole(&self) -> bool {
        self.end.is_some_and(|end| self.reach() >= end)
    }

    fn into_whole(mut self) -> Whole {
        let len = self.end.unwrap_or(self.octets.len());
        self.octets.truncate(self.captured_to.min(len));
        Whole { octets: self.octets, len, frames: self.frames }
    }

    fn to_note(&self) -> What {
        let has_first = self.pieces.iter().any(|(from, _)| *from == 0);
        let missing = match (has_first, self.end.is_some()) {
            (true, true) => Missing::Middle,
            (true, false) => Missing::Last,
            (false, true) => Missing::First,
            (false, false) => Missing::FirstAndLast,
        };
        let Key { source, destination, protocol, .. } = self.key;
        let beginning = has_first.then(|| Beginning {
            source,
            destination,
            protocol,
            total: self.octets.len(),
            ttl: self.ttl,
            dont_fragment: self.dont_fragment,
            upper: Upper::read(protocol, &self.octets),
        });
        What::Fragments { frames: self.frames.clone(), missing, source, destination, protocol, beginning }
    }
}
