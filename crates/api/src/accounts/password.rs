//! Passwords in requests and responses.
//!
//! In JSON a password is the hexadecimal form of its UTF-8: no quote and no backslash has to be escaped, so a decoder
//! reads it in place and makes no copy that is not wiped.

use adit_crypto::secret::{NtHash, Password};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The password of an account that is added or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum NewPassword {
    /// Generate a password in the configured style, and return it.
    Made,
    /// Use this password.
    Given {
        /// The password itself.
        #[serde(with = "hex")]
        password: Password,
        /// Accept it even if it violates the configured rules.
        weak: bool,
    },
}

pub(super) mod hex {
    use core::fmt::{self, Write as _};

    use adit_crypto::secret::Password;
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(in super::super) fn serialize<S: Serializer>(
        password: &Password,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let clear = password.expose();
        // Reserve the full capacity, so that growing leaves no copy behind.
        let mut text = Zeroizing::new(String::with_capacity(2 * clear.len()));
        for octet in clear.bytes() {
            write!(text, "{octet:02x}").map_err(serde::ser::Error::custom)?;
        }
        serializer.serialize_str(&text)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Password, D::Error> {
        deserializer.deserialize_str(Hex)
    }

    pub(super) struct Hex;

    impl Visitor<'_> for Hex {
        type Value = Password;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a password in hexadecimal")
        }

        // The errors must not quote the input.
        fn visit_str<E: Error>(self, text: &str) -> Result<Password, E> {
            let wrong = || E::custom("a password that is not UTF-8 in hexadecimal");
            let mut octets = Zeroizing::new(Vec::with_capacity(text.len() / 2));
            for pair in text.as_bytes().chunks(2) {
                let &[high, low] = pair else { return Err(wrong()) };
                let digit = |octet: u8| char::from(octet).to_digit(16);
                let (high, low) = digit(high).zip(digit(low)).ok_or_else(wrong)?;
                octets.push(u8::try_from(high * 16 + low).map_err(|_| wrong())?);
            }
            core::str::from_utf8(&octets).map(Password::new).map_err(|_| wrong())
        }
    }
}

pub(super) mod hex_option {
    use core::fmt;

    use adit_crypto::secret::Password;
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        password: &Option<Password>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match password {
            Some(password) => super::hex::serialize(password, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Password>, D::Error> {
        deserializer.deserialize_option(Optional)
    }

    struct Optional;

    impl<'de> Visitor<'de> for Optional {
        type Value = Option<Password>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a password in hexadecimal, or null")
        }

        fn visit_none<E: Error>(self) -> Result<Option<Password>, E> {
            Ok(None)
        }

        fn visit_unit<E: Error>(self) -> Result<Option<Password>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Password>, D::Error> {
            super::hex::deserialize(deserializer).map(Some)
        }
    }
}

/// NT hashes, as hexadecimal digits.
pub(super) mod hash {
    use core::fmt::{self, Write as _};

    use adit_crypto::secret::NtHash;
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};
    use zeroize::Zeroizing;

    use crate::accounts::nt_hash_from_hex;

    pub(in super::super) fn serialize<S: Serializer>(
        hash: &NtHash,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut text = Zeroizing::new(String::with_capacity(32));
        for octet in hash.as_bytes() {
            write!(text, "{octet:02x}").map_err(serde::ser::Error::custom)?;
        }
        serializer.serialize_str(&text)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<NtHash, D::Error> {
        deserializer.deserialize_str(Hex)
    }

    struct Hex;

    impl Visitor<'_> for Hex {
        type Value = NtHash;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an NT hash of 32 hexadecimal digits")
        }

        // The error must not quote the input.
        fn visit_str<E: Error>(self, text: &str) -> Result<NtHash, E> {
            nt_hash_from_hex(text).ok_or_else(|| E::custom("not an NT hash of 32 hexadecimal digits"))
        }
    }
}

/// An NT hash from its 32 hexadecimal digits; `None` if it is not one.
pub fn nt_hash_from_hex(text: &str) -> Option<NtHash> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut octets = Zeroizing::new([0u8; 16]);
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *octet = digit(high)? << 4 | digit(low)?;
    }
    Some(NtHash::from_bytes(*octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_survives_and_is_never_written_in_clear() {
        for clear in ["secret", "quote\" back\\slash", "日本", ""] {
            let given = NewPassword::Given { password: Password::new(clear), weak: false };
            let json = serde_json::to_string(&given).unwrap();
            assert!(clear.is_empty() || !json.contains(clear), "{json}");
            assert_eq!(serde_json::from_str::<NewPassword>(&json).unwrap(), given);
            assert!(clear.is_empty() || !format!("{given:?}").contains(clear));
        }
    }

    #[test]
    fn what_is_no_password_is_refused_without_being_quoted() {
        for hex in ["6", "zz", "ff", "6é"] {
            let json = format!(r#"{{"given":{{"password":"{hex}","weak":false}}}}"#);
            let error = serde_json::from_str::<NewPassword>(&json).unwrap_err().to_string();
            assert!(error.contains("hexadecimal") && !error.contains(&format!("\"{hex}\"")), "{error}");
        }
    }
}
