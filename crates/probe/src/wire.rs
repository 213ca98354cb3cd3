//! Merges the facts from the packets with those that only this end has.

use std::net::SocketAddr;
use std::time::Duration;

use adit_capture::conversation::{Conversation, Conversations};
use adit_capture::{Item, Reader};
use adit_diag::Layer;
use adit_diag::note::LayerUp;
use adit_doctor::facts::{
    Address, Arrival, CallReply, Connect, Facts, Inside, Login, LoginVerdict, Mtu, Reported, StartReply,
};
use adit_doctor::from::capture;
use adit_doctor::{Seen, Side, Vantage};
use adit_wire::text::escape;

use crate::call::CallRecord;
use crate::record::Recorder;
use crate::sizes::Quality;

/// This many undecryptable packets, and no decryptable one, are not a coincidence.
const GARBAGE: u64 = 3;

/// Fills in what the test's own packets show, read like a capture. Facts that only this end has are kept.
pub(crate) fn fill(facts: &mut Facts, recorder: &Recorder, local: Option<SocketAddr>) {
    let mut reader = Reader::default();
    let mut all = Conversations::default();
    let mut found: Vec<Conversation> = Vec::new();
    let mut take = |item: Item, all: &mut Conversations| {
        match item {
            Item::Packet(packet) => all.take(&packet),
            Item::Note(note) => all.take_note(&note),
        }
        found.extend(std::iter::from_fn(|| all.poll()));
    };
    reader.feed(recorder.pcap(), |item| take(item, &mut all));
    reader.finish();
    while let Some(item) = reader.poll() {
        take(item, &mut all);
    }
    all.finish();
    found.extend(std::iter::from_fn(|| all.poll()));
    let port = local.map(|local| local.port());
    for conversation in &found {
        let is_ours = port.is_some_and(|port| conversation.ports.is_some_and(|(_, client)| client == port));
        let seen = capture::facts(conversation, 0, Vantage::Client);
        if is_ours {
            merge(facts, seen);
        } else if let (Some(connect), Some(server)) = (seen.tcp.connect, seen.tcp.server)
            && let Some(tried) = facts.tcp.tried.iter_mut().find(|(other, _)| *other == server)
        {
            tried.1 = connect.what;
        }
    }
}

fn merge(facts: &mut Facts, seen: Facts) {
    // The system reports an open connection; the packets show which host refused one.
    if let Some(connect) = seen.tcp.connect
        && !matches!(connect.what, Connect::Silent { .. })
    {
        facts.tcp.connect = Some(connect);
    }
    facts.control = seen.control;
    facts.call = seen.call;
    facts.gre = seen.gre;
    facts.lcp = seen.lcp;
    facts.auth = seen.auth;
    facts.encrypt = seen.encrypt;
    facts.address = Address { overlaps: std::mem::take(&mut facts.address.overlaps), ..seen.address };
    facts.inside.tunnel_in_tunnel = seen.inside.tunnel_in_tunnel;
    facts.inside.dns_outside = seen.inside.dns_outside;
    facts.mtu = seen.mtu;
    facts.ending = seen.ending;
    for (layer, took) in seen.took {
        facts.took.entry(layer).or_insert(took);
    }
}

/// Adds the results of the call, where the packets do not show them already.
pub(crate) fn add(facts: &mut Facts, record: CallRecord, sees: bool) {
    let here = || Some(Seen::new(()));
    if let Some(ending) = facts.ending.as_mut().filter(|_| record.hung_up) {
        ending.what.in_order |= ending.what.by == Some(Side::Client);
    }
    if facts.control.reply.is_none() && record.established.is_none() && !record.first_words.is_empty() {
        let words = escape(&record.first_words).to_string();
        facts.control.foreign.get_or_insert(Seen::new(words));
    }
    facts.control.requested = facts.control.requested.take().or_else(here);
    if let Some((host, vendor)) = record.established {
        let reply = StartReply { result: 1, error: 0, version: 0x0100, vendor, host };
        facts.control.reply.get_or_insert(Seen::new(reply));
        facts.call.requested = facts.call.requested.take().or_else(here);
    }
    if let Some((ours, theirs)) = record.granted {
        facts.call.client_id.get_or_insert(ours.get());
        facts.call.server_id.get_or_insert(theirs.get());
        facts.call.reply.get_or_insert(Seen::new(CallReply { result: 1, ..CallReply::default() }));
    }
    if record.heard {
        facts.gre.to_client.arrival = Arrival::Proven;
    }
    for up in &record.layers {
        match up {
            LayerUp::Lcp { .. } => {
                facts.gre.to_server.arrival = Arrival::Proven;
                facts.lcp.opened = facts.lcp.opened.take().or_else(here);
            }
            LayerUp::Auth { .. } => {
                let text = up.to_string();
                let login = Login { verdict: LoginVerdict::Accepted, error: None, retry: None, text };
                facts.auth.login.get_or_insert(Seen::new(login));
            }
            LayerUp::Encrypt { .. } => facts.encrypt.opened = facts.encrypt.opened.take().or_else(here),
            _ => {}
        }
    }
    if let Some(up) = record.up {
        facts.address.opened = facts.address.opened.take().or_else(here);
        facts.address.assigned.get_or_insert(Seen::new(up.local));
        facts.address.peer.get_or_insert(Seen::new(up.peer));
        facts.address.dns.get_or_insert(Seen::new(up.dns));
    }
    if let (failed @ GARBAGE.., 0) = record.decrypted {
        let words = format!("{failed} packets of the server, and not one that is right");
        facts.encrypt.garbage.get_or_insert(Seen::new(words));
    }
    facts.mtu.mss = record.mss.map(Seen::new).or(facts.mtu.mss.take());
    if let Some(words) = record.denied {
        facts.gre.denied_here = Some(Seen::new(words));
    }
    if let Some(from) = record.elsewhere {
        facts.gre.from_elsewhere.get_or_insert(Seen::new(from.into()));
    }
    // Without packets, the call's own result is the best available.
    let end = record.call_end.or(record.end);
    if let (false, Some(end)) = (sees, end)
        && let Some(code) = end.code
    {
        facts.reported = Some(Reported { code, detail: end.detail });
    }
}

/// Adds the layers that timed out.
pub(crate) fn waited(facts: &mut Facts, waited: &[(Layer, Duration)]) {
    for (layer, time) in waited {
        let silent = Some(Seen::new(*time));
        match layer {
            Layer::Control if facts.control.reply.is_none() => facts.control.silent = silent,
            Layer::Control => facts.call.silent = silent,
            Layer::Lcp => facts.lcp.silent = facts.lcp.silent.take().or(silent),
            Layer::Auth => facts.auth.silent = facts.auth.silent.take().or(silent),
            Layer::Encrypt => facts.encrypt.silent = facts.encrypt.silent.take().or(silent),
            Layer::Address => facts.address.silent = facts.address.silent.take().or(silent),
            _ => {}
        }
    }
}

/// Adds loss and round trip.
pub(crate) fn quality(facts: &mut Facts, quality: Quality) {
    if quality.sent == 0 {
        return;
    }
    facts.inside.pings = Some((quality.sent, quality.lost));
    facts.inside.round_trip = quality.round_trip;
    // A reply that is not missing in the server's sequence numbers was never sent: the request was lost.
    let to_server = u64::from(quality.lost).saturating_sub(facts.gre.to_client.lost);
    if quality.round_trip.is_some() {
        facts.gre.to_server.lost = facts.gre.to_server.lost.max(to_server);
    }
}

/// Adds the results of the tests through the tunnel.
pub(crate) fn inside(facts: &mut Facts, inside: Inside, mtu: Mtu) {
    let seen = std::mem::take(&mut facts.inside);
    facts.inside = Inside {
        pings: seen.pings,
        round_trip: seen.round_trip,
        tunnel_in_tunnel: seen.tunnel_in_tunnel,
        dns_outside: seen.dns_outside,
        ..inside
    };
    facts.mtu.agreed = mtu.agreed.or(facts.mtu.agreed);
    // Sizes that were tested are more reliable than those that were merely observed.
    if mtu.to_server.passes.is_some() {
        facts.mtu.to_server = mtu.to_server;
        facts.mtu.to_client = mtu.to_client;
    }
}

/// IP, GRE with both numbers, PPP protocol: the overhead around the information field of a PPP frame.
const AROUND: u32 = 20 + 16 + 4;

/// Detects lost fragments: packets vanish from exactly the size at which this host fragments them.
pub(crate) fn fragments(facts: &mut Facts, route_mtu: Option<u32>) {
    let (Some(route_mtu), Some(lost), Some(passes)) =
        (route_mtu, &facts.mtu.to_server.lost, &facts.mtu.to_server.passes)
    else {
        return;
    };
    let mppe = if facts.encrypt.opened.is_some() { 4 } else { 0 };
    let outer = |inner: u16| u32::from(inner) + mppe + AROUND;
    if outer(passes.what) <= route_mtu + 4 && outer(lost.what) > route_mtu {
        facts.mtu.fragments_missing.get_or_insert(Seen::new(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(passes: u16, lost: u16) -> Facts {
        let mut facts = Facts::new(Vantage::Client, "vpn.example.org");
        facts.encrypt.opened = Some(Seen::new(()));
        facts.mtu.to_server.passes = Some(Seen::new(passes));
        facts.mtu.to_server.lost = Some(Seen::new(lost));
        facts
    }

    #[test]
    fn what_vanishes_from_the_size_of_a_cut_on_is_the_second_piece() {
        let missing = |passes, lost, route_mtu| {
            let mut facts = facts(passes, lost);
            fragments(&mut facts, route_mtu);
            facts.mtu.fragments_missing.is_some()
        };
        assert!(missing(1252, 1260, Some(1300)));
        assert!(!missing(1252, 1260, Some(1500)), "nothing is cut here");
        assert!(!missing(1000, 1100, Some(1300)), "the limit lies elsewhere");
        assert!(!missing(1252, 1260, None));
    }

    #[test]
    fn a_question_that_was_never_answered_was_lost_on_its_way_there() {
        let mut seen = facts(1400, 1401);
        seen.gre.to_client.lost = 3;
        let round_trip = Some(Duration::from_millis(20));
        quality(&mut seen, Quality { sent: 100, lost: 30, round_trip });
        assert_eq!((seen.gre.to_server.lost, seen.inside.pings), (27, Some((100, 30))));
        seen.gre.to_server.lost = 0;
        quality(&mut seen, Quality { sent: 20, lost: 20, round_trip: None });
        assert_eq!(seen.gre.to_server.lost, 0, "a server that answers no echo loses nothing");
    }
}
