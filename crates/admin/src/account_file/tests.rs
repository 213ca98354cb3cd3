//! Readers of account files.

use adit_api::accounts::{Account, ExportedAccount, ImportSecret, NewAccount};
use adit_crypto::secret::Password;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

fn read_as(format: Format, text: &str) -> Contents {
    let reading = Reading { format, server: None, weak: false, zone: TimeZone::UTC };
    read(text.as_bytes(), &reading).unwrap()
}

fn password(text: &str) -> ImportSecret {
    ImportSecret::Password { password: Password::new(text), reversible: None, weak: false }
}

/// Name and secret of each entry.
fn secrets(contents: &Contents) -> Vec<(&str, ImportSecret)> {
    assert_eq!(contents.problems, []);
    contents.entries.iter().map(|entry| (entry.name.as_str(), entry.secret.clone())).collect()
}

/// Line, user and message of each error.
fn faults(contents: &Contents) -> Vec<(u64, &str, &str)> {
    contents.problems.iter().map(|p| (p.line, p.user.as_str(), p.message.as_str())).collect()
}

#[test]
fn csv_quoting_follows_rfc_4180() {
    let text = "\u{feff}Name,password,note\r\nalice,\"a \"\"b\"\", c\",\"two\r\nlines\"\r\n\r\nbob,#x,\r\n";
    let contents = read_as(Format::Csv, text);
    assert_eq!(secrets(&contents), [("alice", password("a \"b\", c")), ("bob", password("#x"))]);
    assert_eq!(contents.entries[0].properties.note.as_deref(), Some("two\r\nlines"));
    let lines: Vec<u64> = contents.entries.iter().map(|entry| entry.line).collect();
    assert_eq!(lines, [2, 5]);
}

#[test]
fn a_csv_column_that_is_missing_changes_nothing_and_an_empty_field_clears() {
    let contents = read_as(Format::Csv, "name,group,address,expires\nalice,,,\n");
    let properties = &contents.entries[0].properties;
    assert_eq!(
        (&properties.group, properties.address, properties.expires),
        (&Some(None), Some(None), Some(None))
    );
    assert_eq!((&properties.note, properties.vpn, &properties.disabled), (&None, None, &None));
}

#[test]
fn a_day_ends_in_the_zone_and_a_time_is_exact() {
    let reading = Reading {
        format: Format::Csv,
        server: None,
        weak: false,
        zone: TimeZone::fixed(jiff::tz::offset(2)),
    };
    let contents = read(b"name,expires\na,2027-03-31\nb,2027-03-31T10:00:00.5Z\n", &reading).unwrap();
    let ends: Vec<String> =
        contents.entries.iter().map(|entry| entry.properties.expires.unwrap().unwrap().to_string()).collect();
    assert_eq!(ends, ["2027-03-31T22:00:00Z", "2027-03-31T10:00:00.5Z"]);
}

#[test]
fn errors_in_csv_have_their_line_and_what_was_expected() {
    let text = "name,nt_hash,address,vpn,disabled,disabled_reason,reversible\n\
                short\n\
                hash,12,,,,,\n\
                empty,31d6cfe0d16ae931b73c59d7e0c089c0,,,,,\n\
                address,,10.99.0,,,,\n\
                vpn,,,maybe,,,\n\
                reason,,,,no,left,\n\
                kept,,,,,,yes\n";
    let contents = read_as(Format::Csv, text);
    assert_eq!(
        faults(&contents),
        [
            (2, "", "1 fields; the header row has 7 columns"),
            (3, "hash", "the NT hash has 2 characters; expected 32 hexadecimal digits"),
            (4, "empty", "this is the NT hash of an empty password"),
            (5, "address", "address \"10.99.0\" is wrong"),
            (6, "vpn", "vpn \"maybe\" is wrong"),
            (7, "reason", "the account has a disabled_reason and is not disabled"),
            (8, "kept", "reversible is yes, and there is no password to store"),
        ]
    );
    assert!(contents.problems.iter().all(|problem| problem.fix.is_some()));
    let whole = |text: &[u8]| {
        let reading = Reading { format: Format::Csv, server: None, weak: false, zone: TimeZone::UTC };
        read(text, &reading).unwrap_err().0
    };
    assert_eq!(whole(b"name;group\n"), "line 1: the columns are not separated by commas");
    assert_eq!(whole(b"bob,secret\n"), "line 1 is no header row: it has the name of no column");
    assert_eq!(whole(b"name,note2\n"), "line 1: there is no column \"note2\": did you mean \"note\"?");
    let long = format!("name,{}\n", "a".repeat(MAX_FIELD + 1));
    assert_eq!(whole(long.as_bytes()), format!("line 1: a field is longer than {MAX_FIELD} bytes"));
    assert_eq!(whole(b"name,name\n"), "line 1: the column name is there twice");
    assert_eq!(whole(b"group\n"), "line 1: the header row has no column \"name\"");
    assert_eq!(whole(b"name,note\na,b\nc,\xe9\n"), "line 3 is not UTF-8");
    assert!(whole(&vec![b'a'; MAX_FILE + 1]).contains("larger than 8 MiB"));
}

#[test]
fn text_after_a_closing_quote_is_an_error_of_its_line_only() {
    let text = "name,note\nalice,\"a\"b\nbob,\"ok\"\ncarol,\"c\" \n\n\"dora\"x,d\nerin,e\"f\n";
    let contents = read_as(Format::Csv, text);
    let names: Vec<_> = contents.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["bob", "erin"]);
    assert_eq!(
        faults(&contents),
        [
            (
                2,
                "",
                "text follows the closing quote at line 2, column 9; the field's quote began at line 2, column 7"
            ),
            (
                4,
                "",
                "text follows the closing quote at line 4, column 9; the field's quote began at line 4, column 7"
            ),
            (
                6,
                "",
                "text follows the closing quote at line 6, column 6; the field's quote began at line 6, column 1"
            ),
        ]
    );
}

#[test]
fn an_error_about_the_form_of_a_file_contains_no_part_of_a_password() {
    for text in [
        "name,password\na,\"one\"hunter2\n",
        "name,password\na,\"one\nb,\"hunter2\"\nc,\"hunter2\n",
        // A password with a comma, before and behind the name.
        "password,name\none,hunter2,a\n",
        "password,name\none,hunter2,\n",
        "name,password\na,one,hunter2\n",
        // The end of a field with a line end and no quotes.
        "name,password\na,one\nhunter2\n",
        "name,password,note\na,one\nhunter2,note\n",
        "password,name\n\"one\",hunter2,a\n",
    ] {
        let contents = read_as(Format::Csv, text);
        assert!(!contents.problems.is_empty(), "{text}");
        assert!(!format!("{:?}", contents.problems).contains("hunter"), "{:?}", contents.problems);
    }
    // No header row.
    for text in ["a,hunter2\n", "hunter2tail,bob\n", "a;hunter2\n", "hunter2\n"] {
        let reading = Reading { format: Format::Csv, server: None, weak: false, zone: TimeZone::UTC };
        let error = format!("{:?}", read(text.as_bytes(), &reading).unwrap_err());
        assert!(!error.contains("hunter"), "{error}");
    }
}

#[test]
fn a_missing_closing_quote_is_reported_where_the_quote_began() {
    let text = "name,note\nalice,\"a\nbob,\"b\"\ncarol,\"c\n";
    assert_eq!(
        faults(&read_as(Format::Csv, text)),
        [
            (
                2,
                "",
                "text follows the closing quote at line 3, column 5; the field's quote began at line 2, column 7"
            ),
            (4, "", "the quote at line 4, column 7 is not closed before the end of the file"),
        ]
    );
    let reading = Reading { format: Format::Csv, server: None, weak: false, zone: TimeZone::UTC };
    let whole = |text: &[u8]| read(text, &reading).unwrap_err().0;
    let open = "the quote at line 2, column 6 is not closed before the end of the file";
    assert_eq!(whole(b"\r\nname,\"note\nalice,a\n"), open);
    assert!(whole(b"\"name\"s,note\n").starts_with("text follows the closing quote at line 1, column 6"));
}

#[test]
fn a_file_with_too_many_lines_is_refused() {
    let contents = read_as(Format::Csv, &format!("name\n{}", "a\n".repeat(MAX_IMPORT + 5)));
    assert_eq!(contents.entries.len(), MAX_IMPORT);
    assert_eq!(contents.problems.len(), 1);
}

#[test]
fn chap_secrets_are_read_like_pppd_reads_them() {
    let text = "# Secrets for authentication using CHAP\n\
                # client\tserver\tsecret\tIP addresses\n\
                alice\tpptpd\tsecret#1\t10.99.0.7   # the fax\n\
                \"CORP\\\\bob\"  *  \"two words\"  *\n\
                'it''s' * a\\ b\\\"c\\x41\\101 *\n\
                carol \\\n  * continued\n\
                \n";
    let contents = read_as(Format::ChapSecrets, text);
    let expected = [
        ("alice", password("secret#1")),
        ("CORP\\bob", password("two words")),
        ("its", password("a b\"cAA")),
        ("carol", password("continued")),
    ];
    assert_eq!(secrets(&contents), expected);
    let found: Vec<_> = contents.entries.iter().map(|entry| (entry.line, entry.properties.address)).collect();
    assert_eq!(found, [(3, Some(Some([10, 99, 0, 7].into()))), (4, None), (5, None), (6, None)]);
}

#[test]
fn errors_in_chap_secrets_have_their_line() {
    let text = "alice\n* * secret *\nbob * @/etc/secret *\ncarol * \"\" *\ndora * x -\nerin * x 10.0.0.1 10.0.0.2\n\
                fay * x any\ngus * x * -- mtu 1400\nhal * \"open\nida * good\n";
    let contents = read_as(Format::ChapSecrets, text);
    assert_eq!(
        faults(&contents),
        [
            (1, "alice", "1 words; expected client, server, secret and addresses"),
            (2, "*", "the line is for every client"),
            (3, "bob", "the secret is in another file"),
            (4, "carol", "the secret is empty"),
            (5, "dora", "the line permits no address (-), so the account cannot be used"),
            (6, "erin", "2 addresses; an account has one fixed address, or none"),
            (7, "fay", "\"any\" is no IPv4 address"),
            (8, "gus", "the line has options of pppd after --"),
            (9, "", "a quote is not closed in its line"),
        ]
    );
    assert_eq!(contents.entries.len(), 1, "the line after an open quote is read");
}

#[test]
fn only_entries_of_the_selected_server_are_taken() {
    let reading =
        Reading { format: Format::ChapSecrets, server: Some("pptpd"), weak: true, zone: TimeZone::UTC };
    let contents = read(b"a pptpd x *\na l2tpd y *\nb * z *\n", &reading).unwrap();
    let names: Vec<_> = contents.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(contents.skipped, [(2, "for the server \"l2tpd\"".to_owned())]);
    assert!(matches!(contents.entries[0].secret, ImportSecret::Password { weak: true, .. }));
}

#[test]
fn hash_lists_of_three_forms_are_read() {
    // The NT hash of "clientPass" (RFC 2759 section 9.2).
    const HASH: &str = "44EBBA8D5312B8D611474411F56989AE";
    let lm = "X".repeat(32);
    let text = format!(
        "# comment\nalice:{HASH}\nbob:1001:aad3b435b51404eeaad3b435b51404ee:{}:::\n\
         carol:1000:{lm}:{HASH}:[UD         ]:LCT-5F000000:\nfax:7:{lm}:{lm}:[NU]:LCT-0:\n\
         PC7$:1002:{lm}:{HASH}:::\nwrong:abc\nthree:1:2\n",
        HASH.to_lowercase()
    );
    let contents = read_as(Format::NtHashes, &text);
    let hash = ImportSecret::NtHash(Password::new("clientPass").nt_hash());
    let found: Vec<_> = contents
        .entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.secret == hash, entry.properties.disabled.is_some()))
        .collect();
    assert_eq!(
        found,
        [("alice", true, false), ("bob", true, false), ("carol", true, true), ("fax", false, false)]
    );
    assert_eq!(contents.skipped.len(), 1);
    assert_eq!(faults(&contents)[0].2, "the NT hash has 3 characters; expected 32 hexadecimal digits");
    assert_eq!(faults(&contents)[1].0, 8);
}

/// Text that a note, a reason or a password can be: with everything that CSV quotes.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![Just(','), Just('"'), Just('\r'), Just('\n'), Just(' '), Just('='), any::<char>()],
        0..20,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

fn time() -> impl Strategy<Value = Timestamp> {
    (-1_000_000_000_000_i64..4_000_000_000_000).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
}

fn account() -> impl Strategy<Value = ExportedAccount> {
    let secret = prop_oneof![
        Just(ImportSecret::None),
        any::<[u8; 16]>().prop_map(|octets| ImportSecret::NtHash(NtHash::from_bytes(octets))),
        text().prop_filter("a password has a character", |text| !text.is_empty()).prop_map(|text| {
            ImportSecret::Password { password: Password::new(text), reversible: Some(true), weak: true }
        }),
    ];
    let network = (any::<u32>(), 1_u8..=32)
        .prop_map(|(address, prefix)| ipnet::Ipv4Net::new(address.into(), prefix).unwrap().trunc());
    let reach = (
        proptest::option::of("[a-z]{1,8}"),
        proptest::option::of(any::<u32>().prop_map(core::net::Ipv4Addr::from)),
        proptest::collection::vec(network, 0..3),
    );
    let rest =
        (proptest::option::of(time()), proptest::option::of(text()), any::<bool>(), any::<bool>(), text());
    (secret, "[a-z.@é\\\\]{1,12}", reach, rest, time(), time()).prop_map(
        |(
            secret,
            name,
            (group, address, networks),
            (expires, disabled, vpn, must_change, note),
            created,
            changed,
        )| {
            let reversible = matches!(secret, ImportSecret::Password { .. });
            let has_secret = secret != ImportSecret::None;
            let new = NewAccount { name, group, address, networks, expires, vpn, must_change, note };
            let password_changed = has_secret.then_some(changed);
            let account =
                Account { disabled, reversible, password_changed, ..new.into_account(None, created) };
            ExportedAccount { account, secret }
        },
    )
}

proptest! {
    #[test]
    fn an_export_is_read_without_loss(accounts in proptest::collection::vec(account(), 0..6)) {
        let csv = write_csv(&accounts, true);
        let contents = read_as(Format::Csv, &csv);
        prop_assert_eq!(&contents.problems, &[]);
        let read: Vec<ExportedAccount> = contents
            .entries
            .into_iter()
            .map(|entry| {
                let new = NewAccount::named(&entry.name).into_account(None, entry.created.unwrap());
                let reversible = matches!(entry.secret, ImportSecret::Password { reversible: Some(true), .. });
                let account = Account {
                    password_changed: entry.password_changed,
                    reversible,
                    ..entry.properties.apply(new)
                };
                ExportedAccount { account, secret: entry.secret }
            })
            .collect();
        prop_assert_eq!(&read, &accounts);
        let plain = read_as(Format::Csv, &write_csv(&accounts, false));
        prop_assert_eq!(&plain.problems, &[]);
        prop_assert!(plain.entries.iter().all(|entry| entry.secret == ImportSecret::None));
    }

    #[test]
    fn a_misplaced_quote_is_found_in_any_row(
        notes in proptest::collection::vec(text(), 1..6),
        row in any::<proptest::sample::Index>(),
        junk in any::<char>().prop_filter("ends a field", |c| !matches!(c, ',' | '"' | '\r' | '\n')),
    ) {
        let row = row.index(notes.len());
        let (mut with_junk, mut open, mut line) = ("name,note\n".to_owned(), String::new(), 0);
        for (index, note) in notes.iter().enumerate() {
            if index == row {
                line = with_junk.matches('\n').count() as u64 + 1;
            }
            with_junk += &format!("u{index},\"{}\"", note.replace('"', "\"\""));
            open.clone_from(&with_junk);
            if index == row {
                with_junk.push(junk);
            }
            with_junk.push('\n');
        }
        let contents = read_as(Format::Csv, &with_junk);
        prop_assert_eq!(contents.entries.len(), notes.len() - 1);
        prop_assert_eq!(contents.problems.len(), 1);
        prop_assert_eq!(contents.problems[0].line, line);
        let begin = format!("began at line {}, column 4", line);
        prop_assert!(contents.problems[0].message.ends_with(&begin), "{}", contents.problems[0].message);

        // The same file without its last quote, whether or not another row has an error.
        open.pop();
        let last = read_as(Format::Csv, &open).problems.pop().unwrap();
        let begin = format!("the quote at line {}, column 4 is not closed before the end of the file", last.line);
        prop_assert_eq!(last.message, begin);
    }
}
