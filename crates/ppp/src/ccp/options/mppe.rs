//! MPPE (RFC 3078 section 2): one strength and one mode for both directions.

mod why;

use adit_crypto::mppe::Strength;
use adit_diag::Side;
use adit_wire::ccp;
use adit_wire::cp::{ConfigOption, Opt};

use crate::ccp::context::{Config, Context};
use crate::ccp::policy::{Agreed, Mode};
use crate::fsm::Judge;
use crate::negotiate::{Context as _, Negotiate};

pub use why::no_keys;

#[derive(Debug)]
pub(in crate::ccp) struct Mppe {
    side: Side,
    mode: Mode,
    stateless_only: bool,
    /// The strengths that the policy and the keys allow.
    allowed: ccp::Mppe,
    /// What our request asks for; `None` for nothing. It changes only with an answer to a request, so that it always is
    /// what an Ack acknowledges.
    asked: Option<ccp::Mppe>,
    /// What the peer acknowledged, for the direction to us. No bits: nothing.
    ours: Option<ccp::Mppe>,
    /// What we acknowledged, for the direction to the peer. No bits: nothing.
    theirs: Option<ccp::Mppe>,
    peer: PeerView,
}

/// What the peer showed in this negotiation, for the explanation of a failure.
#[derive(Clone, Copy, Debug, Default)]
struct PeerView {
    /// The bits it named last, in a request or a Nak.
    offer: Option<ccp::Mppe>,
    /// It rejected the option.
    rejects: bool,
    /// We rejected its option.
    rejected: bool,
}

impl Mppe {
    pub(in crate::ccp) fn new(config: &Config, _: &mut Context) -> Mppe {
        let Config { side, mode, stateless_only, allowed } = *config;
        let peer = PeerView::default();
        let mut mppe =
            Mppe { side, mode, stateless_only, allowed, asked: None, ours: None, theirs: None, peer };
        mppe.asked = mppe.first_request();
        mppe
    }

    /// What holds in both directions while CCP is Opened; `None` for no encryption.
    pub(in crate::ccp) fn agreed(&self) -> Option<Agreed> {
        let bits = self.ours.filter(|ours| self.theirs == Some(*ours))?;
        let strength = strengths(bits).next()?;
        Some(Agreed { strength, stateless: bits.has(ccp::Mppe::STATELESS) })
    }

    /// Whether the session ends where there is no encryption.
    pub(in crate::ccp) fn is_required(&self) -> bool {
        self.mode == Mode::Require
    }

    /// The strongest that is allowed and among these bits.
    fn common(&self, bits: ccp::Mppe) -> Option<Strength> {
        strengths(self.allowed).find(|strength| bits.has(bit(*strength)))
    }

    /// The strongest that is allowed.
    fn strongest(&self) -> Option<Strength> {
        strengths(self.allowed).next()
    }

    /// What we ask for at first; `None` where nothing is allowed.
    fn first_request(&self) -> Option<ccp::Mppe> {
        self.strongest().map(|strength| bit(strength).with(ccp::Mppe::STATELESS))
    }

    /// What a peer that asks for `bits` may have; `None` where nothing is allowed.
    fn wanted(&self, bits: ccp::Mppe) -> Option<ccp::Mppe> {
        if let Some(ours) = self.ours.filter(|ours| !ours.is_empty()) {
            // Both directions are equal, and one is settled.
            return Some(ours);
        }
        let strength = self.common(bits).or_else(|| self.strongest())?;
        Some(self.with_mode(strength, bits))
    }

    /// A strength in the mode of a peer that named `bits`, as far as the policy follows it.
    fn with_mode(&self, strength: Strength, bits: ccp::Mppe) -> ccp::Mppe {
        let stateless = self.stateless_only || bits.has(ccp::Mppe::STATELESS) || bits.is_empty();
        if stateless { bit(strength).with(ccp::Mppe::STATELESS) } else { bit(strength) }
    }

    /// The strongest that is weaker than what we ask for.
    fn next_weaker(&self) -> Option<Strength> {
        let asked = self.asked.and_then(|asked| self.common(asked))?;
        strengths(self.allowed).find(|strength| *strength < asked)
    }

    /// There will be no agreement; the end of a session that requires one.
    fn give_up(&self, context: &mut Context) {
        if self.is_required() {
            context.fail(self.no_agreement());
        }
    }

    /// Two directions that differ are no agreement, required or not: one side would send what the other cannot read.
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
        match self.wanted(bits) {
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

    /// The right length teaches the peer.
    fn judge_malformed(&mut self, _: &mut Context) -> Judge {
        self.wanted(ccp::Mppe::default()).map_or(Judge::Reject, |wanted| Judge::nak(&wanted))
    }

    fn missing(&mut self, naks_left: bool, context: &mut Context) -> Option<ccp::Mppe> {
        if !self.is_required() {
            return None;
        }
        let wanted = self.wanted(ccp::Mppe::default()).filter(|_| naks_left);
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
            // We acknowledged something for the other direction, and both are to be equal.
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
            // Not what the peer wants, but the next of ours may do.
            self.common(bits).or_else(|| self.next_weaker())
        };
        if let Some(strength) = strength {
            self.asked = Some(self.with_mode(strength, bits));
        }
    }

    fn rejected(&mut self, option: &Opt<'_>, context: &mut Context) {
        // The option as we sent it is a Reject; with other bits it is one Nak too many.
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
