//! Magic-Number (RFC 1661 section 6.4): tells this end from the other, and so finds a line that loops back.

use adit_crypto::Rng;
use adit_diag::Code;

use crate::fsm::{Failure, Judge};

/// Signs of a loop after which there is one: five rounds of a request and a reply that both were our own.
const LOOPED: u32 = 10;

#[derive(Debug)]
pub(in crate::lcp) struct Magic {
    /// Ours; `None` once the peer rejected the option.
    pub(in crate::lcp) own: Option<u32>,
    /// What we suggested in our last Nak.
    suggested: Option<u32>,
    signs: u32,
}

impl Magic {
    pub(in crate::lcp) fn new(rng: &mut Rng) -> Magic {
        Magic { own: Some(rng.nonzero_u32()), suggested: None, signs: 0 }
    }

    /// A new number for a new start of LCP. Signs of a loop stay: a looped line restarts LCP again and again.
    pub(in crate::lcp) fn restart(&mut self, rng: &mut Rng) {
        *self = Magic { signs: self.signs, ..Magic::new(rng) };
    }

    pub(in crate::lcp) fn judge(
        &mut self,
        magic: u32,
        naks_left: bool,
        rng: &mut Rng,
    ) -> (Judge, Option<Failure>) {
        let looped = Some(magic) == self.own;
        if magic != 0 && !looped {
            return (Judge::Ack, None);
        }
        let mut failure = if looped { self.evidence() } else { None };
        if looped && !naks_left {
            // A Reject would loop back too, and take the option that shows the loop out of our requests.
            failure = failure.or_else(|| Some(looped_back(self.signs)));
        }
        let suggestion = rng.nonzero_u32();
        self.suggested = Some(suggestion);
        (Judge::Nak(suggestion.to_be_bytes().to_vec()), failure)
    }

    pub(in crate::lcp) fn naked(&mut self, magic: u32, rng: &mut Rng) -> Option<Failure> {
        if self.own.is_some() {
            self.own = Some(rng.nonzero_u32());
        }
        if self.suggested == Some(magic) { self.evidence() } else { None }
    }

    /// Whether anything of our own has come back in this negotiation.
    pub(in crate::lcp) fn is_suspicious(&self) -> bool {
        self.signs > 0
    }

    /// Counts a sign of a loop; the failure once there are enough.
    pub(in crate::lcp) fn evidence(&mut self) -> Option<Failure> {
        self.signs += 1;
        (self.signs >= LOOPED).then(|| looped_back(self.signs))
    }

    /// The peer has shown that it is another one.
    pub(in crate::lcp) fn forgive(&mut self) {
        self.signs = 0;
    }
}

fn looped_back(signs: u32) -> Failure {
    let detail = format!("the line is looped back: {signs} packets of our own came back");
    Failure { code: Code::L02, detail }
}
