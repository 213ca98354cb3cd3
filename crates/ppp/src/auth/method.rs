//! The methods and their numbers.

use core::fmt;

use adit_wire::lcp::AuthProtocol;
use adit_wire::ppp;

/// How a peer proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// The password in clear.
    Pap,
    /// MD5 over challenge and password.
    ChapMd5,
    /// Microsoft's first.
    MsChapV1,
    /// Microsoft's second: mutual, and the one to use.
    MsChapV2,
}

impl Method {
    /// The protocol number of its packets.
    pub const fn protocol(self) -> u16 {
        match self {
            Method::Pap => ppp::PAP,
            Method::ChapMd5 | Method::MsChapV1 | Method::MsChapV2 => ppp::CHAP,
        }
    }

    /// Its value in LCP's Authentication-Protocol option.
    pub const fn lcp(self) -> AuthProtocol<'static> {
        match self {
            Method::Pap => AuthProtocol::Pap,
            Method::ChapMd5 => AuthProtocol::ChapMd5,
            Method::MsChapV1 => AuthProtocol::MsChapV1,
            Method::MsChapV2 => AuthProtocol::MsChapV2,
        }
    }

    /// The method of LCP's option; `None` for one that is not ours.
    pub const fn from_lcp(protocol: AuthProtocol<'_>) -> Option<Method> {
        match protocol {
            AuthProtocol::Pap => Some(Method::Pap),
            AuthProtocol::ChapMd5 => Some(Method::ChapMd5),
            AuthProtocol::MsChapV1 => Some(Method::MsChapV1),
            AuthProtocol::MsChapV2 => Some(Method::MsChapV2),
            AuthProtocol::Eap | AuthProtocol::Other(_) => None,
        }
    }

    /// Whether MPPE keys come out of it.
    pub const fn gives_keys(self) -> bool {
        matches!(self, Method::MsChapV1 | Method::MsChapV2)
    }

    /// Whether the server proves itself too.
    pub const fn is_mutual(self) -> bool {
        matches!(self, Method::MsChapV2)
    }
}

/// `pap`, `chap-md5`, `mschap-v1`, `mschap-v2`.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.lcp(), f)
    }
}
