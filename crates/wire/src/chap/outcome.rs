//! The texts that contain the fields of MS-CHAP: `S=.. M=..` in Success, `E=.. R=.. C=.. V=.. M=..` in
//! Failure.
//!
//! Implementations differ: `M=` may be missing or lack the space before it, fields are in any order,
//! hexadecimal digits in either case. All variants are accepted; only one form is sent.

use core::fmt;

use super::Short;

/// The text of an MS-CHAPv2 Success (RFC 2759 section 5).
#[derive(Clone, PartialEq, Eq)]
pub struct Success<'a> {
    /// `S=`: the authenticator's proof. `None` if it is missing or is not 40 hexadecimal digits.
    pub response: Option<[u8; 20]>,
    /// `M=`: a message for the user.
    pub message: Option<&'a [u8]>,
}

impl<'a> Success<'a> {
    /// Parses the text; missing fields are `None`.
    pub fn parse(text: &'a [u8]) -> Success<'a> {
        let mut success = Success { response: None, message: None };
        Scanner::new(text, b"S", |success: &Self| success.response.is_some()).run(
            &mut success,
            |success, key, rest| match key {
                b'S' => {
                    let (digits, rest) = take(rest, u8::is_ascii_hexdigit, 40);
                    success.response = success.response.or(unhex(digits).and_then(|v| v.try_into().ok()));
                    Some(rest)
                }
                _ => None,
            },
            |success, message| success.message = Some(message),
        );
        success
    }

    /// Formats `S=<40 upper-case digits> M=<message>`; without a message, the proof alone.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut text = String::new();
        if let Some(response) = &self.response {
            text.push_str("S=");
            push_hex(&mut text, response);
        }
        with_message(text, self.message)
    }
}

/// Formats the text without the proof.
impl fmt::Display for Success<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.response.is_some() { "with proof" } else { "without proof" })?;
        write_message(f, self.message)
    }
}

/// The same text as `Display`.
impl fmt::Debug for Success<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Success({self})")
    }
}

/// The text of an MS-CHAP Failure (RFC 2433 section 6, RFC 2759 section 6).
#[derive(Clone, PartialEq, Eq)]
pub struct Failure<'a> {
    /// `E=`.
    pub error: Option<MsChapError>,
    /// `R=1`: another attempt is allowed.
    pub retry: bool,
    /// `C=`: the challenge for the next attempt, 16 octets (version 1: 8).
    pub challenge: Option<Vec<u8>>,
    /// `V=`: the version of Change-Password that the authenticator supports; 3 in MS-CHAPv2.
    pub version: Option<u32>,
    /// `M=`: a message for the user.
    pub message: Option<&'a [u8]>,
}

impl<'a> Failure<'a> {
    /// Parses the text; missing fields are `None`. The first of a repeated field is used; one `R=1` is
    /// sufficient.
    pub fn parse(text: &'a [u8]) -> Failure<'a> {
        let mut failure =
            Failure { error: None, retry: false, challenge: None, version: None, message: None };
        Scanner::new(text, b"ERCV", |failure: &Self| failure.error.is_some()).run(
            &mut failure,
            |failure, key, rest| {
                if key == b'C' {
                    let (digits, rest) = take(rest, u8::is_ascii_hexdigit, 32);
                    let challenge = unhex(digits).filter(|octets| matches!(octets.len(), 8 | 16));
                    failure.challenge = failure.challenge.take().or(challenge);
                    return Some(rest);
                }
                let (digits, rest) = take(rest, u8::is_ascii_digit, usize::MAX);
                let number = number(digits)?;
                match key {
                    b'E' => failure.error = failure.error.or(Some(MsChapError::from(number))),
                    b'R' => failure.retry |= number == 1,
                    _ => failure.version = failure.version.or(Some(number)),
                }
                Some(rest)
            },
            |failure, message| failure.message = Some(message),
        );
        failure
    }

    /// Formats `E=<n> R=<0|1> C=<upper-case digits> V=<n> M=<message>`, without the fields that are `None`.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut text = String::new();
        if let Some(error) = self.error {
            text.push_str(&format!("E={} ", error.number()));
        }
        text.push_str(if self.retry { "R=1" } else { "R=0" });
        if let Some(challenge) = &self.challenge {
            text.push_str(" C=");
            push_hex(&mut text, challenge);
        }
        if let Some(version) = self.version {
            text.push_str(&format!(" V={version}"));
        }
        with_message(text, self.message)
    }
}

/// Formats the text without the challenge.
impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error {
            Some(error) => write!(f, "E={} ({error})", error.number())?,
            None => f.write_str("no E=")?,
        }
        f.write_str(if self.retry { ", another try allowed" } else { ", no other try" })?;
        write_message(f, self.message)
    }
}

/// The same text as `Display`.
impl fmt::Debug for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({self})")
    }
}

/// `E=` of a Failure (RFC 2759 section 6). Windows shows the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MsChapError {
    /// 646: ERROR_RESTRICTED_LOGON_HOURS.
    RestrictedHours,
    /// 647: ERROR_ACCT_DISABLED.
    AccountDisabled,
    /// 648: ERROR_PASSWD_EXPIRED; a Change-Password may follow.
    PasswordExpired,
    /// 649: ERROR_NO_DIALIN_PERMISSION.
    NoPermission,
    /// 691: ERROR_AUTHENTICATION_FAILURE.
    AuthenticationFailure,
    /// 709: ERROR_CHANGING_PASSWORD.
    ChangingPassword,
    /// Any other number.
    Other(u32),
}

impl MsChapError {
    /// The number after `E=`.
    pub const fn number(self) -> u32 {
        match self {
            MsChapError::RestrictedHours => 646,
            MsChapError::AccountDisabled => 647,
            MsChapError::PasswordExpired => 648,
            MsChapError::NoPermission => 649,
            MsChapError::AuthenticationFailure => 691,
            MsChapError::ChangingPassword => 709,
            MsChapError::Other(number) => number,
        }
    }
}

impl From<u32> for MsChapError {
    fn from(number: u32) -> MsChapError {
        match number {
            646 => MsChapError::RestrictedHours,
            647 => MsChapError::AccountDisabled,
            648 => MsChapError::PasswordExpired,
            649 => MsChapError::NoPermission,
            691 => MsChapError::AuthenticationFailure,
            709 => MsChapError::ChangingPassword,
            number => MsChapError::Other(number),
        }
    }
}

/// A description of the error.
impl fmt::Display for MsChapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MsChapError::RestrictedHours => "not allowed at this hour",
            MsChapError::AccountDisabled => "account disabled",
            MsChapError::PasswordExpired => "password expired",
            MsChapError::NoPermission => "no permission to dial in",
            MsChapError::AuthenticationFailure => "wrong name or password",
            MsChapError::ChangingPassword => "password change failed",
            MsChapError::Other(_) => "unknown reason",
        })
    }
}

/// A scanner for `K=value` fields. `M=` is free text up to the end, unless the most important field was not
/// before it; then it ends at the next field.
struct Scanner<'a, T> {
    rest: &'a [u8],
    keys: &'static [u8],
    complete: fn(&T) -> bool,
}

impl<'a, T> Scanner<'a, T> {
    fn new(text: &'a [u8], keys: &'static [u8], complete: fn(&T) -> bool) -> Scanner<'a, T> {
        Scanner { rest: text, keys, complete }
    }

    /// Calls `field` with a key and the text after its `=`; it returns the text after the value, or `None` if
    /// there is no value.
    fn run(
        mut self,
        into: &mut T,
        field: impl Fn(&mut T, u8, &'a [u8]) -> Option<&'a [u8]>,
        message: impl Fn(&mut T, &'a [u8]),
    ) {
        // Every iteration consumes at least one octet.
        while let Some((&key, tail)) = self.rest.split_first() {
            let value = tail.strip_prefix(b"=");
            match value {
                Some(value) if key == b'M' => {
                    let end = if (self.complete)(into) { value.len() } else { self.next_field(value) };
                    let (text, rest) = value.split_at(end);
                    message(into, text);
                    self.rest = rest;
                }
                Some(value) if self.keys.contains(&key) => {
                    self.rest = field(into, key, value).unwrap_or_else(|| after_space(value));
                }
                _ if key == b' ' => self.rest = tail,
                _ => self.rest = after_space(tail),
            }
        }
    }

    /// The position of ` K=` with a known key; the end if there is none.
    fn next_field(&self, text: &[u8]) -> usize {
        text.windows(3)
            .position(|w| w[0] == b' ' && self.keys.contains(&w[1]) && w[2] == b'=')
            .unwrap_or(text.len())
    }
}

/// The text after the next space.
fn after_space(text: &[u8]) -> &[u8] {
    text.iter().position(|octet| *octet == b' ').and_then(|at| text.get(at + 1..)).unwrap_or_default()
}

/// Splits off the leading octets of a kind, at most `limit`.
fn take(text: &[u8], of_kind: fn(&u8) -> bool, limit: usize) -> (&[u8], &[u8]) {
    let end = text.iter().take(limit).take_while(|octet| of_kind(octet)).count();
    text.split_at(end)
}

/// Parses a decimal number; saturates on overflow. `None` without digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.first()?;
    Some(digits.iter().fold(0_u32, |n, digit| n.saturating_mul(10).saturating_add(u32::from(digit & 0x0f))))
}

/// Decodes hexadecimal digits; `None` if their number is odd.
fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|n| n as u8);
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect()
}

fn push_hex(text: &mut String, octets: &[u8]) {
    for octet in octets {
        text.push_str(&format!("{octet:02X}"));
    }
}

fn with_message(text: String, message: Option<&[u8]>) -> Vec<u8> {
    let mut text = text.into_bytes();
    if let Some(message) = message {
        if !text.is_empty() {
            text.push(b' ');
        }
        text.extend_from_slice(b"M=");
        text.extend_from_slice(message);
    }
    text
}

fn write_message(f: &mut fmt::Formatter<'_>, message: Option<&[u8]>) -> fmt::Result {
    match message {
        Some(message) if !message.is_empty() => write!(f, ", \"{}\"", Short(message)),
        _ => Ok(()),
    }
}
