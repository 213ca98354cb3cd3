//! What this end requests.

use adit_wire::lcp::AuthProtocol;

/// The smallest MRU that is accepted from a peer, in octets.
pub const MIN_MRU: u16 = 128;

/// Who proves itself to whom, and how. The first method is the one preferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// A server: ask the peer for one of these; empty to ask for nothing.
    Ask(Vec<AuthProtocol<'static>>),
    /// A client: be ready for these; empty when there are no credentials.
    Answer(Vec<AuthProtocol<'static>>),
}

impl Auth {
    /// The methods, whichever side they are for.
    pub fn methods(&self) -> &[AuthProtocol<'static>] {
        match self {
            Auth::Ask(methods) | Auth::Answer(methods) => methods,
        }
    }
}

/// LCP's part of a link's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LcpConfig {
    /// The longest information field that we want to receive, in octets.
    pub mru: u16,
    /// Authentication.
    pub auth: Auth,
    /// Tell the peer that it may send one-octet protocol fields. It may be accepted from the peer in any case.
    pub pfc: bool,
    /// Tell the peer that it may leave out Address and Control. It may be accepted from the peer in any case.
    pub acfc: bool,
}
