//! What a server noted of a call, as facts.
//!
//! The server lived the call, so the code that it noted is the verdict; its notes prove how far the call came. What lies
//! behind the tunnel, and what became of packets that left this host, it cannot know: that stays "not visible".
//!
//! No text is read here: a note is typed, and what is for people is passed on to people.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use adit_diag::note::{self, Cause, LayerUp, MessageKind};
use adit_diag::{Code, Layer, LoginRefusal, Note};

use crate::facts::{
    Arrival, AuthProtocol, Bits, CallReply, Connect, Ending, Facts, Known, Login, LoginVerdict, Reported,
};
use crate::{At, Seen, Side, Vantage};

/// Why a layer is not judged whose notes are texts of an older version.
const UNTYPED: &str = "not recorded in typed form; the record shows it as text";

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
    /// Packets that came through the tunnel from the client.
    pub received: u64,
    /// The code of what broke, if something did.
    pub code: Option<Code>,
    /// Its evidence, for people.
    pub detail: &'a str,
    /// Why the login was refused, if that is what broke.
    pub refusal: Option<&'a LoginRefusal>,
    /// Why it ended, one word for people; empty while it lives.
    pub why: &'a str,
    /// Who ended it.
    pub by: Option<Side>,
    /// Refused logins of the same account from the same address in a row, this one included.
    pub failures_in_a_row: u32,
    /// What was learnt, oldest first.
    pub notes: Vec<Noted<'a>>,
    /// Some of what was learnt is kept as text only: a version of adit wrote it that had no typed notes.
    pub has_untyped: bool,
}

/// One note of it.
#[derive(Clone, Copy, Debug)]
pub struct Noted<'a> {
    /// Since the call began.
    pub at: Duration,
    /// What was learnt.
    pub note: &'a Note,
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
    facts.auth.known = record.refusal.and_then(known);
    let mut last = Duration::ZERO;
    for noted in &record.notes {
        if let Note::LayerUp(up) = noted.note {
            facts.took.insert(up.layer(), noted.at.saturating_sub(last));
            last = noted.at;
        }
        learn(&mut facts, record, noted);
    }
    if record.has_untyped {
        of_columns(&mut facts, record);
    }
    if record.was_up && !facts.is_up() {
        // The record of its notes is kept for less time than the session.
        facts.address.opened = Some(Seen::new(()));
    }
    if facts.is_up() {
        facts.address.assigned = record.address.map(Seen::new);
        facts.address.peer = record.server_address.map(Seen::new);
    }
    let heard = facts.gre.to_server.arrival == Arrival::Proven;
    if heard && record.code.is_some_and(|code| code.layer() > Layer::Gre) {
        // The server looks for a fault of PPP only once something of its own was answered.
        facts.gre.to_client.arrival = Arrival::Proven;
    }
    facts.reported = record.code.map(|code| Reported { code, detail: record.detail.to_owned() });
    if !record.why.is_empty() {
        let how = if record.detail.is_empty() { record.why } else { record.detail };
        let in_order = record.code.is_none();
        facts.ending = Some(Seen::new(Ending { by: record.by, how: how.to_owned(), in_order }));
    }
    facts
}

fn learn(facts: &mut Facts, record: &Record<'_>, noted: &Noted<'_>) {
    match noted.note {
        Note::LayerUp(up) => layer_up(facts, up, At::time(noted.at)),
        Note::Finding(finding) => found(facts, finding),
        Note::Packet(packet) => exchanged(facts, packet, At::time(noted.at)),
        Note::Refused(note::Refused { code, cause: Cause::Login(refusal) }) if record.code == Some(*code) => {
            facts.auth.known = known(refusal);
        }
        // They are the code's evidence, or explain to people what the session has besides a failure.
        Note::Refused(_)
        | Note::CallAccepted { .. }
        | Note::EndOrdered { .. }
        | Note::RouteFailed { .. }
        | Note::DhcpAnswered
        | Note::DhcpFailed { .. } => {}
    }
}

/// What the server knows of a name and password that it refused.
fn known(refusal: &LoginRefusal) -> Option<Known> {
    match refusal {
        LoginRefusal::WrongPassword => Some(Known::WrongPassword),
        LoginRefusal::UnknownUser { .. } => Some(Known::UnknownUser),
        LoginRefusal::UnknownUserInThisForm { .. } => Some(Known::OtherForm),
        LoginRefusal::NoPassword { .. } => Some(Known::NoPassword),
        // Each has a code of its own, or says what is wrong with the name.
        LoginRefusal::BadName { .. }
        | LoginRefusal::NeedsReversiblePassword { .. }
        | LoginRefusal::Locked { .. }
        | LoginRefusal::Disabled { .. }
        | LoginRefusal::Expired { .. }
        | LoginRefusal::NoVpnPermission { .. }
        | LoginRefusal::LogonHours { .. }
        | LoginRefusal::MustChangePassword { .. }
        | LoginRefusal::PasswordExpired { .. }
        | LoginRefusal::BadPasswordChange { .. }
        | LoginRefusal::NewPasswordRefused { .. }
        | LoginRefusal::NewPasswordNotStored { .. }
        | LoginRefusal::SourceAddress { .. }
        | LoginRefusal::SessionLimit { .. } => None,
    }
}

fn layer_up(facts: &mut Facts, up: &LayerUp, at: At) {
    match up {
        LayerUp::Control { local_call_id, peer_call_id } => {
            facts.call.reply = Some(Seen::at(CallReply { result: 1, ..CallReply::default() }, at));
            facts.call.server_id = Some(*local_call_id);
            facts.call.client_id = Some(*peer_call_id);
        }
        LayerUp::Gre => facts.gre.to_server.arrival = Arrival::Proven,
        LayerUp::Lcp { mru } => {
            facts.gre.to_client.arrival = Arrival::Proven;
            facts.lcp.opened = Some(Seen::at((), at));
            // What we may send: the client's.
            facts.lcp.client_mru = Some(*mru);
        }
        LayerUp::Auth { method, user } => {
            facts.auth.agreed = Some(Seen::at(AuthProtocol::Method(*method), at));
            if facts.auth.user.is_none() && !user.is_empty() {
                facts.auth.user = Some(user.clone());
            }
            facts.auth.login = Some(Seen::at(accepted(), at));
        }
        LayerUp::Encrypt { bits, stateless } => {
            facts.encrypt.opened = Some(Seen::at((), at));
            let strength = match bits {
                40 => Some(Bits::BITS_40),
                56 => Some(Bits::BITS_56),
                128 => Some(Bits::BITS_128),
                _ => None,
            };
            let stateless = if *stateless { Bits::STATELESS } else { 0 };
            let agreed = strength.map(|strength| Seen::at(Bits(strength | stateless), at));
            (facts.encrypt.client_agreed, facts.encrypt.server_agreed) = (agreed.clone(), agreed);
        }
        LayerUp::Address { .. } => facts.address.opened = Some(Seen::at((), at)),
    }
}

fn accepted() -> Login {
    Login { verdict: LoginVerdict::Accepted, error: None, retry: None, text: String::new() }
}

/// What a packet shows, as far as it proves more than the layers do.
fn exchanged(facts: &mut Facts, packet: &note::Packet, at: At) {
    match (packet.message.kind, packet.sent) {
        (MessageKind::StartControlConnectionRequest, _) => {
            facts.control.requested = Some(Seen::at((), at));
        }
        (MessageKind::OutgoingCallRequest, _) => facts.call.requested = Some(Seen::at((), at)),
        (MessageKind::Challenge, true) => facts.auth.challenges += 1,
        (MessageKind::Response | MessageKind::AuthenticateRequest, false) => facts.auth.responses += 1,
        _ => {}
    }
}

/// A finding at the end of a call.
fn found(facts: &mut Facts, finding: &note::Finding) {
    match finding {
        note::Finding::Loss { lost, sent } => {
            facts.gre.to_server.lost = *lost;
            facts.gre.to_server.packets = sent.saturating_sub(*lost);
        }
        note::Finding::Denied { packets, key, last } => {
            let line = format!("{key} does not name their destination, the last to {last}");
            facts.inside.denied = Some(Seen::new((*packets, line)));
        }
        note::Finding::SizeProbe { lost, passes } => {
            facts.mtu.to_client.lost = Some(Seen::new(*lost));
            facts.mtu.to_client.passes = Some(Seen::new(*passes));
        }
    }
}

/// Of a session of an older version: what its columns prove, which were always typed, and that the rest is not known.
fn of_columns(facts: &mut Facts, record: &Record<'_>) {
    if record.received > 0 {
        facts.gre.to_server.arrival = Arrival::Proven;
    }
    // A call that broke in one layer had come up in those below.
    let layers = Layer::OF_A_CALL;
    let broke =
        record.code.map(Code::layer).filter(|layer| layers.contains(layer) && *layer <= Layer::Address);
    let came_past = |layer| broke.is_some_and(|broke| broke > layer);
    if came_past(Layer::Control) {
        facts.call.reply.get_or_insert(Seen::new(CallReply { result: 1, ..CallReply::default() }));
    }
    if came_past(Layer::Gre) {
        // With no GRE heard the server blames GRE, not what it carries.
        facts.gre.to_server.arrival = Arrival::Proven;
    }
    if came_past(Layer::Lcp) {
        facts.lcp.opened.get_or_insert(Seen::new(()));
    }
    if came_past(Layer::Auth) {
        facts.auth.login.get_or_insert(Seen::new(accepted()));
    }
    if came_past(Layer::Encrypt) {
        facts.encrypt.opened.get_or_insert(Seen::new(()));
    }
    let not_known = layers.into_iter().filter(|layer| *layer >= Layer::Control);
    facts.left_out.extend(not_known.map(|layer| (layer, UNTYPED.to_owned())));
}
