//! Echo-Request and Echo-Reply (RFC 2637 sections 2.5 and 2.6).

use core::fmt;

use super::codes::{ErrorCode, PlainResult, with_error};
use super::field::{Fields, Put as _};

/// Echo-Request: checks whether the control connection is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EchoRequest {
    /// Identifier, any value, to be returned in the reply.
    pub identifier: u32,
}

impl EchoRequest {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self { identifier: fields.u32() }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u32(self.identifier);
    }
}

impl fmt::Display for EchoRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "identifier {:#010x}", self.identifier)
    }
}

/// Echo-Reply: the answer to an Echo-Request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EchoReply {
    /// Identifier of the request.
    pub identifier: u32,
    /// Result Code; "code 0" if an old stack omits the field.
    pub result: PlainResult,
    /// Error Code.
    pub error: ErrorCode,
}

impl EchoReply {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self { identifier: fields.u32(), result: fields.u8().into(), error: fields.u8().into() }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u32(self.identifier);
        out.u8(self.result.into());
        out.u8(self.error.into());
        out.reserved::<2>();
    }
}

impl fmt::Display for EchoReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "identifier {:#010x} ", self.identifier)?;
        with_error(f, self.result, self.error)
    }
}
