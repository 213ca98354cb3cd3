//! WAN-Error-Notify and Set-Link-Info (RFC 2637 sections 2.14 and 2.15), which report on the line.

use core::fmt;

use super::field::{Fields, Put as _};

/// WAN-Error-Notify, from the PAC: the errors on its line since the call began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WanErrorNotify {
    /// Peer's Call ID: that of the PNS.
    pub peer_call_id: u16,
    /// CRC Errors.
    pub crc_errors: u32,
    /// Framing Errors.
    pub framing_errors: u32,
    /// Hardware Overruns.
    pub hardware_overruns: u32,
    /// Buffer Overruns.
    pub buffer_overruns: u32,
    /// Time-out Errors.
    pub timeout_errors: u32,
    /// Alignment Errors.
    pub alignment_errors: u32,
}

impl WanErrorNotify {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let peer_call_id = fields.u16();
        fields.reserved::<2>();
        Self {
            peer_call_id,
            crc_errors: fields.u32(),
            framing_errors: fields.u32(),
            hardware_overruns: fields.u32(),
            buffer_overruns: fields.u32(),
            timeout_errors: fields.u32(),
            alignment_errors: fields.u32(),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.peer_call_id);
        out.reserved::<2>();
        out.u32(self.crc_errors);
        out.u32(self.framing_errors);
        out.u32(self.hardware_overruns);
        out.u32(self.buffer_overruns);
        out.u32(self.timeout_errors);
        out.u32(self.alignment_errors);
    }
}

impl fmt::Display for WanErrorNotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer_call_id, crc_errors, framing_errors, hardware_overruns, buffer_overruns, .. } = self;
        write!(f, "peer's call {peer_call_id} crc {crc_errors} framing {framing_errors} ")?;
        write!(f, "hardware overruns {hardware_overruns} buffer overruns {buffer_overruns} ")?;
        write!(f, "time-outs {} alignment {}", self.timeout_errors, self.alignment_errors)
    }
}

/// Set-Link-Info, from the PNS: the character maps of an asynchronous line. They have no effect in GRE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetLinkInfo {
    /// Peer's Call ID: that of the PAC. Often wrong, which must not be treated as an error.
    pub peer_call_id: u16,
    /// Send ACCM.
    pub send_accm: u32,
    /// Receive ACCM.
    pub receive_accm: u32,
}

impl SetLinkInfo {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let peer_call_id = fields.u16();
        fields.reserved::<2>();
        Self { peer_call_id, send_accm: fields.u32(), receive_accm: fields.u32() }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.peer_call_id);
        out.reserved::<2>();
        out.u32(self.send_accm);
        out.u32(self.receive_accm);
    }
}

impl fmt::Display for SetLinkInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer_call_id, send_accm, receive_accm } = self;
        write!(f, "peer's call {peer_call_id} send accm {send_accm:#010x} receive accm {receive_accm:#010x}")
    }
}
