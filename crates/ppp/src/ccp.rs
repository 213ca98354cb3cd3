//! CCP (RFC 1962) as PPTP uses it: to agree on MPPE (RFC 3078 section 2), one strength and one mode for both directions.
//!
//! [`Ccp`] is the [`ControlProtocol`] of a [`Fsm`](crate::fsm::Fsm). Compressors are rejected, MPPC included. While CCP is Opened
//! [`Ccp::agreed`] says what holds; how a CCP that is required may end is in [`Ccp::why`].

mod policy;
mod why;

use core::time::Duration;

use adit_crypto::mppe::{Side, StartKeys, Strength};
use adit_diag::Code;
use adit_wire::ccp::{CcpOption, Mppe, kind};
use adit_wire::cp::{self, Opt, Packet};
use adit_wire::{Error, Protocol};

pub use policy::{Agreed, Mode, MppePolicy};
pub use why::no_keys;

use crate::fsm::{ControlProtocol, Extra, Failure, Judge};

/// CCP's one option and the decisions about it.
#[derive(Debug)]
pub struct Ccp {
    side: Side,
    mode: Mode,
    stateless_only: bool,
    /// The strengths that the policy and the keys allow.
    allowed: Mppe,
    /// What our request asks for; `None` for nothing. It changes only with an answer to a request, so that it always is
    /// what an Ack acknowledges.
    wish: Option<Mppe>,
    /// What the peer acknowledged, for the direction to us. No bits: nothing.
    ours: Option<Mppe>,
    /// What we acknowledged, for the direction to the peer. No bits: nothing.
    theirs: Option<Mppe>,
    peer: PeerView,
    failure: Option<Box<Failure>>,
}

/// What the peer showed in this negotiation, for the explanation of a failure.
#[derive(Clone, Copy, Debug, Default)]
struct PeerView {
    /// The bits it named last, in a request or a Nak.
    offer: Option<Mppe>,
    /// It rejected the option.
    rejects: bool,
    /// We rejected its option.
    rejected: bool,
}

impl Ccp {
    /// CCP with nothing agreed. Without `keys` no strength is allowed, whatever the policy says.
    pub fn new(side: Side, policy: &MppePolicy, keys: Option<&StartKeys>) -> Ccp {
        let possible = |strength: &Strength| {
            policy.strengths.contains(strength) && keys.is_some_and(|keys| keys.supports(*strength))
        };
        let off = policy.mode == Mode::Off;
        let allowed = Strength::ALL.into_iter().filter(|strength| !off && possible(strength));
        let mut ccp = Ccp {
            side,
            mode: policy.mode,
            stateless_only: policy.stateless_only,
            allowed: allowed.fold(Mppe::default(), |bits, strength| bits.with(bit(strength))),
            wish: None,
            ours: None,
            theirs: None,
            peer: PeerView::default(),
            failure: None,
        };
        ccp.reset();
        ccp
    }

    /// What holds in both directions while CCP is Opened; `None` for no encryption.
    pub fn agreed(&self) -> Option<Agreed> {
        let bits = self.ours.filter(|ours| self.theirs == Some(*ours))?;
        let strength = strengths(bits).next()?;
        Some(Agreed { strength, stateless: bits.has(Mppe::STATELESS) })
    }

    /// Whether the session ends where there is no encryption.
    pub fn is_required(&self) -> bool {
        self.mode == Mode::Require
    }

    /// The strongest that is allowed and among these bits.
    fn common(&self, bits: Mppe) -> Option<Strength> {
        strengths(self.allowed).find(|strength| bits.has(bit(*strength)))
    }

    /// The strongest that is allowed.
    fn strongest(&self) -> Option<Strength> {
        strengths(self.allowed).next()
    }

    /// What we ask for at first; `None` where nothing is allowed.
    fn first_wish(&self) -> Option<Mppe> {
        self.strongest().map(|strength| bit(strength).with(Mppe::STATELESS))
    }

    /// What a peer that asks for `bits` may have; `None` where nothing is allowed.
    fn want(&self, bits: Mppe) -> Option<Mppe> {
        if let Some(ours) = self.ours.filter(|ours| !ours.is_empty()) {
            // Both directions are equal, and one is settled.
            return Some(ours);
        }
        let strength = self.common(bits).or_else(|| self.strongest())?;
        Some(self.with_mode(strength, bits))
    }

    /// A strength in the mode of a peer that named `bits`, as far as the policy follows it.
    fn with_mode(&self, strength: Strength, bits: Mppe) -> Mppe {
        let stateless = self.stateless_only || bits.has(Mppe::STATELESS) || bits.is_empty();
        if stateless { bit(strength).with(Mppe::STATELESS) } else { bit(strength) }
    }

    /// The strongest that is weaker than what we ask for.
    fn next_weaker(&self) -> Option<Strength> {
        let wish = self.wish.and_then(|wish| self.common(wish))?;
        strengths(self.allowed).find(|strength| *strength < wish)
    }

    fn judge_bits(&mut self, bits: Mppe, naks_left: bool) -> Judge {
        self.peer.offer = Some(bits);
        if bits.is_empty() && !self.is_required() {
            return Judge::Ack;
        }
        match self.want(bits) {
            Some(want) if want == bits => Judge::Ack,
            Some(want) if naks_left => Judge::Nak(want.0.to_be_bytes().to_vec()),
            want => {
                self.peer.rejected = true;
                if want.is_some() {
                    self.give_up();
                }
                Judge::Reject
            }
        }
    }

    /// There will be no agreement; the end of a session that requires one.
    fn give_up(&mut self) {
        if self.is_required() {
            self.failure = Some(Box::new(self.no_agreement()));
        }
    }

    /// Two directions that differ are no agreement, required or not: one side would send what the other cannot read.
    fn compare(&mut self) {
        if let (Some(ours), Some(theirs)) = (self.ours, self.theirs)
            && ours != theirs
        {
            self.failure = Some(Box::new(self.lopsided(ours, theirs)));
        }
    }
}

/// The strengths among these bits, the strongest first.
fn strengths(bits: Mppe) -> impl Iterator<Item = Strength> {
    Strength::ALL.into_iter().filter(move |strength| bits.has(bit(*strength)))
}

/// The option's bit of a strength.
const fn bit(strength: Strength) -> Mppe {
    match strength {
        Strength::Bits40 => Mppe::BITS_40,
        Strength::Bits56 => Mppe::BITS_56,
        Strength::Bits128 => Mppe::BITS_128,
    }
}

/// The MPPE option among some; its bits, if it has the right length.
fn mppe_of(options: &[Opt<'_>]) -> Option<Result<Mppe, Error>> {
    options.iter().find(|option| option.kind == kind::MPPE).map(|option| {
        CcpOption::parse(option).map(|option| match option {
            CcpOption::Mppe(bits) => bits,
            CcpOption::Other { .. } => Mppe::default(),
        })
    })
}

impl ControlProtocol for Ccp {
    const PROTOCOL: Protocol = Protocol::Ccp;
    const NO_AGREEMENT: Code = Code::E03;
    /// A request that crosses our Ack is as late as the slowest path makes it; Windows sends such ones.
    const CROSSING: Option<Duration> = Some(Duration::from_secs(1));

    fn reset(&mut self) {
        self.wish = self.first_wish();
        self.ours = None;
        self.theirs = None;
        self.peer = PeerView::default();
        self.failure = None;
    }

    fn request(&self, out: &mut Vec<u8>) {
        if let Some(bits) = self.wish {
            CcpOption::Mppe(bits).emit(out);
        }
    }

    fn judge(&mut self, option: &Opt<'_>, naks_left: bool) -> Judge {
        match CcpOption::parse(option) {
            Ok(CcpOption::Mppe(bits)) => self.judge_bits(bits, naks_left),
            Ok(CcpOption::Other { .. }) => Judge::Reject,
            // Option 18 of a wrong length: the right one teaches the peer.
            Err(_) => match self.want(Mppe::default()) {
                Some(want) => Judge::Nak(want.0.to_be_bytes().to_vec()),
                None => Judge::Reject,
            },
        }
    }

    fn missing(&mut self, request: &[Opt<'_>], naks_left: bool) -> Vec<u8> {
        let mut missing = Vec::new();
        if self.is_required() && mppe_of(request).is_none() {
            match self.want(Mppe::default()) {
                Some(want) if naks_left => CcpOption::Mppe(want).emit(&mut missing),
                _ => self.give_up(),
            }
        }
        missing
    }

    fn accepted(&mut self, request: &[Opt<'_>]) {
        self.theirs = Some(mppe_of(request).and_then(Result::ok).unwrap_or_default());
        self.compare();
    }

    fn acked(&mut self) {
        self.ours = Some(self.wish.unwrap_or_default());
        self.compare();
    }

    fn naked(&mut self, options: &[Opt<'_>]) {
        let Some(Ok(bits)) = mppe_of(options) else { return };
        self.peer.offer = Some(bits);
        if let Some(theirs) = self.theirs {
            // We acknowledged something for the other direction, and both are to be equal.
            self.wish = Some(theirs).filter(|theirs| !theirs.is_empty());
            return;
        }
        if bits.is_empty() && !self.is_required() {
            self.wish = None;
            return;
        }
        let strength = if bits.strengths().is_empty() {
            self.strongest()
        } else {
            // Not what the peer wants, but the next of ours may do.
            self.common(bits).or_else(|| self.next_weaker())
        };
        if let Some(strength) = strength {
            self.wish = Some(self.with_mode(strength, bits));
        }
    }

    fn rejected(&mut self, options: &[Opt<'_>]) {
        let Some(bits) = mppe_of(options) else { return };
        // The option as we sent it is a Reject; with other bits it is one Nak too many.
        self.peer.rejects = bits.ok() == self.wish;
        self.wish = None;
        self.give_up();
    }

    fn failure(&mut self) -> Option<Failure> {
        self.failure.take().map(|failure| *failure)
    }

    /// A Reset-Request is acknowledged, in every mode. What it asks for in stateful mode, a flushed packet, is up to the
    /// packet engine, which sees the Reset-Request before this does.
    fn extra(&mut self, packet: &Packet<'_>, _opened: bool) -> Extra {
        match packet.code {
            cp::RESET_REQUEST => Extra::Reply { code: cp::RESET_ACK, data: packet.data.to_vec() },
            cp::RESET_ACK => Extra::Done,
            _ => Extra::Unknown,
        }
    }

    fn show(option: &Opt<'_>) -> String {
        CcpOption::parse(option).map_or_else(|_| option.to_string(), |known| known.to_string())
    }
}

#[cfg(test)]
mod tests;
