//! Call-Clear-Request and Call-Disconnect-Notify (RFC 2637 sections 2.12 and 2.13), which end a call.

use core::fmt;

use super::codes::{DisconnectResult, ErrorCode, with_error};
use super::field::{Fields, Put as _, Text};

/// Call-Clear-Request, from the PNS (the VPN client).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallClearRequest {
    /// Call ID: the PNS's own.
    pub call_id: u16,
}

impl CallClearRequest {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self { call_id: fields.u16() }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.call_id);
        out.reserved::<2>();
    }
}

impl fmt::Display for CallClearRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}", self.call_id)
    }
}

/// Call-Disconnect-Notify, from the PAC (the VPN server).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallDisconnectNotify {
    /// Call ID: the PAC's own according to the RFC; NAT helpers and some servers insert that of the PNS.
    pub call_id: u16,
    /// Result Code.
    pub result: DisconnectResult,
    /// Error Code.
    pub error: ErrorCode,
    /// Cause Code, of Q.931 if there is a telephone line.
    pub cause: u16,
    /// Call Statistics, a vendor-specific text.
    pub statistics: Text<128>,
}

impl CallDisconnectNotify {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let notify = Self {
            call_id: fields.u16(),
            result: fields.u8().into(),
            error: fields.u8().into(),
            cause: fields.u16(),
            statistics: Text::default(),
        };
        fields.reserved::<2>();
        Self { statistics: fields.text(), ..notify }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.call_id);
        out.u8(self.result.into());
        out.u8(self.error.into());
        out.u16(self.cause);
        out.reserved::<2>();
        out.text(&self.statistics);
    }
}

impl fmt::Display for CallDisconnectNotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {} ", self.call_id)?;
        with_error(f, self.result, self.error)?;
        write!(f, " cause {}", self.cause)?;
        if self.statistics.is_empty() { Ok(()) } else { write!(f, " statistics {}", self.statistics) }
    }
}
