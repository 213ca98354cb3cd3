//! Conclusions from the attempts of one user.

use std::net::IpAddr;

use adit_diag::{Code, Layer, Recorded};
use jiff::Timestamp;

/// This many consecutive refusals from one address are not a typing error.
const IN_A_ROW: usize = 3;

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) at: Timestamp,
    pub(super) from: Option<IpAddr>,
    pub(super) session: Option<String>,
    /// Why it failed; `None` if the call came up.
    pub(super) code: Option<Recorded<Code>>,
    pub(super) detail: String,
    /// Whether no name was sent: the user is then inferred from the address.
    pub(super) nameless: bool,
    /// Whether it carried traffic before it ended.
    pub(super) was_up: bool,
}

impl Attempt {
    fn code(&self) -> Option<Code> {
        self.code.as_ref()?.known()
    }

    fn is(&self, code: Code) -> bool {
        self.code() == Some(code)
    }

    fn came_up(&self) -> bool {
        self.code.is_none()
    }
}

/// Known facts about a user.
pub(super) struct Known<'a> {
    /// Whether there is an account.
    pub(super) exists: bool,
    /// Why the state of the account prevents a login now.
    pub(super) refused: Option<(Code, String)>,
    /// Without an account: the one that was probably meant.
    pub(super) near: Option<String>,
    /// When the password was set.
    pub(super) password_changed: Option<Timestamp>,
    /// Whether a session of the account is active.
    pub(super) up: bool,
    /// The attempts, newest first.
    pub(super) attempts: &'a [Attempt],
}

/// A conclusion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) code: Option<Code>,
    pub(super) text: String,
    /// What to do about it.
    pub(super) fix: String,
}

fn meaning(code: Code, text: impl Into<String>, fix: impl Into<String>) -> Meaning {
    Meaning { code: Some(code), text: text.into(), fix: fix.into() }
}

/// The conclusions, most relevant first.
pub(super) fn of(known: &Known<'_>) -> Vec<Meaning> {
    let mut found = Vec::new();
    if !known.exists {
        found.push(unknown_user(known));
        return found;
    }
    if let Some((code, text)) = &known.refused {
        let fix = format!("{}; adit explain {code}", allow(*code));
        found.push(meaning(*code, format!("{text}: no call can come up now, whatever the password"), fix));
    }
    let failures: Vec<&Attempt> = known.attempts.iter().take_while(|attempt| !attempt.came_up()).collect();
    match failures.as_slice() {
        [] if known.attempts.is_empty() => found.push(Meaning {
            code: None,
            text: "no call under this name has ever reached the login, or it is too long ago".to_owned(),
            fix: "adit log --failed --layer C,G for calls that ended before a name was sent; \
                  from the client: adit doctor HOST"
                .to_owned(),
        }),
        [] if found.is_empty() => {
            let text = if known.up { "connected now" } else { "the last call came up" };
            found.push(Meaning { code: None, text: text.to_owned(), fix: String::new() });
        }
        [] => {}
        [newest, ..] => found.extend(failing(known, newest, &failures)),
    }
    found
}

fn unknown_user(known: &Known<'_>) -> Meaning {
    let tries = known.attempts.len();
    let calls = if tries == 1 { "1 call".to_owned() } else { format!("{tries} calls") };
    match &known.near {
        Some(near) => meaning(
            Code::A01,
            format!("{calls} with a name that no account has; \"{near}\" was probably meant"),
            format!("the user gives the name {near} in the connection's settings; adit explain user {near}"),
        ),
        None => meaning(
            Code::A01,
            format!("{calls} with a name that no account has: a guesser, or a former user"),
            "adit user add NAME, if the name is right; else nothing".to_owned(),
        ),
    }
}

/// How to permit the account to log in again.
fn allow(code: Code) -> &'static str {
    match code {
        Code::A01 => "adit user passwd NAME",
        Code::A02 => "adit user enable NAME, if that is over",
        Code::A04 => {
            "adit user unlock NAME --from ADDRESS for one address, adit user unlock NAME for all, or wait"
        }
        Code::A10 => "adit user set NAME --expires DATE",
        Code::A03 => "a new password: the client asks for one, or adit user passwd NAME",
        _ => "adit user show NAME",
    }
}

/// The conclusions if the newest calls failed.
fn failing(known: &Known<'_>, newest: &Attempt, failures: &[&Attempt]) -> Vec<Meaning> {
    let Some(code) = newest.code() else { return Vec::new() };
    // The state of the account already explains this code.
    if known.refused.as_ref().is_some_and(|(refused, _)| *refused == code) {
        return Vec::new();
    }
    let from = newest.from.map_or_else(|| "somewhere".to_owned(), |from| from.to_string());
    let here = failures.iter().filter(|attempt| attempt.from == newest.from && attempt.is(code)).count();
    let elsewhere = known.attempts.iter().find(|attempt| attempt.came_up() && attempt.from != newest.from);
    let here_before = known.attempts.iter().find(|attempt| attempt.came_up() && attempt.from == newest.from);
    let times = if here == 1 { "once".to_owned() } else { format!("{here} times") };
    vec![match (code, code.layer()) {
        (Code::A01, _) => password(known, newest, here, &from),
        (Code::G05, _) => meaning(
            code,
            format!("the call was up, and GRE stopped on the way to {from}: a router forgot it"),
            "link.echo with a shorter \"every\" keeps the state of routers alive; adit explain G05",
        ),
        (Code::G06, _) => meaning(
            code,
            format!("another client calls from {from} too, and the router there cannot tell them apart"),
            "PPTP passthrough on in that router, or one call at a time; adit explain G06",
        ),
        (_, Layer::Gre | Layer::Lcp) if here_before.is_some() => {
            let other = elsewhere.and_then(|attempt| attempt.from);
            let works = other.map(|other| format!(", while it does from {other}")).unwrap_or_default();
            meaning(
                code,
                format!(
                    "from {from} it worked before, and now the tunnel does not come up ({times}){works}: \
                     something changed on the way"
                ),
                "restart the router there; was a firewall changed here? adit doctor --server",
            )
        }
        (_, Layer::Gre | Layer::Lcp) if elsewhere.is_some() => {
            let other = elsewhere.and_then(|attempt| attempt.from).map(|from| from.to_string());
            meaning(
                code,
                format!(
                    "from {from} the tunnel does not come up ({times}), from {} it does: the network at {from} \
                     is the fault, not the account nor this server",
                    other.unwrap_or_default()
                ),
                format!("the router at {from}: PPTP passthrough on. From that network: adit doctor HOST"),
            )
        }
        (_, Layer::Encrypt) => meaning(
            code,
            format!("the password is right; client and server want another encryption ({times})"),
            format!("in the client: \"Require encryption\"; adit explain {code}"),
        ),
        (Code::A05, _) => meaning(
            code,
            format!("the client at {from} offers no way of login that this server takes ({times})"),
            "allow Microsoft CHAP Version 2 in the client's settings; adit explain A05",
        ),
        (Code::A08, _) => meaning(
            code,
            "a session of this user is up already, and the rules allow no more",
            "adit sessions; adit kick NAME ends it; access.sessions and access.on_second are the rules",
        ),
        _ => meaning(
            code,
            format!("{} ({times} from {from})", code.title().to_lowercase_first()),
            format!(
                "adit explain {code}; the whole call: adit session {}",
                newest.session.as_deref().unwrap_or("ID")
            ),
        ),
    }]
}

/// The conclusion about a refused password.
fn password(known: &Known<'_>, newest: &Attempt, here: usize, from: &str) -> Meaning {
    let came_up = known.attempts.iter().find(|attempt| attempt.came_up());
    let changed = known.password_changed;
    let since_change = came_up.is_some_and(|up| changed.is_some_and(|changed| changed > up.at));
    let device =
        known.attempts.iter().find(|attempt| attempt.came_up() && attempt.from == newest.from).is_some();
    let (text, fix) = match (here >= IN_A_ROW, came_up) {
        (_, Some(_)) if since_change => (
            format!(
                "the password was changed after the last login that worked; the device at {from} sends the old one"
            ),
            "delete the saved password on that device, and type the new one",
        ),
        (true, Some(_)) if device => (
            format!(
                "{here} wrong passwords in a row from {from}, where the login worked before: probably a saved one \
                 that is out of date"
            ),
            "delete the saved password on that device, and type it anew",
        ),
        (true, _) => (
            format!(
                "{here} wrong passwords in a row from {from}, where no login ever worked: a device with an old \
                     password, or a guesser"
            ),
            "ask the user whether that address is theirs; if not: limits.calls_per_minute_per_address, a firewall",
        ),
        (false, Some(_)) => (
            format!("a wrong password from {from}; the login worked before"),
            "type it anew; caps lock and keyboard layout are the usual reasons",
        ),
        (false, None) => (
            format!("a wrong password from {from}, and no login ever worked"),
            "adit user passwd NAME, and type the new one on the client",
        ),
    };
    meaning(Code::A01, text, fix)
}

/// Titles in the middle of a sentence.
trait LowercaseFirst {
    fn to_lowercase_first(&self) -> String;
}

impl LowercaseFirst for str {
    /// The title without its capital, unless it begins with a name or an abbreviation.
    fn to_lowercase_first(&self) -> String {
        let mut chars = self.chars();
        match (chars.next(), self.chars().nth(1)) {
            (Some(first), Some(second)) if second.is_lowercase() => {
                first.to_lowercase().chain(chars).collect()
            }
            _ => self.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + hour * 3600).unwrap()
    }

    fn attempt(hour: i64, from: u8, code: Option<&str>) -> Attempt {
        Attempt {
            at: at(hour),
            from: Some([203, 0, 113, from].into()),
            session: Some(format!("s{hour}")),
            code: code.map(|code| code.to_owned().into()),
            detail: String::new(),
            nameless: false,
            was_up: false,
        }
    }

    fn all(attempts: &[Attempt], password_changed: Option<Timestamp>) -> Vec<Meaning> {
        of(&Known { exists: true, refused: None, near: None, password_changed, up: false, attempts })
    }

    #[track_caller]
    fn only(attempts: &[Attempt], password_changed: Option<Timestamp>) -> (Option<Code>, String) {
        let found = all(attempts, password_changed);
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].code, found[0].text.clone())
    }

    #[test]
    fn a_stale_saved_password() {
        let a01 = |hour| attempt(hour, 7, Some("A01"));
        let tries = [a01(30), a01(29), a01(28), attempt(5, 7, None)];
        let (code, text) = only(&tries, Some(at(0)));
        assert_eq!(code, Some(Code::A01));
        assert!(text.starts_with("3 wrong passwords in a row") && text.contains("out of date"), "{text}");
        let (_, text) = only(&tries, Some(at(10)));
        assert!(text.contains("was changed after the last login"), "{text}");
        let (_, text) = only(&[a01(1)], Some(at(0)));
        assert!(text.contains("no login ever worked"), "{text}");
        let guesses = [a01(3), a01(2), a01(1), attempt(0, 8, None)];
        assert!(only(&guesses, None).1.contains("a guesser"));
    }

    #[test]
    fn gre_that_works_from_another_network() {
        let (code, text) = only(&[attempt(3, 77, Some("G01")), attempt(2, 7, None)], None);
        assert_eq!(code, Some(Code::G01));
        assert!(text.contains("the network at 203.0.113.77 is the fault"), "{text}");
        let (_, text) = only(&[attempt(3, 7, Some("G02")), attempt(2, 7, None)], None);
        assert!(text.contains("it worked before"), "{text}");
    }

    #[test]
    fn the_state_of_the_account_comes_first_and_once() {
        let tries = [attempt(3, 7, Some("A02"))];
        let refused = Some((Code::A02, "alice is disabled: left".to_owned()));
        let known =
            Known { exists: true, refused, near: None, password_changed: None, up: false, attempts: &tries };
        let found = of(&known);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].text.starts_with("alice is disabled: left"));
    }

    #[test]
    fn what_works_and_what_never_came() {
        assert_eq!(only(&[attempt(1, 7, None)], None), (None, "the last call came up".to_owned()));
        assert!(only(&[], None).1.contains("no call under this name"));
    }

    #[test]
    fn every_code_of_a_call_has_a_word() {
        for code in Code::ALL {
            let found = all(&[attempt(1, 7, Some(code.as_str()))], None);
            assert!(found.iter().all(|one| !one.text.is_empty() && !one.fix.is_empty()), "{code}");
            assert_eq!(found.len(), 1);
        }
        assert!(all(&[attempt(1, 7, Some("Z99"))], None).is_empty(), "a code of a newer adit");
    }

    #[test]
    fn a_name_of_no_account() {
        let tries = [attempt(1, 7, Some("A01"))];
        let known = Known {
            exists: false,
            refused: None,
            near: Some("bob".to_owned()),
            password_changed: None,
            up: false,
            attempts: &tries,
        };
        assert!(of(&known)[0].text.contains("\"bob\" was probably meant"));
    }
}
