//! The configuration options of LCP (RFC 1661 section 6, RFC 1570 section 2, RFC 1990 section 5).

use core::fmt;

use crate::cp::{self, Hex, Opt};
use crate::{Protocol, Result, ppp};

/// Type octets of LCP's options.
pub mod kind {
    /// Vendor extension (RFC 2153).
    pub const VENDOR: u8 = 0;
    /// Maximum-Receive-Unit.
    pub const MRU: u8 = 1;
    /// Async-Control-Character-Map (RFC 1662).
    pub const ACCM: u8 = 2;
    /// Authentication-Protocol.
    pub const AUTH: u8 = 3;
    /// Quality-Protocol.
    pub const QUALITY: u8 = 4;
    /// Magic-Number.
    pub const MAGIC: u8 = 5;
    /// Protocol-Field-Compression.
    pub const PFC: u8 = 7;
    /// Address-and-Control-Field-Compression.
    pub const ACFC: u8 = 8;
    /// FCS-Alternatives.
    pub const FCS_ALTERNATIVES: u8 = 9;
    /// Self-Describing-Padding.
    pub const PADDING: u8 = 10;
    /// Numbered-Mode.
    pub const NUMBERED_MODE: u8 = 11;
    /// Callback.
    pub const CALLBACK: u8 = 13;
    /// Compound-Frames.
    pub const COMPOUND_FRAMES: u8 = 15;
    /// Multilink Maximum-Received-Reconstructed-Unit.
    pub const MRRU: u8 = 17;
    /// Multilink short sequence numbers.
    pub const SHORT_SEQUENCE: u8 = 18;
    /// Multilink endpoint discriminator.
    pub const ENDPOINT: u8 = 19;

    /// The option's name for people.
    pub const fn name(kind: u8) -> Option<&'static str> {
        Some(match kind {
            VENDOR => "vendor extension",
            MRU => "mru",
            ACCM => "accm",
            AUTH => "auth",
            QUALITY => "quality protocol",
            MAGIC => "magic",
            PFC => "pfc",
            ACFC => "acfc",
            FCS_ALTERNATIVES => "fcs alternatives",
            PADDING => "self-describing padding",
            NUMBERED_MODE => "numbered mode",
            CALLBACK => "callback",
            COMPOUND_FRAMES => "compound frames",
            MRRU => "mrru",
            SHORT_SEQUENCE => "short sequence numbers",
            ENDPOINT => "endpoint",
            _ => return None,
        })
    }
}

/// The value of Authentication-Protocol: who is asked to prove itself how.
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
    /// Anything else: the option's data, two octets of protocol number and perhaps more.
    Other(&'a [u8]),
}

impl<'a> AuthProtocol<'a> {
    /// Reads the option's data, which is at least two octets long.
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

/// One option of LCP that adit understands; all others are [`LcpOption::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LcpOption<'a> {
    /// The longest information field its sender wants to receive, in octets.
    Mru(u16),
    /// Control characters to escape on an asynchronous line; without meaning in a tunnel.
    Accm(u32),
    /// The sender wants the receiver to authenticate itself.
    Auth(AuthProtocol<'a>),
    /// A random number that tells this end from the other.
    Magic(u32),
    /// The sender can receive one-octet protocol fields.
    Pfc,
    /// The sender can receive frames without Address and Control.
    Acfc,
    /// Operation and message; Windows sends operation 6, "by CBCP".
    Callback {
        /// How the location is determined (RFC 1570 section 2.3).
        operation: u8,
        /// Its argument.
        message: &'a [u8],
    },
    /// Largest packet that may be sent in fragments over several links, in octets.
    Mrru(u16),
    /// Twelve-bit multilink sequence numbers.
    ShortSequence,
    /// Who this end is, for bundling links.
    Endpoint {
        /// How the address is to be read (RFC 1990 section 5.1.3).
        class: u8,
        /// At most 20 octets.
        address: &'a [u8],
    },
    /// An option without a meaning here.
    Other {
        /// Its Type octet.
        kind: u8,
        /// Its data.
        data: &'a [u8],
    },
}

impl<'a> LcpOption<'a> {
    /// Gives an option its meaning.
    ///
    /// # Errors
    /// An option whose Length is not right for its type.
    pub fn parse(opt: &Opt<'a>) -> Result<LcpOption<'a>> {
        let wrong = |field, expected| Err(opt.wrong_length(Protocol::Lcp, field, expected));
        match (opt.kind, opt.data) {
            (kind::MRU, [a, b]) => Ok(LcpOption::Mru(u16::from_be_bytes([*a, *b]))),
            (kind::MRU, _) => wrong("MRU Length", "4"),
            (kind::ACCM, [a, b, c, d]) => Ok(LcpOption::Accm(u32::from_be_bytes([*a, *b, *c, *d]))),
            (kind::ACCM, _) => wrong("ACCM Length", "6"),
            (kind::AUTH, data @ [_, _, ..]) => Ok(LcpOption::Auth(AuthProtocol::from_data(data))),
            (kind::AUTH, _) => wrong("Authentication-Protocol Length", "4 or more"),
            (kind::MAGIC, [a, b, c, d]) => Ok(LcpOption::Magic(u32::from_be_bytes([*a, *b, *c, *d]))),
            (kind::MAGIC, _) => wrong("Magic-Number Length", "6"),
            (kind::PFC, []) => Ok(LcpOption::Pfc),
            (kind::PFC, _) => wrong("PFC Length", "2"),
            (kind::ACFC, []) => Ok(LcpOption::Acfc),
            (kind::ACFC, _) => wrong("ACFC Length", "2"),
            (kind::CALLBACK, [operation, message @ ..]) => {
                Ok(LcpOption::Callback { operation: *operation, message })
            }
            (kind::CALLBACK, _) => wrong("Callback Length", "3 or more"),
            (kind::MRRU, [a, b]) => Ok(LcpOption::Mrru(u16::from_be_bytes([*a, *b]))),
            (kind::MRRU, _) => wrong("MRRU Length", "4"),
            (kind::SHORT_SEQUENCE, []) => Ok(LcpOption::ShortSequence),
            (kind::SHORT_SEQUENCE, _) => wrong("Short-Sequence-Number Length", "2"),
            (kind::ENDPOINT, [class, address @ ..]) if address.len() <= 20 => {
                Ok(LcpOption::Endpoint { class: *class, address })
            }
            (kind::ENDPOINT, _) => wrong("Endpoint-Discriminator Length", "3 to 23"),
            (kind, data) => Ok(LcpOption::Other { kind, data }),
        }
    }

    /// Appends the option.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            LcpOption::Mru(mru) => cp::push_option(out, kind::MRU, &mru.to_be_bytes()),
            LcpOption::Accm(map) => cp::push_option(out, kind::ACCM, &map.to_be_bytes()),
            LcpOption::Auth(auth) => cp::push_option(out, kind::AUTH, auth.data()),
            LcpOption::Magic(magic) => cp::push_option(out, kind::MAGIC, &magic.to_be_bytes()),
            LcpOption::Pfc => cp::push_option(out, kind::PFC, &[]),
            LcpOption::Acfc => cp::push_option(out, kind::ACFC, &[]),
            LcpOption::Callback { operation, message } => {
                cp::push_option(out, kind::CALLBACK, &[&[operation], message].concat());
            }
            LcpOption::Mrru(mrru) => cp::push_option(out, kind::MRRU, &mrru.to_be_bytes()),
            LcpOption::ShortSequence => cp::push_option(out, kind::SHORT_SEQUENCE, &[]),
            LcpOption::Endpoint { class, address } => {
                cp::push_option(out, kind::ENDPOINT, &[&[class], address].concat());
            }
            LcpOption::Other { kind, data } => cp::push_option(out, kind, data),
        }
    }
}

impl fmt::Display for LcpOption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LcpOption::Mru(mru) => write!(f, "mru {mru}"),
            LcpOption::Accm(map) => write!(f, "accm {map:08x}"),
            LcpOption::Auth(auth) => write!(f, "auth {auth}"),
            LcpOption::Magic(magic) => write!(f, "magic {magic:08x}"),
            LcpOption::Pfc => f.write_str("pfc"),
            LcpOption::Acfc => f.write_str("acfc"),
            LcpOption::Callback { operation: 6, message: [] } => f.write_str("callback by CBCP"),
            LcpOption::Callback { operation, message: [] } => write!(f, "callback {operation}"),
            LcpOption::Callback { operation, message } => write!(f, "callback {operation} {}", Hex(message)),
            LcpOption::Mrru(mrru) => write!(f, "mrru {mrru}"),
            LcpOption::ShortSequence => f.write_str("short sequence numbers"),
            LcpOption::Endpoint { class, address } => write!(f, "endpoint class {class} {}", Hex(address)),
            LcpOption::Other { kind, data } => {
                match kind::name(*kind) {
                    Some(name) => f.write_str(name)?,
                    None => write!(f, "option {kind}")?,
                }
                if data.is_empty() { Ok(()) } else { write!(f, " {}", Hex(data)) }
            }
        }
    }
}
