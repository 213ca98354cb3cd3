//! The checks between a datagram from a server and a reply that counts.

use core::fmt;

use crate::error::Error;
use crate::number::standard;
use crate::packet::{Code, Packet};
use crate::secret::SharedSecret;
use crate::signature::{MessageAuthenticator, is_authentic, message_authenticator};

/// Why a datagram does not count as a reply. It is dropped, and the request goes on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The packet is malformed.
    Malformed(Error),
    /// The datagram is not from the server's address and port.
    WrongSource,
    /// No request with this Identifier is open: a repeated reply, one after its time, or a forged one.
    NoRequest,
    /// The code is of no reply to the request.
    WrongCode(Code),
    /// The Response Authenticator does not fit: another shared secret, or a forged reply.
    WrongAuthenticator,
    /// The Message-Authenticator does not fit: another shared secret, or a forged reply.
    WrongMessageAuthenticator,
    /// The reply has no Message-Authenticator and the server's setting requires one (CVE-2024-3596).
    NoMessageAuthenticator,
    /// The reply has a Proxy-State, and the request had none: a mark of an attack (CVE-2024-3596).
    ProxyState,
}

impl Dropped {
    /// Whether the datagram shows that the server does answer, although not usably: the evidence for a wrong setting.
    pub const fn is_evidence(self) -> bool {
        !matches!(self, Dropped::WrongSource | Dropped::NoRequest)
    }
}

/// The observation and what to do, without the server's name.
impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dropped::Malformed(error) => write!(f, "a malformed packet arrived: {error}"),
            Dropped::WrongSource => f.write_str("a reply arrived from another address or port"),
            Dropped::NoRequest => f.write_str("a reply arrived to which no request is open"),
            Dropped::WrongCode(code) => write!(f, "{code} arrived, which is no reply to the request"),
            Dropped::WrongAuthenticator => f.write_str(
                "a reply with a wrong Response Authenticator arrived: compare the shared secret on both sides",
            ),
            Dropped::WrongMessageAuthenticator => f.write_str(
                "a reply with a wrong Message-Authenticator arrived: compare the shared secret on both sides",
            ),
            Dropped::NoMessageAuthenticator => f.write_str(
                "a reply without Message-Authenticator arrived, which can be forged (CVE-2024-3596): update the \
                 server, or let it add the attribute to its replies",
            ),
            Dropped::ProxyState => f.write_str(
                "a reply with a Proxy-State arrived although the request had none: it may be forged (CVE-2024-3596)",
            ),
        }
    }
}

/// The setting of a server about Message-Authenticator in its replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequireMessageAuthenticator {
    /// Required.
    #[default]
    Yes,
    /// Not required. A wrong one is dropped nevertheless.
    No,
    /// Required after the first reply that has one.
    Auto,
}

/// A request to which a reply belongs.
#[derive(Clone, Copy, Debug)]
pub struct OpenRequest<'a> {
    /// Its code.
    pub code: Code,
    /// Its Request Authenticator.
    pub authenticator: &'a [u8; 16],
    /// The secret shared with the server that it was sent to.
    pub secret: &'a SharedSecret,
    /// Whether the reply needs a Message-Authenticator.
    pub is_signature_required: bool,
}

/// Checks a reply; whether it has a Message-Authenticator.
///
/// A reply to a Status-Server needs none: it decides about no login, and RFC 5997 has such replies without any.
///
/// # Errors
/// Why the packet is to be dropped.
pub fn check_reply(packet: &Packet<'_>, request: &OpenRequest<'_>) -> Result<bool, Dropped> {
    let fits = match request.code {
        Code::StatusServer => packet.code() == Code::AccessAccept,
        _ => matches!(packet.code(), Code::AccessAccept | Code::AccessReject | Code::AccessChallenge),
    };
    if !fits {
        return Err(Dropped::WrongCode(packet.code()));
    }
    if !is_authentic(packet, request.authenticator, request.secret) {
        return Err(Dropped::WrongAuthenticator);
    }
    let is_signed = match message_authenticator(packet, request.authenticator, request.secret) {
        MessageAuthenticator::Wrong => return Err(Dropped::WrongMessageAuthenticator),
        MessageAuthenticator::Valid => true,
        MessageAuthenticator::Absent => false,
    };
    let has = |number| packet.attributes().any(|item| item.is_ok_and(|attribute| attribute.number == number));
    if has(standard::PROXY_STATE) {
        return Err(Dropped::ProxyState);
    }
    // With EAP no setting can waive it (RFC 3579 section 3.1).
    let is_required = request.is_signature_required || has(standard::EAP_MESSAGE);
    if !is_signed && is_required && request.code != Code::StatusServer {
        return Err(Dropped::NoMessageAuthenticator);
    }
    Ok(is_signed)
}
