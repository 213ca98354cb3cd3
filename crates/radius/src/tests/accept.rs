//! What an Accept, a Reject and a Challenge contain.

use core::net::Ipv4Addr;

use adit_crypto::mppe::Strength;

use super::*;
use crate::hiding::{hide_key, hide_password};
use crate::number::{cisco, microsoft, mikrotik, standard, vendor, wispr};
use crate::{Accept, ChapError, ChapMppeKeys, EncryptionPolicy, FramedAddress, RateLimit, Reject, Reply};

fn read(octets: &[u8]) -> crate::Result<Option<Reply>> {
    Reply::read(&Packet::new_checked(octets).unwrap(), &REQUEST_AUTHENTICATOR, &secret())
}

fn accept(fill: impl FnOnce(&mut Builder)) -> crate::Result<Accept> {
    match read(&reply(Code::AccessAccept, fill))? {
        Some(Reply::Accept(accept)) => Ok(*accept),
        other => panic!("{other:?}"),
    }
}

#[test]
fn c210_the_three_meanings_of_a_framed_address() {
    let address = |octets: [u8; 4]| {
        accept(|builder| {
            builder.octets(standard::FRAMED_IP_ADDRESS, &octets);
        })
        .map(|accept| accept.address)
    };
    assert_eq!(address([255; 4]), Ok(Some(FramedAddress::ClientChooses)));
    assert_eq!(address([255, 255, 255, 254]), Ok(Some(FramedAddress::FromPool)));
    let fixed = Ipv4Addr::new(10, 99, 0, 77);
    assert_eq!(address(fixed.octets()), Ok(Some(FramedAddress::Fixed(fixed))));
    assert_eq!(
        address([0; 4]).unwrap_err().to_string(),
        "RADIUS Framed-IP-Address at octet 20: expected an address of a host, found 0"
    );
}

#[test]
fn c211_c212_c214_standard_attributes() {
    let accept = accept(|builder| {
        builder
            .number(standard::SERVICE_TYPE, 2)
            .number(standard::FRAMED_PROTOCOL, 1)
            .number(standard::TUNNEL_TYPE, 0x0100_0001)
            .text(standard::FRAMED_POOL, "legacy")
            .text(standard::FRAMED_ROUTE, "192.168.20.0/24 0.0.0.0 1")
            .text(standard::FRAMED_ROUTE, "nonsense")
            .text(standard::FILTER_ID, "staff.in")
            .octets(standard::NAS_FILTER_RULE, b"permit ")
            .octets(standard::NAS_FILTER_RULE, b"in ip")
            .number(standard::SESSION_TIMEOUT, 3600)
            .number(standard::IDLE_TIMEOUT, 600)
            .number(standard::ACCT_INTERIM_INTERVAL, 5)
            .number(standard::TERMINATION_ACTION, 0)
            .number(standard::PORT_LIMIT, 2)
            .number(standard::FRAMED_MTU, 1400)
            .number(standard::FRAMED_COMPRESSION, 1)
            .number(standard::FRAMED_ROUTING, 3)
            .octets(standard::CLASS, b"one")
            .octets(standard::CLASS, b"two")
            .text(standard::REPLY_MESSAGE, "hello")
            .text(standard::REPLY_MESSAGE, "carol")
            .octets(200, b"unknown")
            .vendor(vendor::MICROSOFT, microsoft::MS_SECONDARY_DNS_SERVER, &[192, 0, 2, 2])
            .vendor(vendor::MICROSOFT, microsoft::MS_PRIMARY_DNS_SERVER, &[192, 0, 2, 1])
            .vendor(vendor::MICROSOFT, microsoft::MS_PRIMARY_NBNS_SERVER, &[192, 0, 2, 3])
            .vendor(vendor::MICROSOFT, microsoft::MS_CHAP_DOMAIN, b"\x01CORP");
    })
    .unwrap();
    assert_eq!(accept.pool.as_deref(), Some("legacy"));
    assert_eq!(accept.routes.len(), 1);
    assert_eq!(accept.bad_routes[0].0, "nonsense");
    assert_eq!(accept.filters, ["staff.in"]);
    assert_eq!(accept.filter_rules, b"permit in ip");
    assert_eq!((accept.session_timeout, accept.idle_timeout), (Some(3600), Some(600)));
    assert_eq!(accept.interim_interval, Some(60), "no shorter than RFC 2869 allows");
    assert_eq!((accept.port_limit, accept.mtu), (Some(2), Some(1400)));
    assert_eq!(accept.class, [b"one", b"two"]);
    assert_eq!(accept.reply_message, "hello\ncarol");
    assert_eq!(accept.dns, [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)]);
    assert_eq!(accept.wins, [Ipv4Addr::new(192, 0, 2, 3)]);
    assert_eq!(accept.domain.as_deref(), Some("CORP"));
}

#[test]
fn an_accept_for_another_service_or_with_a_wrong_length_is_an_error() {
    for (number, value, text) in [
        (standard::SERVICE_TYPE, &[0, 0, 0, 1][..], "Service-Type at octet 20: expected 2 (Framed), found 1"),
        (standard::FRAMED_PROTOCOL, &[0, 0, 0, 9], "Framed-Protocol at octet 20: expected 1 (PPP), found 9"),
        (standard::TUNNEL_TYPE, &[1, 0, 0, 3], "Tunnel-Type at octet 20: expected 1 (PPTP), found 3"),
        (standard::SESSION_TIMEOUT, &[1, 2, 3], "Session-Timeout at octet 20: expected 4 octets, found 3"),
        (standard::FRAMED_IP_ADDRESS, &[1; 5], "Framed-IP-Address at octet 20: expected 4 octets, found 5"),
        (standard::FRAMED_MTU, &[0, 0, 0, 63], "Framed-MTU at octet 20: expected 64 to 65535, found 63"),
        (standard::FRAMED_POOL, &[], "Framed-Pool at octet 20: expected at least 1 octet, found 0"),
        (standard::FRAMED_POOL, &[b'a', 0xff], "Framed-Pool at octet 20: expected UTF-8, found 255"),
    ] {
        let error = accept(|builder| {
            builder.octets(number, value);
        })
        .unwrap_err();
        assert_eq!(error.to_string(), format!("RADIUS {text}"));
    }
}

#[test]
fn c207_c209_keys_policy_and_types() {
    let hide = |salt, key: &[u8]| hide_key(&secret(), &REQUEST_AUTHENTICATOR, salt, key).unwrap();
    let add = |builder: &mut Builder, number, value: &[u8]| {
        builder.vendor(vendor::MICROSOFT, number, value);
    };
    let accept_keys = accept(|builder| {
        add(builder, microsoft::MS_MPPE_SEND_KEY, &hide([0x80, 1], &[1; 16]));
        add(builder, microsoft::MS_MPPE_RECV_KEY, &hide([0x80, 2], &[2; 32]));
        add(builder, microsoft::MS_MPPE_ENCRYPTION_POLICY, &[0, 0, 0, 2]);
        add(builder, microsoft::MS_MPPE_ENCRYPTION_TYPES, &[0, 0, 0, 6]);
    })
    .unwrap();
    let keys = accept_keys.mppe.start_keys().unwrap();
    assert_eq!(keys.send, adit_crypto::mppe::StartKey::new([1; 16]));
    assert_eq!(keys.receive, adit_crypto::mppe::StartKey::new([2; 16]));
    assert_eq!(accept_keys.mppe.policy, Some(EncryptionPolicy::Required));
    let types = accept_keys.mppe.types.unwrap();
    assert_eq!([40, 56, 128, 64].map(|bits| types.allows(bits)), [true, false, true, false]);

    let wrong = [
        (microsoft::MS_MPPE_ENCRYPTION_POLICY, vec![0, 0, 0, 3]),
        (microsoft::MS_MPPE_SEND_KEY, hide([0x80, 1], &[1; 15])),
        (microsoft::MS_MPPE_SEND_KEY, hide([0x00, 1], &[1; 16])),
        (microsoft::MS_MPPE_SEND_KEY, hide([0x80, 1], &[1; 16])[..33].to_vec()),
        (microsoft::MS_MPPE_RECV_KEY, vec![0x80, 1]),
        (microsoft::MS_CHAP_MPPE_KEYS, vec![0; 31]),
        (microsoft::MS_CHAP_MPPE_KEYS, vec![0; 32]),
        (microsoft::MS_CHAP2_SUCCESS, b"\x01S=12".to_vec()),
        (microsoft::MS_CHAP2_SUCCESS, Vec::new()),
    ];
    for (number, value) in wrong {
        assert!(accept(|builder| add(builder, number, &value)).is_err(), "{number} {value:?}");
    }
}

#[test]
fn several_parts_of_one_vendor_attribute_are_all_read() {
    let packed = [
        &vendor::MICROSOFT.to_be_bytes(),
        [microsoft::MS_MPPE_ENCRYPTION_POLICY, 6, 0, 0, 0, 1].as_slice(),
        &[microsoft::MS_MPPE_ENCRYPTION_TYPES, 6, 0, 0, 0, 4],
    ]
    .concat();
    let accept = accept(|builder| {
        builder.octets(standard::VENDOR_SPECIFIC, &packed);
    })
    .unwrap();
    assert_eq!(accept.mppe.policy, Some(EncryptionPolicy::Allowed));
    assert!(accept.mppe.types.unwrap().allows(128));
}

#[test]
fn c207_keys_of_mschap_v1() {
    let clear = [[1; 8].as_slice(), &[2; 16], &[0; 8]].concat();
    let hidden = hide_password(&secret(), &REQUEST_AUTHENTICATOR, &clear).unwrap();
    let accept = accept(|builder| {
        builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP_MPPE_KEYS, &hidden);
    })
    .unwrap();
    let keys = accept.mppe.chap.unwrap();
    assert_eq!((*keys.lm_key, *keys.nt_key), ([1; 8], [2; 16]));
    assert_eq!(format!("{keys:?}"), "ChapMppeKeys(..)");
    let without = ChapMppeKeys { lm_key: zeroize::Zeroizing::new([0; 8]), ..keys.clone() };
    let supports = |keys: &ChapMppeKeys, strength| keys.start_keys(&[3; 8]).supports(strength);
    assert!(supports(&keys, Strength::Bits40) && supports(&keys, Strength::Bits128));
    assert!(!supports(&without, Strength::Bits40) && supports(&without, Strength::Bits128));
}

#[test]
fn ipv6_attributes() {
    let accept_prefix = |value: &[u8]| {
        accept(|builder| {
            builder.octets(standard::FRAMED_IPV6_PREFIX, value);
        })
        .map(|accept| accept.ipv6.prefixes[0].to_string())
    };
    assert_eq!(accept_prefix(&[0, 32, 0x20, 1, 0xd, 0xb8]).unwrap(), "2001:db8::/32");
    assert_eq!(accept_prefix(&[0, 0]).unwrap(), "::/0");
    for wrong in [&[0][..], &[0, 129], &[0; 19], &[0, 16, 0x20, 1, 1]] {
        assert!(accept_prefix(wrong).is_err(), "{wrong:?}");
    }
    let accept = accept(|builder| {
        builder
            .octets(standard::FRAMED_INTERFACE_ID, &[1; 8])
            .octets(standard::DELEGATED_IPV6_PREFIX, &[0, 8, 0xfc])
            .octets(standard::FRAMED_IPV6_ADDRESS, &[0; 16])
            .octets(standard::DNS_SERVER_IPV6_ADDRESS, &[1; 16])
            .text(standard::FRAMED_IPV6_POOL, "six")
            .text(standard::FRAMED_IPV6_ROUTE, "fc00::/8 :: 1");
    })
    .unwrap()
    .ipv6;
    assert_eq!((accept.interface_id, accept.pool.as_deref()), (Some([1; 8]), Some("six")));
    assert_eq!((accept.delegated.len(), accept.addresses.len(), accept.dns.len()), (1, 1, 1));
    assert_eq!(accept.routes, ["fc00::/8 :: 1"]);
}

#[test]
fn c222_c223_limits_of_vendors() {
    let accept = accept(|builder| {
        builder
            .vendor(vendor::MIKROTIK, mikrotik::RATE_LIMIT, b"1M/2M")
            .vendor(vendor::MIKROTIK, mikrotik::TOTAL_LIMIT, &[0, 0, 0, 5])
            .vendor(vendor::MIKROTIK, mikrotik::TOTAL_LIMIT_GIGAWORDS, &[0, 0, 0, 1])
            .vendor(vendor::MIKROTIK, mikrotik::RECV_LIMIT, &[0, 0, 0, 9])
            .vendor(vendor::MIKROTIK, 250, b"unknown")
            .vendor(vendor::WISPR, wispr::BANDWIDTH_MAX_DOWN, &[0, 1, 0, 0])
            .vendor(vendor::WISPR, wispr::SESSION_TERMINATE_TIME, b"2026-12-24T18:00:00+01:00")
            .vendor(vendor::CISCO, cisco::AV_PAIR, b"ip:addr-pool=legacy");
    })
    .unwrap()
    .vendors;
    assert_eq!(accept.rate_limit, RateLimit::parse("1M/2M").ok());
    assert_eq!(accept.total_limit.octets(), Some(0x1_0000_0005));
    assert_eq!((accept.receive_limit.octets(), accept.transmit_limit.octets()), (Some(9), None));
    assert_eq!((accept.max_down, accept.max_up), (Some(65_536), None));
    assert_eq!(accept.terminate_time.as_deref(), Some("2026-12-24T18:00:00+01:00"));
    assert_eq!(accept.av_pairs, ["ip:addr-pool=legacy"]);
}

#[test]
fn of_a_reject_only_the_messages_count() {
    let octets = reply(Code::AccessReject, |builder| {
        builder
            .octets(standard::SESSION_TIMEOUT, &[1])
            .octets(standard::FRAMED_IP_ADDRESS, &[10, 0, 0, 1])
            .text(standard::REPLY_MESSAGE, "no")
            .vendor(vendor::MICROSOFT, microsoft::MS_CHAP_ERROR, b"\x01E=648 R=0 C=0101 V=3 M=Expired");
    });
    let Ok(Some(Reply::Reject(reject))) = read(&octets) else { panic!("not a Reject") };
    let chap_error =
        Some(ChapError { error: 648, retry: false, challenge: None, message: "Expired".to_owned() });
    assert_eq!(reject.reply_message, "no");
    assert_eq!(reject.chap_error.map(|error| ChapError { challenge: None, ..error }), chap_error);
    for text in [&b""[..], b"\x01", b"\x01nonsense"] {
        let octets = reply(Code::AccessReject, |builder| {
            builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP_ERROR, text);
        });
        let Ok(Some(Reply::Reject(reject))) = read(&octets) else { panic!("not a Reject") };
        assert_eq!(reject, Reject::default(), "{text:?}");
    }
}

#[test]
fn a_challenge_has_a_state_and_a_message() {
    let octets = reply(Code::AccessChallenge, |builder| {
        builder
            .octets(standard::STATE, b"32769430")
            .text(standard::REPLY_MESSAGE, "Challenge 32769430")
            .number(standard::SESSION_TIMEOUT, 30)
            .octets(standard::EAP_MESSAGE, &[1, 2])
            .octets(standard::EAP_MESSAGE, &[3]);
    });
    let Ok(Some(Reply::Challenge(challenge))) = read(&octets) else { panic!("not a Challenge") };
    assert_eq!(challenge.state.as_deref(), Some(&b"32769430"[..]));
    assert_eq!((challenge.timeout, challenge.eap), (Some(30), vec![1, 2, 3]));
    assert!(read(&reply(Code::CoaAck, |_| {})).unwrap().is_none());
}
