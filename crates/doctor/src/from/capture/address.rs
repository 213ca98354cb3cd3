//! The IPCP facts of a capture.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use adit_wire::cp::ConfigOption;
use adit_wire::ipcp::{self, NameServer, NameServerAddress};
use adit_wire::{cp, ppp};
use ipnet::Ipv4Net;

use super::View;
use super::messages::{Message, Messages, protocol_reject, seen};
use crate::facts::{Address, Overlap};
use crate::{Seen, Side};

const DNS: [u8; 2] = [NameServer::PrimaryDns.kind(), NameServer::SecondaryDns.kind()];
/// The prefix length of most home and office networks.
const GUESS: u8 = 24;

pub(super) fn facts(view: &View<'_>) -> Address {
    let mut facts = Address::default();
    if view.call.is_none() {
        return facts;
    }
    let (lcp, ipcp) = (Messages::of(view, ppp::LCP), Messages::of(view, ppp::IPCP));
    facts.wanted =
        ipcp.first_request(Side::Client).and_then(address).filter(|address| !address.is_unspecified());
    let acked = |by| ipcp.acked(by).and_then(|ack| Some(seen(view, address(ack)?, ack)));
    (facts.assigned, facts.peer) = (acked(Side::Client), acked(Side::Server));
    facts.opened = ipcp.first_opened().map(|message| seen(view, (), message));
    naks(&ipcp, &mut facts);
    if facts.opened.is_none() {
        let refused = [Side::Client, Side::Server].into_iter().find_map(|by| {
            let refusals = ipcp.refusals(by, ipcp::Address::KIND);
            let reject = refusals.into_iter().find(|message| message.packet.code == cp::CONFIGURE_REJECT)?;
            Some((by, reject))
        });
        if let Some((by, reject)) = refused {
            // An address that the client requested explicitly is refused, not missing.
            let wanted = address(reject).filter(|address| by == Side::Client && !address.is_unspecified());
            facts.wanted = wanted.or(facts.wanted);
            facts.rejected = Some(seen(view, by.other(), reject));
        }
        facts.protocol_rejected = protocol_reject(&lcp, ppp::IPCP).map(|(by, place)| view.seen(by, place));
        facts.silent = silent(view, &ipcp);
    }
    facts.dns = dns(view, &ipcp, &facts);
    facts.overlaps = overlaps(view, &facts);
    facts
}

fn address(message: &Message<'_>) -> Option<Ipv4Addr> {
    let data: [u8; 4] = message.option(ppp::IPCP, ipcp::Address::KIND)?.try_into().ok()?;
    Some(data.into())
}

/// Counts consecutive equal Naks after which the client asks again.
fn naks(ipcp: &Messages<'_>, facts: &mut Address) {
    let naks: Vec<Ipv4Addr> = ipcp
        .refusals(Side::Client, ipcp::Address::KIND)
        .filter(|message| message.packet.code == cp::CONFIGURE_NAK)
        .filter_map(address)
        .collect();
    facts.offered = naks.last().copied();
    let same = naks.iter().rev().take_while(|nak| Some(**nak) == facts.offered).count();
    facts.naks = u32::try_from(same).unwrap_or(u32::MAX);
}

/// Finds a request without any answer.
fn silent(view: &View<'_>, ipcp: &Messages<'_>) -> Option<Seen<Duration>> {
    [Side::Client, Side::Server].into_iter().find_map(|by| {
        let answered =
            ipcp.list.iter().filter(|message| message.by == by.other()).map(|message| message.frame).max();
        let first = ipcp.sent(by, cp::CONFIGURE_REQUEST).find(|request| Some(request.frame) > answered)?;
        view.silence(first.time).map(|silence| seen(view, silence, first))
    })
}

/// The DNS servers in the client's acknowledged request, once IPCP is Opened. `None` if it did not ask.
fn dns(view: &View<'_>, ipcp: &Messages<'_>, facts: &Address) -> Option<Seen<Vec<Ipv4Addr>>> {
    facts.opened.as_ref()?;
    let ack = ipcp.acked(Side::Client)?;
    let asks = |message: &Message<'_>| DNS.iter().any(|kind| message.option(ppp::IPCP, *kind).is_some());
    if !ipcp.sent(Side::Client, cp::CONFIGURE_REQUEST).any(asks) {
        return None;
    }
    let options = ack.packet.options(ppp::protocol(ppp::IPCP)).flatten();
    let mut given = Vec::new();
    for option in options.filter(|option| DNS.contains(&option.kind)) {
        if let Some(Ok(NameServerAddress { address, .. })) = NameServerAddress::parse(&option)
            && !address.is_unspecified()
            && !given.contains(&address)
        {
            given.push(address);
        }
    }
    Some(seen(view, given, ack))
}

/// The tunnel's addresses that overlap with networks of either end, which can be guessed from private
/// addresses.
fn overlaps(view: &View<'_>, facts: &Address) -> Vec<Seen<Overlap>> {
    let outer = [
        (view.conversation.client, "the client's network (guessed from its address)"),
        (view.conversation.server, "the server's network (guessed from its address)"),
    ];
    let mut overlaps: Vec<Seen<Overlap>> = Vec::new();
    for (address, whose) in outer {
        let IpAddr::V4(address) = address else { continue };
        let Some(local) = guess(address) else { continue };
        // Both ends in one network are usually a test, and then the server uses its own address in the
        // tunnel.
        let found = facts.assigned.as_ref().filter(|inner| local.contains(&inner.what));
        if let Some(inner) = found
            && overlaps.iter().all(|known| known.what.local != local)
        {
            let tunnel = Ipv4Net::from(inner.what);
            let overlap = Overlap { tunnel, local, whose: whose.to_owned(), guessed: true };
            overlaps.push(Seen::at(overlap, inner.at));
        }
    }
    overlaps
}

fn guess(address: Ipv4Addr) -> Option<Ipv4Net> {
    if !address.is_private() {
        return None;
    }
    Ipv4Net::new(address, GUESS).ok().map(|net| net.trunc())
}
