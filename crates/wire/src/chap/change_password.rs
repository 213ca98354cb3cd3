//! The Change-Password packet of MS-CHAPv2 (RFC 2759 section 7).

use core::fmt;

use super::response::split;
use crate::{Error, Protocol, Result};

/// The octets after the header: 516 + 16 + 16 + 8 + 24 + 2.
const SIZE: usize = 582;

/// The data of the packet. The reserved octets and the flags are written as zero and ignored when read.
#[derive(Clone, PartialEq, Eq)]
pub struct ChangePassword {
    /// Encrypted-Password.
    pub encrypted_password: [u8; 516],
    /// Encrypted-Hash.
    pub encrypted_hash: [u8; 16],
    /// Peer-Challenge.
    pub peer_challenge: [u8; 16],
    /// NT-Response with the new password.
    pub nt_response: [u8; 24],
}

impl ChangePassword {
    /// Parses the data of the packet.
    ///
    /// # Errors
    /// If Length is not 586.
    pub fn parse(data: &[u8]) -> Result<ChangePassword> {
        if data.len() != SIZE {
            let found = (data.len() + crate::cp::HEADER_LEN) as u64;
            return Err(Error::new(Protocol::Chap, "Change-Password Length", 2, "586", found));
        }
        let (encrypted_password, rest) = split(data);
        let (encrypted_hash, rest) = split(rest);
        let (peer_challenge, rest) = split(rest);
        let (_reserved, rest) = split::<8>(rest);
        let (nt_response, _flags) = split(rest);
        Ok(ChangePassword { encrypted_password, encrypted_hash, peer_challenge, nt_response })
    }

    /// The data of the packet.
    pub fn to_vec(&self) -> Vec<u8> {
        let ChangePassword { encrypted_password, encrypted_hash, peer_challenge, nt_response } = self;
        [&encrypted_password[..], encrypted_hash, peer_challenge, &[0; 8], nt_response, &[0; 2]].concat()
    }
}

impl fmt::Debug for ChangePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChangePassword(..)")
    }
}
