//! What requests contain.

use std::sync::Arc;

use adit_crypto::Rng;
use adit_crypto::change_password;
use adit_crypto::proof::Proof;
use adit_crypto::secret::Password;

use super::*;
use crate::hiding::reveal_password;
use crate::number::{microsoft, standard, vendor};
use crate::signature::{MessageAuthenticator, message_authenticator};
use crate::{AccessRequest, Call, Credentials, Nas, status_server};

fn request(credentials: Credentials) -> AccessRequest {
    let nas = Nas { address: Some([192, 0, 2, 1].into()), identifier: "vpn1".to_owned() };
    let call = Call {
        port: Some(12),
        port_id: "ppp12".to_owned(),
        client: Some([203, 0, 113, 7].into()),
        server: Some([198, 51, 100, 1].into()),
        session_id: "5f3a-12".to_owned(),
        ..Call::default()
    };
    let user_name = b"CORP\\alice".to_vec();
    AccessRequest { user_name, credentials, nas: Arc::new(nas), call, state: None }
}

fn packet(credentials: Credentials) -> Vec<u8> {
    request(credentials).to_packet(7, REQUEST_AUTHENTICATOR, &secret()).unwrap()
}

fn value(packet: &[u8], of: Option<u32>, number: u8) -> Vec<Vec<u8>> {
    let wanted = |(v, n, _): &(Option<u32>, u8, Vec<u8>)| *v == of && *n == number;
    attributes(packet).into_iter().filter(wanted).map(|(.., value)| value).collect()
}

fn pap(password: &str) -> Credentials {
    Credentials::Proof(Proof::Pap { password: Password::new(password) })
}

#[test]
fn c202_the_message_authenticator_is_first_and_valid() {
    let status = status_server(1, REQUEST_AUTHENTICATOR, &Nas::default(), &secret()).unwrap();
    for octets in [packet(pap("x")), packet(Credentials::Eap(vec![1; 600])), status] {
        assert_eq!(octets[20..22], [80, 18]);
        let packet = Packet::new_checked(&octets).unwrap();
        let checked = message_authenticator(&packet, &REQUEST_AUTHENTICATOR, &secret());
        assert_eq!(checked, MessageAuthenticator::Valid, "{packet}");
        assert_eq!(packet.authenticator(), &REQUEST_AUTHENTICATOR);
    }
}

#[test]
fn a_request_describes_server_and_call() {
    let mut login = request(pap("x"));
    login.state = Some(b"state".to_vec());
    let octets = login.to_packet(7, REQUEST_AUTHENTICATOR, &secret()).unwrap();
    let text = Packet::new_checked(&octets).unwrap().to_string();
    assert_eq!(
        text,
        "Access-Request id 7, 193 octets: Message-Authenticator (16 octets), User-Name \"CORP\\\\alice\", \
         User-Password (16 octets), NAS-IP-Address 192.0.2.1, NAS-Identifier \"vpn1\", Service-Type 2, \
         Framed-Protocol 1, NAS-Port-Type 5, NAS-Port 12, NAS-Port-Id \"ppp12\", \
         Calling-Station-Id \"203.0.113.7\", Called-Station-Id \"198.51.100.1\", Tunnel-Type 1, \
         Tunnel-Medium-Type 1, Tunnel-Client-Endpoint \"203.0.113.7\", Tunnel-Server-Endpoint \"198.51.100.1\", \
         Acct-Session-Id \"5f3a-12\", State (5 octets)"
    );
}

#[test]
fn c205_pap_and_chap_md5() {
    let octets = packet(pap("longer than sixteen octets"));
    let hidden = &value(&octets, None, standard::USER_PASSWORD)[0];
    let clear = reveal_password(&secret(), &REQUEST_AUTHENTICATOR, hidden).unwrap();
    assert_eq!(&clear[..], b"longer than sixteen octets\0\0\0\0\0\0");

    let (challenge, response) = (vec![9; 20], [5; 16]);
    let octets = packet(Credentials::Proof(Proof::ChapMd5 { id: 3, challenge, response }));
    assert_eq!(value(&octets, None, standard::CHAP_PASSWORD), [[[3].as_slice(), &[5; 16]].concat()]);
    assert_eq!(value(&octets, None, standard::CHAP_CHALLENGE), [[9; 20]]);
}

#[test]
fn c205_mschap_of_both_versions() {
    let microsoft = |octets: &[u8], number| value(octets, Some(vendor::MICROSOFT), number);
    let octets = packet(Credentials::Proof(Proof::MsChapV1 { challenge: [8; 8], nt_response: [2; 24] }));
    assert_eq!(microsoft(&octets, microsoft::MS_CHAP_CHALLENGE), [[8; 8]]);
    let response = [[1, 1].as_slice(), &[0; 24], &[2; 24]].concat();
    assert_eq!(microsoft(&octets, microsoft::MS_CHAP_RESPONSE), [response]);

    let octets = packet(Credentials::Proof(Proof::MsChapV2 {
        authenticator_challenge: [1; 16],
        peer_challenge: [2; 16],
        nt_response: [3; 24],
        name: b"alice".to_vec(),
    }));
    assert_eq!(microsoft(&octets, microsoft::MS_CHAP_CHALLENGE), [[1; 16]]);
    let response = [[1, 0].as_slice(), &[2; 16], &[0; 8], &[3; 24]].concat();
    assert_eq!(microsoft(&octets, microsoft::MS_CHAP2_RESPONSE), [response]);
}

#[test]
fn c205_a_password_change_is_sent_in_three_pieces() {
    let mut rng = Rng::from_number(1);
    let (old, new) = (Password::new("old"), Password::new("new"));
    let change = change_password::make(&mut rng, b"alice", &[1; 16], &old, &new).unwrap();
    let octets = packet(Credentials::Proof(Proof::ChangePassword(change.clone())));
    let pieces = value(&octets, Some(vendor::MICROSOFT), microsoft::MS_CHAP_NT_ENC_PW);
    assert_eq!(
        pieces.iter().map(|piece| piece[..4].to_vec()).collect::<Vec<_>>(),
        [[6, 1, 0, 1], [6, 1, 0, 2], [6, 1, 0, 3]]
    );
    let joined: Vec<u8> = pieces.iter().flat_map(|piece| piece[4..].to_vec()).collect();
    assert_eq!(joined, *change.encrypted_password);
    let cpw = &value(&octets, Some(vendor::MICROSOFT), microsoft::MS_CHAP2_CPW)[0];
    assert_eq!(
        (cpw.len(), &cpw[..2], &cpw[2..18]),
        (68, [7, 1].as_slice(), change.encrypted_hash.as_slice())
    );
    assert_eq!(
        (&cpw[18..34], &cpw[42..66]),
        (change.peer_challenge.as_slice(), change.nt_response.as_slice())
    );
}

#[test]
fn c205_an_eap_packet_is_split_and_an_empty_one_begins() {
    let sent: Vec<u8> = (0..600_u16).map(|n| n as u8).collect();
    let pieces = value(&packet(Credentials::Eap(sent.clone())), None, standard::EAP_MESSAGE);
    assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [253, 253, 94]);
    assert_eq!(pieces.concat(), sent);
    assert_eq!(value(&packet(Credentials::Eap(Vec::new())), None, standard::EAP_MESSAGE), [[0_u8; 0]]);
}

#[test]
fn an_eap_client_need_not_have_a_name() {
    let login = AccessRequest { user_name: Vec::new(), ..request(Credentials::Eap(Vec::new())) };
    let octets = login.to_packet(7, REQUEST_AUTHENTICATOR, &secret()).unwrap();
    assert_eq!(value(&octets, None, standard::USER_NAME), Vec::<Vec<u8>>::new());
}

#[test]
fn values_that_do_not_fit_are_errors_with_their_name() {
    let failed =
        |login: AccessRequest| login.to_packet(7, REQUEST_AUTHENTICATOR, &secret()).unwrap_err().to_string();
    assert_eq!(
        failed(request(pap(&"x".repeat(129)))),
        "RADIUS User-Password at octet 0: expected at most 128 octets, found 129"
    );
    assert_eq!(
        failed(AccessRequest { user_name: vec![b'x'; 254], ..request(pap("x")) }),
        "RADIUS User-Name at octet 0: expected at most 253 octets, found 254"
    );
    assert_eq!(
        failed(AccessRequest { user_name: Vec::new(), ..request(pap("x")) }),
        "RADIUS User-Name at octet 0: expected at least 1 octet, found 0"
    );
    assert_eq!(
        failed(request(Credentials::Eap(vec![0; 3001]))),
        "RADIUS EAP-Message at octet 0: expected at most 3000 octets, found 3001"
    );
    let call = Call { ras_name: "x".repeat(248), ..Call::default() };
    assert_eq!(
        failed(AccessRequest { call, ..request(pap("x")) }),
        "RADIUS MS-RAS-Client-Name at octet 0: expected at most 247 octets, found 248"
    );
    let mut builder = Builder::new(Code::AccessRequest, 0, [0; 16]);
    for _ in 0..17 {
        builder.octets(standard::CLASS, &[0; 253]);
    }
    let error = builder.finish(Signing::Random, &secret()).unwrap_err();
    assert_eq!(error.to_string(), "RADIUS Length at octet 2: expected at most 4096, found 4355");
}

#[test]
fn nothing_secret_is_printed() {
    let login = request(pap("hunter2"));
    let octets = login.to_packet(7, REQUEST_AUTHENTICATOR, &secret()).unwrap();
    let text = format!("{login:?} {:?}", Packet::new_checked(&octets).unwrap());
    assert!(!text.contains("hunter2"), "{text}");
}
