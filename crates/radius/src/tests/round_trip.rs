//! Any octets, and what is written is read again.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::hiding::{hide_key, hide_password, reveal_key, reveal_password};
use crate::{Code, RateLimit, Reply, Route};

fn codes() -> impl Strategy<Value = Code> {
    proptest::sample::select(Code::ALL.to_vec())
}

/// An authentic packet with these attributes, in which any value may be wrong.
fn packet(code: Code, attributes: &[(u8, Vec<u8>)]) -> Vec<u8> {
    reply(code, |builder| {
        for (number, value) in attributes {
            builder.octets(*number, value);
        }
    })
}

proptest! {
    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..200)) {
        if let Ok(packet) = Packet::new_checked(&octets) {
            let _ = packet.to_string();
        }
    }

    #[test]
    fn what_is_written_is_read_again(
        code in codes(),
        attributes in vec((1_u8..=25, vec(any::<u8>(), 0..=253)), 0..12),
    ) {
        let octets = packet(code, &attributes);
        let read = Packet::new_checked(&octets).unwrap();
        prop_assert_eq!((read.code(), read.id()), (code, 7));
        let again: Vec<(u8, Vec<u8>)> =
            read.attributes().map(|a| a.unwrap()).map(|a| (a.number, a.value.to_vec())).collect();
        prop_assert_eq!(again, attributes);
    }

    #[test]
    fn no_value_of_an_authentic_reply_panics(
        code in proptest::sample::select(vec![Code::AccessAccept, Code::AccessReject, Code::AccessChallenge]),
        attributes in vec((any::<u8>().prop_filter("split", |n| *n != 26), vec(any::<u8>(), 0..40)), 0..20),
        vendors in vec((proptest::sample::select(vec![9, 311, 14_122, 14_988]), 0_u8..40, vec(any::<u8>(), 0..40)), 0..20),
    ) {
        let octets = reply(code, |builder| {
            for (number, value) in &attributes {
                builder.octets(*number, value);
            }
            for (vendor, number, value) in &vendors {
                builder.vendor(*vendor, *number, value);
            }
        });
        let packet = Packet::new_checked(&octets).unwrap();
        let _ = packet.to_string();
        let _ = Reply::read(&packet, &REQUEST_AUTHENTICATOR, &secret());
    }

    #[test]
    fn a_single_changed_octet_is_found(
        attributes in vec((1_u8..=25, vec(any::<u8>(), 0..20)), 0..6),
        at in any::<proptest::sample::Index>(),
        change in 1_u8..,
    ) {
        let mut octets = packet(Code::AccessAccept, &attributes);
        let at = at.index(octets.len());
        octets[at] ^= change;
        if let Ok(packet) = Packet::new_checked(&octets) {
            prop_assert!(!crate::signature::is_authentic(&packet, &REQUEST_AUTHENTICATOR, &secret()));
        }
    }

    #[test]
    fn hidden_passwords_are_revealed(authenticator: [u8; 16], password in vec(any::<u8>(), 0..=128)) {
        let hidden = hide_password(&secret(), &authenticator, &password).unwrap();
        let revealed = reveal_password(&secret(), &authenticator, &hidden).unwrap();
        prop_assert_eq!(hidden.len(), password.len().next_multiple_of(16).max(16));
        prop_assert!(revealed.starts_with(&password));
        prop_assert!(revealed[password.len()..].iter().all(|octet| *octet == 0));
    }

    #[test]
    fn hidden_keys_are_revealed(authenticator: [u8; 16], salt: [u8; 2], key in vec(any::<u8>(), 0..=238)) {
        let salt = [salt[0] | 0x80, salt[1]];
        let hidden = hide_key(&secret(), &authenticator, salt, &key).unwrap();
        prop_assert_eq!(&*reveal_key(&secret(), &authenticator, &hidden).unwrap(), &key);
    }

    #[test]
    fn no_hidden_octets_panic(octets in vec(any::<u8>(), 0..300)) {
        let _ = reveal_key(&secret(), &[0; 16], &octets);
        let _ = reveal_password(&secret(), &[0; 16], &octets);
    }

    #[test]
    fn no_text_panics(text in "([0-9./ kMG]{0,30}|.{0,30})") {
        let _ = (Route::parse(&text), RateLimit::parse(&text));
    }
}
