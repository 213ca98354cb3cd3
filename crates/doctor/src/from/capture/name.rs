//! The name facts of a capture: its DNS queries.

use std::net::{IpAddr, Ipv4Addr};

use adit_capture::conversation::{Lookup, Lookups};

use super::View;
use crate::facts::{Facts, Name, Resolved};
use crate::{At, Position, Seen, Vantage};

const NXDOMAIN: u8 = 3;
const A: u16 = 1;
const AAAA: u16 = 28;

/// The query whose answer led to the server.
pub(super) fn facts(view: &View<'_>) -> Name {
    let client = match view.conversation.client {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    };
    let Some(lookup) = view.conversation.names.last() else {
        return Name { source: client, ..Name::default() };
    };
    let resolved = lookup.answer.as_ref().map(|answer| {
        let (v4, v6) = split(&answer.addresses);
        view.seen(Resolved::Addresses { v4, v6 }, (answer.frame, answer.time))
    });
    Name { asked: Some(lookup.name.clone()), resolved, source: client, ..Name::default() }
}

fn split(addresses: &[IpAddr]) -> (Vec<Ipv4Addr>, usize) {
    let v4: Vec<_> = addresses
        .iter()
        .filter_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        })
        .collect();
    let v6 = addresses.len() - v4.len();
    (v4, v6)
}

/// The facts of a capture without a call to the server `host`: its name was queried and not found. `None` if
/// it was not queried, or an IPv4 address was returned.
pub fn facts_of_name(lookups: &Lookups, host: &str) -> Option<Facts> {
    let host = host.trim_end_matches('.');
    let about: Vec<&Lookup> = lookups
        .iter()
        .filter(|lookup| matches!(lookup.kind, A | AAAA) && lookup.name.eq_ignore_ascii_case(host))
        .collect();
    let last = about.last()?;
    let begins = about.first()?.asked.1;
    let answers = || about.iter().filter_map(|lookup| lookup.answer.as_ref());
    let (v4, v6) = split(&answers().flat_map(|answer| answer.addresses.clone()).collect::<Vec<_>>());
    let asked_a = about.iter().any(|lookup| lookup.kind == A);
    let (what, place) = match answers().next_back() {
        _ if !v4.is_empty() => return None,
        None => (Resolved::NoAnswer, last.asked),
        Some(answer) if answer.rcode == NXDOMAIN => (Resolved::NoSuchName, (answer.frame, answer.time)),
        Some(answer) if answer.rcode != 0 => (
            Resolved::Failed(format!("the name server answers with code {}", answer.rcode)),
            (answer.frame, answer.time),
        ),
        Some(answer) if v6 > 0 && asked_a => (Resolved::OnlyV6, (answer.frame, answer.time)),
        Some(_) if !asked_a => return None,
        Some(answer) => (Resolved::NoSuchName, (answer.frame, answer.time)),
    };
    let mut facts = Facts::new(Vantage::Capture(Position::Unknown), format!("{} → {host}", last.by));
    facts.name.asked = Some(host.to_owned());
    let at = At::frame(place.0, place.1.saturating_sub(begins));
    facts.name.resolved = Some(Seen::at(what, at));
    Some(facts)
}
