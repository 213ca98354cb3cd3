//! Mapping of the peer's result codes to our codes, with a description for each.

use adit_diag::note::Who;
use adit_diag::{Code, Side};
use adit_wire::LocalCallId;
use adit_wire::pptp::{
    CallDisconnectNotify, DisconnectResult, ErrorCode, IncomingCallReply, IncomingResult, OutgoingCallReply,
    OutgoingResult, StartControlConnectionReply, StartResult, StopReason,
};
use adit_wire::text::escape;

use super::events::{CallEnd, End, Refusal};

/// The end for a Start-Control-Connection-Reply with a result other than success.
pub(super) fn start_refused(reply: &StartControlConnectionReply) -> End {
    let text = match reply.result {
        StartResult::GeneralError => format!("general error: {}", reply.error),
        StartResult::ChannelExists => {
            "it says that there is a control connection from this address already".to_owned()
        }
        StartResult::NotAuthorised => "it says that this address may not connect".to_owned(),
        StartResult::VersionUnsupported => "it does not support version 1.0 of PPTP".to_owned(),
        StartResult::Success | StartResult::Other(_) => format!("result {}", reply.result),
    };
    End::new(Who::Peer, Some(Code::C07), text)
}

/// The end for an Outgoing-Call-Reply with a result other than "connected".
pub(super) fn outgoing_refused(reply: &OutgoingCallReply) -> End {
    let mut text = match reply.result {
        OutgoingResult::GeneralError => format!("general error: {}", reply.error),
        OutgoingResult::NoCarrier => "no carrier".to_owned(),
        OutgoingResult::Busy => "busy".to_owned(),
        OutgoingResult::NoDialTone => "no dial tone".to_owned(),
        OutgoingResult::TimedOut => "it could not connect the call in time".to_owned(),
        OutgoingResult::DoNotAccept => "it does not accept the call (administratively prohibited)".to_owned(),
        OutgoingResult::Connected | OutgoingResult::Other(_) => format!("result {}", reply.result),
    };
    if reply.cause != 0 {
        text.push_str(&format!(", cause code {}", reply.cause));
    }
    End::new(Who::Peer, Some(Code::C05), text)
}

/// The end for an Incoming-Call-Reply with a result other than "connect".
pub(super) fn incoming_refused(reply: &IncomingCallReply) -> End {
    let text = match reply.result {
        IncomingResult::GeneralError => format!("general error: {}", reply.error),
        IncomingResult::DoNotAccept => "it does not accept the incoming call".to_owned(),
        IncomingResult::Connect | IncomingResult::Other(_) => format!("result {}", reply.result),
    };
    End::new(Who::Peer, Some(Code::C05), text)
}

/// The end for a Call-Disconnect-Notify. For a server, the client has disconnected; for a client, the server
/// has ended the session, and "lost carrier" means that the server no longer received anything from it.
pub(super) fn disconnected(role: Side, notify: &CallDisconnectNotify) -> End {
    let code = match notify.result {
        DisconnectResult::LostCarrier => by_server(role).map(|_| Code::G05),
        _ => by_server(role),
    };
    let mut text = format!("Call-Disconnect-Notify: {}", notify.result);
    if notify.error != ErrorCode::None {
        text.push_str(&format!(", error {}", notify.error));
    }
    if notify.cause != 0 {
        text.push_str(&format!(", cause code {}", notify.cause));
    }
    if !notify.statistics.is_empty() {
        text.push_str(&format!(", \"{}\"", escape(notify.statistics.name())));
    }
    End::new(Who::Peer, code, text)
}

/// The description for an Outgoing-Call-Reply with a Call ID that we did not use, while our own request is
/// unanswered.
pub(super) fn rewritten(placed: LocalCallId, replied: u16) -> String {
    format!("the reply to call {placed} came for call {replied}")
}

/// The end for a Stop-Control-Connection-Request.
pub(super) fn stopped(role: Side, reason: StopReason) -> End {
    let code = if reason == StopReason::Protocol { Some(Code::C08) } else { by_server(role) };
    End::new(Who::Peer, code, format!("Stop-Control-Connection-Request: {reason}"))
}

/// The code for a peer that ends the session: none if it is the client, which is an orderly end, and a code
/// if it is the server.
fn by_server(role: Side) -> Option<Code> {
    match role {
        Side::Server => None,
        Side::Client => Some(Code::C08),
    }
}

/// The result and error of an Outgoing-Call-Reply that refuses a call.
pub(super) fn outgoing_refusal(refusal: &Refusal) -> (OutgoingResult, ErrorCode) {
    match refusal.code {
        Code::C05 => (OutgoingResult::GeneralError, ErrorCode::NoResource),
        _ => (OutgoingResult::DoNotAccept, ErrorCode::None),
    }
}

/// The result and error of an Incoming-Call-Reply that refuses a call.
pub(super) fn incoming_refusal(refusal: &Refusal) -> (IncomingResult, ErrorCode) {
    match refusal.code {
        Code::C05 => (IncomingResult::GeneralError, ErrorCode::NoResource),
        _ => (IncomingResult::DoNotAccept, ErrorCode::None),
    }
}

/// The result and error of a Call-Disconnect-Notify.
pub(super) fn disconnect(end: CallEnd) -> (DisconnectResult, ErrorCode) {
    match end {
        CallEnd::LostCarrier => (DisconnectResult::LostCarrier, ErrorCode::None),
        CallEnd::GeneralError => (DisconnectResult::GeneralError, ErrorCode::PacError),
        CallEnd::AdminShutdown => (DisconnectResult::AdminShutdown, ErrorCode::None),
        CallEnd::Request => (DisconnectResult::Request, ErrorCode::None),
    }
}
