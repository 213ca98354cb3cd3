//! User names: as a peer sends them, and as accounts are found by them.

use core::fmt;

use adit_diag::{Code, Diagnostic};

/// The longest account name, in characters.
pub const MAX_NAME: usize = 64;

/// What happens to the domain part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainRule {
    /// `CORP\bob` is bob. An `@` is part of the name.
    Strip,
    /// `CORP\bob` and bob are two accounts.
    Keep,
    /// Only `CORP\bob` or `bob@CORP` may come in, upper or lower case; it is bob.
    Require(String),
}

/// A name that came in, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginName {
    /// What accounts are found by, see [`key`].
    pub key: String,
    /// The domain as it was sent.
    pub domain: Option<String>,
}

impl fmt::Display for LoginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

/// The form in which names are compared: lower case, as Windows users expect. MS-CHAP hashes the name as
/// it was sent, so the form changes no proof.
pub fn key(name: &str) -> String {
    name.to_lowercase()
}

/// Takes a name from the network apart. Errors: A01 when it cannot be an account's name.
pub fn login_name(sent: &[u8], rule: &DomainRule) -> Result<LoginName, Diagnostic> {
    let refuse = |why: &str| Err(Diagnostic::new(Code::A01).message(why).with("reason", "name"));
    let Ok(text) = core::str::from_utf8(sent) else {
        return refuse("the user name is not UTF-8");
    };
    let (domain, user) = match text.split_once('\\') {
        Some((domain, user)) => (Some(domain), user),
        None => (None, text),
    };
    let (domain, user) = match rule {
        DomainRule::Strip => (domain, user),
        DomainRule::Keep => (domain, text),
        DomainRule::Require(wanted) => {
            let parts = match domain {
                Some(domain) => Some((domain, user)),
                None => user.rsplit_once('@').map(|(user, domain)| (domain, user)),
            };
            match parts {
                Some((domain, user)) if same(domain, wanted) => (Some(domain), user),
                _ => return refuse(&format!("the user name lacks the domain {wanted}\\")),
            }
        }
    };
    let user = key(user);
    match valid(&user, *rule == DomainRule::Keep) {
        Ok(()) => Ok(LoginName { key: user, domain: domain.map(str::to_owned) }),
        Err(fault) => refuse(&format!("the user name {fault}")),
    }
}

/// Whether an account may have this name. The error completes "the name ...".
pub fn check(name: &str) -> Result<(), &'static str> {
    valid(name, true)
}

/// Whether a new account may have this name: commands must be able to select it, and a login must be able to reach it.
/// Accounts that have another name already are kept. The error completes "the name ...".
pub fn check_new(name: &str, rule: &DomainRule) -> Result<(), &'static str> {
    check(name)?;
    if name.chars().any(adit_diag::is_unprintable) {
        return Err("has a character that cannot be seen");
    }
    if is_selector(name) {
        return Err("selects sessions in commands such as adit kick: all, s and a number, or an address");
    }
    match rule {
        DomainRule::Keep => Ok(()),
        DomainRule::Strip | DomainRule::Require(_) if !name.contains('\\') => Ok(()),
        DomainRule::Strip => {
            Err("has a domain, which auth.domain = \"strip\" removes at each login: it can never log in")
        }
        DomainRule::Require(_) => {
            Err("has a domain, which auth.domain removes at each login: it can never log in")
        }
    }
}

/// Whether a command takes the name for something else: `all`, the ID of a session, an address.
fn is_selector(name: &str) -> bool {
    let name = key(name);
    let is_id = |digits: &str| !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    name == "all" || name.strip_prefix('s').is_some_and(is_id) || name.parse::<core::net::IpAddr>().is_ok()
}

fn valid(name: &str, backslash: bool) -> Result<(), &'static str> {
    let length = name.chars().count();
    if length == 0 {
        return Err("is empty");
    }
    if length > MAX_NAME {
        return Err("is longer than 64 characters");
    }
    // What separates fields in logs, in filters and in imported files cannot be part of a name.
    let separator = |c: char| c.is_control() || c.is_whitespace() || "\"':,;=*/<>|".contains(c);
    if name.chars().any(separator) {
        return Err("has a space or one of \" ' : , ; = * / < > |");
    }
    match name.matches('\\').count() {
        0 => Ok(()),
        1 if backslash && !name.starts_with('\\') && !name.ends_with('\\') => Ok(()),
        _ => Err("has a backslash that is not between a domain and a user"),
    }
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sent: &str, rule: &DomainRule) -> Option<String> {
        login_name(sent.as_bytes(), rule).ok().map(|name| name.key)
    }

    #[test]
    fn strip_keep_require() {
        let require = DomainRule::Require("Corp".into());
        for (sent, strip, keep, required) in [
            ("bob", Some("bob"), Some("bob"), None),
            ("CORP\\Bob", Some("bob"), Some("corp\\bob"), Some("bob")),
            ("OTHER\\bob", Some("bob"), Some("other\\bob"), None),
            ("bob@corp", Some("bob@corp"), Some("bob@corp"), Some("bob")),
            ("", None, None, None),
            ("CORP\\", None, None, None),
            ("a\\b\\c", None, None, None),
            ("bo b", None, None, None),
            ("BÖB", Some("böb"), Some("böb"), None),
        ] {
            assert_eq!(read(sent, &DomainRule::Strip).as_deref(), strip, "{sent} strip");
            assert_eq!(read(sent, &DomainRule::Keep).as_deref(), keep, "{sent} keep");
            assert_eq!(read(sent, &require).as_deref(), required, "{sent} require");
        }
    }

    #[test]
    fn the_record_has_the_error_in_a_name() {
        let refused = login_name(b"bob", &DomainRule::Require("CORP".into())).unwrap_err();
        assert_eq!(refused.code, Code::A01);
        assert_eq!(refused.message, "the user name lacks the domain CORP\\");
        assert!(login_name(&[0xff, 0xfe], &DomainRule::Strip).is_err());
        assert!(login_name(&[b'a'; 65], &DomainRule::Strip).is_err());
        assert!(login_name(&[b'a'; 64], &DomainRule::Strip).is_ok());
    }

    #[test]
    fn a_new_account_can_be_selected_and_can_log_in() {
        let require = DomainRule::Require("CORP".into());
        for (name, strip, keep, required) in [
            ("bob", true, true, true),
            ("s.smith", true, true, true),
            ("bo\u{200b}b", false, false, false),
            ("\u{202e}bob", false, false, false),
            ("sam", true, true, true),
            ("s", true, true, true),
            ("bob@corp", true, true, true),
            ("CORP\\bob", false, true, false),
            ("all", false, false, false),
            ("ALL", false, false, false),
            ("s1", false, false, false),
            ("S0042", false, false, false),
            ("10.99.0.14", false, false, false),
            ("a b", false, false, false),
        ] {
            let fits = |rule: &DomainRule| check_new(name, rule).is_ok();
            let found = (fits(&DomainRule::Strip), fits(&DomainRule::Keep), fits(&require));
            assert_eq!(found, (strip, keep, required), "{name}");
            // A name that is accepted is the one by which a login with it is found.
            if keep {
                assert_eq!(read(name, &DomainRule::Keep), Some(key(name)));
            }
        }
    }

    #[test]
    fn account_names() {
        assert_eq!(check("old.fax"), Ok(()));
        assert_eq!(check("corp\\bob"), Ok(()));
        for name in ["", "a b", "a:b", "\\bob", "bob\\", "a\nb"] {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}
