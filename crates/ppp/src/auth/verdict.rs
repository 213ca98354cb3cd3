//! The request to the account source, its answer, and the answer's encoding on the wire.

use adit_crypto::proof::{Proof, Proven};
use adit_diag::{AuthMethod, Code, LoginRefusal};
use adit_wire::chap::MsChapError;

/// Is this who it says? Compare `proof` with [`adit_crypto::proof::check`], or ask a directory.
#[derive(Clone, Debug)]
pub struct AuthRequest {
    /// The name as sent, 0 to 256 octets; it may carry a domain.
    pub name: Vec<u8>,
    /// The method that was agreed.
    pub method: AuthMethod,
    /// What the peer sent, with what it was asked.
    pub proof: Proof,
    /// It answers the [`Verdict::Challenge`] given last: what the account source kept of the round before belongs to it,
    /// if the name is the same. If not, this is a new beginning.
    pub continues: bool,
}

/// The answer to an [`AuthRequest`].
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is. A new password was stored before this is said.
    Accept(Proven),
    /// It is not, or it may not come in.
    Reject(Rejection),
    /// It may be: the account source wants another round. At most [`MAX_ROUNDS`](super::MAX_ROUNDS) are played.
    Challenge {
        /// What the person at the other end should read before the next Response; empty if that needs no person. See
        /// [`Authenticator`](super::Authenticator) for what a method makes of it.
        message: String,
    },
    /// The account source does not answer: the link ends without a verdict on name and password, since the only thing that
    /// MS-CHAP could say is that they are wrong, and a person would change them.
    Unavailable {
        /// For the record, and for the peer.
        detail: String,
    },
}

/// A refusal. An acceptance cannot be said with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// `E=` of an MS-CHAP Failure; 648 lets an MS-CHAPv2 client change the password, if that is configured.
    pub error: MsChapError,
    /// For the record.
    pub code: Code,
    /// Another try is allowed. At most three are, whatever is said here.
    pub retry: bool,
    /// For the person at the other end; must not tell an unknown name from a wrong password.
    pub message: String,
}

/// The refusal for a reason, without another try.
impl From<&LoginRefusal> for Rejection {
    fn from(reason: &LoginRefusal) -> Rejection {
        Rejection {
            error: MsChapError::from(reason.mschap_error()),
            code: reason.code(),
            retry: false,
            message: reason.client_message().to_owned(),
        }
    }
}

/// What a server means with `E=` and its message.
pub(super) fn code_of(error: MsChapError, message: &[u8]) -> Code {
    let locked = message.windows(4).any(|window| window.eq_ignore_ascii_case(b"lock"));
    match error {
        MsChapError::RestrictedHours => Code::A06,
        MsChapError::PasswordExpired | MsChapError::ChangingPassword => Code::A03,
        MsChapError::NoPermission => Code::A11,
        // Neither Windows nor the RFCs have a number for a locked account; servers say it in words, if at all.
        MsChapError::AccountDisabled if !locked => Code::A02,
        MsChapError::AuthenticationFailure | MsChapError::Other(_) if !locked => Code::A01,
        _ => Code::A04,
    }
}
