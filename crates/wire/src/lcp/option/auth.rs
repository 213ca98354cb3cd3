//! Authentication-Protocol (RFC 1661 section 6.2).

use core::fmt;

use crate::cp::{ConfigOption, Hex, Length, Opt};
use crate::{Protocol, ppp};

/// The authentication protocol with which the sender wants the receiver to authenticate itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth<'a>(pub AuthProtocol<'a>);

impl<'a> ConfigOption<'a> for Auth<'a> {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const KIND: u8 = 3;
    const NAME: &'static str = "auth";
    const LENGTH: Length = Length { field: "Authentication-Protocol Length", expected: "4 or more" };

    fn read(opt: &Opt<'a>) -> Option<Auth<'a>> {
        (opt.data.len() >= 2).then(|| Auth(AuthProtocol::from_data(opt.data)))
    }

    fn data(&self) -> impl AsRef<[u8]> {
        self.0.data()
    }
}

impl fmt::Display for Auth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "auth {}", self.0)
    }
}

/// The value of Authentication-Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthProtocol<'a> {
    /// PAP (C0 23).
    Pap,
    /// CHAP with MD5 (C2 23 05).
    ChapMd5,
    /// MS-CHAPv1 (C2 23 80).
    MsChapV1,
    /// MS-CHAPv2 (C2 23 81).
    MsChapV2,
    /// EAP (C2 27).
    Eap,
    /// Any other protocol: the option's data, two octets of protocol number and possibly more.
    Other(&'a [u8]),
}

impl<'a> AuthProtocol<'a> {
    /// Parses the option's data, which must be at least two octets long.
    pub fn from_data(data: &'a [u8]) -> AuthProtocol<'a> {
        match data {
            [0xc0, 0x23] => AuthProtocol::Pap,
            [0xc2, 0x23, 0x05] => AuthProtocol::ChapMd5,
            [0xc2, 0x23, 0x80] => AuthProtocol::MsChapV1,
            [0xc2, 0x23, 0x81] => AuthProtocol::MsChapV2,
            [0xc2, 0x27] => AuthProtocol::Eap,
            other => AuthProtocol::Other(other),
        }
    }

    /// The option's data.
    pub fn data(&self) -> &'a [u8] {
        match self {
            AuthProtocol::Pap => &[0xc0, 0x23],
            AuthProtocol::ChapMd5 => &[0xc2, 0x23, 0x05],
            AuthProtocol::MsChapV1 => &[0xc2, 0x23, 0x80],
            AuthProtocol::MsChapV2 => &[0xc2, 0x23, 0x81],
            AuthProtocol::Eap => &[0xc2, 0x27],
            AuthProtocol::Other(data) => data,
        }
    }
}

impl fmt::Display for AuthProtocol<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuthProtocol::Pap => f.write_str("pap"),
            AuthProtocol::ChapMd5 => f.write_str("chap-md5"),
            AuthProtocol::MsChapV1 => f.write_str("mschap-v1"),
            AuthProtocol::MsChapV2 => f.write_str("mschap-v2"),
            AuthProtocol::Eap => f.write_str("eap"),
            AuthProtocol::Other([0xc2, 0x23, algorithm, ..]) => write!(f, "chap algorithm {algorithm}"),
            AuthProtocol::Other([a, b, rest @ ..]) => {
                write!(f, "{}", ppp::ProtocolNumber(u16::from_be_bytes([*a, *b])))?;
                if rest.is_empty() { Ok(()) } else { write!(f, " {}", Hex(rest)) }
            }
            AuthProtocol::Other(short) => write!(f, "{}", Hex(short)),
        }
    }
}
