//! Facts of a conversation in a capture, file or live: what its packets show, each fact with its frame.
//!
//! The absence of a packet is a fact only if the capture is long enough to show it. Repetitions and answers
//! are counted over the whole call; details are read from the kept steps.

mod address;
mod auth;
mod control;
mod encrypt;
mod ending;
mod gre;
mod inside;
mod lcp;
mod messages;
mod mtu;
mod name;
mod twice;

use std::time::Duration;

use adit_capture::conversation::{self, By, Conversation, Step};
use adit_diag::Layer;

use crate::facts::Facts;
use crate::{At, Seen, Side, Vantage};

pub use name::facts_of_name;
pub use twice::addresses_twice;

/// Silence of less than this proves nothing: the capture may just have ended.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Collects the facts of one call; `call` counts from 0. A conversation without calls has a single one, of
/// the control connection alone. The live probe passes its own vantage point, a file that of [`vantage`].
pub fn facts(conversation: &Conversation, call: usize, vantage: Vantage) -> Facts {
    let view = View { conversation, index: call, call: conversation.calls.get(call) };
    let mut facts = Facts::new(vantage, view.subject());
    facts.name = name::facts(&view);
    facts.tcp = control::tcp(&view);
    facts.control = control::control(&view);
    facts.call = control::call(&view);
    facts.lcp = lcp::facts(&view);
    facts.auth = auth::facts(&view);
    facts.encrypt = encrypt::facts(&view, &facts.auth);
    facts.address = address::facts(&view);
    facts.inside = inside::facts(&view, &facts.address);
    facts.mtu = mtu::facts(&view, &facts.lcp);
    let size_matters = facts.mtu.to_server.lost.is_some() || facts.mtu.to_client.lost.is_some();
    facts.gre = gre::facts(&view, &facts.lcp, size_matters, vantage);
    facts.ending = ending::facts(&view, facts.is_up());
    clear_silence(&mut facts);
    took(&mut facts);
    facts
}

/// Removes silence if the next step worked: the answer was sent, but is not in the capture.
fn clear_silence(facts: &mut Facts) {
    let data = facts.gre.to_server.data > 0 && facts.gre.to_client.data > 0;
    let beyond_login = data || facts.address.opened.is_some() || facts.encrypt.client_offer.is_some();
    let beyond_lcp = beyond_login || facts.auth.challenges > 0 || facts.auth.login.is_some();
    let beyond_call = beyond_lcp || facts.gre.to_client.packets > 0 && facts.gre.to_server.packets > 0;
    if data {
        (facts.address.silent, facts.encrypt.silent) = (None, None);
    }
    if beyond_login {
        facts.auth.silent = None;
    }
    if beyond_lcp {
        facts.lcp.silent = None;
    }
    if beyond_call {
        facts.call.silent = None;
    }
    if beyond_call || facts.call.requested.is_some() || facts.call.reply.is_some() {
        (facts.control.silent, facts.control.acknowledged) = (None, None);
    }
}

/// The position of the capture, and the reason for it.
pub fn vantage(conversation: &Conversation) -> (Vantage, String) {
    let (position, why) = conversation.position();
    (Vantage::Capture(position), why)
}

/// One call and the control connection around it.
struct View<'a> {
    conversation: &'a Conversation,
    index: usize,
    call: Option<&'a conversation::Call>,
}

impl<'a> View<'a> {
    fn subject(&self) -> String {
        let Conversation { client, server, .. } = self.conversation;
        match self.conversation.calls.len() {
            0 | 1 => format!("{client} → {server}"),
            _ => format!("{client} → {server} call {}", self.index + 1),
        }
    }

    /// The steps of the control connection and of this call.
    fn steps(&self) -> impl Iterator<Item = &'a Step> + use<'a> {
        let index = self.index;
        self.conversation.steps.iter().filter(move |step| step.call.is_none_or(|call| call == index))
    }

    fn at(&self, frame: u64, time: Duration) -> At {
        At::frame(frame, time.saturating_sub(self.conversation.began()))
    }

    fn seen<T>(&self, what: T, (frame, time): (u64, Duration)) -> Seen<T> {
        Seen::at(what, self.at(frame, time))
    }

    fn seen_in<T>(&self, what: T, step: &Step) -> Seen<T> {
        self.seen(what, (step.frame, step.time))
    }

    /// The time until which silence can be seen: the end of the capture, or of the control connection.
    fn end(&self) -> Duration {
        let until = self.conversation.until.max(self.conversation.last_time);
        self.conversation.closed.map_or(until, |(_, time, _)| time)
    }

    /// The silence since `time`, if it is long enough to be significant.
    fn silence(&self, time: Duration) -> Option<Duration> {
        Some(self.end().saturating_sub(time)).filter(|silence| *silence >= PATIENCE)
    }
}

/// The sender's side. GRE of a call from a third address is attributed to the server, by its Call ID.
fn side(by: By) -> Side {
    match by {
        By::Client => Side::Client,
        By::Server | By::Other(_) => Side::Server,
    }
}

/// Measures the time that each layer took.
fn took(facts: &mut Facts) {
    let time = |at: At| at.time;
    let connect = facts.tcp.connect.as_ref().and_then(|seen| time(seen.at));
    let call = facts.call.reply.as_ref().and_then(|seen| time(seen.at));
    let gre = facts.gre.to_client.first.as_ref().and_then(|seen| time(seen.at));
    let lcp = facts.lcp.opened.as_ref().and_then(|seen| time(seen.at));
    let auth = facts.auth.login.as_ref().and_then(|seen| time(seen.at));
    let encrypt = facts.encrypt.opened.as_ref().and_then(|seen| time(seen.at));
    let address = facts.address.opened.as_ref().and_then(|seen| time(seen.at));
    let mut last = connect.map(|_| Duration::ZERO);
    let moments = [
        (Layer::Control, call),
        (Layer::Gre, gre),
        (Layer::Lcp, lcp),
        (Layer::Auth, auth),
        (Layer::Encrypt, encrypt),
        (Layer::Address, address),
    ];
    for (layer, moment) in moments {
        if let (Some(from), Some(to)) = (last, moment) {
            facts.took.insert(layer, to.saturating_sub(from));
        }
        last = moment.or(last);
    }
}
