//! Packets as notes: what a session keeps of a packet, and its text form.
//!
//! A note has typed fields that code evaluates (protocol, kind, identifier) and keeps the octets for the
//! rest. So it is small, and only `describe` of each protocol produces texts. It contains no secrets.

mod keep;

use core::fmt;

use adit_diag::note::{Message, MessageKind, Note, Octets};

use crate::{Protocol, ccp, chap, cp, ipcp, ipv6cp, lcp, pap, ppp, pptp};

/// Converts a message of the control connection.
pub fn pptp(message: &pptp::Message) -> Message {
    let octets = message.to_octets();
    let kind = pptp_kind(message.message_type());
    new(Protocol::Pptp, kind, None, octets.get(pptp::HEADER_LEN..).unwrap_or_default(), usize::MAX)
}

/// Converts a frame of the control connection; of an unknown message only its length is kept.
pub fn pptp_frame(frame: &pptp::Frame) -> Message {
    match frame {
        pptp::Frame::Message(message) => pptp(message),
        pptp::Frame::Unknown(header) => Message {
            protocol: Protocol::Pptp,
            kind: pptp_kind(header.message_type),
            id: None,
            length: header.length.saturating_sub(pptp::HEADER_LEN as u16),
            octets: Octets::default(),
        },
    }
}

/// Converts the information field of a control protocol's frame.
pub fn ppp(number: u16, information: &[u8]) -> Message {
    let protocol = ppp::protocol(number);
    let Ok(packet) = cp::Packet::parse(protocol, information) else {
        return new(protocol, MessageKind::Malformed, None, information, cp::HEADER_LEN);
    };
    if !matches!(number, ppp::LCP | ppp::PAP | ppp::CHAP | ppp::CCP | ppp::IPCP | ppp::IPV6CP) {
        return new(protocol, MessageKind::Foreign(number), None, information, 0);
    }
    let kind = kind_of(protocol, packet.code);
    let data = keep::data(protocol, &packet);
    let length = data.length.unwrap_or(packet.data.len());
    Message { length: length_of(length), ..new(protocol, kind, Some(packet.id), &data.octets, usize::MAX) }
}

/// Converts a malformed frame.
pub fn malformed_frame(frame: &[u8]) -> Message {
    new(Protocol::Ppp, MessageKind::MalformedFrame, None, frame, ppp::HEADER_MAX)
}

/// Creates a message with the first `kept` of its octets.
fn new(protocol: Protocol, kind: MessageKind, id: Option<u8>, all: &[u8], kept: usize) -> Message {
    let octets = all.get(..kept).unwrap_or(all);
    let end = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    let octets = Octets(octets.get(..end).unwrap_or_default().to_vec());
    Message { protocol, kind, id, length: length_of(all.len()), octets }
}

fn length_of(octets: usize) -> u16 {
    u16::try_from(octets).unwrap_or(u16::MAX)
}

/// A note for display: as its `Display`, with the contents of packets.
pub struct Shown<'a>(pub &'a Note);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Note::Packet(packet) => {
                write!(f, "{}{}", describe(&packet.message), packet.treatment)
            }
            Note::CallAccepted { call_id, request } => {
                let request = (request.kind.name(), describe(request));
                let details = request.1.strip_prefix(request.0).unwrap_or(&request.1);
                write!(f, "call accepted as {call_id}:{details}")
            }
            note => note.fmt(f),
        }
    }
}

/// Formats the message in one line: bounded, without secrets.
pub fn describe(message: &Message) -> String {
    let Message { protocol, kind, id, length, octets } = message;
    let mut data = octets.0.clone();
    data.resize(usize::from(*length), 0);
    match kind {
        MessageKind::MalformedFrame => match ppp::frame(&data) {
            Err(error) => format!("malformed: {error}"),
            Ok(_) => kind.name().to_owned(),
        },
        MessageKind::Malformed => match cp::Packet::parse(*protocol, &data) {
            Err(error) => format!("malformed: {error}"),
            Ok(_) => kind.name().to_owned(),
        },
        MessageKind::Foreign(number) => format!("{}, {length} octets", ppp::ProtocolNumber(*number)),
        kind if *protocol == Protocol::Pptp => describe_pptp(*kind, &data),
        kind => {
            let packet = cp::Packet { code: code_of(*kind), id: id.unwrap_or_default(), data: &data };
            match protocol {
                Protocol::Lcp => lcp::describe(&packet).to_string(),
                Protocol::Pap => pap::describe(&packet).to_string(),
                Protocol::Chap => chap::describe(&packet).to_string(),
                Protocol::Ccp => ccp::describe(&packet).to_string(),
                Protocol::Ipcp => ipcp::describe(&packet).to_string(),
                Protocol::Ipv6cp => ipv6cp::describe(&packet).to_string(),
                _ => message.to_string(),
            }
        }
    }
}

fn describe_pptp(kind: MessageKind, body: &[u8]) -> String {
    let message_type = pptp_type(kind);
    let octets = pptp::Header::in_front_of(message_type, body);
    match pptp::Message::parse(&octets) {
        Ok(message) => message.to_string(),
        Err(_) => format!("{message_type}, {} octets", body.len() + pptp::HEADER_LEN),
    }
}

macro_rules! pptp_kinds {
    ($($kind:ident)+) => {
        fn pptp_kind(message_type: pptp::MessageType) -> MessageKind {
            match message_type {
                $(pptp::MessageType::$kind => MessageKind::$kind,)+
                pptp::MessageType::Unknown(other) => MessageKind::Unknown(other),
            }
        }

        fn pptp_type(kind: MessageKind) -> pptp::MessageType {
            match kind {
                $(MessageKind::$kind => pptp::MessageType::$kind,)+
                MessageKind::Unknown(other) => pptp::MessageType::Unknown(other),
                _ => pptp::MessageType::Unknown(0),
            }
        }
    };
}

pptp_kinds! {
    StartControlConnectionRequest StartControlConnectionReply StopControlConnectionRequest
    StopControlConnectionReply EchoRequest EchoReply OutgoingCallRequest OutgoingCallReply IncomingCallRequest
    IncomingCallReply IncomingCallConnected CallClearRequest CallDisconnectNotify WanErrorNotify SetLinkInfo
}

/// The codes of PAP, of CHAP, and of the control protocols with a common format.
const CODES: &[(Option<Protocol>, u8, MessageKind)] = &[
    (Some(Protocol::Pap), pap::REQUEST, MessageKind::AuthenticateRequest),
    (Some(Protocol::Pap), pap::ACK, MessageKind::AuthenticateAck),
    (Some(Protocol::Pap), pap::NAK, MessageKind::AuthenticateNak),
    (Some(Protocol::Chap), chap::CHALLENGE, MessageKind::Challenge),
    (Some(Protocol::Chap), chap::RESPONSE, MessageKind::Response),
    (Some(Protocol::Chap), chap::SUCCESS, MessageKind::Success),
    (Some(Protocol::Chap), chap::FAILURE, MessageKind::Failure),
    (Some(Protocol::Chap), chap::CHANGE_PASSWORD_3, MessageKind::ChangePassword),
    (None, cp::CONFIGURE_REQUEST, MessageKind::ConfigureRequest),
    (None, cp::CONFIGURE_ACK, MessageKind::ConfigureAck),
    (None, cp::CONFIGURE_NAK, MessageKind::ConfigureNak),
    (None, cp::CONFIGURE_REJECT, MessageKind::ConfigureReject),
    (None, cp::TERMINATE_REQUEST, MessageKind::TerminateRequest),
    (None, cp::TERMINATE_ACK, MessageKind::TerminateAck),
    (None, cp::CODE_REJECT, MessageKind::CodeReject),
    (None, cp::PROTOCOL_REJECT, MessageKind::ProtocolReject),
    (None, cp::ECHO_REQUEST, MessageKind::EchoRequest),
    (None, cp::ECHO_REPLY, MessageKind::EchoReply),
    (None, cp::DISCARD_REQUEST, MessageKind::DiscardRequest),
    (None, cp::IDENTIFICATION, MessageKind::Identification),
    (None, cp::TIME_REMAINING, MessageKind::TimeRemaining),
    (None, cp::RESET_REQUEST, MessageKind::ResetRequest),
    (None, cp::RESET_ACK, MessageKind::ResetAck),
];

fn kind_of(protocol: Protocol, code: u8) -> MessageKind {
    let of = Some(protocol).filter(|protocol| matches!(protocol, Protocol::Pap | Protocol::Chap));
    let known = CODES.iter().find(|(protocol, known, _)| *protocol == of && *known == code);
    known.map_or(MessageKind::Unknown(code.into()), |(.., kind)| *kind)
}

/// Each kind belongs to one protocol, or has the same code in all.
fn code_of(kind: MessageKind) -> u8 {
    match kind {
        MessageKind::Unknown(code) => u8::try_from(code).unwrap_or_default(),
        kind => CODES.iter().find(|(.., known)| *known == kind).map_or(0, |(_, code, _)| *code),
    }
}

#[cfg(test)]
mod tests;
