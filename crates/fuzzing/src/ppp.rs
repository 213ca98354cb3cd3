//! PPP frames and every control protocol in them: read, shown, written again.

use adit_diag::Note;
use adit_wire::note::Shown;
use adit_wire::{Protocol, ccp, chap, cp, ipcp, ipv6cp, lcp, pap, ppp};

/// One frame as received in GRE.
pub(crate) fn ppp_frames(data: &[u8]) {
    let Ok((protocol, information)) = ppp::frame(data) else { return };
    let _ = ppp::ProtocolNumber(protocol).to_string();
    // The packets of all control protocols look alike, so each input is read as every one of them.
    for protocol in
        [Protocol::Lcp, Protocol::Pap, Protocol::Chap, Protocol::Ccp, Protocol::Ipcp, Protocol::Ipv6cp]
    {
        packet(protocol, information);
    }
}

fn packet(protocol: Protocol, information: &[u8]) {
    let Ok(packet) = cp::Packet::parse(protocol, information) else { return };
    let mut again = Vec::new();
    packet.emit(&mut again);
    assert_eq!(cp::Packet::parse(protocol, &again), Ok(packet), "read, written, read again");
    match protocol {
        Protocol::Lcp => lcp(&packet),
        Protocol::Pap => pap(&packet),
        Protocol::Chap => chap(&packet),
        Protocol::Ccp => {
            shown(&ccp::describe(&packet).to_string());
            options(&packet, protocol, |opt, out| ccp::CcpOption::parse(opt).map(|o| o.emit(out)));
        }
        Protocol::Ipcp => {
            shown(&ipcp::describe(&packet).to_string());
            options(&packet, protocol, |opt, out| ipcp::IpcpOption::parse(opt).map(|o| o.emit(out)));
        }
        Protocol::Ipv6cp => {
            shown(&ipv6cp::describe(&packet).to_string());
            options(&packet, protocol, |opt, out| ipv6cp::Ipv6cpOption::parse(opt).map(|o| o.emit(out)));
        }
        _ => {}
    }
}

/// An option that is understood is written again octet by octet.
fn options(
    packet: &cp::Packet<'_>,
    protocol: Protocol,
    again: impl Fn(&cp::Opt<'_>, &mut Vec<u8>) -> adit_wire::Result<()>,
) {
    let mut octets = 0;
    for opt in packet.options(protocol) {
        let Ok(opt) = opt else { break };
        octets += opt.raw.len();
        let mut out = Vec::new();
        if again(&opt, &mut out).is_ok() {
            assert_eq!(out, opt.raw, "{opt}");
        }
    }
    assert!(octets <= packet.data.len());
}

fn lcp(packet: &cp::Packet<'_>) {
    shown(&lcp::describe(packet).to_string());
    options(packet, Protocol::Lcp, |opt, out| lcp::LcpOption::parse(opt).map(|o| o.emit(out)));
    if let Ok(marked) = lcp::Marked::parse(packet) {
        assert_eq!(marked.to_vec(), packet.data);
    }
    if let Ok(remaining) = lcp::TimeRemaining::parse(packet) {
        assert_eq!(remaining.to_vec(), packet.data);
    }
    if let Ok(reject) = lcp::ProtocolReject::parse(packet) {
        assert_eq!(reject.to_vec(u16::MAX), packet.data);
        assert!(reject.to_vec(128).len() <= 128);
    }
}

fn pap(packet: &cp::Packet<'_>) {
    shown(&pap::describe(packet).to_string());
    if let Ok(message) = pap::Message::parse(packet) {
        let mut out = Vec::new();
        message.emit(&mut out, packet.id);
        let again = cp::Packet::parse(Protocol::Pap, &out);
        assert!(again.is_ok_and(|p| pap::Message::parse(&p) == Ok(message)), "read, written, read again");
    }
}

fn chap(packet: &cp::Packet<'_>) {
    shown(&chap::describe(packet).to_string());
    if let Ok(message) = chap::Message::parse(packet) {
        let mut out = Vec::new();
        message.emit(&mut out, packet.id);
        let again = cp::Packet::parse(Protocol::Chap, &out);
        assert!(again.is_ok_and(|p| chap::Message::parse(&p) == Ok(message)), "read, written, read again");
    }
    let _ = chap::MsChapV1Response::parse(packet.data).map(|r| r.to_bytes());
    let _ = chap::MsChapV2Response::parse(packet.data).map(|r| r.to_bytes());
    let success = chap::Success::parse(packet.data).to_vec();
    assert_eq!(chap::Success::parse(&success).to_vec(), success);
    let failure = chap::Failure::parse(packet.data).to_vec();
    assert_eq!(chap::Failure::parse(&failure).to_vec(), failure);
    if let Ok(change) = chap::ChangePassword::parse(packet.data) {
        assert!(packet.data.starts_with(&change.to_vec()));
    }
}

/// A note of the record: one line of text, and unchanged after JSON.
pub(crate) fn check_note(note: &Note) {
    shown(&Shown(note).to_string());
    let json = serde_json::to_string(note).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Note>(&json).ok().as_ref(), Some(note), "{json}");
}

/// A line for the record: of bounded length, without control characters.
fn shown(line: &str) {
    assert!(line.len() < 4096, "{} characters", line.len());
    assert!(!line.contains(char::is_control), "{line:?}");
}
