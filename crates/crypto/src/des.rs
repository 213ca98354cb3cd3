//! DES as MS-CHAP uses it: single blocks, keys of seven octets spread over eight.

use des::Des;
use des::cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use zeroize::Zeroizing;

/// Spreads 56 bits over eight octets and fills in odd parity (RFC 2759 section 8.6, DesEncrypt).
pub(crate) fn expand_key(raw: &[u8; 7]) -> Zeroizing<[u8; 8]> {
    let bits = raw.iter().fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
    let mut key = Zeroizing::new([0; 8]);
    for (n, octet) in key.iter_mut().enumerate() {
        let seven = ((bits >> (49 - 7 * n)) & 0x7f) as u8;
        *octet = seven << 1 | u8::from(seven.count_ones().is_multiple_of(2));
    }
    key
}

/// Encrypts one block under a seven-octet key.
pub(crate) fn encrypt(key: &[u8; 7], block: &[u8; 8]) -> [u8; 8] {
    let mut block = (*block).into();
    Des::new(&(*expand_key(key)).into()).encrypt_block(&mut block);
    block.into()
}

/// Decrypts one block under a seven-octet key.
pub(crate) fn decrypt(key: &[u8; 7], block: &[u8; 8]) -> [u8; 8] {
    let mut block = (*block).into();
    Des::new(&(*expand_key(key)).into()).decrypt_block(&mut block);
    block.into()
}
