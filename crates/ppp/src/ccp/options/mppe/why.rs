//! Explanations for missing encryption, with the offers of both sides.

use adit_diag::{AuthMethod, Code, Side};
use adit_wire::ccp;
use adit_wire::text::escape;

use super::Mppe;
use crate::fsm::{Failure, Finish};

/// The failure of a session that requires encryption but was authenticated with a method that derives no
/// keys. It is known before CCP begins.
pub fn no_keys(method: AuthMethod) -> Failure {
    let detail = format!("encryption is required, and {method} gives no keys for it");
    Failure { code: Code::E06, detail }
}

impl Mppe {
    /// Why the end of CCP ends the session, if encryption is required. `was_up`: CCP has been Opened in this
    /// session. `None` if encryption is not required, or if this side closed CCP.
    pub(in crate::ccp) fn why(&self, finish: &Finish, was_up: bool) -> Option<Failure> {
        let them = self.side.other();
        let how = match finish {
            _ if !self.is_required() => return None,
            Finish::Failed(failure) => return Some(failure.clone()),
            Finish::Closed => return None,
            Finish::Rejected => format!("{them} has no CCP (Protocol-Reject)"),
            Finish::NoAnswer => format!("{them} does not answer"),
            Finish::Terminated(data) if data.is_empty() => format!("{them} ended CCP"),
            Finish::Terminated(data) => format!("{them} ended CCP: \"{}\"", escape(data)),
        };
        let code = if was_up { Code::E08 } else { self.refused_by_peer() };
        Some(Failure { code, detail: format!("{}, {how}", self.we_want()) })
    }

    /// The request of the peer that was refused, which is the likely reason if it now ends the session.
    pub(in crate::ccp) fn refusal(&self) -> Option<Failure> {
        let offer = self.peer.offer.filter(|_| self.peer.rejected)?;
        let them = self.side.other();
        let (code, ours) = match self.offer() {
            None => (self.refused_by_us(), "encryption is off".to_owned()),
            Some(bits) if self.common(offer).is_none() => (Code::E03, format!("has {bits}")),
            Some(bits) => (Code::E07, format!("has {bits}")),
        };
        Some(Failure { code, detail: format!("{them} wants {offer}, {} {ours}", self.side) })
    }

    /// The failure if the peer's last offer is not allowed.
    pub(super) fn no_agreement(&self) -> Failure {
        let them = self.side.other();
        let (code, theirs) = match self.peer.offer {
            _ if self.peer.rejects => (self.refused_by_peer(), format!("{them} rejects mppe")),
            None | Some(ccp::Mppe(0)) => (self.refused_by_peer(), format!("{them} offers no encryption")),
            Some(bits) => {
                let stateful = self.common(bits).is_some() && !bits.has(ccp::Mppe::STATELESS);
                (if stateful { Code::E07 } else { Code::E03 }, format!("{them} offers {bits}"))
            }
        };
        Failure { code, detail: format!("{}, {theirs}", self.we_want()) }
    }

    /// The failure if the directions differ.
    pub(super) fn lopsided(&self, ours: ccp::Mppe, theirs: ccp::Mppe) -> Failure {
        let (us, them) = (self.side, self.side.other());
        let detail = format!("{them} agreed to {ours} towards {us} and asked for {theirs} towards itself");
        Failure { code: Code::E03, detail }
    }

    /// All strengths that we support in the mode that we favour, as the value of the option.
    fn offer(&self) -> Option<ccp::Mppe> {
        (!self.allowed.is_empty()).then_some(self.in_our_mode(self.allowed))
    }

    fn we_want(&self) -> String {
        format!("{} wants {}", self.side, self.offer().unwrap_or_default())
    }

    fn refused_by_peer(&self) -> Code {
        match self.side {
            Side::Server => Code::E01,
            Side::Client => Code::E02,
        }
    }

    fn refused_by_us(&self) -> Code {
        match self.side {
            Side::Server => Code::E02,
            Side::Client => Code::E01,
        }
    }
}
