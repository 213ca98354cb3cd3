//! The methods by which a peer proves who it is: one enum, one spelling.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// An authentication method of PPP. Ordered: the weakest first.
///
/// Its [word](AuthMethod::word) is the spelling of configuration, flags, records, JSON and messages. What a method does
/// on the wire is in `adit_ppp::auth`; a new one (`eap-tls`) is a variant here and a file and a row there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum AuthMethod {
    /// The password itself (RFC 1334).
    #[serde(rename = "pap")]
    Pap,
    /// CHAP with MD5 (RFC 1994).
    #[serde(rename = "chap-md5")]
    ChapMd5,
    /// MS-CHAPv1 (RFC 2433).
    #[serde(rename = "mschap-v1")]
    MsChapV1,
    /// MS-CHAPv2 (RFC 2759): mutual, and the one to use.
    #[serde(rename = "mschap-v2")]
    MsChapV2,
}

impl AuthMethod {
    /// Every method, the strongest first.
    pub const ALL: [AuthMethod; 4] =
        [AuthMethod::MsChapV2, AuthMethod::MsChapV1, AuthMethod::ChapMd5, AuthMethod::Pap];

    /// `pap`, `chap-md5`, `mschap-v1`, `mschap-v2`.
    pub const fn word(self) -> &'static str {
        match self {
            AuthMethod::Pap => "pap",
            AuthMethod::ChapMd5 => "chap-md5",
            AuthMethod::MsChapV1 => "mschap-v1",
            AuthMethod::MsChapV2 => "mschap-v2",
        }
    }

    /// Whether it yields keys for MPPE (RFC 3079).
    pub const fn gives_keys(self) -> bool {
        matches!(self, AuthMethod::MsChapV1 | AuthMethod::MsChapV2)
    }

    /// Whether the server proves itself too.
    pub const fn is_mutual(self) -> bool {
        matches!(self, AuthMethod::MsChapV2)
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The text is not the word of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMethod;

impl fmt::Display for UnknownMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an authentication method: mschap-v2, mschap-v1, chap-md5 or pap")
    }
}

impl core::error::Error for UnknownMethod {}

impl FromStr for AuthMethod {
    type Err = UnknownMethod;

    /// Reads a method's [word](AuthMethod::word).
    fn from_str(text: &str) -> Result<AuthMethod, UnknownMethod> {
        AuthMethod::ALL.into_iter().find(|method| method.word() == text).ok_or(UnknownMethod)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_json_and_display_have_one_spelling() {
        for method in AuthMethod::ALL {
            assert_eq!(method.word().parse(), Ok(method));
            assert_eq!(method.to_string(), method.word());
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{method}\""));
            assert_eq!(serde_json::from_str::<AuthMethod>(&format!("\"{method}\"")).unwrap(), method);
        }
        assert_eq!("chap".parse::<AuthMethod>(), Err(UnknownMethod));
    }

    #[test]
    fn the_strongest_is_the_greatest() {
        assert!(AuthMethod::ALL.is_sorted_by(|a, b| a > b));
    }
}
