//! Authentication-Protocol (RFC 1661 section 6.2): the sender requires the other side to authenticate itself.

use adit_diag::Code;
use adit_wire::cp::{ConfigOption, Opt};
use adit_wire::lcp::{self, AuthProtocol};

use crate::fsm::{Failure, Judge};
use crate::lcp::config::{Auth, LcpConfig};
use crate::lcp::context::Context;
use crate::negotiate::{Context as _, Negotiate};

#[derive(Debug)]
pub(in crate::lcp) struct Authentication {
    auth: Auth,
    /// Server: the index of the method in our request.
    choice: usize,
    /// The last method that the peer asked for and that is not allowed.
    peer_wants: Option<String>,
    /// Client: the number of Naks sent, each with the next method, so that every method is tried.
    turns: usize,
    /// Client: the method that was acknowledged.
    pub(in crate::lcp) answers: Option<AuthProtocol<'static>>,
}

impl Authentication {
    pub(in crate::lcp) fn new(config: &LcpConfig, _: &mut Context) -> Authentication {
        Authentication { auth: config.auth.clone(), choice: 0, peer_wants: None, turns: 0, answers: None }
    }

    /// The method in our request to the peer.
    pub(in crate::lcp) fn asked(&self) -> Option<AuthProtocol<'static>> {
        match &self.auth {
            Auth::Ask(methods) => methods.get(self.choice).copied(),
            Auth::Answer(_) => None,
        }
    }

    /// The method that the peer asked for and that is not allowed.
    pub(in crate::lcp) fn dispute(&self) -> Option<Failure> {
        let wants = self.peer_wants.as_ref()?;
        let allowed = names(self.auth.methods());
        let detail = match &self.auth {
            Auth::Ask(_) => format!("the client wants {wants}, we allow {allowed}"),
            Auth::Answer(_) => format!("the server insists on {wants}, we allow {allowed}"),
        };
        Some(Failure { code: Code::A05, detail })
    }
}

impl Negotiate<Context> for Authentication {
    type Wire<'a> = lcp::Auth<'a>;

    fn reset(&mut self, _: &mut Context) {
        self.choice = 0;
        self.peer_wants = None;
        self.turns = 0;
        self.answers = None;
    }

    fn request(&self, out: &mut Vec<u8>) {
        if let Some(asked) = self.asked() {
            lcp::Auth(asked).emit(out);
        }
    }

    fn judge(&mut self, asked: lcp::Auth<'_>, naks_left: bool, context: &mut Context) -> Judge {
        match &self.auth {
            // A server authenticates itself inside MS-CHAPv2 and EAP, not by a second authentication.
            Auth::Ask(_) => Judge::Reject,
            Auth::Answer(methods) if methods.contains(&asked.0) => Judge::Ack,
            Auth::Answer(methods) => {
                self.peer_wants = Some(asked.0.to_string());
                match methods.iter().cycle().nth(self.turns) {
                    Some(next) if naks_left => {
                        self.turns += 1;
                        Judge::nak(&lcp::Auth(*next))
                    }
                    _ => {
                        if let Some(dispute) = self.dispute() {
                            context.fail(dispute);
                        }
                        Judge::Reject
                    }
                }
            }
        }
    }

    fn accepted(&mut self, asked: Option<lcp::Auth<'_>>, _: &mut Context) {
        self.answers = None;
        if let Some(lcp::Auth(asked)) = asked {
            self.answers = self.auth.methods().iter().find(|method| **method == asked).copied();
            self.peer_wants = None;
        }
    }

    /// The peer suggests another method: use it if it is allowed.
    fn naked(&mut self, wanted: lcp::Auth<'_>, _: &mut Context) {
        let Auth::Ask(methods) = &self.auth else { return };
        match methods.iter().position(|method| *method == wanted.0) {
            Some(choice) => {
                self.choice = choice;
                self.peer_wants = None;
            }
            None => self.peer_wants = Some(wanted.0.to_string()),
        }
    }

    /// The peer refuses to authenticate itself, which is required.
    fn rejected(&mut self, _: &Opt<'_>, context: &mut Context) {
        if context.suspects_loop() {
            // A looped-back link rejects what we would reject; that shows nothing about the peer.
            context.count_loop_sign();
            return;
        }
        let Auth::Ask(methods) = &self.auth else { return };
        let refused = format!("the client refuses to authenticate; we ask for {}", names(methods));
        context.fail(self.dispute().unwrap_or(Failure { code: Code::A05, detail: refused }));
    }
}

fn names(methods: &[AuthProtocol<'_>]) -> String {
    if methods.is_empty() {
        return "no method".to_owned();
    }
    methods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
