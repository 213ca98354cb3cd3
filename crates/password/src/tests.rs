use adit_crypto::Rng;
use proptest::prelude::*;

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

/// The reason why a password is weak.
fn weak(user: &str, password: &str) -> String {
    match fault(user, password) {
        Some(PasswordFault::Weak { score, reason }) => {
            assert!(score < 3, "{password}");
            reason
        }
        other => panic!("{password}: {other:?}"),
    }
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
        "Sommer2026Sommer",
        "Willkommen_2026_Willkommen",
        "iloveyou-iloveyou",
        "letmein letmein 99",
        "Password2024Password",
        "dragon monkey shadow",
        "password-admin-login",
        "summer-winter-2026!",
        "p4ssw0rd_4dm1n_2026",
    ] {
        weak("carol", password);
    }
}

#[test]
fn names_rows_and_repetitions() {
    let name = "it is little more than the name of the user, the server or the site";
    assert_eq!(weak("johnsmith", "JohnSmith2026!!"), name);
    assert_eq!(weak("john.smith", "smith-john-1984!"), name);
    assert_eq!(weak("john.smith", "smith-john-19840317"), name);
    assert!(weak("al", "qwertyuiopasdf").contains("commonly used password"));
    assert!(weak("al", "0987654321098765").contains("commonly used password"));
    assert!(!weak("al", "1q2w3e4r5t6y7u").is_empty());
    assert_eq!(weak("al", "aaaaaaaaaaaaaaaa"), "repeats like \"aaa\" are easy to guess");
    assert!(weak("al", "xyzxyzxyzxyzxyz").starts_with("repeats like \"abcabcabc\""));
}

#[test]
fn the_server_and_the_site_are_known_to_attackers() {
    let site = |names: &[&str]| PasswordRules {
        strength: Some(Strength { site: site_words(names.iter().copied()), ..Strength::default() }),
        ..PasswordRules::default()
    };
    let password = "quxterhaven-zorblatt7";
    assert_eq!(fault("al", password), None);
    let rules = site(&["zorblatt.quxterhaven.example", "vpn.example.org"]);
    assert!(matches!(rules.check("al", password), Err(PasswordFault::Weak { .. })));
    assert_eq!(site(&["vpn.example.org"]).check("al", password), Ok(()));
}

#[test]
fn published_ones_and_those_of_the_blocklist() {
    for password in
        ["correct horse battery staple", "correct-horse-battery-staple", "CorrectHorse2BatteryStaple!"]
    {
        assert_eq!(fault("john.smith", password), Some(PasswordFault::Published), "{password}");
    }
    let strength = Strength { blocked: vec!["purple harbour kettle".to_owned()], ..Strength::default() };
    let rules = PasswordRules { strength: Some(strength), ..PasswordRules::default() };
    assert_eq!(rules.check("al", "Purple-Harbour-Kettle-7"), Err(PasswordFault::Blocked));
    assert_eq!(fault("al", "Purple-Harbour-Kettle-7"), None);
}

#[test]
fn good_ones_pass() {
    for password in [
        "Secret-12-pass-horse",
        "Vq8!mzt-Lw2#paYd",
        "Vq8!mz-Lw2#pY9",
        "k8f9-3n27-d0s1-x467",
        "trombone wolf fence",
        "ruzk-pemo-lavi-tond-46",
        "a very good passphrase",
        "83910274658302",
    ] {
        assert_eq!(fault("john.smith", password), None, "{password}");
    }
}

#[test]
fn without_the_check_of_strength_only_length_counts() {
    let rules = PasswordRules { min_length: 8, strength: None };
    assert_eq!(rules.check("al", "password"), Ok(()));
}

#[test]
fn the_longest_passwords_take_no_longer_than_a_login_may_wait() {
    let unit = ["p4$$w0rd!", "qwertyasdf1!", "1q2w3e4r", "(.+)\\1+aA4@", "aAbB4@8(6!"];
    for text in unit {
        let password: String = text.chars().cycle().take(MAX_LENGTH).collect();
        let begun = std::time::Instant::now();
        let _ = fault("john.smith", &password);
        // Measured: well below 100 ms. The limit is for a busy machine and a build without optimisation.
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{text}: {:?}", begun.elapsed());
    }
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
fn the_list_of_common_words_is_sorted_and_lower_case() {
    let words: Vec<&str> = include_str!("../data/common-words.txt").lines().collect();
    assert!(words.len() > 250);
    assert!(words.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(words.iter().all(|word| word.len() >= 4 && *word == word.to_lowercase()));
}

/// Texts of which zxcvbn finds many parts: words, names, dates, rows of keys, and any characters between them.
fn texts() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "a", "i", "the", "you", "john", "Smith", "p4$$", "@dm1n", "qwe", "zaq1", "1984", "12/3/99", "aaa",
        "cba", "\u{130}", "ß",
    ]);
    let part = prop_oneof![4 => word.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(part, 0..120).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_password_and_no_name_can_panic(user in texts(), password in texts(), site in texts()) {
        let strength = Strength { site: site_words([site.as_str()]), blocked: vec![site.clone()] };
        let rules = PasswordRules { min_length: 1, strength: Some(strength) };
        if let Err(fault) = rules.check(&user, &password) {
            prop_assert!(!fault.to_string().is_empty());
        }
    }
}
