//! What a peer sends to prove its password, and the check of it.
//!
//! A [`Proof`] is a peer's response together with its challenge. [`check`] compares it in constant time with the
//! stored [`Secret`]. For an unknown name there is [`check_unknown`], which takes as long and always refuses.

use core::fmt;

use subtle::ConstantTimeEq as _;

use crate::change_password::{self, Change, ChangeError};
use adit_diag::Side;

use crate::mppe::{StartKeys, start_keys_v1, start_keys_v2};
use crate::mschap::{authenticator_response, nt_response, nt_response_v2, same};
use crate::secret::{NtHash, Password};

/// The evidence of a peer that it knows a password. `Debug` prints no secret.
#[derive(Clone)]
pub enum Proof {
    /// The password itself (RFC 1334).
    Pap {
        /// As received.
        password: Password,
    },
    /// CHAP with MD5 (RFC 1994).
    ChapMd5 {
        /// Identifier of Challenge and Response.
        id: u8,
        /// Challenge Value.
        challenge: Vec<u8>,
        /// Response Value.
        response: [u8; 16],
    },
    /// MS-CHAP version 1 (RFC 2433).
    MsChapV1 {
        /// Challenge Value.
        challenge: [u8; 8],
        /// NT-Response.
        nt_response: [u8; 24],
    },
    /// MS-CHAP version 2 (RFC 2759).
    MsChapV2 {
        /// Challenge Value of the server.
        authenticator_challenge: [u8; 16],
        /// Peer-Challenge.
        peer_challenge: [u8; 16],
        /// NT-Response.
        nt_response: [u8; 24],
        /// Name as sent; a domain in it is left out of the hash.
        name: Vec<u8>,
    },
    /// A new password after E=648 (RFC 2759 section 7).
    ChangePassword(Change),
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Proof::Pap { .. } => "Pap(..)",
            Proof::ChapMd5 { .. } => "ChapMd5(..)",
            Proof::MsChapV1 { .. } => "MsChapV1(..)",
            Proof::MsChapV2 { .. } => "MsChapV2(..)",
            Proof::ChangePassword(_) => "ChangePassword(..)",
        })
    }
}

/// What is on file for an account.
#[derive(Clone, Debug)]
pub enum Secret {
    /// Enough for MS-CHAP and PAP.
    NtHash(NtHash),
    /// Enough for every method.
    Clear(Password),
}

impl Secret {
    /// The NT hash, which both kinds have.
    pub fn nt_hash(&self) -> NtHash {
        match self {
            Secret::NtHash(hash) => hash.clone(),
            Secret::Clear(password) => password.nt_hash(),
        }
    }

    fn password(&self) -> Option<&Password> {
        match self {
            Secret::NtHash(_) => None,
            Secret::Clear(password) => Some(password),
        }
    }
}

/// What follows from a proof that was right.
#[derive(Clone, Debug, Default)]
pub struct Proven {
    /// The server's own proof, 20 octets for `S=` (MS-CHAPv2 only).
    pub mschap: Option<[u8; 20]>,
    /// MPPE start keys of the server's side (MS-CHAP only).
    pub keys: Option<StartKeys>,
    /// The hash to store before Success is sent (Change-Password only).
    pub new_hash: Option<NtHash>,
    /// The new password in clear, for the quality rules (Change-Password only).
    pub new_password: Option<Password>,
}

/// Why a proof is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The peer does not know the secret.
    Wrong,
    /// CHAP-MD5 cannot be checked against a hash: the account has no clear-text password.
    NeedsClearText,
    /// The Change-Password packet is refused.
    BadChange(ChangeError),
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProofError::Wrong => f.write_str("wrong password"),
            ProofError::NeedsClearText => {
                f.write_str("CHAP-MD5 needs the clear-text password and only its NT hash is on file")
            }
            ProofError::BadChange(why) => write!(f, "password change refused: {why}"),
        }
    }
}

impl core::error::Error for ProofError {}

/// Checks a proof against the secret on file.
pub fn check(proof: &Proof, secret: &Secret) -> Result<Proven, ProofError> {
    match proof {
        Proof::Pap { password } => {
            let right = match secret {
                Secret::NtHash(hash) => password.nt_hash() == *hash,
                Secret::Clear(stored) => password == stored,
            };
            right.then(Proven::default).ok_or(ProofError::Wrong)
        }
        Proof::ChapMd5 { id, challenge, response } => {
            let password = secret.password().ok_or(ProofError::NeedsClearText)?;
            let expected = crate::chap::response(*id, password, challenge);
            let right: bool = expected.ct_eq(response).into();
            right.then(Proven::default).ok_or(ProofError::Wrong)
        }
        Proof::MsChapV1 { challenge, nt_response: sent } => {
            let hash = secret.nt_hash();
            if !same(&nt_response(challenge, &hash), sent) {
                return Err(ProofError::Wrong);
            }
            Ok(Proven { keys: Some(start_keys_v1(&hash, challenge, secret.password())), ..Proven::default() })
        }
        Proof::MsChapV2 { authenticator_challenge, peer_challenge, nt_response: sent, name } => {
            let hash = secret.nt_hash();
            if !same(&nt_response_v2(authenticator_challenge, peer_challenge, name, &hash), sent) {
                return Err(ProofError::Wrong);
            }
            Ok(prove_v2(&hash, authenticator_challenge, peer_challenge, name, sent))
        }
        Proof::ChangePassword(change) => {
            let new = change_password::open(change, &secret.nt_hash()).map_err(ProofError::BadChange)?;
            let hash = new.nt_hash();
            let Change { name, authenticator_challenge, peer_challenge, nt_response, .. } = change;
            let proven = prove_v2(&hash, authenticator_challenge, peer_challenge, name, nt_response);
            Ok(Proven { new_hash: Some(hash), new_password: Some(new), ..proven })
        }
    }
}

/// Does the work of [`check`] for an unknown name, and refuses.
pub fn check_unknown(proof: &Proof) -> ProofError {
    let no_user = match proof {
        Proof::ChapMd5 { .. } => Secret::Clear(Password::new("password of no user")),
        _ => Secret::NtHash(NtHash::from_bytes([0x5a; 16])),
    };
    match check(proof, &no_user) {
        Err(why @ ProofError::BadChange(_)) => why,
        _ => ProofError::Wrong,
    }
}

fn prove_v2(
    hash: &NtHash,
    authenticator_challenge: &[u8; 16],
    peer_challenge: &[u8; 16],
    name: &[u8],
    nt_response: &[u8; 24],
) -> Proven {
    Proven {
        mschap: Some(authenticator_response(
            authenticator_challenge,
            peer_challenge,
            name,
            hash,
            nt_response,
        )),
        keys: Some(start_keys_v2(hash, nt_response, Side::Server)),
        ..Proven::default()
    }
}

#[cfg(test)]
mod tests;
