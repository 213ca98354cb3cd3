//! Facts from a server's record of a call.
//!
//! The server took part in the call, so the code that it recorded is the verdict; its notes prove how far the
//! call got. It cannot see what lies behind the tunnel or whether sent packets arrived: that stays "not
//! visible".
//!
//! Texts are not parsed here: notes are typed, and texts are passed on for display.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use adit_diag::note::{self, Cause, LayerUp, MessageKind};
use adit_diag::{Code, Layer, LoginRefusal, Note};

use crate::facts::{
    Arrival, AuthProtocol, Bits, CallReply, Connect, Ending, Facts, Known, Login, LoginVerdict, Reported,
};
use crate::{At, Seen, Side, Vantage};

/// Why a layer is not judged: its notes are texts of an older version.
const UNTYPED: &str = "not recorded in typed form; the record shows it as text";

/// The record of a call by the server. Texts are as in the record: bounded, escaped, without secrets.
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    /// The name of the session: `s47`.
    pub name: &'a str,
    /// The name by which clients connect to this server, if known.
    pub host: Option<&'a str>,
    /// The client's public address and port.
    pub from: Option<SocketAddr>,
    /// The account, or the name that the client claimed.
    pub user: Option<&'a str>,
    /// The client's address in the tunnel.
    pub address: Option<Ipv4Addr>,
    /// The server's address in the tunnel.
    pub server_address: Option<Ipv4Addr>,
    /// Whether it carried traffic.
    pub was_up: bool,
    /// Packets received from the client through the tunnel.
    pub received: u64,
    /// The code of the fault, if there is one.
    pub code: Option<Code>,
    /// The description of the fault.
    pub detail: &'a str,
    /// Why the login was refused, if that is the fault.
    pub refusal: Option<&'a LoginRefusal>,
    /// Why it ended, as one word for display; empty while it is active.
    pub why: &'a str,
    /// Who ended it.
    pub by: Option<Side>,
    /// Refused logins of the same account from the same address in a row, including this one.
    pub failures_in_a_row: u32,
    /// The notes, oldest first.
    pub notes: Vec<Noted<'a>>,
    /// Whether some notes exist as text only, written by a version of adit without typed notes.
    pub has_untyped: bool,
}

/// One note of a record.
#[derive(Clone, Copy, Debug)]
pub struct Noted<'a> {
    /// The time since the call began.
    pub at: Duration,
    /// The note.
    pub note: &'a Note,
}

/// Collects the facts that a record proves.
pub fn facts(record: &Record<'_>) -> Facts {
    let from = record.from.map(|from| format!(" from {}", from.ip())).unwrap_or_default();
    let mut facts = Facts::new(Vantage::Record, format!("{}{from}", record.name));
    // A record implies a connection.
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
        // The notes of a record are kept for a shorter time than the session.
        facts.address.opened = Some(Seen::new(()));
    }
    if facts.is_up() {
        facts.address.assigned = record.address.map(Seen::new);
        facts.address.peer = record.server_address.map(Seen::new);
    }
    let heard = facts.gre.to_server.arrival == Arrival::Proven;
    if heard && record.code.is_some_and(|code| code.layer() > Layer::Gre) {
        // The server blames PPP only after a packet of its own was answered.
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
        // These are the evidence of the code, or explain something other than a failure.
        Note::Refused(_)
        | Note::CallAccepted { .. }
        | Note::EndOrdered { .. }
        | Note::RouteFailed { .. }
        | Note::DhcpAnswered
        | Note::ForgedFrames { .. }
        | Note::DhcpFailed { .. } => {}
    }
}

/// What the server knows about a refused name and password.
fn known(refusal: &LoginRefusal) -> Option<Known> {
    match refusal {
        LoginRefusal::WrongPassword => Some(Known::WrongPassword),
        LoginRefusal::UnknownUser { .. } => Some(Known::UnknownUser),
        LoginRefusal::UnknownUserInThisForm { .. } => Some(Known::OtherForm),
        LoginRefusal::NoPassword { .. } => Some(Known::NoPassword),
        LoginRefusal::RejectedByServer { .. } => Some(Known::RejectedByServer),
        // Each has a code of its own, or describes a fault of the name.
        LoginRefusal::BadName { .. }
        | LoginRefusal::NeedsReversiblePassword { .. }
        | LoginRefusal::SecondFactor { .. }
        | LoginRefusal::Locked { .. }
        | LoginRefusal::HourlyLimit { .. }
        | LoginRefusal::TooManyAtOnce { .. }
        | LoginRefusal::AddressBanned { .. }
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
            // The MRU for what we send is the client's.
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

/// The facts from a packet, beyond those of the layers.
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

/// The facts from a finding at the end of a call.
fn found(facts: &mut Facts, finding: &note::Finding) {
    match finding {
        note::Finding::Loss { lost, sent } => {
            facts.gre.to_server.lost = *lost;
            facts.gre.to_server.packets = sent.saturating_sub(*lost);
        }
        note::Finding::Denied { packets, key, last } => {
            let line = format!("{key} does not allow their destination, the last to {last}");
            facts.inside.denied = Some(Seen::new((*packets, line)));
        }
        note::Finding::SizeProbe { lost, passes } => {
            facts.mtu.to_client.lost = Some(Seen::new(*lost));
            facts.mtu.to_client.passes = Some(Seen::new(*passes));
        }
        note::Finding::Unanswered { sent, seconds } => {
            facts.inside.unanswered = Some(Seen::new((*sent, *seconds)));
        }
    }
}

/// The facts of a session of an older version: only its columns, which were always typed; the rest is
/// unknown.
fn of_columns(facts: &mut Facts, record: &Record<'_>) {
    if record.received > 0 {
        facts.gre.to_server.arrival = Arrival::Proven;
    }
    // A call that failed in one layer had come up in those below.
    let layers = Layer::OF_A_CALL;
    let broke =
        record.code.map(Code::layer).filter(|layer| layers.contains(layer) && *layer <= Layer::Address);
    let came_past = |layer| broke.is_some_and(|broke| broke > layer);
    if came_past(Layer::Control) {
        facts.call.reply.get_or_insert(Seen::new(CallReply { result: 1, ..CallReply::default() }));
    }
    if came_past(Layer::Gre) {
        // If no GRE was received, the server blames GRE, not its contents.
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
