//! The 49 octets of an MS-CHAP Response Value.

use core::fmt;

use crate::{Error, Protocol, Result};

/// The size of the Value in octets, in both versions.
const SIZE: usize = 49;

/// The Value of an MS-CHAPv1 Response (RFC 2433 section 5). The LAN Manager response is neither read nor written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MsChapV1Response {
    /// NT-Response.
    pub nt_response: [u8; 24],
    /// Whether the NT-Response is to be used. A client that clears it requests the use of the LAN Manager
    /// response.
    pub use_nt: bool,
}

impl MsChapV1Response {
    /// Parses the Value.
    ///
    /// # Errors
    /// If the size is not 49.
    pub fn parse(value: &[u8]) -> Result<MsChapV1Response> {
        let value = sized(value)?;
        let (_lm_response, rest) = split::<24>(value);
        let (nt_response, flags) = split::<24>(rest);
        Ok(MsChapV1Response { nt_response, use_nt: flags.first() == Some(&1) })
    }

    /// The Value as octets, with zeros for the LAN Manager response.
    pub fn to_bytes(&self) -> [u8; SIZE] {
        let mut value = [0; SIZE];
        value[24..48].copy_from_slice(&self.nt_response);
        value[48] = u8::from(self.use_nt);
        value
    }
}

impl fmt::Debug for MsChapV1Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MsChapV1Response(use_nt: {})", self.use_nt)
    }
}

/// The Value of an MS-CHAPv2 Response (RFC 2759 section 4). The reserved octets and the flags are written as
/// zero and ignored when read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MsChapV2Response {
    /// Peer-Challenge.
    pub peer_challenge: [u8; 16],
    /// NT-Response.
    pub nt_response: [u8; 24],
}

impl MsChapV2Response {
    /// Parses the Value.
    ///
    /// # Errors
    /// If the size is not 49.
    pub fn parse(value: &[u8]) -> Result<MsChapV2Response> {
        let value = sized(value)?;
        let (peer_challenge, rest) = split::<16>(value);
        let (_reserved, rest) = split::<8>(rest);
        let (nt_response, _flags) = split::<24>(rest);
        Ok(MsChapV2Response { peer_challenge, nt_response })
    }

    /// The Value as octets.
    pub fn to_bytes(&self) -> [u8; SIZE] {
        let mut value = [0; SIZE];
        value[..16].copy_from_slice(&self.peer_challenge);
        value[24..48].copy_from_slice(&self.nt_response);
        value
    }
}

impl fmt::Debug for MsChapV2Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MsChapV2Response(..)")
    }
}

fn sized(value: &[u8]) -> Result<&[u8]> {
    if value.len() == SIZE {
        return Ok(value);
    }
    Err(Error::new(Protocol::Chap, "Value-Size", crate::cp::HEADER_LEN, "49", value.len() as u64))
}

/// Splits off the first `N` octets, filled with zeros if there are fewer.
pub(super) fn split<const N: usize>(octets: &[u8]) -> ([u8; N], &[u8]) {
    octets.split_first_chunk().map_or(([0; N], &[][..]), |(head, rest)| (*head, rest))
}
