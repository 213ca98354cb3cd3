//! Outgoing-Call-Request and -Reply (RFC 2637 sections 2.7 and 2.8), with which a VPN client calls its
//! server.

use core::fmt;

use super::codes::{Bearer, ErrorCode, Framing, OutgoingResult, with_error};
use super::field::{Fields, Put as _, Text};

/// Outgoing-Call-Request, from the PNS (the VPN client).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingCallRequest {
    /// Call ID: the key of GRE packets to the sender of this message.
    pub call_id: u16,
    /// Call Serial Number, for logs.
    pub serial: u16,
    /// Minimum BPS in bits per second.
    pub minimum_bps: u32,
    /// Maximum BPS in bits per second.
    pub maximum_bps: u32,
    /// Bearer Type.
    pub bearer: Bearer,
    /// Framing Type.
    pub framing: Framing,
    /// Packet Receive Window Size in packets; 0 if the peer uses no flow control.
    pub window: u16,
    /// Packet Processing Delay in tenths of a second.
    pub processing_delay: u16,
    /// Phone Number; its length field is computed.
    pub phone_number: Text<64>,
    /// Subaddress; Windows sends a correlation GUID.
    pub subaddress: Text<64>,
}

impl OutgoingCallRequest {
    /// Creates the first request of a client without special requirements (RFC 2637 section 2.7): the speeds,
    /// types and window of Windows, no delay, no number.
    pub fn new(call_id: u16) -> Self {
        Self {
            call_id,
            serial: 1,
            minimum_bps: 300,
            maximum_bps: 100_000_000,
            bearer: Bearer::EITHER,
            framing: Framing::EITHER,
            window: 64,
            processing_delay: 0,
            phone_number: Text::default(),
            subaddress: Text::default(),
        }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let request = Self {
            call_id: fields.u16(),
            serial: fields.u16(),
            minimum_bps: fields.u32(),
            maximum_bps: fields.u32(),
            bearer: Bearer(fields.u32()),
            framing: Framing(fields.u32()),
            window: fields.u16(),
            processing_delay: fields.u16(),
            phone_number: Text::default(),
            subaddress: Text::default(),
        };
        // Skip the number's length and two reserved octets; the number is read up to its padding.
        fields.reserved::<4>();
        Self { phone_number: fields.text(), subaddress: fields.text(), ..request }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.call_id);
        out.u16(self.serial);
        out.u32(self.minimum_bps);
        out.u32(self.maximum_bps);
        out.u32(self.bearer.0);
        out.u32(self.framing.0);
        out.u16(self.window);
        out.u16(self.processing_delay);
        out.u16(self.phone_number.name().len() as u16);
        out.reserved::<2>();
        out.text(&self.phone_number);
        out.text(&self.subaddress);
    }
}

impl fmt::Display for OutgoingCallRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_id, serial, minimum_bps, maximum_bps, bearer, framing, window, .. } = self;
        write!(f, "call {call_id} serial {serial} bps {minimum_bps} to {maximum_bps} bearer {bearer} ")?;
        write!(f, "framing {framing} window {window} delay {}", self.processing_delay)?;
        if !self.phone_number.is_empty() {
            write!(f, " number {}", self.phone_number)?;
        }
        if !self.subaddress.is_empty() {
            write!(f, " subaddress ")?;
            self.subaddress.octets().iter().take(16).try_for_each(|octet| write!(f, "{octet:02x}"))?;
        }
        Ok(())
    }
}

/// Outgoing-Call-Reply, from the PAC (the VPN server).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingCallReply {
    /// Call ID: the key of GRE packets to the sender of this message. May be 0.
    pub call_id: u16,
    /// Peer's Call ID: that of the request.
    pub peer_call_id: u16,
    /// Result Code.
    pub result: OutgoingResult,
    /// Error Code.
    pub error: ErrorCode,
    /// Cause Code, of Q.931 if there is a telephone line.
    pub cause: u16,
    /// Connect Speed in bits per second.
    pub connect_speed: u32,
    /// Packet Receive Window Size in packets.
    pub window: u16,
    /// Packet Processing Delay in tenths of a second.
    pub processing_delay: u16,
    /// Physical Channel ID, for logs.
    pub physical_channel: u32,
}

impl OutgoingCallReply {
    /// Creates the reply for a connected call (RFC 2637 section 2.8), with the speed and window of
    /// [`OutgoingCallRequest::new`].
    pub fn connected(call_id: u16, peer_call_id: u16) -> Self {
        let OutgoingCallRequest { maximum_bps, window, .. } = OutgoingCallRequest::new(peer_call_id);
        Self {
            call_id,
            peer_call_id,
            result: OutgoingResult::Connected,
            error: ErrorCode::None,
            cause: 0,
            connect_speed: maximum_bps,
            window,
            processing_delay: 0,
            physical_channel: 0,
        }
    }

    /// Creates the reply for a refused call (RFC 2637 section 2.8): apart from the request's Call ID and the
    /// reason, all fields are zero.
    pub fn refused(peer_call_id: u16, result: OutgoingResult, error: ErrorCode) -> Self {
        Self { result, error, connect_speed: 0, window: 0, ..Self::connected(0, peer_call_id) }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            call_id: fields.u16(),
            peer_call_id: fields.u16(),
            result: fields.u8().into(),
            error: fields.u8().into(),
            cause: fields.u16(),
            connect_speed: fields.u32(),
            window: fields.u16(),
            processing_delay: fields.u16(),
            physical_channel: fields.u32(),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.u16(self.call_id);
        out.u16(self.peer_call_id);
        out.u8(self.result.into());
        out.u8(self.error.into());
        out.u16(self.cause);
        out.u32(self.connect_speed);
        out.u16(self.window);
        out.u16(self.processing_delay);
        out.u32(self.physical_channel);
    }
}

impl fmt::Display for OutgoingCallReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call_id, peer_call_id, cause, connect_speed, window, processing_delay, .. } = self;
        with_error(f, self.result, self.error)?;
        write!(f, " call {call_id} peer's call {peer_call_id} cause {cause} speed {connect_speed} ")?;
        write!(f, "window {window} delay {processing_delay}")
    }
}
