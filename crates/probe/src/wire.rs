//! Puts together what the packets say and what only this end knows.

use std::time::Duration;

use adit_diag::Layer;
use adit_doctor::Seen;
use adit_doctor::facts::{Arrival, CallReply, Facts, Inside, Login, LoginVerdict, Mtu, StartReply, Told};

use crate::call::Story;
use crate::record::Recorder;
use crate::sizes::Quality;

/// What the test's own packets show, read as a capture is read.
pub(crate) fn fill(_facts: &mut Facts, _recorder: &Recorder) {}

/// What the machine of the call knows, where the packets do not say it already.
pub(crate) fn add(facts: &mut Facts, story: Story, sees: bool) {
    let here = || Some(Seen::new(()));
    facts.control.requested = facts.control.requested.take().or_else(here);
    if let Some((host, vendor)) = story.established {
        let reply = StartReply { result: 1, error: 0, version: 0x0100, vendor, host };
        facts.control.reply.get_or_insert(Seen::new(reply));
        facts.call.requested = facts.call.requested.take().or_else(here);
    }
    if let Some((ours, theirs)) = story.granted {
        facts.call.client_id.get_or_insert(ours);
        facts.call.server_id.get_or_insert(theirs);
        facts.call.reply.get_or_insert(Seen::new(CallReply { result: 1, ..CallReply::default() }));
    }
    if story.heard {
        facts.gre.to_client.arrival = Arrival::Proven;
    }
    for (layer, text) in &story.layers {
        match layer {
            Layer::Lcp => {
                facts.gre.to_server.arrival = Arrival::Proven;
                facts.lcp.opened = facts.lcp.opened.take().or_else(here);
            }
            Layer::Auth => {
                let login =
                    Login { verdict: LoginVerdict::Accepted, error: None, retry: None, text: text.clone() };
                facts.auth.login.get_or_insert(Seen::new(login));
            }
            Layer::Encrypt => facts.encrypt.opened = facts.encrypt.opened.take().or_else(here),
            _ => {}
        }
    }
    if let Some(up) = story.up {
        facts.address.opened = facts.address.opened.take().or_else(here);
        facts.address.assigned.get_or_insert(Seen::new(up.local));
        facts.address.peer.get_or_insert(Seen::new(up.peer));
        facts.address.dns.get_or_insert(Seen::new(up.dns));
    }
    if let Some(words) = story.denied {
        facts.gre.denied_here = Some(Seen::new(words));
    }
    if let Some(from) = story.elsewhere {
        facts.gre.from_elsewhere.get_or_insert(Seen::new(from.into()));
    }
    // Without the packets the machine's own judgement is the best there is.
    let end = story.call_end.or(story.end);
    if let (false, Some(end)) = (sees, end)
        && let Some(code) = end.code
    {
        facts.told = Some(Told { code, detail: end.detail });
    }
}

/// What was waited for in vain.
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

/// Loss and round trip.
pub(crate) fn quality(facts: &mut Facts, quality: Quality) {
    if quality.sent > 0 {
        facts.inside.pings = Some((quality.sent, quality.lost));
        facts.inside.round_trip = quality.round_trip;
    }
}

/// What was found behind the tunnel.
pub(crate) fn inside(facts: &mut Facts, inside: Inside, mtu: Mtu) {
    let (pings, round_trip) = (facts.inside.pings, facts.inside.round_trip);
    facts.inside = Inside { pings, round_trip, ..inside };
    facts.mtu.agreed = mtu.agreed.or(facts.mtu.agreed);
    if mtu.to_server.passes.is_some() {
        facts.mtu.to_server = mtu.to_server;
        facts.mtu.to_client = mtu.to_client;
    }
}
