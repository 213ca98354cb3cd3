//! Which replies count.

use super::*;
use crate::number::standard;
use crate::{Dropped, Error, OpenRequest, check_reply};

fn checked(octets: &[u8], code: Code, is_signature_required: bool) -> Result<bool, Dropped> {
    let packet = Packet::new_checked(octets).map_err(Dropped::Malformed)?;
    let secret = secret();
    let request =
        OpenRequest { code, authenticator: &REQUEST_AUTHENTICATOR, secret: &secret, is_signature_required };
    check_reply(&packet, &request)
}

/// With and without the requirement.
fn both(octets: &[u8]) -> [Result<bool, Dropped>; 2] {
    [true, false].map(|required| checked(octets, Code::AccessRequest, required))
}

fn signed(code: Code, fill: impl FnOnce(&mut Builder)) -> Vec<u8> {
    reply(code, |builder| {
        builder.message_authenticator();
        fill(builder);
    })
}

const REPLIES: [Code; 3] = [Code::AccessAccept, Code::AccessReject, Code::AccessChallenge];

#[test]
fn c203_a_reply_without_message_authenticator_is_dropped_when_required() {
    for code in REPLIES {
        assert_eq!(both(&reply(code, |_| {})), [Err(Dropped::NoMessageAuthenticator), Ok(false)]);
        assert_eq!(both(&signed(code, |_| {})), [Ok(true), Ok(true)]);
    }
    let last = reply(Code::AccessAccept, |builder| {
        builder.number(standard::PORT_LIMIT, 1).message_authenticator();
    });
    assert_eq!(both(&last), [Ok(true), Ok(true)], "its place in a reply is free");
}

#[test]
fn with_eap_no_setting_waives_the_message_authenticator() {
    let octets = reply(Code::AccessAccept, |builder| {
        builder.octets(standard::EAP_MESSAGE, &[3, 1, 0, 4]);
    });
    assert_eq!(both(&octets), [Err(Dropped::NoMessageAuthenticator); 2]);
}

#[test]
fn c203_a_wrong_message_authenticator_is_dropped_whatever_the_setting() {
    let wrong = reply(Code::AccessAccept, |builder| {
        builder.octets(standard::MESSAGE_AUTHENTICATOR, &[0; 16]);
    });
    let short = reply(Code::AccessAccept, |builder| {
        builder.octets(standard::MESSAGE_AUTHENTICATOR, &[0; 15]);
    });
    let two = signed(Code::AccessAccept, |builder| {
        builder.octets(standard::MESSAGE_AUTHENTICATOR, &[0; 16]);
    });
    for octets in [wrong, short, two] {
        assert_eq!(both(&octets), [Err(Dropped::WrongMessageAuthenticator); 2]);
    }
}

#[test]
fn a_reply_with_proxy_state_is_dropped() {
    let octets = signed(Code::AccessAccept, |builder| {
        builder.octets(standard::PROXY_STATE, b"x");
    });
    assert_eq!(both(&octets), [Err(Dropped::ProxyState); 2]);
}

#[test]
fn c204_another_secret_and_another_request_are_found() {
    let other = SharedSecret::new(b"another").unwrap();
    let builder = Builder::new(Code::AccessAccept, 7, [0; 16]);
    let octets = builder.finish(Signing::Reply(REQUEST_AUTHENTICATOR), &other).unwrap();
    assert_eq!(both(&octets), [Err(Dropped::WrongAuthenticator); 2]);
    let builder = Builder::new(Code::AccessAccept, 7, [0; 16]);
    let octets = builder.finish(Signing::Reply([0x43; 16]), &secret()).unwrap();
    assert_eq!(both(&octets), [Err(Dropped::WrongAuthenticator); 2]);
}

#[test]
fn only_an_accept_answers_a_status_server_and_it_needs_no_message_authenticator() {
    assert_eq!(checked(&reply(Code::AccessAccept, |_| {}), Code::StatusServer, true), Ok(false));
    for code in [Code::AccessReject, Code::AccessChallenge, Code::StatusServer] {
        let octets = signed(code, |_| {});
        assert_eq!(checked(&octets, Code::StatusServer, true), Err(Dropped::WrongCode(code)));
    }
    for code in Code::ALL.into_iter().filter(|code| !REPLIES.contains(code)) {
        assert_eq!(both(&signed(code, |_| {})), [Err(Dropped::WrongCode(code)); 2]);
    }
}

/// Changes an octet and returns the error.
fn broken(at: usize, octet: u8) -> Error {
    let mut octets = signed(Code::AccessAccept, |builder| {
        builder.vendor(311, 7, &[0, 0, 0, 1]);
    });
    octets[at] = octet;
    Packet::new_checked(&octets).unwrap_err()
}

#[test]
fn c226_wrong_lengths_are_named() {
    let short = Packet::new_checked(&[2; 19]).unwrap_err();
    assert_eq!(short.to_string(), "RADIUS packet at octet 0: expected at least 20 octets, found 19");
    for (at, octet, text) in [
        (0, 6, "Code at octet 0: expected 1 to 5, 11, 12 or 40 to 45, found 6"),
        (3, 19, "Length at octet 2: expected 20 to 4096, found 19"),
        (2, 17, "Length at octet 2: expected 20 to 4096, found 4402"),
        (3, 255, "Length at octet 2: expected at most the octets of the datagram, found 255"),
        (21, 0, "attribute Length at octet 20: expected at least 2, found 0"),
        (21, 1, "attribute Length at octet 20: expected at least 2, found 1"),
        (21, 31, "attribute Length at octet 20: expected at most the octets that are left, found 31"),
        (21, 29, "attribute Length at octet 49: expected 2 octets, found 1"),
        (45, 1, "Vendor-Length at octet 44: expected at least 2, found 1"),
        (45, 7, "Vendor-Length at octet 44: expected at most the octets that are left, found 7"),
    ] {
        assert_eq!(broken(at, octet).to_string(), format!("RADIUS {text}"));
    }
    let vendor = reply(Code::AccessAccept, |builder| {
        builder.octets(standard::VENDOR_SPECIFIC, &[0, 0, 1]);
    });
    let error = Packet::new_checked(&vendor).unwrap_err().to_string();
    assert_eq!(error, "RADIUS Vendor-Specific at octet 20: expected at least 4 octets, found 3");
}

#[test]
fn padding_behind_a_packet_and_the_forms_of_unknown_vendors_are_ignored() {
    let mut octets = signed(Code::AccessAccept, |builder| {
        builder.octets(standard::VENDOR_SPECIFIC, &[0, 0, 0xff, 0xff, 0, 0, 0]);
    });
    octets.extend([0xff; 9]);
    assert_eq!(both(&octets), [Ok(true), Ok(true)]);
}
