//! Every vector of `tests/data/vectors.json` that belongs to this crate, each computed by the production function.
//! A type that is neither computed here nor listed as another crate's fails the test.

use serde_json::Value;

use crate::change_password::{self, Change};
use adit_diag::Side;

use crate::mppe::{KeySchedule, StartKey, StartKeys, Strength, start_keys_v1, start_keys_v2};
use crate::mschap;
use crate::proof::{Proof, Secret, check};
use crate::rc4::Rc4;
use crate::secret::{NtHash, Password};
use crate::{chap, des, digest};

const VECTORS: &str = include_str!("../tests/data/vectors.json");

/// Types that belong to another crate's tests.
const ELSEWHERE: &[&str] = &["pptp_message", "gre_packet", "ppp_packet"];
/// RADIUS.
const RADIUS: &[&str] = &[
    "hmac_md5",
    "user_password",
    "response_authenticator",
    "message_authenticator",
    "accounting_authenticator",
    "coa_authenticator",
    "mppe_key_attr",
];
/// EAP-TLS, MPPC, and framing on serial lines, which PPTP has not.
const LATER: &[&str] =
    &["tls12_prf", "tls10_prf", "hkdf_expand", "hkdf_expand_label", "eap_tls_keys", "mppc_decode", "fcs16"];

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2).map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).unwrap()).collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    octets(value).try_into().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn password(value: &Value) -> Password {
    Password::new(text(value))
}

fn strength(value: &Value) -> Strength {
    Strength::ALL.into_iter().find(|strength| usize::from(strength.bits()) == number(value)).unwrap()
}

/// A start key of 8 or 16 octets.
fn start_key(value: &Value) -> StartKey {
    let mut long = octets(value);
    long.resize(16, 0);
    StartKey::new(long.try_into().unwrap())
}

fn advanced(mut schedule: KeySchedule, changes: usize) -> KeySchedule {
    (0..changes).for_each(|_| schedule.advance());
    schedule
}

fn encrypted(mut cipher: Rc4, data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    cipher.apply(&mut data);
    data
}

/// Compares one output; an output that the vector does not give is not compared, a given one that is not computed is
/// found by the count.
struct Outputs<'a> {
    name: &'a str,
    wanted: &'a Value,
    compared: usize,
}

impl Outputs<'_> {
    fn is(&mut self, key: &str, got: &str) {
        let wanted = text(&self.wanted[key]);
        assert!(wanted.eq_ignore_ascii_case(got), "{} {key}: {wanted} is not {got}", self.name);
        self.compared += 1;
    }

    fn has(&self, key: &str) -> bool {
        self.wanted.get(key).is_some()
    }
}

fn primitive(kind: &str, given: &Value, out: &mut Outputs<'_>) -> bool {
    match kind {
        "rc4" => out.is("out", &hex(&encrypted(Rc4::new(&octets(&given["key"])), &octets(&given["data"])))),
        "rc4_keystream" => {
            let offset = given.get("offset").map_or(0, number);
            let zeros = vec![0; offset + text(&out.wanted["out"]).len() / 2];
            out.is("out", &hex(&encrypted(Rc4::new(&octets(&given["key"])), &zeros)[offset..]));
        }
        "md4" => out.is("out", &hex(&digest::md4(&[text(&given["text"]).as_bytes()]))),
        "md5" => out.is("out", &hex(&digest::md5(&[text(&given["text"]).as_bytes()]))),
        "sha1" => {
            let message = text(&given["text"]).repeat(given.get("repeat").map_or(1, number));
            out.is("out", &hex(&digest::sha1(&[message.as_bytes()])));
        }
        "des" => {
            // Seven octets without parity expand to the key of the vector, parity aside.
            let key: [u8; 8] = array(&given["key"]);
            let bits = key.iter().fold(0_u64, |bits, octet| bits << 7 | u64::from(octet >> 1));
            let raw = mschap::seven(&bits.to_be_bytes()[1..]);
            let block = des::encrypt(&raw, &array(&given["block"]));
            out.is("out", &hex(&block));
            assert_eq!(des::decrypt(&raw, &block), array(&given["block"]));
        }
        "des_key" => out.is("out", &hex(&*des::expand_key(&array(&given["raw"])))),
        _ => return false,
    }
    true
}

fn authentication(kind: &str, given: &Value, out: &mut Outputs<'_>) -> bool {
    match kind {
        "nt_hash" => out.is("out", &hex(password(&given["password"]).nt_hash().as_bytes())),
        "nt_hash_hash" => out.is("out", &hex(&*NtHash::from_bytes(array(&given["hash"])).hash())),
        "lm_hash" => out.is("out", &hex(&*mschap::lm_hash(&password(&given["password"])).unwrap())),
        "chap_md5" => {
            let id = u8::try_from(number(&given["id"])).unwrap();
            let secret = password(&given["secret"]);
            let challenge = octets(&given["challenge"]);
            let response = chap::response(id, &secret, &challenge);
            out.is("out", &hex(&response));
            check(&Proof::ChapMd5 { id, challenge, response }, &Secret::Clear(secret)).unwrap();
        }
        "mschap1" => {
            let challenge = array(&given["challenge"]);
            let password = password(&given["password"]);
            let nt_response = mschap::nt_response(&challenge, &password.nt_hash());
            out.is("nt_response", &hex(&nt_response));
            if out.has("lm_response") {
                let lm = mschap::lm_hash(&password).unwrap();
                out.is("lm_response", &hex(&mschap::respond(&challenge, &lm)));
            }
            check(&Proof::MsChapV1 { challenge, nt_response }, &Secret::Clear(password)).unwrap();
        }
        "mschap2" => mschap2(given, out),
        "change_password2" => change(given, out),
        _ => return false,
    }
    true
}

fn mschap2(given: &Value, out: &mut Outputs<'_>) {
    let hash = password(&given["password"]).nt_hash();
    let (peer_challenge, authenticator_challenge) =
        (array(&given["peer_challenge"]), array(&given["authenticator_challenge"]));
    // The Name with a domain must give the same values.
    for name in [text(&given["user"]).to_owned(), format!("BIGCO\\{}", text(&given["user"]))] {
        let name = name.as_bytes();
        out.compared = 0;
        out.is("challenge", &hex(&mschap::challenge_hash(&peer_challenge, &authenticator_challenge, name)));
        out.is("password_hash", &hex(hash.as_bytes()));
        out.is("password_hash_hash", &hex(&*hash.hash()));
        let nt_response = mschap::nt_response_v2(&authenticator_challenge, &peer_challenge, name, &hash);
        out.is("nt_response", &hex(&nt_response));
        let proof =
            Proof::MsChapV2 { authenticator_challenge, peer_challenge, nt_response, name: name.to_vec() };
        let proven = check(&proof, &Secret::NtHash(hash.clone())).unwrap();
        out.is("authenticator_response", &format!("S={}", hex(&proven.mschap.unwrap())));
    }
}

fn change(given: &Value, out: &mut Outputs<'_>) {
    let (old, new) = (password(&given["old"]), password(&given["new"]));
    let made = change_password::make_from(
        &[octets(&given["pad_octet"])[0]; 512],
        array(&given["peer_challenge"]),
        text(&given["user"]).as_bytes(),
        &array(&given["authenticator_challenge"]),
        &old,
        &new,
    )
    .unwrap();
    out.is("encrypted_password_sha1", &hex(&digest::sha1(&[&made.encrypted_password[..]])));
    out.is("encrypted_password_last_32", &hex(&made.encrypted_password[516 - 32..]));
    out.is("encrypted_hash", &hex(&made.encrypted_hash));
    out.is("nt_response", &hex(&made.nt_response));
    let packet = change_packet(u8::try_from(number(&given["id"])).unwrap(), &made);
    assert_eq!(packet.len(), number(&out.wanted["length"]));
    out.compared += 1;
    out.is("packet_sha1", &hex(&digest::sha1(&[&packet])));
    assert_eq!(change_password::open(&made, &old.nt_hash()), Ok(new));
}

/// RFC 2759 section 7.
fn change_packet(id: u8, change: &Change) -> Vec<u8> {
    let mut packet = vec![7, id, 0x02, 0x4a];
    packet.extend(&change.encrypted_password[..]);
    packet.extend(change.encrypted_hash);
    packet.extend(change.peer_challenge);
    packet.extend([0; 8]);
    packet.extend(change.nt_response);
    packet.extend([0; 2]);
    packet
}

fn mppe(kind: &str, given: &Value, out: &mut Outputs<'_>) -> bool {
    match kind {
        "mppe_v1_lm" => {
            let password = password(&given["password"]);
            if out.has("hash") {
                out.is("hash", &hex(&*mschap::lm_hash(&password).unwrap()));
            }
            let StartKeys { send, receive } = start_keys_v1(&password.nt_hash(), &[0; 8], Some(&password));
            assert_eq!(send, receive);
            let key = hex(KeySchedule::new(&send, strength(&given["bits"])).session_key());
            out.is("session_key", &key);
            // Before the weakening only the constant octets differ.
            let constant = if number(&given["bits"]) == 40 { 6 } else { 2 };
            assert_eq!(key[constant..], text(&out.wanted["before_weaken"])[constant..]);
            out.compared += 1;
        }
        "mppe_v1_nt128" => {
            let hash = password(&given["password"]).nt_hash();
            let keys = start_keys_v1(&hash, &array(&given["challenge"]), None);
            assert_eq!(keys.send, keys.receive);
            out.is("session_key", &hex(KeySchedule::new(&keys.send, Strength::Bits128).session_key()));
            // "Initial session key" in RFC 3079 section 2.5.3 is the start key.
            let start = start_key(&out.wanted["initial_session_key"]);
            assert_eq!(
                KeySchedule::new(&start, Strength::Bits128).session_key(),
                KeySchedule::new(&keys.send, Strength::Bits128).session_key()
            );
            out.compared += 1;
        }
        "mppe_v2" => {
            let side = if given["server"] == true { Side::Server } else { Side::Client };
            let hash = password(&given["password"]).nt_hash();
            let keys = start_keys_v2(&hash, &array(&given["nt_response"]), side);
            let start = if given["send"] == true { keys.send } else { keys.receive };
            let strength = strength(&given["bits"]);
            let schedule = KeySchedule::new(&start, strength);
            out.is("session_key", &hex(schedule.session_key()));
            out.is("rc4_test_message", &hex(&encrypted(schedule.cipher(), b"test message")));
            let wanted = start_key(&out.wanted["start_key"]);
            assert_eq!(KeySchedule::new(&wanted, strength).session_key(), schedule.session_key());
            out.compared += 1;
            let master = digest::sha1(&[
                &*hash.hash(),
                &octets(&given["nt_response"]),
                b"This is the MPPE Master Key",
            ]);
            out.is("master_key", &hex(&master[..16]));
        }
        "mppe_rekey" => {
            let mut schedule = KeySchedule::new(&start_key(&given["start_key"]), strength(&given["bits"]));
            for key in out.wanted["keys"].as_array().unwrap() {
                assert_eq!(text(key), hex(schedule.session_key()), "{}", out.name);
                schedule.advance();
            }
            out.compared += 1;
        }
        "mppe_rekey_at" => {
            let schedule = KeySchedule::new(&start_key(&given["start_key"]), strength(&given["bits"]));
            out.is("key", &hex(advanced(schedule, number(&given["n"])).session_key()));
        }
        "mppe_frames" => frames(given, out),
        _ => return false,
    }
    true
}

/// The keys and cipher texts of frames; that the headers are right is the packet engine's test.
fn frames(given: &Value, out: &mut Outputs<'_>) {
    let stateless = given["stateless"] == true;
    let mut schedule = KeySchedule::new(&start_key(&given["start_key"]), strength(&given["bits"]));
    let mut cipher = schedule.cipher();
    let mut count = given.get("first_cc").map_or(0, number);
    let plain = given["plain"].as_array().unwrap();
    let wanted = out.wanted["frames"].as_array().unwrap();
    assert_eq!(plain.len(), wanted.len());
    for (plain, wanted) in plain.iter().zip(wanted) {
        if stateless || count & 0xff == 0xff {
            schedule.advance();
            cipher = schedule.cipher();
        }
        assert_eq!(text(&wanted["session_key"]), hex(schedule.session_key()), "{}", out.name);
        let mut data = octets(plain);
        cipher.apply(&mut data);
        assert_eq!(text(&wanted["frame"])[8..], hex(&data), "{}", out.name);
        count = (count + 1) & 0xfff;
    }
    out.compared += 1;
}

#[test]
fn c153_c154_c155_c156_c157_c184_c185_every_vector() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let mut computed = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let (name, kind, given) = (text(&vector["name"]), text(&vector["type"]), &vector["in"]);
        let mut out = Outputs { name, wanted: &vector["out"], compared: 0 };
        let ours = primitive(kind, given, &mut out)
            || authentication(kind, given, &mut out)
            || mppe(kind, given, &mut out);
        let theirs = [ELSEWHERE, RADIUS, LATER].iter().any(|list| list.contains(&kind));
        assert!(ours != theirs, "{name}: vectors of type {kind} are computed nowhere, or twice");
        if ours {
            assert_eq!(
                out.compared,
                vector["out"].as_object().unwrap().len(),
                "{name}: an output is left out"
            );
            computed += 1;
        }
    }
    assert_eq!(computed, 73);
}

#[test]
fn c157_passwords_beyond_ascii_differ_from_their_neighbours() {
    // Normalisation would make these two equal.
    assert_ne!(Password::new("e\u{301}").nt_hash(), Password::new("\u{e9}").nt_hash());
    assert_eq!(Password::new("\u{1f511}").utf16()[..], [0x3d, 0xd8, 0x11, 0xdd]);
}
