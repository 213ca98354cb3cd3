//! Authenticators, and the Message-Authenticator attribute.

use subtle::ConstantTimeEq as _;

use crate::digest::{hmac_md5, md5};
use crate::number::standard;
use crate::packet::{HEADER_LEN, Packet};
use crate::secret::SharedSecret;

/// Octets of a Message-Authenticator with its type and length.
pub(crate) const MESSAGE_AUTHENTICATOR_LEN: usize = 18;

/// The Response Authenticator that fits a reply (RFC 2865 section 3); with a `request_authenticator` of zeros, the
/// Request Authenticator of an Accounting-Request, CoA-Request or Disconnect-Request (RFC 2866 section 3, RFC 5176
/// section 2.3).
pub fn authenticator(
    packet: &Packet<'_>,
    request_authenticator: &[u8; 16],
    secret: &SharedSecret,
) -> [u8; 16] {
    let head = packet.as_bytes().get(..4).unwrap_or_default();
    md5(&[head, request_authenticator, packet.attribute_octets(), secret.octets()])
}

/// Whether the authenticator of a packet is the one of [`authenticator`]; takes as long for every wrong one.
pub fn is_authentic(packet: &Packet<'_>, request_authenticator: &[u8; 16], secret: &SharedSecret) -> bool {
    authenticator(packet, request_authenticator, secret).ct_eq(packet.authenticator()).into()
}

/// What a packet has of a Message-Authenticator (RFC 3579 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageAuthenticator {
    /// It has none.
    Absent,
    /// It has one and it is right.
    Valid,
    /// It has a wrong one, one of a wrong length, or several.
    Wrong,
}

/// Checks the Message-Authenticator of a packet. `authenticator` is what was in the header when it was computed: in a
/// reply the Request Authenticator, in an Access-Request its own, in a CoA-Request zeros.
pub fn message_authenticator(
    packet: &Packet<'_>,
    authenticator: &[u8; 16],
    secret: &SharedSecret,
) -> MessageAuthenticator {
    let mut found = packet
        .attributes()
        .filter_map(Result::ok)
        .filter(|attribute| attribute.number == standard::MESSAGE_AUTHENTICATOR);
    let Some(attribute) = found.next() else { return MessageAuthenticator::Absent };
    let (Ok(value), None) = (<[u8; 16]>::try_from(attribute.value), found.next()) else {
        return MessageAuthenticator::Wrong;
    };
    let octets = packet.as_bytes();
    let before = octets.get(HEADER_LEN..attribute.offset + 2).unwrap_or_default();
    let after = octets.get(attribute.offset + MESSAGE_AUTHENTICATOR_LEN..).unwrap_or_default();
    let head = octets.get(..4).unwrap_or_default();
    let right = hmac_md5(secret.octets(), &[head, authenticator, before, &[0; 16], after]);
    if right.ct_eq(&value).into() { MessageAuthenticator::Valid } else { MessageAuthenticator::Wrong }
}
