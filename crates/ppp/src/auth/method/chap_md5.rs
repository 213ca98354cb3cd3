//! CHAP with MD5 (RFC 1994).

use adit_crypto::chap;
use adit_crypto::proof::Proof;
use adit_wire::Error;

use super::{Algorithm, Client, Proofs, Responded, Response, sized};

pub(super) struct ChapMd5;

impl Algorithm for ChapMd5 {
    fn challenge_len(&self) -> usize {
        16
    }

    fn failure_version(&self) -> Option<u32> {
        None
    }

    fn proof(&self, response: Response<'_>) -> Result<Proof, Error> {
        let Response { id, challenge, value, .. } = response;
        Ok(Proof::ChapMd5 { id, challenge: challenge.to_vec(), response: sized(value)? })
    }

    fn respond(&self, client: Client<'_>, id: u8, challenge: &[u8]) -> Result<Responded, String> {
        let least = client.min_challenge;
        if challenge.len() < least {
            return Err(format!("at least {least}"));
        }
        let value = chap::response(id, client.password, challenge).to_vec();
        Ok(Responded { value, expect: Proofs::default() })
    }
}
