//! RADIUS packets from a server that may be hostile, with and without a right signature.

use adit_radius::{Builder, Code, OpenRequest, Packet, Reply, SharedSecret, Signing, check_reply};

const AUTHENTICATOR: [u8; 16] = [0x42; 16];

pub(crate) fn radius_packet(data: &[u8]) {
    let Some(secret) = SharedSecret::new(b"a secret for fuzzing") else { return };
    let Ok(packet) = Packet::new_checked(data) else { return };
    let _ = packet.to_string();
    assert!(packet.as_bytes().len() <= data.len());
    let request = |is_signature_required| OpenRequest {
        code: Code::AccessRequest,
        authenticator: &AUTHENTICATOR,
        secret: &secret,
        is_signature_required,
    };
    // The odds that an input fits the secret are those of a collision of MD5.
    assert!(check_reply(&packet, &request(false)).is_err(), "a forged packet counts as a reply");

    // The same attributes from the server itself: any value may still be wrong.
    let mut builder = Builder::new(packet.code(), packet.id(), [0; 16]);
    builder.message_authenticator();
    for attribute in packet.attributes().flatten() {
        builder.octets(attribute.number, attribute.value);
    }
    let Ok(octets) = builder.finish(Signing::Reply(AUTHENTICATOR), &secret) else { return };
    match Packet::new_checked(&octets) {
        Ok(again) => {
            assert_eq!(again.flattened().count(), packet.flattened().count() + 1);
            let _ = check_reply(&again, &request(true));
            let _ = Reply::read(&again, &AUTHENTICATOR, &secret);
        }
        Err(error) => unreachable!("written and not read again: {error}"),
    }
}
