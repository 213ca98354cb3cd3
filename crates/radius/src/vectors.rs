//! Every vector of `tests/data/vectors.json`, each computed by the production function.

use serde_json::Value;

use crate::digest::hmac_md5;
use crate::hiding::{hide_key, hide_password, reveal_key, reveal_password};
use crate::number::vendor;
use crate::signature::{MessageAuthenticator, is_authentic, message_authenticator};
use crate::{Builder, Code, Packet, SharedSecret, Signing};

const VECTORS: &str = include_str!("../tests/data/vectors.json");

fn octets(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2).map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).unwrap()).collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    octets(value).try_into().unwrap()
}

/// The packet with one bit of its last octet inverted.
fn damaged(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    *packet.last_mut().unwrap() ^= 1;
    packet
}

fn compute(name: &str, kind: &str, given: &Value, wanted: &Value) {
    let text = |key: &str| given[key].as_str().unwrap().as_bytes().to_vec();
    if kind == "hmac_md5" {
        assert_eq!(
            hmac_md5(&octets(&given["key"]), &[&text("text")]).to_vec(),
            octets(&wanted["out"]),
            "{name}"
        );
        return;
    }
    let secret = SharedSecret::new(&text("secret")).unwrap();
    let packet = given.get("packet").map(octets).unwrap_or_default();
    let authenticator = given.get("request_authenticator").map(array::<16>);
    match kind {
        "user_password" => {
            let authenticator = authenticator.unwrap();
            let hidden = hide_password(&secret, &authenticator, &text("password")).unwrap();
            assert_eq!(hidden, octets(&wanted["out"]), "{name}");
            let revealed = reveal_password(&secret, &authenticator, &hidden).unwrap();
            assert!(revealed.starts_with(&text("password")), "{name}");
        }
        "mppe_key_attr" => {
            let (authenticator, key) = (authenticator.unwrap(), octets(&given["key"]));
            let value = hide_key(&secret, &authenticator, array(&given["salt"]), &key).unwrap();
            assert_eq!(value, octets(&wanted["value"]), "{name}");
            assert_eq!(*reveal_key(&secret, &authenticator, &value).unwrap(), key, "{name}");
            let mut builder = Builder::new(Code::AccessAccept, 0, [0; 16]);
            let number = u8::try_from(given["vendor_type"].as_u64().unwrap()).unwrap();
            builder.vendor(vendor::MICROSOFT, number, &value);
            let packet = builder.finish(Signing::Random, &secret).unwrap();
            assert_eq!(packet[20..], octets(&wanted["vsa"]), "{name}");
        }
        "response_authenticator" | "accounting_authenticator" | "coa_authenticator" => {
            let before = authenticator.unwrap_or_default();
            let is_valid =
                |packet: &[u8]| is_authentic(&Packet::new_checked(packet).unwrap(), &before, &secret);
            assert!(is_valid(&packet), "{name}");
            assert!(!is_valid(&damaged(&packet)), "{name} damaged");
        }
        "message_authenticator" => {
            let checked = |packet: &[u8]| {
                let packet = Packet::new_checked(packet).unwrap();
                let before = authenticator.unwrap_or(*packet.authenticator());
                message_authenticator(&packet, &before, &secret)
            };
            assert_eq!(checked(&packet), MessageAuthenticator::Valid, "{name}");
            assert_eq!(checked(&damaged(&packet)), MessageAuthenticator::Wrong, "{name} damaged");
        }
        other => panic!("{name}: no test computes a vector of type {other}"),
    }
}

#[test]
fn c207_every_vector() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    for vector in vectors {
        let text = |key: &str| vector[key].as_str().unwrap();
        compute(text("name"), text("type"), &vector["in"], &vector["out"]);
    }
    assert_eq!(vectors.len(), 22);
}
