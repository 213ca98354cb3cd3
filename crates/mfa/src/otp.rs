//! HOTP and TOTP.

use hmac::Hmac;

/// Length of a code, the one that every authenticator app supports.
pub const DIGITS: u32 = 6;

/// Seconds for which a code is shown (RFC 6238 section 5.2).
pub const PERIOD: u64 = 30;

/// The hash function of the HMAC (RFC 6238 section 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// The only one that every authenticator app supports.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// Its name in an `otpauth://` URI.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha512 => "SHA512",
        }
    }
}

/// The time step of a time in seconds since 1970 (RFC 6238 section 4.2, T0 = 0).
pub const fn step(seconds: u64) -> u64 {
    seconds / PERIOD
}

/// The code of a counter, with leading zeros; TOTP uses the time step as counter (RFC 4226 section 5.3).
/// `digits` is at most 9.
pub fn hotp(algorithm: Algorithm, secret: &[u8], counter: u64, digits: u32) -> String {
    let counter = counter.to_be_bytes();
    let number = match algorithm {
        Algorithm::Sha1 => truncate(&mac::<Hmac<sha1::Sha1>>(secret, &counter)),
        Algorithm::Sha256 => truncate(&mac::<Hmac<sha2::Sha256>>(secret, &counter)),
        Algorithm::Sha512 => truncate(&mac::<Hmac<sha2::Sha512>>(secret, &counter)),
    };
    let digits = digits.min(9);
    format!("{:0width$}", number % 10u32.pow(digits), width = digits as usize)
}

fn mac<M: hmac::Mac + hmac::KeyInit>(secret: &[u8], counter: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length (RFC 2104 section 2), so there is no error to handle.
    let Ok(mut mac) = <M as hmac::KeyInit>::new_from_slice(secret) else { return vec![0; 20] };
    mac.update(counter);
    mac.finalize().into_bytes().to_vec()
}

/// Dynamic truncation (RFC 4226 section 5.3): 31 bits at the offset that the last octet names.
fn truncate(mac: &[u8]) -> u32 {
    let offset = mac.last().map_or(0, |last| usize::from(last & 0x0f));
    let octets = mac.get(offset..offset + 4).and_then(|octets| octets.try_into().ok()).unwrap_or([0; 4]);
    u32::from_be_bytes(octets) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4226_appendix_d() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (counter, code) in codes.iter().enumerate() {
            assert_eq!(hotp(Algorithm::Sha1, b"12345678901234567890", counter as u64, 6), *code);
        }
    }

    #[test]
    fn the_vectors_of_rfc_6238_appendix_b() {
        let table = [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ];
        let secret = |length: usize| b"1234567890".iter().copied().cycle().take(length).collect::<Vec<u8>>();
        for (time, sha1, sha256, sha512) in table {
            let code = |algorithm, length| hotp(algorithm, &secret(length), step(time), 8);
            assert_eq!(code(Algorithm::Sha1, 20), sha1);
            assert_eq!(code(Algorithm::Sha256, 32), sha256);
            assert_eq!(code(Algorithm::Sha512, 64), sha512);
        }
    }
}
