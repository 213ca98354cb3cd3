//! The `otpauth://` URI that authenticator apps read.

use core::fmt::Write as _;

use crate::otp::{Algorithm, DIGITS, PERIOD};

/// The URI for a secret in base 32. The label is "issuer:account"; everything but the unreserved characters of
/// RFC 3986 is percent-encoded.
pub(crate) fn uri(issuer: &str, account: &str, secret: &str, algorithm: Algorithm) -> String {
    let (issuer, account) = (encode(issuer), encode(account));
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm={}&digits={DIGITS}&period={PERIOD}",
        algorithm.name()
    )
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(octet))
            }
            _ => {
                let _ = write!(encoded, "%{octet:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_unreserved_characters_is_encoded() {
        assert_eq!(
            uri("VPN: Büro & Co", "CORP\\al ice", "ABC", Algorithm::Sha1),
            "otpauth://totp/VPN%3A%20B%C3%BCro%20%26%20Co:CORP%5Cal%20ice?secret=ABC\
             &issuer=VPN%3A%20B%C3%BCro%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
    }
}
