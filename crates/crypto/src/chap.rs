//! CHAP with MD5 (RFC 1994).

use crate::digest::md5;
use crate::secret::Password;

/// The Response Value: MD5 over the Identifier, the secret and the Challenge Value (RFC 1994 section 4.1).
pub fn response(id: u8, secret: &Password, challenge: &[u8]) -> [u8; 16] {
    md5(&[&[id], secret.expose().as_bytes(), challenge])
}
