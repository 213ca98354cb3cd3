//! Values of MS-CHAP in replies (RFC 2548 section 2.1.5, 2.1.7 and 2.3.3).

use adit_wire::chap::{Failure, Success};

use crate::attribute::Attribute;
use crate::error::Result;

/// Splits off the Ident octet, which PPP does not need.
fn text<'a>(attribute: &Attribute<'a>) -> Result<&'a [u8]> {
    match attribute.value {
        [_ident, text @ ..] => Ok(text),
        [] => Err(attribute.error("at least 1 octet", 0)),
    }
}

/// The server's proof in MS-CHAP2-Success: `S=` and 40 hexadecimal digits.
pub(crate) fn success(attribute: &Attribute<'_>) -> Result<[u8; 20]> {
    let text = text(attribute)?;
    let expected = "an Ident and S= with 40 hexadecimal digits";
    Success::parse(text).response.ok_or(attribute.error(expected, attribute.value.len() as u64))
}

/// The text of MS-CHAP-Error, and its fields in the owned form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChapError {
    /// `E=`, as a number.
    pub error: u32,
    /// `R=1`: the server expects another try, for `challenge`.
    pub retry: bool,
    /// `C=`.
    pub challenge: Option<Vec<u8>>,
    /// `M=`.
    pub message: String,
}

/// The fields of MS-CHAP-Error. `None` if there is no number in it, which leaves the rejection as it is.
pub(crate) fn error(attribute: &Attribute<'_>) -> Option<ChapError> {
    let Failure { error, retry, challenge, message, .. } = Failure::parse(text(attribute).ok()?);
    Some(ChapError {
        error: error?.number(),
        retry,
        challenge,
        message: String::from_utf8_lossy(message.unwrap_or_default()).into_owned(),
    })
}

/// The text of MS-CHAP-Domain.
pub(crate) fn domain(attribute: &Attribute<'_>) -> Result<String> {
    Ok(String::from_utf8_lossy(text(attribute)?).into_owned())
}
