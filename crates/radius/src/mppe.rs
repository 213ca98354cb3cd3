//! MPPE attributes: policy, types and keys (RFC 2548 section 2.4).

use core::fmt;

use adit_crypto::mppe::{StartKey, StartKeys, start_keys_v1_from};
use zeroize::Zeroizing;

use crate::attribute::Attribute;
use crate::error::{Error, Result};
use crate::hiding::{reveal_key, reveal_password};
use crate::number::microsoft;
use crate::secret::SharedSecret;

/// MS-MPPE-Encryption-Policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptionPolicy {
    /// Encryption may be used.
    Allowed,
    /// Encryption must be used.
    Required,
}

/// MS-MPPE-Encryption-Types: a mask of key sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncryptionTypes(pub u32);

impl EncryptionTypes {
    /// Whether a key size is in the mask. RFC 2548 has bits for 40 and 128; 56 is the third bit of MPPE (RFC 3078).
    pub const fn allows(self, bits: u8) -> bool {
        let mask = match bits {
            40 => 0x2,
            128 => 0x4,
            56 => 0x8,
            _ => 0,
        };
        self.0 & mask != 0
    }
}

/// The keys of MS-CHAP-MPPE-Keys (RFC 2548 section 2.4.1), with MS-CHAPv1.
#[derive(Clone)]
pub struct ChapMppeKeys {
    /// The first eight octets of the LM hash; zeros if the server has none.
    pub lm_key: Zeroizing<[u8; 8]>,
    /// MD4 of the NT hash.
    pub nt_key: Zeroizing<[u8; 16]>,
}

impl ChapMppeKeys {
    /// The start keys of both directions (RFC 3079 section 2). Keys for 40 and 56 bits need an LM hash.
    pub fn start_keys(&self, challenge: &[u8; 8]) -> StartKeys {
        let lm_key = (*self.lm_key != [0; 8]).then_some(*self.lm_key);
        start_keys_v1_from(&self.nt_key, lm_key, challenge)
    }
}

impl fmt::Debug for ChapMppeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChapMppeKeys(..)")
    }
}

/// What a reply contains about MPPE.
#[derive(Clone, Debug, Default)]
pub struct Mppe {
    /// Whether encryption must be used.
    pub policy: Option<EncryptionPolicy>,
    /// Which key sizes are allowed.
    pub types: Option<EncryptionTypes>,
    /// The start key for what this side sends, MS-MPPE-Send-Key.
    pub send: Option<StartKey>,
    /// The start key for what this side receives, MS-MPPE-Recv-Key.
    pub receive: Option<StartKey>,
    /// The keys with MS-CHAPv1.
    pub chap: Option<ChapMppeKeys>,
}

impl Mppe {
    /// The start keys of both directions, if the reply has both.
    pub fn start_keys(&self) -> Option<StartKeys> {
        Some(StartKeys { send: self.send.clone()?, receive: self.receive.clone()? })
    }

    /// Reads one of Microsoft's attributes; whether it is one of these.
    pub(crate) fn read(
        &mut self,
        attribute: &Attribute<'_>,
        request_authenticator: &[u8; 16],
        secret: &SharedSecret,
    ) -> Result<bool> {
        match attribute.number {
            microsoft::MS_MPPE_ENCRYPTION_POLICY => {
                self.policy = Some(match attribute.number()? {
                    1 => EncryptionPolicy::Allowed,
                    2 => EncryptionPolicy::Required,
                    other => return Err(attribute.error("1 or 2", u64::from(other))),
                });
            }
            microsoft::MS_MPPE_ENCRYPTION_TYPES => self.types = Some(EncryptionTypes(attribute.number()?)),
            microsoft::MS_MPPE_SEND_KEY => {
                self.send = Some(start_key(attribute, request_authenticator, secret)?);
            }
            microsoft::MS_MPPE_RECV_KEY => {
                self.receive = Some(start_key(attribute, request_authenticator, secret)?);
            }
            microsoft::MS_CHAP_MPPE_KEYS => {
                self.chap = Some(chap_keys(attribute, request_authenticator, secret)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn start_key(
    attribute: &Attribute<'_>,
    request_authenticator: &[u8; 16],
    secret: &SharedSecret,
) -> Result<StartKey> {
    let hidden: fn(&Attribute<'_>) -> Error = |attribute| {
        attribute.error("a salt and a hidden key of 16 to 32 octets", attribute.value.len() as u64)
    };
    let key = reveal_key(secret, request_authenticator, attribute.value).ok_or(hidden(attribute))?;
    // MPPE takes the first 16 octets of a key from EAP, which has 32.
    match key.split_first_chunk::<16>() {
        Some((start, rest)) if rest.is_empty() || rest.len() == 16 => Ok(StartKey::new(*start)),
        _ => Err(attribute.error("a key of 16 or 32 octets", key.len() as u64)),
    }
}

fn chap_keys(
    attribute: &Attribute<'_>,
    request_authenticator: &[u8; 16],
    secret: &SharedSecret,
) -> Result<ChapMppeKeys> {
    let hidden: [u8; 32] = attribute.array("32 octets")?;
    let wrong = attribute.error("32 octets that are hidden", hidden.len() as u64);
    let keys = reveal_password(secret, request_authenticator, &hidden).ok_or(wrong)?;
    let (lm, rest) = keys.split_first_chunk::<8>().ok_or(wrong)?;
    let (nt, padding) = rest.split_first_chunk::<16>().ok_or(wrong)?;
    if padding.iter().any(|octet| *octet != 0) {
        return Err(attribute.error("8 octets of zero padding", padding.len() as u64));
    }
    Ok(ChapMppeKeys { lm_key: Zeroizing::new(*lm), nt_key: Zeroizing::new(*nt) })
}
