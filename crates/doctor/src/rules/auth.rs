//! The rules of layer A: the login.

use adit_diag::{AuthMethod, Code};

use super::{Proof, Rule, words};
use crate::Seen;
use crate::facts::{AuthProtocol, Facts, Login, LoginVerdict};

pub(super) const RULES: &[Rule] = &[
    Rule::fault("auth-nak-loop", Code::A05, 95, |f| {
        let seen = f.auth.none.as_ref().filter(|_| !f.is_up())?;
        let proof = Proof::of(
            seen,
            format!("no method in common: the {} refused what was asked for", seen.what.refused_by),
        )?;
        let list = |methods: &[AuthProtocol]| {
            let methods: Vec<String> = methods.iter().map(ToString::to_string).collect();
            if methods.is_empty() { "nothing else".to_owned() } else { methods.join(", ") }
        };
        Some(proof.with(format!(
            "the server asks for {}; the client for {}",
            list(&f.auth.offered),
            list(&f.auth.wanted)
        )))
    }),
    Rule::fault("failure-646", Code::A06, 100, |f| refused(f, 646, |_| true)),
    Rule::fault("failure-647", Code::A10, 95, |f| refused(f, 647, |text| has(text, &["expire", "end date"]))),
    Rule::fault("failure-647", Code::A04, 95, |f| refused(f, 647, |text| has(text, &["lock"]))),
    Rule::fault("failure-647", Code::A02, 90, |f| refused(f, 647, |_| true)),
    Rule::fault("failure-648", Code::A03, 100, |f| refused(f, 648, |_| true)),
    Rule::fault("failure-649", Code::A08, 95, |f| refused(f, 649, |text| has(text, &["already", "session"]))),
    Rule::fault("failure-649", Code::A13, 95, |f| {
        refused(f, 649, |text| has(text, &["address", "network", "from here"]))
    }),
    Rule::fault("failure-649", Code::A11, 90, |f| refused(f, 649, |_| true)),
    Rule::fault("failure-691", Code::A04, 95, |f| refused(f, 691, |text| has(text, &["lock"]))),
    Rule::fault("failure-691", Code::A01, 90, |f| refused(f, 691, |_| true)),
    Rule::fault("failure-709", Code::A03, 100, |f| refused(f, 709, |_| true)),
    Rule::fault("failure-without-code", Code::A01, 70, |f| {
        let seen = login(f).filter(|seen| !matches!(seen.what.error, Some(646..=649 | 691 | 709)))?;
        Proof::of(seen, format!("the server refuses the login{}: {}", user(f), text(&seen.what)))
    }),
    Rule::fault("server-proof-wrong", Code::A12, 100, |f| {
        let seen = f.auth.proof_is_wrong.as_ref()?;
        Proof::of(seen, "the server accepted the login, and its own proof does not fit the password")
    }),
    Rule::fault("challenge-unanswered", Code::A14, 70, |f| {
        let unanswered = f.auth.challenges > 0 && f.auth.responses == 0 && f.auth.login.is_none();
        let seen = f.auth.silent.as_ref().filter(|_| unanswered && f.gre.stopped.is_none())?;
        Proof::missing(
            seen,
            format!("the client does not answer the challenge within {}", words::seconds(seen.what)),
        )
    }),
    Rule::fault("response-unanswered", Code::A07, 80, |f| unanswered(f, Some(true))),
    Rule::fault("response-unanswered", Code::A14, 60, |f| unanswered(f, None)),
    Rule::finding("auth-pap", Code::Q12, 100, |f| {
        let seen = f.auth.agreed.as_ref().filter(|method| method.what.is(AuthMethod::Pap))?;
        Proof::of(seen, "PAP: the password crosses in clear text")
    }),
    Rule::finding("auth-weak", Code::Q13, 100, |f| {
        let seen = f.auth.agreed.as_ref()?;
        let weak = seen.what.is(AuthMethod::ChapMd5) || seen.what.is(AuthMethod::MsChapV1);
        weak.then(|| Proof::of(seen, format!("{} is a weak method", seen.what)))?
    }),
];

fn login(facts: &Facts) -> Option<&Seen<Login>> {
    facts.auth.login.as_ref().filter(|seen| seen.what.verdict == LoginVerdict::Refused)
}

/// The server sent E=`error`, with a text that matches `kind`.
fn refused(facts: &Facts, error: u32, kind: fn(&str) -> bool) -> Option<Proof> {
    let seen = login(facts).filter(|seen| seen.what.error == Some(error) && kind(&seen.what.text))?;
    Proof::of(seen, format!("the server refuses the login{}: E={error}, {}", user(facts), text(&seen.what)))
}

fn has(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

fn text(login: &Login) -> String {
    if login.text.is_empty() { "without a text".to_owned() } else { format!("\"{}\"", login.text) }
}

fn user(facts: &Facts) -> String {
    facts.auth.shown_user().map_or(String::new(), |user| format!(" of {user}"))
}

/// The client's response was not answered; `lives`: echoes show that the path is open.
fn unanswered(facts: &Facts, lives: Option<bool>) -> Option<Proof> {
    let waits = facts.auth.responses > 0 && facts.auth.login.is_none() && facts.gre.stopped.is_none();
    let seen = facts.auth.silent.as_ref().filter(|_| waits && facts.auth.path_lives == lives)?;
    let waited = words::seconds(seen.what);
    Proof::missing(
        seen,
        match lives {
            Some(true) => {
                format!("the server says neither yes nor no within {waited}, though it answers LCP echoes")
            }
            _ => format!("the server says neither yes nor no within {waited}"),
        },
    )
}
