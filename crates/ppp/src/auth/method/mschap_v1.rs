//! MS-CHAPv1 (RFC 2433).

use adit_crypto::mppe::start_keys_v1;
use adit_crypto::mschap::nt_response;
use adit_crypto::proof::Proof;
use adit_wire::Error;
use adit_wire::chap::MsChapV1Response;

use super::{Algorithm, Client, Proofs, Responded, Response, sized};

/// The length of a challenge in octets.
const CHALLENGE: usize = 8;

/// Added to the first octet of a challenge for the next attempt if the Failure contains no challenge (RFC
/// 2433 section 9).
const NEXT: u8 = 23;

pub(super) struct MsChapV1;

impl Algorithm for MsChapV1 {
    fn challenge_len(&self) -> usize {
        CHALLENGE
    }

    /// Change-Password version 1 is not supported; pppd reports the same version number.
    fn failure_version(&self) -> Option<u32> {
        Some(0)
    }

    fn proof(&self, response: Response<'_>) -> Result<Proof, Error> {
        let MsChapV1Response { nt_response, .. } = MsChapV1Response::parse(response.value)?;
        Ok(Proof::MsChapV1 { challenge: sized(response.challenge)?, nt_response })
    }

    fn respond(&self, client: Client<'_>, _id: u8, challenge: &[u8]) -> Result<Responded, String> {
        let challenge = challenge.try_into().map_err(|_| CHALLENGE.to_string())?;
        let hash = client.password.nt_hash();
        let nt_response = nt_response(&challenge, &hash);
        let keys = start_keys_v1(&hash, &challenge, Some(client.password));
        let value = MsChapV1Response { nt_response, use_nt: true }.to_bytes().to_vec();
        Ok(Responded { value, expect: Proofs { keys: Some(keys), ..Proofs::default() } })
    }

    fn implied_challenge(&self, failed: &[u8]) -> Option<Vec<u8>> {
        let mut challenge = failed.to_vec();
        let first = challenge.first_mut()?;
        *first = first.wrapping_add(NEXT);
        Some(challenge)
    }
}
