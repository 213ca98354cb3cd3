//! Stop-Control-Connection-Request and -Reply (RFC 2637 sections 2.3 and 2.4).

use core::fmt;

use super::codes::{ErrorCode, PlainResult, StopReason, with_error};
use super::field::{Fields, Put as _};

/// Stop-Control-Connection-Request: the sender requests to close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopControlConnectionRequest {
    /// Reason.
    pub reason: StopReason,
}

impl StopControlConnectionRequest {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self { reason: fields.u8().into() }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u8(self.reason.into());
        out.reserved::<3>();
    }
}

impl fmt::Display for StopControlConnectionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reason {}", self.reason)
    }
}

/// Stop-Control-Connection-Reply: the sender agrees to close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopControlConnectionReply {
    /// Result Code.
    pub result: PlainResult,
    /// Error Code.
    pub error: ErrorCode,
}

impl StopControlConnectionReply {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self { result: fields.u8().into(), error: fields.u8().into() }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u8(self.result.into());
        out.u8(self.error.into());
        out.reserved::<2>();
    }
}

impl fmt::Display for StopControlConnectionReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_error(f, self.result, self.error)
    }
}
