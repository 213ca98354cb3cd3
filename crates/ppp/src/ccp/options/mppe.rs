//! The MPPE option (RFC 3078 section 2): one strength and one mode for both directions.

mod why;

use adit_crypto::mppe::Strength;
use adit_diag::Side;
use adit_wire::ccp;
use adit_wire::cp::{ConfigOption, Opt};

use crate::ccp::context::{Config, Context};
use crate::ccp::policy::{Agreed, Mode, Stateful};
use crate::fsm::Judge;
use crate::negotiate::{Context as _, Negotiate};

pub use why::no_keys;

#[derive(Clone, Debug)]
pub(in crate::ccp) struct Mppe {
    side: Side,
    mode: Mode,
    stateful: Stateful,
    /// The strengths that the policy and the keys allow.
    allowed: ccp::Mppe,
    /// The bits that our request asks for; `None` if it has no option. It changes only with an answer to a
    /// request, so that it is always what an Ack acknowledges.
    asked: Option<ccp::Mppe>,
    /// The bits that the peer acknowledged, for the direction to us. No bits: no encryption.
    ours: Option<ccp::Mppe>,
    /// The bits that we acknowledged, for the direction to the peer. No bits: no encryption.
    theirs: Option<ccp::Mppe>,
    peer: PeerView,
}

/// What the peer offered in this negotiation, to explain a failure.
#[derive(Clone, Copy, Debug, Default)]
struct PeerView {
    /// The last bits in a request or Nak of the peer.
    offer: Option<ccp::Mppe>,
    /// Whether the peer rejected the option.
    rejects: bool,
    /// Whether we rejected its option.
    rejected: bool,
}

impl Mppe {
    pub(in crate::ccp) fn new(config: &Config, _: &mut Context) -> Mppe {
        let Config { side, mode, stateful, allowed } = *config;
        let peer = PeerView::default();
        let mut mppe = Mppe { side, mode, stateful, allowed, asked: None, ours: None, theirs: None, peer };
        mppe.asked = mppe.first_request();
        mppe
    }

    /// The MPPE parameters of both directions while CCP is Opened; `None` for no encryption.
    pub(in crate::ccp) fn agreed(&self) -> Option<Agreed> {
        let bits = self.ours.filter(|ours| self.theirs == Some(*ours))?;
        let strength = strengths(bits).next()?;
        Some(Agreed { strength, stateless: bits.has(ccp::Mppe::STATELESS) })
    }

    /// Whether encryption is required, so that the session ends without it.
    pub(in crate::ccp) fn is_required(&self) -> bool {
        self.mode == Mode::Require
    }

    /// The strongest allowed strength among these bits.
    fn common(&self, bits: ccp::Mppe) -> Option<Strength> {
        strengths(self.allowed).find(|strength| bits.has(bit(*strength)))
    }

    /// The strongest allowed strength.
    fn strongest(&self) -> Option<Strength> {
        strengths(self.allowed).next()
    }

    /// The bits of our first request; `None` if nothing is allowed.
    fn first_request(&self) -> Option<ccp::Mppe> {
        self.strongest().map(|strength| self.in_our_mode(bit(strength)))
    }

    /// A strength in the mode that the policy favours.
    fn in_our_mode(&self, strength: ccp::Mppe) -> ccp::Mppe {
        match self.stateful {
            Stateful::Refuse | Stateful::Accept => strength.with(ccp::Mppe::STATELESS),
            Stateful::Prefer => strength,
        }
    }

    /// Whether the policy prefers stateful mode, and the peer has not yet insisted on the other with a Nak.
    fn still_prefers_stateful(&self) -> bool {
        self.stateful == Stateful::Prefer && self.asked.is_some_and(|asked| !asked.has(ccp::Mppe::STATELESS))
    }

    /// The bits that a peer that asks for `bits` may have; `None` if nothing is allowed. Without `naks_left` the peer may have
    /// its mode where the policy allows it: our request may be lost, and the peer cannot know what we prefer.
    fn wanted(&self, bits: ccp::Mppe, naks_left: bool) -> Option<ccp::Mppe> {
        if let Some(ours) = self.ours.filter(|ours| !ours.is_empty()) {
            // Both directions must be equal, and one is agreed already.
            return Some(ours);
        }
        let strength = self.common(bits).or_else(|| self.strongest())?;
        if naks_left && self.still_prefers_stateful() {
            return Some(bit(strength));
        }
        Some(self.with_mode(strength, bits))
    }

    /// A strength in the mode of a peer that sent `bits`, as far as the policy allows it.
    fn with_mode(&self, strength: Strength, bits: ccp::Mppe) -> ccp::Mppe {
        let strength = bit(strength);
        if bits.is_empty() {
            return self.in_our_mode(strength);
        }
        let is_stateless = self.stateful == Stateful::Refuse || bits.has(ccp::Mppe::STATELESS);
        if is_stateless { strength.with(ccp::Mppe::STATELESS) } else { strength }
    }

    /// The strongest allowed strength below the one in our request.
    fn next_weaker(&self) -> Option<Strength> {
        let asked = self.asked.and_then(|asked| self.common(asked))?;
        strengths(self.allowed).find(|strength| *strength < asked)
    }

    /// Ends the negotiation without an agreement; fails a session that requires one.
    fn give_up(&self, context: &mut Context) {
        if self.is_required() {
            context.fail(self.no_agreement());
        }
    }

    /// Compares both directions. If they differ there is no agreement, even if encryption is not required:
    /// one side would send what the other cannot decrypt.
    fn compare(&self, context: &mut Context) {
        if let (Some(ours), Some(theirs)) = (self.ours, self.theirs)
            && ours != theirs
        {
            context.fail(self.lopsided(ours, theirs));
        }
    }
}

impl Negotiate<Context> for Mppe {
    type Wire<'a> = ccp::Mppe;

    fn reset(&mut self, _: &mut Context) {
        self.asked = self.first_request();
        self.ours = None;
        self.theirs = None;
        self.peer = PeerView::default();
    }

    fn request(&self, out: &mut Vec<u8>) {
        if let Some(bits) = self.asked {
            bits.emit(out);
        }
    }

    fn judge(&mut self, bits: ccp::Mppe, naks_left: bool, context: &mut Context) -> Judge {
        self.peer.offer = Some(bits);
        if bits.is_empty() && !self.is_required() {
            return Judge::Ack;
        }
        match self.wanted(bits, naks_left) {
            Some(wanted) if wanted == bits => Judge::Ack,
            Some(wanted) if naks_left => Judge::nak(&wanted),
            wanted => {
                self.peer.rejected = true;
                if wanted.is_some() {
                    self.give_up(context);
                }
                Judge::Reject
            }
        }
    }

    /// A Nak with the right length corrects the peer.
    fn judge_malformed(&mut self, _: &mut Context) -> Judge {
        self.wanted(ccp::Mppe::default(), true).map_or(Judge::Reject, |wanted| Judge::nak(&wanted))
    }

    fn missing(&mut self, naks_left: bool, context: &mut Context) -> Option<ccp::Mppe> {
        if !self.is_required() {
            return None;
        }
        let wanted = self.wanted(ccp::Mppe::default(), naks_left).filter(|_| naks_left);
        if wanted.is_none() {
            self.give_up(context);
        }
        wanted
    }

    fn accepted(&mut self, asked: Option<ccp::Mppe>, context: &mut Context) {
        self.theirs = Some(asked.unwrap_or_default());
        self.compare(context);
    }

    fn acked(&mut self, context: &mut Context) {
        self.ours = Some(self.asked.unwrap_or_default());
        self.compare(context);
    }

    fn naked(&mut self, bits: ccp::Mppe, _: &mut Context) {
        self.peer.offer = Some(bits);
        if let Some(theirs) = self.theirs {
            // The other direction is agreed already, and both must be equal.
            self.asked = Some(theirs).filter(|theirs| !theirs.is_empty());
            return;
        }
        if bits.is_empty() && !self.is_required() {
            self.asked = None;
            return;
        }
        let strength = if bits.strengths().is_empty() {
            self.strongest()
        } else {
            // The peer's value is not allowed, but our next weaker one may be acceptable.
            self.common(bits).or_else(|| self.next_weaker())
        };
        if let Some(strength) = strength {
            self.asked = Some(self.with_mode(strength, bits));
        }
    }

    fn rejected(&mut self, option: &Opt<'_>, context: &mut Context) {
        // The option as we sent it is a Reject; with other bits it is a Nak beyond Max-Failure.
        self.peer.rejects = ccp::Mppe::read(option) == self.asked;
        self.asked = None;
        self.give_up(context);
    }
}

/// The strengths among these bits, the strongest first.
fn strengths(bits: ccp::Mppe) -> impl Iterator<Item = Strength> {
    Strength::ALL.into_iter().filter(move |strength| bits.has(bit(*strength)))
}

/// The option's bit of a strength.
pub(in crate::ccp) const fn bit(strength: Strength) -> ccp::Mppe {
    match strength {
        Strength::Bits40 => ccp::Mppe::BITS_40,
        Strength::Bits56 => ccp::Mppe::BITS_56,
        Strength::Bits128 => ccp::Mppe::BITS_128,
    }
}
