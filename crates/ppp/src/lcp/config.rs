//! The configuration of LCP.

use adit_wire::lcp::AuthProtocol;

/// The smallest MRU that is accepted from a peer, in octets.
pub const MIN_MRU: u16 = 128;

/// The side that authenticates the other, and the methods. The first method is preferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Server: require one of these methods from the peer; empty for no authentication.
    Ask(Vec<AuthProtocol<'static>>),
    /// Client: accept these methods; empty if there are no credentials.
    Answer(Vec<AuthProtocol<'static>>),
}

impl Auth {
    /// The methods, for either side.
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
    /// Advertise that the peer may send one-octet protocol fields. The same option of the peer is always
    /// accepted.
    pub pfc: bool,
    /// Advertise that the peer may omit Address and Control. The same option of the peer is always accepted.
    pub acfc: bool,
}
