//! The attributes that carry what a client proves (RFC 2865 section 5.2 and 5.3, RFC 2548 section 2, RFC 3579).

use core::fmt;

use adit_crypto::change_password::{Change, ENCRYPTED_PASSWORD};
use adit_crypto::proof::Proof;

use crate::attribute::MAX_VALUE;
use crate::builder::Builder;
use crate::error::{Error, Result};
use crate::hiding::{MAX_PASSWORD, hide_password};
use crate::number::{microsoft, standard, vendor};
use crate::secret::SharedSecret;

/// The longest EAP packet in octets: it must fit into a packet with everything else.
pub const MAX_EAP: usize = 3_000;

/// The identifier inside the MS-CHAP attributes. Servers return it in MS-CHAP2-Success, and PPP does not need it: the
/// authenticator writes its own.
const IDENT: u8 = 1;

/// Octets of an encrypted password that fit beside the six octets of their header into one attribute.
const PIECE: usize = 243;

/// What a client proves.
#[derive(Clone)]
pub enum Credentials {
    /// A password, or a response to a challenge.
    Proof(Proof),
    /// An EAP packet, or none to ask the server to begin.
    Eap(Vec<u8>),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Proof(proof) => write!(f, "{proof:?}"),
            Credentials::Eap(packet) => write!(f, "Eap({} octets)", packet.len()),
        }
    }
}

/// Appends the attributes.
///
/// # Errors
/// If a password or an EAP packet is too long.
pub(crate) fn append(
    credentials: &Credentials,
    builder: &mut Builder,
    request_authenticator: &[u8; 16],
    secret: &SharedSecret,
) -> Result<()> {
    match credentials {
        Credentials::Proof(proof) => append_proof(proof, builder, request_authenticator, secret),
        Credentials::Eap(packet) => append_eap(packet, builder),
    }
}

fn append_proof(
    proof: &Proof,
    builder: &mut Builder,
    request_authenticator: &[u8; 16],
    secret: &SharedSecret,
) -> Result<()> {
    match proof {
        Proof::Pap { password } => {
            const _: () = assert!(MAX_PASSWORD == 128, "the text of the error names the bound");
            let password = password.expose().as_bytes();
            let too_long = Error::new("User-Password", 0, "at most 128 octets", password.len() as u64);
            let hidden = hide_password(secret, request_authenticator, password).ok_or(too_long)?;
            builder.octets(standard::USER_PASSWORD, &hidden);
        }
        Proof::ChapMd5 { id, challenge, response } => {
            builder
                .octets(standard::CHAP_PASSWORD, &[&[*id], response.as_slice()].concat())
                .octets(standard::CHAP_CHALLENGE, challenge);
        }
        Proof::MsChapV1 { challenge, nt_response } => {
            // Flags 1: the NT-Response counts; the LM-Response is left zero.
            let value = [&[IDENT, 1], [0; 24].as_slice(), nt_response].concat();
            builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP_CHALLENGE, challenge).vendor(
                vendor::MICROSOFT,
                microsoft::MS_CHAP_RESPONSE,
                &value,
            );
        }
        Proof::MsChapV2 { authenticator_challenge, peer_challenge, nt_response, .. } => {
            // Ident and flags are in front here, unlike in PPP; eight reserved octets follow the challenge.
            let value = [&[IDENT, 0], peer_challenge.as_slice(), &[0; 8], nt_response].concat();
            builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP_CHALLENGE, authenticator_challenge).vendor(
                vendor::MICROSOFT,
                microsoft::MS_CHAP2_RESPONSE,
                &value,
            );
        }
        Proof::ChangePassword(change) => append_change(change, builder),
    }
    Ok(())
}

/// MS-CHAP2-CPW, and the encrypted password in pieces (RFC 2548 section 2.3.4 and 2.1.6).
fn append_change(change: &Change, builder: &mut Builder) {
    const _: () = assert!(ENCRYPTED_PASSWORD <= 3 * PIECE);
    let Change { authenticator_challenge, encrypted_password, encrypted_hash, peer_challenge, .. } = change;
    let value =
        [&[7, IDENT], encrypted_hash.as_slice(), peer_challenge, &[0; 8], &change.nt_response, &[0; 2]]
            .concat();
    builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP_CHALLENGE, authenticator_challenge);
    for (piece, number) in encrypted_password.chunks(PIECE).zip(1_u16..) {
        let value = [&[6, IDENT], number.to_be_bytes().as_slice(), piece].concat();
        builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP_NT_ENC_PW, &value);
    }
    builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP2_CPW, &value);
}

/// EAP-Message, in as many attributes as the packet needs (RFC 3579 section 3.1); an empty one is EAP-Start.
fn append_eap(packet: &[u8], builder: &mut Builder) -> Result<()> {
    if packet.len() > MAX_EAP {
        return Err(Error::new("EAP-Message", 0, "at most 3000 octets", packet.len() as u64));
    }
    if packet.is_empty() {
        builder.octets(standard::EAP_MESSAGE, &[]);
    }
    for piece in packet.chunks(MAX_VALUE) {
        builder.octets(standard::EAP_MESSAGE, piece);
    }
    Ok(())
}
