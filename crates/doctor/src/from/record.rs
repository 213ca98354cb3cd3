//! What a server noted of a call, as facts.
//!
//! The server lived the call, so the code that it noted is the verdict; its steps prove how far the call came. What lies
//! behind the tunnel, and what became of packets that left this host, it cannot know: that stays "not visible".

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use adit_diag::{Code, Layer};

use crate::facts::{
    Arrival, AuthProtocol, Bits, CallReply, Connect, Ending, Facts, Known, Login, LoginVerdict, Told,
};
use crate::{At, Seen, Side, Vantage};

/// A call as the server noted it. Texts are those of the record: bounded, escaped, without secrets.
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    /// What people call it: `s47`.
    pub name: &'a str,
    /// The name by which clients call this server, where it is known.
    pub host: Option<&'a str>,
    /// Where the client called from.
    pub from: Option<SocketAddr>,
    /// The account, or the claimed name.
    pub user: Option<&'a str>,
    /// The client's address in the tunnel, and ours.
    pub address: Option<Ipv4Addr>,
    /// Our end of the tunnel.
    pub server_address: Option<Ipv4Addr>,
    /// It carried traffic.
    pub was_up: bool,
    /// The code of what broke, if something did.
    pub code: Option<Code>,
    /// Its evidence.
    pub detail: &'a str,
    /// Why it ended, one word; empty while it lives.
    pub why: &'a str,
    /// Who ended it.
    pub by: Option<Side>,
    /// Refused logins of the same account from the same address in a row, this one included.
    pub failures_in_a_row: u32,
    /// What happened, oldest first.
    pub steps: Vec<Step<'a>>,
}

/// One line of it.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Since the call began.
    pub at: Duration,
    /// `sent`, `received` or `note`.
    pub who: &'a str,
    /// One line for people.
    pub text: &'a str,
}

/// What the record proves.
pub fn facts(record: &Record<'_>) -> Facts {
    let from = record.from.map(|from| format!(" from {}", from.ip())).unwrap_or_default();
    let mut facts = Facts::new(Vantage::Record, format!("{}{from}", record.name));
    // Where there is a record there was a connection.
    facts.tcp.connect = Some(Seen::new(Connect::Open { after: Duration::ZERO }));
    facts.name.asked = record.host.map(str::to_owned);
    facts.auth.user = record.user.map(str::to_owned);
    facts.auth.failures_in_a_row = record.failures_in_a_row;
    let mut last = Duration::ZERO;
    for step in &record.steps {
        if step.who == "note" {
            if let Some((layer, text)) = reached(step.text) {
                facts.took.insert(layer, step.at.saturating_sub(last));
                last = step.at;
                note(&mut facts, layer, text, At::time(step.at));
            } else if let Some((code, text)) = finding(step.text) {
                noticed(&mut facts, code, text);
            }
        } else {
            said(&mut facts, step);
        }
    }
    if record.was_up && !facts.is_up() {
        // The record of its steps is kept for less time than the session.
        facts.address.opened = Some(Seen::new(()));
    }
    if facts.is_up() {
        facts.address.assigned = record.address.map(Seen::new);
        facts.address.peer = record.server_address.map(Seen::new);
    }
    if record.code == Some(Code::A01) {
        facts.auth.known = known(record.detail);
    }
    let heard = facts.gre.to_server.arrival == Arrival::Proven;
    if heard && record.code.is_some_and(|code| code.layer() > Layer::Gre) {
        // The server looks for a fault of PPP only once something of its own was answered.
        facts.gre.to_client.arrival = Arrival::Proven;
    }
    facts.told = record.code.map(|code| Told { code, detail: record.detail.to_owned() });
    if !record.why.is_empty() {
        let how = if record.detail.is_empty() { record.why } else { record.detail };
        let in_order = record.code.is_none();
        facts.ending = Some(Seen::new(Ending { by: record.by, how: how.to_owned(), in_order }));
    }
    facts
}

/// What the server knows of a refused login, by its words for A01.
fn known(detail: &str) -> Option<Known> {
    let is = |words: &str| detail.contains(words);
    Some(match () {
        () if is("unknown user") && is("but there is") => Known::OtherForm,
        () if is("unknown user") => Known::UnknownUser,
        () if is("has no password yet") => Known::NoPassword,
        () if is("wrong password") => Known::WrongPassword,
        () => return None,
    })
}

/// `lcp ok: mru 1400`: a layer that came up.
fn reached(text: &str) -> Option<(Layer, &str)> {
    let (word, rest) = text.split_once(" ok: ")?;
    Some((Layer::ALL.into_iter().find(|layer| layer.word() == word)?, rest))
}

/// `finding G07: ...`.
fn finding(text: &str) -> Option<(Code, &str)> {
    let (code, rest) = text.strip_prefix("finding ")?.split_once(": ")?;
    Some((code.parse().ok()?, rest))
}

fn note(facts: &mut Facts, layer: Layer, text: &str, at: At) {
    match layer {
        Layer::Control => {
            facts.call.reply = Some(Seen::at(CallReply { result: 1, ..CallReply::default() }, at));
            let mut ids = text.split(|c: char| !c.is_ascii_digit()).filter_map(|id| id.parse().ok());
            (facts.call.server_id, facts.call.client_id) = (ids.next(), ids.next());
        }
        Layer::Gre => facts.gre.to_server.arrival = Arrival::Proven,
        Layer::Lcp => {
            facts.gre.to_client.arrival = Arrival::Proven;
            facts.lcp.opened = Some(Seen::at((), at));
            // What we may send: the client's.
            facts.lcp.client_mru = text.strip_prefix("mru ").and_then(|mru| mru.parse().ok());
        }
        Layer::Auth => {
            let (method, user) = text.split_once(" as ").unwrap_or((text, ""));
            let method = method.parse().ok().map(AuthProtocol::Method);
            facts.auth.agreed = method.map(|method| Seen::at(method, at));
            if facts.auth.user.is_none() && !user.is_empty() {
                facts.auth.user = Some(user.to_owned());
            }
            let login =
                Login { verdict: LoginVerdict::Accepted, error: None, retry: None, text: String::new() };
            facts.auth.login = Some(Seen::at(login, at));
        }
        Layer::Encrypt => {
            facts.encrypt.opened = Some(Seen::at((), at));
            let bits = bits_of(text).map(|bits| Seen::at(bits, at));
            (facts.encrypt.client_agreed, facts.encrypt.server_agreed) = (bits.clone(), bits);
        }
        Layer::Address => facts.address.opened = Some(Seen::at((), at)),
        _ => {}
    }
}

/// Of `mppe 128 stateless`.
fn bits_of(text: &str) -> Option<Bits> {
    let mut words = text.strip_prefix("mppe ")?.split(' ');
    let strength = match words.next()? {
        "40" => Bits::BITS_40,
        "56" => Bits::BITS_56,
        "128" => Bits::BITS_128,
        _ => return None,
    };
    let stateless = if words.next() == Some("stateless") { Bits::STATELESS } else { 0 };
    Some(Bits(strength | stateless))
}

/// What was said on the wire, as far as it proves more than the notes do.
fn said(facts: &mut Facts, step: &Step<'_>) {
    let at = At::time(step.at);
    match step.text.split(' ').next() {
        Some("Start-Control-Connection-Request") => facts.control.requested = Some(Seen::at((), at)),
        Some("Outgoing-Call-Request") => facts.call.requested = Some(Seen::at((), at)),
        Some("Challenge") if step.who == "sent" => facts.auth.challenges += 1,
        Some("Response" | "Authenticate-Request") if step.who == "received" => facts.auth.responses += 1,
        _ => {}
    }
}

/// A finding at the end of a call.
fn noticed(facts: &mut Facts, code: Code, text: &str) {
    let mut numbers = text.split(' ').filter_map(|word| word.parse::<u64>().ok());
    match (code, numbers.next()) {
        (Code::G07, Some(lost)) => {
            let sent = numbers.next().unwrap_or(lost);
            facts.gre.to_server.lost = lost;
            facts.gre.to_server.packets = sent.saturating_sub(lost);
        }
        (Code::R02, Some(packets)) => {
            let line = text.split_once("dropped that ").map_or(text, |(_, line)| line);
            let line = line.replace(" does not allow, ", " does not name their destination, ");
            facts.inside.denied = Some(Seen::new((packets, line)));
        }
        (Code::M01, Some(lost)) => {
            let sizes = [Some(lost), numbers.next()].map(|size| u16::try_from(size?).ok().map(Seen::new));
            [facts.mtu.to_client.lost, facts.mtu.to_client.passes] = sizes;
        }
        _ => {}
    }
}
