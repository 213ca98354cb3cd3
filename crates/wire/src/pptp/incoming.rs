//! Incoming-Call-Request, -Reply and -Connected (RFC 2637 sections 2.9 to 2.11): a call that arrives at the PAC.

use core::fmt;

use super::codes::{Bearer, ErrorCode, Framing, IncomingResult, with_error};
use super::field::{Fields, Put as _, Text};

/// Incoming-Call-Request, from the PAC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingCallRequest {
    /// Call ID: the key of GRE packets to the PAC.
    pub call_id: u16,
    /// Call Serial Number, for logs.
    pub serial: u16,
    /// Call Bearer Type.
    pub bearer: Bearer,
    /// Physical Channel ID, for logs.
    pub physical_channel: u32,
    /// Dialed Number; its length field is computed.
    pub dialed_number: Text<64>,
    /// Dialing Number; its length field is computed.
    pub dialing_number: Text<64>,
    /// Subaddress.
    pub subaddress: Text<64>,
}

impl IncomingCallRequest {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let request = Self {
            call_id: fields.u16(),
            serial: fields.u16(),
            bearer: Bearer(fields.u32()),
            physical_channel: fields.u32(),
            dialed_number: Text::default(),
            dialing_number: Text::default(),
            subaddress: Text::default(),
        };
        // Skip the lengths of the two numbers; the numbers are read up to their padding.
        fields.reserved::<4>();
        Self {
            dialed_number: fields.text(),
            dialing_number: fields.text(),
            subaddress: fields.text(),
            ..request
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.call_id);
        out.u16(self.serial);
        out.u32(self.bearer.0);
        out.u32(self.physical_channel);
        out.u16(self.dialed_number.name().len() as u16);
        out.u16(self.dialing_number.name().len() as u16);
        out.text(&self.dialed_number);
        out.text(&self.dialing_number);
        out.text(&self.subaddress);
    }
}

impl fmt::Display for IncomingCallRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_id, serial, bearer, dialed_number, dialing_number, .. } = self;
        write!(f, "call {call_id} serial {serial} bearer {bearer} dialed {dialed_number} ")?;
        write!(f, "dialing {dialing_number}")
    }
}

/// Incoming-Call-Reply, from the PNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingCallReply {
    /// Call ID: the key of GRE packets to the PNS.
    pub call_id: u16,
    /// Peer's Call ID: that of the request.
    pub peer_call_id: u16,
    /// Result Code.
    pub result: IncomingResult,
    /// Error Code.
    pub error: ErrorCode,
    /// Packet Receive Window Size in packets.
    pub window: u16,
    /// Packet Transmit Delay in tenths of a second.
    pub transmit_delay: u16,
}

impl IncomingCallReply {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            call_id: fields.u16(),
            peer_call_id: fields.u16(),
            result: fields.u8().into(),
            error: fields.u8().into(),
            window: fields.u16(),
            transmit_delay: fields.u16(),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.call_id);
        out.u16(self.peer_call_id);
        out.u8(self.result.into());
        out.u8(self.error.into());
        out.u16(self.window);
        out.u16(self.transmit_delay);
        out.reserved::<2>();
    }
}

impl fmt::Display for IncomingCallReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_id, peer_call_id, window, transmit_delay, .. } = self;
        with_error(f, self.result, self.error)?;
        write!(f, " call {call_id} peer's call {peer_call_id} window {window} delay {transmit_delay}")
    }
}

/// Incoming-Call-Connected, from the PAC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingCallConnected {
    /// Peer's Call ID: that of the PNS.
    pub peer_call_id: u16,
    /// Connect Speed in bits per second.
    pub connect_speed: u32,
    /// Packet Receive Window Size in packets.
    pub window: u16,
    /// Packet Transmit Delay in tenths of a second.
    pub transmit_delay: u16,
    /// Framing Type.
    pub framing: Framing,
}

impl IncomingCallConnected {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let peer_call_id = fields.u16();
        fields.reserved::<2>();
        Self {
            peer_call_id,
            connect_speed: fields.u32(),
            window: fields.u16(),
            transmit_delay: fields.u16(),
            framing: Framing(fields.u32()),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.peer_call_id);
        out.reserved::<2>();
        out.u32(self.connect_speed);
        out.u16(self.window);
        out.u16(self.transmit_delay);
        out.u32(self.framing.0);
    }
}

impl fmt::Display for IncomingCallConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer_call_id, connect_speed, window, transmit_delay, framing } = self;
        write!(f, "peer's call {peer_call_id} speed {connect_speed} window {window} ")?;
        write!(f, "delay {transmit_delay} framing {framing}")
    }
}
