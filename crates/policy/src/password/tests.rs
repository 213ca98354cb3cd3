use adit_crypto::Rng;

use super::*;

fn fault(user: &str, password: &str) -> Option<PasswordFault> {
    PasswordRules::default().check(user, password).err()
}

#[test]
fn length_counts_characters_and_has_two_ends() {
    assert_eq!(fault("al", "kurz"), Some(PasswordFault::Short { length: 4, min: 14 }));
    assert_eq!(fault("al", "häßlichüber zäune"), None);
    assert_eq!(fault("al", &"vq8 ".repeat(65)), Some(PasswordFault::Long));
    assert_eq!(fault("al", "trombone\u{7}wolf fence"), Some(PasswordFault::Control));
}

#[test]
fn common_ones_in_every_disguise() {
    for password in [
        "passwordpassword",
        "Password12345678",
        "P4$$w0rd!P4$$w0rd!2026",
        "welcome-welcome-2026",
        "administrator!",
        "Sommer2026!Sommer",
        "iloveyou-iloveyou",
        "letmein letmein 99",
    ] {
        assert_eq!(fault("carol", password), Some(PasswordFault::Common), "{password}");
    }
}

#[test]
fn names_rows_and_repetitions() {
    assert_eq!(fault("johnsmith", "JohnSmith2026!!"), Some(PasswordFault::Name));
    assert_eq!(fault("john.smith", "smith-john-1984!"), Some(PasswordFault::Name));
    assert_eq!(fault("al", "qwertyuiopasdf"), Some(PasswordFault::Sequence));
    assert_eq!(fault("al", "0987654321098765"), Some(PasswordFault::Sequence));
    assert_eq!(fault("al", "1q2w3e4r5t6y7u"), Some(PasswordFault::Sequence));
    assert_eq!(fault("al", "aaaaaaaaaaaaaaaa"), Some(PasswordFault::Repeated));
    assert_eq!(fault("al", "xyzxyzxyzxyzxyz"), Some(PasswordFault::Repeated));
}

#[test]
fn good_ones_pass() {
    for password in
        ["correct horse battery staple", "Vq8!mzt-Lw2#paYd", "trombone wolf fence", "ruzk-pemo-lavi-tond-46"]
    {
        assert_eq!(fault("john.smith", password), None, "{password}");
    }
}

#[test]
fn without_the_list_only_length_counts() {
    let rules = PasswordRules { min_length: 8, blocklist: false };
    assert_eq!(rules.check("al", "password"), Ok(()));
}

#[test]
fn generated_ones_pass_their_own_rules_and_differ() {
    let mut rng = Rng::from_number(7);
    let mut seen = std::collections::BTreeSet::new();
    for style in [PasswordStyle::Words, PasswordStyle::Random] {
        for _ in 0..500 {
            let password = generate(style, &mut rng);
            assert_eq!(fault("john.smith", password.expose()), None, "{}", password.expose());
            assert!(seen.insert(password.expose().to_owned()));
        }
    }
    let words = generate(PasswordStyle::Words, &mut Rng::from_number(1));
    assert_eq!(words.expose().len(), 22);
    assert_eq!(words.expose().matches('-').count(), 4);
    assert_eq!(generate(PasswordStyle::Random, &mut rng).expose().chars().count(), 20);
}

#[test]
fn the_list_is_sorted_lower_case_and_long_enough_to_cut() {
    let words: Vec<&str> = include_str!("../../data/common-passwords.txt").lines().collect();
    assert!(words.len() > 250);
    assert!(words.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(words.iter().all(|word| word.len() >= 4 && *word == word.to_lowercase()));
}
