//! MS-CHAPv2 (RFC 2759).

use adit_crypto::change_password;
use adit_crypto::mppe::start_keys_v2;
use adit_crypto::mschap::{authenticator_response, nt_response_v2};
use adit_crypto::proof::{Proof, Proven};
use adit_crypto::secret::Password;
use adit_diag::Side;
use adit_wire::Error;
use adit_wire::chap::{ChangePassword, MsChapV2Response, Success};

use super::{Algorithm, Changing, Client, Proofs, Responded, Response, WELCOME, sized};

/// The length of a challenge in octets.
const CHALLENGE: usize = 16;

pub(super) struct MsChapV2;

impl Algorithm for MsChapV2 {
    fn challenge_len(&self) -> usize {
        CHALLENGE
    }

    fn failure_version(&self) -> Option<u32> {
        Some(3)
    }

    fn proof(&self, response: Response<'_>) -> Result<Proof, Error> {
        let MsChapV2Response { peer_challenge, nt_response } = MsChapV2Response::parse(response.value)?;
        let authenticator_challenge = sized(response.challenge)?;
        let name = response.name.to_vec();
        Ok(Proof::MsChapV2 { authenticator_challenge, peer_challenge, nt_response, name })
    }

    fn success(&self, proven: &Proven) -> Option<Vec<u8>> {
        Some(Success { response: Some(proven.mschap?), message: Some(WELCOME.as_bytes()) }.to_vec())
    }

    fn respond(&self, client: Client<'_>, _id: u8, challenge: &[u8]) -> Result<Responded, String> {
        let challenge = challenge.try_into().map_err(|_| CHALLENGE.to_string())?;
        let Client { name, password, rng, .. } = client;
        let hash = password.nt_hash();
        let peer_challenge = rng.challenge();
        let nt_response = nt_response_v2(&challenge, &peer_challenge, name, &hash);
        let expect = Proofs {
            server: Some(authenticator_response(&challenge, &peer_challenge, name, &hash, &nt_response)),
            keys: Some(start_keys_v2(&hash, &nt_response, Side::Client)),
            peer_challenge: Some(peer_challenge),
        };
        let value = MsChapV2Response { peer_challenge, nt_response }.to_bytes().to_vec();
        Ok(Responded { value, expect })
    }

    fn changes_password(&self) -> bool {
        true
    }

    fn change(&self, client: Client<'_>, challenge: &[u8], new: &Password) -> Option<Changing> {
        let challenge = challenge.try_into().ok()?;
        let Client { name, password, rng, .. } = client;
        let made = change_password::make(rng, name, &challenge, password, new)?;
        let change_password::Change { peer_challenge, nt_response, .. } = made;
        let hash = new.nt_hash();
        let expect = Proofs {
            server: Some(authenticator_response(&challenge, &peer_challenge, name, &hash, &nt_response)),
            keys: Some(start_keys_v2(&hash, &nt_response, Side::Client)),
            peer_challenge: Some(peer_challenge),
        };
        let message = Box::new(ChangePassword {
            encrypted_password: *made.encrypted_password,
            encrypted_hash: made.encrypted_hash,
            peer_challenge,
            nt_response,
        });
        Some(Changing { message, expect })
    }
}
