use proptest::prelude::*;

use super::*;
use crate::Rng;

const AUTHENTICATOR: [u8; 16] = [0x11; 16];
const PEER: [u8; 16] = [0x22; 16];

fn v2(name: &[u8], password: &str) -> Proof {
    Proof::MsChapV2 {
        authenticator_challenge: AUTHENTICATOR,
        peer_challenge: PEER,
        nt_response: nt_response_v2(&AUTHENTICATOR, &PEER, name, &Password::new(password).nt_hash()),
        name: name.to_vec(),
    }
}

fn change(old: &str, new: &str) -> Change {
    let (old, new) = (Password::new(old), Password::new(new));
    change_password::make(&mut Rng::from_number(1), b"user", &AUTHENTICATOR, &old, &new).unwrap()
}

/// The same password on file in both forms.
fn on_file(password: &str) -> [Secret; 2] {
    let password = Password::new(password);
    [Secret::NtHash(password.nt_hash()), Secret::Clear(password)]
}

fn refused(proof: &Proof, secret: &Secret) -> ProofError {
    check(proof, secret).unwrap_err()
}

#[test]
fn pap() {
    let proof = |password| Proof::Pap { password: Password::new(password) };
    for secret in on_file("secret") {
        assert!(check(&proof("secret"), &secret).unwrap().keys.is_none());
        assert_eq!(refused(&proof("Secret"), &secret), ProofError::Wrong);
        assert_eq!(refused(&proof(""), &secret), ProofError::Wrong);
    }
}

#[test]
fn chap_md5_needs_the_clear_text() {
    let response = crate::chap::response(7, &Password::new("secret"), &AUTHENTICATOR);
    let proof = |id| Proof::ChapMd5 { id, challenge: AUTHENTICATOR.to_vec(), response };
    let [hash, clear] = on_file("secret");
    check(&proof(7), &clear).unwrap();
    assert_eq!(refused(&proof(8), &clear), ProofError::Wrong);
    assert_eq!(refused(&proof(7), &hash), ProofError::NeedsClearText);
}

#[test]
fn version_1() {
    let challenge = [5; 8];
    let nt_response = nt_response(&challenge, &Password::new("secret").nt_hash());
    let proof = Proof::MsChapV1 { challenge, nt_response };
    for secret in on_file("secret") {
        let proven = check(&proof, &secret).unwrap();
        assert!(proven.keys.is_some() && proven.mschap.is_none());
    }
    assert_eq!(refused(&proof, &on_file("other")[0]), ProofError::Wrong);
}

#[test]
fn c155_version_2_proves_the_server_and_gives_its_keys() {
    for secret in on_file("secret") {
        let proven = check(&v2(b"CORP\\user", "secret"), &secret).unwrap();
        let hash = secret.nt_hash();
        let sent = nt_response_v2(&AUTHENTICATOR, &PEER, b"user", &hash);
        assert_eq!(proven.mschap, Some(authenticator_response(&AUTHENTICATOR, &PEER, b"user", &hash, &sent)));
        assert_eq!(proven.keys, Some(start_keys_v2(&hash, &sent, Side::Server)));
        assert!(proven.new_hash.is_none());
    }
    assert_eq!(refused(&v2(b"user", "wrong"), &on_file("secret")[0]), ProofError::Wrong);
}

#[test]
fn c163_a_change_yields_the_new_hash_and_keys_of_the_new_password() {
    let change = change("old secret", "new s\u{e9}cret \u{1f511}");
    for secret in on_file("old secret") {
        let proven = check(&Proof::ChangePassword(change.clone()), &secret).unwrap();
        let new = Password::new("new s\u{e9}cret \u{1f511}");
        assert_eq!(proven.new_hash, Some(new.nt_hash()));
        assert_eq!(proven.keys, Some(start_keys_v2(&new.nt_hash(), &change.nt_response, Side::Server)));
        let sent = &change.nt_response;
        let response =
            authenticator_response(&AUTHENTICATOR, &change.peer_challenge, b"user", &new.nt_hash(), sent);
        assert_eq!(proven.mschap, Some(response));
        assert_eq!(proven.new_password, Some(new));
    }
}

#[test]
fn c164_a_change_under_another_old_password_is_refused() {
    let proof = Proof::ChangePassword(change("old", "new"));
    let why = refused(&proof, &on_file("other")[0]);
    assert_eq!(why, ProofError::BadChange(ChangeError::WrongOldPassword));
}

/// Encrypts a block as a client would and gives it to the server.
fn with_block(length: u32, text: &[u8]) -> Result<Password, ChangeError> {
    let old = Password::new("old").nt_hash();
    let mut change = change("old", "new");
    let mut block = [0x41; change_password::ENCRYPTED_PASSWORD];
    block[512 - text.len()..512].copy_from_slice(text);
    block[512..].copy_from_slice(&length.to_le_bytes());
    crate::rc4::Rc4::new(old.as_bytes()).apply(&mut block);
    *change.encrypted_password = block;
    change_password::open(&change, &old)
}

#[test]
fn c164_odd_and_oversized_lengths_are_refused() {
    for length in [1, 5, 511, 513, 514, 0x1_0000, u32::MAX, u32::MAX - 1] {
        assert_eq!(with_block(length, b""), Err(ChangeError::WrongOldPassword), "{length}");
    }
    // A lone surrogate.
    assert_eq!(with_block(2, &[0x00, 0xd8]), Err(ChangeError::NotUnicode));
    // Sound, but not the password whose hash encrypts the old one.
    assert_eq!(with_block(2, b"x\0"), Err(ChangeError::WrongOldPassword));
}

#[test]
fn c164_every_field_of_a_change_is_checked() {
    let old = Password::new("old").nt_hash();
    let good = change("old", "new");
    assert_eq!(change_password::open(&good, &old), Ok(Password::new("new")));
    let broken = |what: fn(&mut Change)| {
        let mut change = good.clone();
        what(&mut change);
        change_password::open(&change, &old).unwrap_err()
    };
    assert_eq!(broken(|c| c.encrypted_hash[3] ^= 1), ChangeError::WrongOldPassword);
    assert_eq!(broken(|c| c.nt_response[23] ^= 1), ChangeError::WrongResponse);
    assert_eq!(broken(|c| c.peer_challenge[0] ^= 1), ChangeError::WrongResponse);
    assert_eq!(broken(|c| c.authenticator_challenge[0] ^= 1), ChangeError::WrongResponse);
    assert_eq!(broken(|c| c.name = b"other".to_vec()), ChangeError::WrongResponse);
}

#[test]
fn the_longest_password_fits_and_one_more_does_not() {
    let old = Password::new("old");
    let longest = Password::new("x".repeat(256));
    let made = change_password::make(&mut Rng::from_number(1), b"u", &AUTHENTICATOR, &old, &longest).unwrap();
    assert_eq!(change_password::open(&made, &old.nt_hash()), Ok(longest));
    let longer = Password::new("x".repeat(257));
    assert!(change_password::make(&mut Rng::from_number(1), b"u", &AUTHENTICATOR, &old, &longer).is_none());
}

#[test]
fn c167_an_unknown_name_is_refused_like_a_wrong_password() {
    let pap = Proof::Pap { password: Password::new("x") };
    let md5 = Proof::ChapMd5 { id: 1, challenge: vec![1], response: [0; 16] };
    let v1 = Proof::MsChapV1 { challenge: [1; 8], nt_response: [2; 24] };
    for proof in [pap, md5, v1, v2(b"user", "x")] {
        assert_eq!(
            check_unknown(&proof),
            refused(&proof, &Secret::Clear(Password::new("right"))),
            "{proof:?}"
        );
    }
    let change = Proof::ChangePassword(change("old", "new"));
    assert_eq!(check_unknown(&change), refused(&change, &on_file("right")[0]));
    // Not even the secret of the substitute is accepted.
    let md5 = Proof::ChapMd5 {
        id: 1,
        challenge: vec![1],
        response: crate::chap::response(1, &Password::new("password of no user"), &[1]),
    };
    assert_eq!(check_unknown(&md5), ProofError::Wrong);
}

#[test]
fn c238_debug_shows_no_secret() {
    let proof = v2(b"user", "secret");
    assert_eq!(format!("{proof:?}"), "MsChapV2(..)");
    let proven = check(&proof, &on_file("secret")[1]).unwrap();
    let shown = format!("{:?} {proven:?} {:?}", on_file("secret"), change("old", "hunter2"));
    assert!(!shown.contains("secret") && !shown.contains("hunter2"), "{shown}");
}

proptest! {
    #[test]
    fn any_change_is_refused_or_sound(
        block in proptest::collection::vec(any::<u8>(), change_password::ENCRYPTED_PASSWORD),
        rest in any::<([u8; 16], [u8; 16], [u8; 24])>(),
        hash in any::<[u8; 16]>(),
    ) {
        let (encrypted_hash, peer_challenge, nt_response) = rest;
        let change = Change {
            name: b"user".to_vec(),
            authenticator_challenge: AUTHENTICATOR,
            encrypted_password: Box::new(block.try_into().unwrap()),
            encrypted_hash,
            peer_challenge,
            nt_response,
        };
        prop_assert!(change_password::open(&change, &NtHash::from_bytes(hash)).is_err());
    }

    #[test]
    fn every_change_that_is_made_opens(old in ".{0,40}", new in ".{0,128}", name in ".{0,40}", seed: u64) {
        let (old, new) = (Password::new(old), Password::new(new));
        let made =
            change_password::make(&mut Rng::from_number(seed), name.as_bytes(), &AUTHENTICATOR, &old, &new);
        prop_assert_eq!(change_password::open(&made.unwrap(), &old.nt_hash()), Ok(new));
    }

    #[test]
    fn only_the_right_password_passes(right in ".{1,20}", other in ".{0,20}", name in any::<Vec<u8>>()) {
        prop_assume!(right != other);
        let secret = Secret::NtHash(Password::new(right.clone()).nt_hash());
        prop_assert!(check(&v2(&name, &right), &secret).is_ok());
        prop_assert!(check(&v2(&name, &other), &secret).is_err());
    }
}
