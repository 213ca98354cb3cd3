//! Further rounds that the account source requires.

use std::time::Instant;

use adit_diag::Code;
use adit_wire::text::escape;

use super::{Authenticator, MsChapError, Settled, State};
use crate::auth::MAX_ROUNDS;
use crate::auth::method::{Exchange, row};

impl Authenticator {
    /// Starts another round, as the method allows.
    ///
    /// CHAP and MS-CHAP without a message: a new Challenge under a new identifier takes the place of Success
    /// and Failure. A peer "MUST" answer every Challenge (RFC 1994 section 4.1), so this works with every
    /// client and without a user; but a Challenge carries no message, and no client asks for another password
    /// because of it.
    ///
    /// MS-CHAP with a message: a Failure with `R=1`, the next challenge in `C=` and the message in `M=` (RFC
    /// 2433 section 9, RFC 2759 section 6). It is the only packet whose text a client shows before it prompts
    /// the user again, and only with `E=691`. pppd ends the link at any Failure; it supports only rounds
    /// without a message.
    ///
    /// PAP: a Nak with the message, then the client's next Request. RFC 1334 has no packet between Ack and
    /// Nak; clients that give up at a Nak do not support a second round with PAP.
    pub(super) fn next_round(&mut self, now: Instant, id: u8, request: Vec<u8>, message: &str) {
        if self.rounds >= MAX_ROUNDS {
            let detail = format!("the account source wants more than {MAX_ROUNDS} further rounds");
            self.refuse(id, request, Code::A07, detail);
            return;
        }
        self.rounds += 1;
        self.continues = true;
        let reply = match row(self.config.method).exchange {
            Exchange::Pap => {
                let deadline = self.by(now, self.config.timing.retry);
                self.state = State::Listening { deadline, asked: Some(unanswered(message)) };
                self.failure_packet(id, MsChapError::AuthenticationFailure, None, message)
            }
            Exchange::Chap(algorithm) if algorithm.failure_version().is_some() && !message.is_empty() => {
                let retry = self.another_try(now, id, None);
                let failure = MsChapError::AuthenticationFailure;
                let reply = self.failure_packet(id, failure, Some(&retry), message);
                self.state = State::Retrying(Box::new(retry), Code::A14, unanswered(message));
                reply
            }
            Exchange::Chap(_) => {
                self.challenge(now);
                self.challenge_packet().unwrap_or_default()
            }
        };
        self.output.send(reply.clone());
        // A repeated request, whose answer was lost, gets the same round again.
        self.settled = Some(Box::new(Settled { id, request, reply }));
    }
}

/// The reason to report if no answer arrives.
fn unanswered(message: &str) -> String {
    format!("the client did not answer \"{}\" of the account source", escape(message.as_bytes()))
}
