//! The request to the account source, its answer, and the encoding of the answer in packets.

use adit_crypto::proof::{Proof, Proven};
use adit_diag::{AuthMethod, Code, LoginRefusal};
use adit_wire::chap::MsChapError;

/// A request to authenticate a peer. Check `proof` with [`adit_crypto::proof::check`], or ask a directory.
#[derive(Clone, Debug)]
pub struct AuthRequest {
    /// The name as sent, 0 to 256 octets; it may contain a domain.
    pub name: Vec<u8>,
    /// The method that was agreed.
    pub method: AuthMethod,
    /// The proof that the peer sent, with the challenge that it answers.
    pub proof: Proof,
    /// Whether it answers the last [`Verdict::Challenge`]: the state that the account source kept from the
    /// round before applies if the name is the same. Otherwise this is a new login.
    pub continues: bool,
}

/// The answer to an [`AuthRequest`].
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The peer is authenticated. A new password has been stored before this is returned.
    Accept(Proven),
    /// The peer failed to authenticate, or may not log in.
    Reject(Rejection),
    /// The account source requires another round. At most [`MAX_ROUNDS`](super::MAX_ROUNDS) are allowed.
    Challenge {
        /// A message to show to the user before the next Response; empty if no user is needed. See
        /// [`Authenticator`](super::Authenticator) for how each method sends it.
        message: String,
    },
    /// The account source did not answer. The link ends without a verdict on name and password: MS-CHAP could
    /// only report that they are wrong, and the user would change them.
    Unavailable {
        /// A description, for the record and for the peer.
        detail: String,
    },
}

/// A rejection. An acceptance cannot be expressed with this type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// `E=` of an MS-CHAP Failure; with 648 an MS-CHAPv2 client can change the password, if that is
    /// configured.
    pub error: MsChapError,
    /// The code for the record.
    pub code: Code,
    /// Whether another attempt is allowed. The number of attempts is limited to three in any case.
    pub retry: bool,
    /// The message for the user; must not distinguish an unknown name from a wrong password.
    pub message: String,
}

/// Creates the rejection for a reason, without another attempt.
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

/// The code for the `E=` and message of a server.
pub(super) fn code_of(error: MsChapError, message: &[u8]) -> Code {
    let locked = message.windows(4).any(|window| window.eq_ignore_ascii_case(b"lock"));
    match error {
        MsChapError::RestrictedHours => Code::A06,
        MsChapError::PasswordExpired | MsChapError::ChangingPassword => Code::A03,
        MsChapError::NoPermission => Code::A11,
        // Neither Windows nor the RFCs have a number for a locked account; servers mention it in the message,
        // if at all.
        MsChapError::AccountDisabled if !locked => Code::A02,
        MsChapError::AuthenticationFailure | MsChapError::Other(_) if !locked => Code::A01,
        _ => Code::A04,
    }
}
