//! The rules of layer I: IPCP.

use adit_diag::Code;

use super::lcp::terminated;
use super::{Proof, Rule, route, words};
use crate::Side;
use crate::facts::Facts;

/// The number of Naks of one address that makes a loop.
const NAKS: u32 = 3;

pub(super) const RULES: &[Rule] = &[
    Rule::fault("ipcp-protocol-rejected", Code::I05, 95, |f| {
        let seen = f.address.protocol_rejected.as_ref().filter(|_| !f.is_up())?;
        Proof::of(seen, format!("the {} does not take IPCP at all", seen.what))
    }),
    Rule::fault("ipcp-no-address", Code::I01, 85, |f| {
        let seen =
            f.address.rejected.as_ref().filter(|by| by.what == Side::Server && f.address.wanted.is_none())?;
        Proof::of(seen, "the server has no address to give")
    }),
    Rule::fault("ipcp-no-address", Code::I01, 90, |f| {
        let seen = f.address.assigned.as_ref().filter(|address| address.what.is_unspecified())?;
        Proof::of(seen, "the address agreed on is 0.0.0.0: the server has none to give")
    }),
    Rule::fault("ipcp-no-address", Code::I01, 88, |f| {
        let seen = terminated(f).filter(|seen| seen.what.by == Side::Server && !f.is_up())?;
        let text = seen.what.text.to_ascii_lowercase();
        let is_it = text.contains("address") && !text.contains("refus") || text.contains("pool");
        is_it.then(|| Proof::of(seen, format!("the server ended the call: \"{}\"", seen.what.text)))?
    }),
    Rule::fault("ipcp-no-address", Code::I02, 85, |f| {
        let seen = f.address.rejected.as_ref()?;
        let wanted = f.address.wanted.or(f.address.offered)?;
        Proof::of(seen, format!("the {} rejects the client's address {wanted}", seen.what))
    }),
    Rule::fault("ipcp-nak-loop", Code::I02, 90, |f| {
        let wanted = f.address.wanted.filter(|_| f.address.naks >= NAKS && !f.is_up())?;
        let offered = f.address.offered.map_or(String::new(), |offered| format!(", and offers {offered}"));
        Proof::fact(format!(
            "the client insists on {wanted}; the server refused it {} times{offered}",
            f.address.naks
        ))
    }),
    Rule::fault("address-apipa", Code::I01, 90, |f| {
        let seen = f.address.assigned.as_ref().filter(|address| address.what.is_link_local())?;
        Proof::of(seen, format!("the server gave {}: its own DHCP does not answer", seen.what))
    }),
    Rule::fault("ipcp-silent", Code::I06, 60, |f| {
        let seen = f.address.silent.as_ref().filter(|_| f.logged_in() && !f.is_up())?;
        Proof::missing(seen, format!("no answer about addresses within {}", words::seconds(seen.what)))
    }),
    Rule::fault("address-in-client-lan", Code::I03, 90, |f| overlap(f, false)),
    // A guess, with its effect on the traffic: nothing behind the tunnel answers.
    Rule::fault("address-in-client-lan", Code::I03, 70, |f| {
        overlap(f, true).filter(|_| route::all_silent(f))
    }),
    Rule::finding("address-in-client-lan", Code::I03, 60, |f| overlap(f, true)),
    Rule::fault("address-twice", Code::I03, 90, |f| {
        let seen = f.address.twice.as_ref()?;
        Proof::of(seen, format!("{} is in two calls at the same time", seen.what))
    }),
    Rule::finding("ipcp-no-dns", Code::I04, 100, |f| {
        let seen = f.address.dns.as_ref().filter(|dns| dns.what.is_empty())?;
        Proof::of(seen, "the client asked for DNS servers, and the server gave none")
    }),
];

/// The overlap of the tunnel's address with a network in use; a guessed network proves no fault.
fn overlap(facts: &Facts, guessed: bool) -> Option<Proof> {
    let seen = facts.address.overlaps.iter().find(|overlap| overlap.what.guessed == guessed)?;
    let overlap = &seen.what;
    Proof::of(seen, format!("the tunnel's {} lies in {}, {}", overlap.tunnel, overlap.local, overlap.whose))
}
