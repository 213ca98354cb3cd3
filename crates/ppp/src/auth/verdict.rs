//! The question to whoever knows the accounts, its answer, and the answer's two translations: to the wire and back.

use adit_crypto::proof::{Proof, Proven};
use adit_diag::Code;
use adit_wire::chap::MsChapError;

use super::Method;

/// Is this who it says? Compare `proof` with [`adit_crypto::proof::check`], or ask a directory.
#[derive(Clone, Debug)]
pub struct AuthRequest {
    /// The name as sent, 0 to 256 octets; it may carry a domain.
    pub name: Vec<u8>,
    /// The method that was agreed.
    pub method: Method,
    /// What the peer sent, with what it was asked.
    pub proof: Proof,
}

/// The answer to an [`AuthRequest`].
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is. A new password was stored before this is said.
    Accept(Proven),
    /// It is not, or it may not come in.
    Reject {
        /// `E=` of an MS-CHAP Failure; 648 lets an MS-CHAPv2 client change the password, if that is configured.
        error: MsChapError,
        /// For the record.
        code: Code,
        /// Another try is allowed. At most three are, whatever is said here.
        retry: bool,
        /// For the person at the other end; must not tell an unknown name from a wrong password.
        message: String,
    },
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
