//! Authentication-Protocol (RFC 1661 section 6.2): its sender demands that the other side proves itself.

use adit_diag::Code;
use adit_wire::lcp::AuthProtocol;

use crate::fsm::{Failure, Judge};
use crate::lcp::Auth;

#[derive(Debug)]
pub(in crate::lcp) struct Authentication {
    auth: Auth,
    /// Server: which of the methods is being asked for.
    choice: usize,
    /// What the peer wanted last and may not have.
    peer_wish: Option<String>,
    /// Client: Naks sent, each with the next of the methods, so that every common one has its turn.
    turns: usize,
    /// Client: what we have acknowledged.
    pub(in crate::lcp) answers: Option<AuthProtocol<'static>>,
}

impl Authentication {
    pub(in crate::lcp) fn new(auth: Auth) -> Authentication {
        Authentication { auth, choice: 0, peer_wish: None, turns: 0, answers: None }
    }

    pub(in crate::lcp) fn reset(&mut self) {
        self.choice = 0;
        self.peer_wish = None;
        self.turns = 0;
        self.answers = None;
    }

    /// What we ask of the peer.
    pub(in crate::lcp) fn asked(&self) -> Option<AuthProtocol<'static>> {
        match &self.auth {
            Auth::Ask(methods) => methods.get(self.choice).copied(),
            Auth::Answer(_) => None,
        }
    }

    /// The peer asks us.
    pub(in crate::lcp) fn judge(
        &mut self,
        wanted: AuthProtocol<'_>,
        naks_left: bool,
    ) -> (Judge, Option<Failure>) {
        match &self.auth {
            // A server proves itself inside MS-CHAPv2 and EAP, not by a second authentication.
            Auth::Ask(_) => (Judge::Reject, None),
            Auth::Answer(methods) if methods.contains(&wanted) => (Judge::Ack, None),
            Auth::Answer(methods) => {
                self.peer_wish = Some(wanted.to_string());
                match methods.iter().cycle().nth(self.turns) {
                    Some(next) if naks_left => {
                        self.turns += 1;
                        (Judge::Nak(next.data().to_vec()), None)
                    }
                    _ => (Judge::Reject, self.dispute()),
                }
            }
        }
    }

    pub(in crate::lcp) fn accept(&mut self, wanted: AuthProtocol<'_>) {
        self.answers = self.auth.methods().iter().find(|method| **method == wanted).copied();
        self.peer_wish = None;
    }

    /// The peer would rather use `wanted`: follow it if that is allowed.
    pub(in crate::lcp) fn naked(&mut self, wanted: AuthProtocol<'_>) {
        let Auth::Ask(methods) = &self.auth else { return };
        match methods.iter().position(|method| *method == wanted) {
            Some(choice) => {
                self.choice = choice;
                self.peer_wish = None;
            }
            None => self.peer_wish = Some(wanted.to_string()),
        }
    }

    /// The peer will not prove itself that way, and there is no session without.
    pub(in crate::lcp) fn rejected(&self) -> Option<Failure> {
        let Auth::Ask(methods) = &self.auth else { return None };
        let refused = format!("the client refuses to authenticate; we ask for {}", names(methods));
        self.dispute().or(Some(Failure { code: Code::A05, detail: refused }))
    }

    /// What the peer wants and we do not allow.
    pub(in crate::lcp) fn dispute(&self) -> Option<Failure> {
        let wish = self.peer_wish.as_ref()?;
        let allowed = names(self.auth.methods());
        let detail = match &self.auth {
            Auth::Ask(_) => format!("the client wants {wish}, we allow {allowed}"),
            Auth::Answer(_) => format!("the server insists on {wish}, we allow {allowed}"),
        };
        Some(Failure { code: Code::A05, detail })
    }
}

fn names(methods: &[AuthProtocol<'_>]) -> String {
    if methods.is_empty() {
        return "no method".to_owned();
    }
    methods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
