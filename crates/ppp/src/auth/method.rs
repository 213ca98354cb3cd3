//! The table of methods: one row and one file for each.

mod chap_md5;
mod mschap_v1;
mod mschap_v2;
mod pap;

use adit_crypto::Rng;
use adit_crypto::mppe::StartKeys;
use adit_crypto::proof::{Proof, Proven};
use adit_crypto::secret::Password;
use adit_diag::AuthMethod;
use adit_wire::chap::ChangePassword;
use adit_wire::lcp::AuthProtocol;
use adit_wire::{Error, Protocol, cp, ppp};

/// The message shown to an authenticated user.
pub(in crate::auth) const WELCOME: &str = "Access granted";

/// The properties of a method that the rest of authentication uses.
#[derive(Clone, Copy)]
pub(in crate::auth) struct Row {
    /// Its value in LCP's Authentication-Protocol option.
    lcp: AuthProtocol<'static>,
    /// The exchange of packets.
    pub(in crate::auth) exchange: Exchange,
}

/// The form of an exchange.
#[derive(Clone, Copy)]
pub(in crate::auth) enum Exchange {
    /// The client sends the first packet (RFC 1334).
    Pap,
    /// Challenge and Response (RFC 1994), with the algorithm.
    Chap(&'static dyn Algorithm),
}

/// The row of a method.
pub(in crate::auth) const fn row(method: AuthMethod) -> Row {
    match method {
        AuthMethod::Pap => Row { lcp: AuthProtocol::Pap, exchange: Exchange::Pap },
        AuthMethod::ChapMd5 => {
            Row { lcp: AuthProtocol::ChapMd5, exchange: Exchange::Chap(&chap_md5::ChapMd5) }
        }
        AuthMethod::MsChapV1 => {
            Row { lcp: AuthProtocol::MsChapV1, exchange: Exchange::Chap(&mschap_v1::MsChapV1) }
        }
        AuthMethod::MsChapV2 => {
            Row { lcp: AuthProtocol::MsChapV2, exchange: Exchange::Chap(&mschap_v2::MsChapV2) }
        }
    }
}

/// The value of a method in LCP's Authentication-Protocol option.
pub const fn lcp(method: AuthMethod) -> AuthProtocol<'static> {
    row(method).lcp
}

/// The method of a value of LCP's option; `None` for one that is not supported.
pub fn from_lcp(protocol: AuthProtocol<'_>) -> Option<AuthMethod> {
    AuthMethod::ALL.into_iter().find(|method| lcp(*method) == protocol)
}

/// The protocol number of a method's packets.
pub const fn protocol(method: AuthMethod) -> u16 {
    match row(method).exchange {
        Exchange::Pap => ppp::PAP,
        Exchange::Chap(_) => ppp::CHAP,
    }
}

/// An algorithm of CHAP.
pub(in crate::auth) trait Algorithm: Sync {
    /// The length in octets of the challenges that a server sends.
    fn challenge_len(&self) -> usize;

    /// `V=` of a Failure, which then has `E=`, `R=` and `C=` too and may allow another Response (RFC 2433
    /// section 9, RFC 2759 section 6); `None` if a Failure is free text and final.
    fn failure_version(&self) -> Option<u32>;

    /// Server: extracts the proof from a Response.
    ///
    /// # Errors
    /// If the Value does not fit the algorithm.
    fn proof(&self, response: Response<'_>) -> Result<Proof, Error>;

    /// Server: the text of Success; `None` if the method needs our own proof and there is none.
    fn success(&self, _: &Proven) -> Option<Vec<u8>> {
        Some(WELCOME.into())
    }

    /// Client: computes the Response to a Challenge.
    ///
    /// # Errors
    /// The length in octets that the challenge must have.
    fn respond(&self, client: Client<'_>, id: u8, challenge: &[u8]) -> Result<Responded, String>;

    /// Client: the challenge for another Response after a Failure with `R=1` and without `C=`; `None` if there is none.
    fn implied_challenge(&self, _failed: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Whether the algorithm has a Change-Password packet.
    fn changes_password(&self) -> bool {
        false
    }

    /// Client: builds a packet that changes the password; `None` if the algorithm has none.
    fn change(&self, _client: Client<'_>, _challenge: &[u8], _new: &Password) -> Option<Changing> {
        None
    }
}

/// A Response and the Challenge that it answers.
#[derive(Clone, Copy)]
pub(in crate::auth) struct Response<'a> {
    pub(in crate::auth) id: u8,
    pub(in crate::auth) challenge: &'a [u8],
    pub(in crate::auth) value: &'a [u8],
    pub(in crate::auth) name: &'a [u8],
}

/// The client that answers a Challenge.
pub(in crate::auth) struct Client<'a> {
    pub(in crate::auth) name: &'a [u8],
    pub(in crate::auth) password: &'a Password,
    pub(in crate::auth) min_challenge: usize,
    pub(in crate::auth) rng: &'a mut Rng,
}

/// A Response, and the proof that the reply to it must contain.
pub(in crate::auth) struct Responded {
    pub(in crate::auth) value: Vec<u8>,
    pub(in crate::auth) expect: Proofs,
}

/// A Change-Password packet, and the proof that the reply to it must contain.
pub(in crate::auth) struct Changing {
    pub(in crate::auth) message: Box<ChangePassword>,
    pub(in crate::auth) expect: Proofs,
}

/// The values that a client computes along with a Response.
#[derive(Default)]
pub(in crate::auth) struct Proofs {
    /// The expected proof of the server, if the method has one.
    pub(in crate::auth) server: Option<[u8; 20]>,
    /// MPPE start keys of the client side, if the method derives any.
    pub(in crate::auth) keys: Option<StartKeys>,
    /// A challenge that this side has sent, which it must never answer itself.
    pub(in crate::auth) peer_challenge: Option<[u8; 16]>,
}

/// Converts a Value or challenge of exactly `N` octets.
fn sized<const N: usize>(value: &[u8]) -> Result<[u8; N], Error> {
    let found = value.len() as u64;
    value.try_into().map_err(|_| Error::new(Protocol::Chap, "Value-Size", cp::HEADER_LEN, "16", found))
}
