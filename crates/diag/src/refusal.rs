//! Why a login is refused: typed, with its code, its MS-CHAP number and its words in one table.

use core::fmt;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::Code;

/// Why an account source or the admission refuses a login. [`Display`](fmt::Display) is the sentence of the record: it
/// may say more than the client is sent, see [`client_message`](LoginRefusal::client_message).
///
/// Names are printable ([escaped](LoginRefusal::UnknownUser)) and bounded by the code that makes the value; times are seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LoginRefusal {
    /// No account can have the name that was sent.
    BadName {
        /// Completes nothing: a sentence, "the user name is empty".
        fault: String,
    },
    /// There is no such account.
    UnknownUser {
        /// The name that was looked for, escaped.
        name: String,
    },
    /// There is no such account, but there is one under the name without its domain.
    UnknownUserInThisForm {
        /// The name that was looked for, escaped.
        name: String,
        /// The account that there is.
        other: String,
        /// Where the domain stands.
        form: NameForm,
    },
    /// The account has no password to compare with.
    NoPassword {
        /// The account.
        user: String,
    },
    /// The proof does not fit the account's password.
    WrongPassword,
    /// A RADIUS server has rejected the login: a wrong password, an unknown user, or a rule of that server.
    RejectedByServer {
        /// The server, with its port.
        server: String,
        /// The message that it sent, escaped; may be empty.
        message: String,
    },
    /// CHAP-MD5 cannot be checked against a hash.
    NeedsReversiblePassword {
        /// The account.
        user: String,
    },
    /// The account has a second factor, and the password was not followed by a valid code.
    SecondFactor {
        /// The account.
        user: String,
        /// What is known about the code.
        fault: FactorFault,
    },
    /// Too many failed logins.
    Locked {
        /// The account.
        user: String,
        /// Seconds until it works again.
        left: u64,
    },
    /// As many failed logins of the account were checked in the last hour as may be.
    HourlyLimit {
        /// The account.
        user: String,
        /// Seconds until another login is checked.
        left: u64,
    },
    /// As many logins of the account are being checked as may fail.
    TooManyAtOnce {
        /// The account.
        user: String,
    },
    /// The address is banned after failed logins, and the account was not used from there recently.
    AddressBanned {
        /// The client's public address.
        from: IpAddr,
        /// Seconds until it works again.
        left: u64,
    },
    /// An administrator disabled the account.
    Disabled {
        /// The account.
        user: String,
        /// Why, in the administrator's words; may be empty.
        because: String,
    },
    /// The account is past its end.
    Expired {
        /// The account.
        user: String,
        /// Seconds since.
        ago: u64,
    },
    /// The account may not use the VPN at all.
    NoVpnPermission {
        /// The account.
        user: String,
    },
    /// The account may not log in at this time of day or week.
    LogonHours {
        /// The account.
        user: String,
    },
    /// The password has to be changed first.
    MustChangePassword {
        /// The account.
        user: String,
    },
    /// The password is older than allowed.
    PasswordExpired {
        /// The account.
        user: String,
        /// Its age in seconds.
        age: u64,
        /// The age that is allowed, in seconds.
        allowed: u64,
    },
    /// The client's packet that changes the password cannot be right (RFC 2759 section 7).
    BadPasswordChange {
        /// What is wrong with it.
        fault: String,
    },
    /// The new password breaks the rules for passwords.
    NewPasswordRefused {
        /// Which.
        fault: String,
    },
    /// The new password is good and could not be stored.
    NewPasswordNotStored {
        /// What the store said.
        fault: String,
    },
    /// The account may not log in from this address.
    SourceAddress {
        /// The account.
        user: String,
        /// The client's public address.
        from: IpAddr,
    },
    /// The account has as many sessions as it may have, and keeps them.
    SessionLimit {
        /// The account.
        user: String,
        /// How many it may have.
        limit: u32,
        /// Those that it has, oldest first.
        live: Vec<LiveSession>,
    },
}

/// What is known about the code of a second factor that was refused. The client learns nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FactorFault {
    /// Password or code is wrong: with MS-CHAP the server cannot know which.
    Wrong,
    /// The password is right, and no code follows it.
    Missing,
    /// Password and code are right, but the code, or a later one, was used before.
    Used,
    /// The user's group requires a second factor, and the account has none.
    NotEnrolled,
    /// The method needs the clear-text password, and only its NT hash is on file.
    NeedsReversiblePassword,
}

/// Where the domain stands in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NameForm {
    /// `DOMAIN\user`.
    Backslash,
    /// `user@realm`.
    At,
}

/// A session that counts against a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LiveSession {
    /// `s41`.
    pub session: String,
    /// Where its client calls from.
    pub from: IpAddr,
}

/// What follows from a reason: one row of the table.
struct Row {
    code: Code,
    /// `E=` of an MS-CHAP Failure (RFC 2759 section 6). It has six numbers; a reason without one gets the number whose
    /// words help the user most.
    mschap: u32,
    /// What the client is sent. The same for every reason from which a guesser could learn.
    client_message: &'static str,
}

const fn row(code: Code, mschap: u32, client_message: &'static str) -> Row {
    Row { code, mschap, client_message }
}

/// For a wrong name and a wrong password alike.
const FAILED: &str = "authentication failed";

impl LoginRefusal {
    const fn row(&self) -> Row {
        match self {
            LoginRefusal::BadName { .. } => row(Code::A01, 691, FAILED),
            LoginRefusal::UnknownUser { .. } => row(Code::A01, 691, FAILED),
            LoginRefusal::UnknownUserInThisForm { .. } => row(Code::A01, 691, FAILED),
            LoginRefusal::NoPassword { .. } => row(Code::A01, 691, FAILED),
            LoginRefusal::WrongPassword => row(Code::A01, 691, FAILED),
            LoginRefusal::RejectedByServer { .. } => row(Code::A01, 691, FAILED),
            LoginRefusal::NeedsReversiblePassword { .. } => row(Code::A05, 691, FAILED),
            LoginRefusal::SecondFactor { fault: FactorFault::NeedsReversiblePassword, .. } => {
                row(Code::A05, 691, FAILED)
            }
            LoginRefusal::SecondFactor { .. } => row(Code::A01, 691, FAILED),
            LoginRefusal::Locked { .. } => row(Code::A04, 691, FAILED),
            LoginRefusal::HourlyLimit { .. } => row(Code::A04, 691, FAILED),
            LoginRefusal::TooManyAtOnce { .. } => row(Code::A04, 691, FAILED),
            LoginRefusal::AddressBanned { .. } => row(Code::A04, 691, FAILED),
            LoginRefusal::Disabled { .. } => row(Code::A02, 647, "the account is disabled"),
            LoginRefusal::Expired { .. } => row(Code::A10, 647, "the account is disabled"),
            LoginRefusal::NoVpnPermission { .. } => row(Code::A11, 649, "no permission"),
            LoginRefusal::LogonHours { .. } => row(Code::A06, 646, "not at this hour"),
            LoginRefusal::MustChangePassword { .. } => row(Code::A03, 648, "the password has expired"),
            LoginRefusal::PasswordExpired { .. } => row(Code::A03, 648, "the password has expired"),
            LoginRefusal::BadPasswordChange { .. } => row(Code::A03, 709, "the password has expired"),
            LoginRefusal::NewPasswordRefused { .. } => row(Code::A03, 709, "the new password is refused"),
            LoginRefusal::NewPasswordNotStored { .. } => row(Code::A03, 709, "the new password is refused"),
            LoginRefusal::SourceAddress { .. } => row(Code::A13, 649, "no permission"),
            LoginRefusal::SessionLimit { .. } => row(Code::A08, 649, "already connected"),
        }
    }

    /// The catalogue's code.
    pub const fn code(&self) -> Code {
        self.row().code
    }

    /// `E=` of an MS-CHAP Failure (RFC 2759 section 6).
    pub const fn mschap_error(&self) -> u32 {
        self.row().mschap
    }

    /// What the client is sent.
    pub const fn client_message(&self) -> &'static str {
        self.row().client_message
    }
}

impl fmt::Display for LoginRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoginRefusal::BadName { fault } => f.write_str(fault),
            LoginRefusal::UnknownUser { name } => write!(f, "unknown user: no account \"{name}\""),
            LoginRefusal::UnknownUserInThisForm { name, other, form } => {
                write!(f, "unknown user: no account \"{name}\", but there is \"{other}\": ")?;
                f.write_str(match form {
                    NameForm::Backslash => "auth.domain = \"strip\" takes the domain off",
                    NameForm::At => "the user has to give the name without @",
                })
            }
            LoginRefusal::NoPassword { user } => {
                write!(f, "the account {user} has no password yet (adit user passwd {user})")
            }
            LoginRefusal::WrongPassword => f.write_str("wrong password"),
            LoginRefusal::RejectedByServer { server, message } => {
                write!(f, "the RADIUS server {server} has rejected the login")?;
                if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
            }
            LoginRefusal::NeedsReversiblePassword { user } => write!(
                f,
                "CHAP-MD5 needs the clear-text password and only its NT hash is on file: \
                 adit user passwd {user} --reversible"
            ),
            LoginRefusal::SecondFactor { user, fault } => match fault {
                FactorFault::Wrong => {
                    write!(
                        f,
                        "wrong password or code: {user} has a second factor, so the code follows the password"
                    )
                }
                FactorFault::Missing => {
                    write!(
                        f,
                        "the code is missing: {user} has a second factor, so the code follows the password"
                    )
                }
                FactorFault::Used => write!(f, "the code of {user} was used before: the next one is valid"),
                FactorFault::NotEnrolled => {
                    write!(f, "{user} needs a second factor and has none: adit user mfa enroll {user}")
                }
                FactorFault::NeedsReversiblePassword => write!(
                    f,
                    "the second factor needs the clear-text password and only its NT hash is on file: \
                     adit user passwd {user} --reversible"
                ),
            },
            LoginRefusal::Locked { user, left } => {
                write!(f, "{user} is locked for another {left} s after failed logins")
            }
            LoginRefusal::HourlyLimit { user, left } => {
                write!(
                    f,
                    "too many failed logins of {user} within an hour: none is checked for another {left} s"
                )
            }
            LoginRefusal::TooManyAtOnce { user } => {
                write!(f, "as many logins of {user} are being checked as may fail")
            }
            LoginRefusal::AddressBanned { from, left } => {
                write!(f, "{from} is banned for another {left} s after failed logins")
            }
            LoginRefusal::Disabled { user, because } if because.is_empty() => write!(f, "{user} is disabled"),
            LoginRefusal::Disabled { user, because } => write!(f, "{user} is disabled: {because}"),
            LoginRefusal::Expired { user, ago } => write!(f, "{user} expired {} ago", Days(*ago)),
            LoginRefusal::NoVpnPermission { user } => write!(f, "{user} has no VPN permission"),
            LoginRefusal::LogonHours { user } => write!(f, "{user} may not log in at this hour"),
            LoginRefusal::MustChangePassword { user } => write!(f, "{user} must change the password"),
            LoginRefusal::PasswordExpired { user, age, allowed } => {
                write!(f, "the password of {user} is {} old, {} is allowed", Days(*age), Days(*allowed))
            }
            LoginRefusal::BadPasswordChange { fault } => write!(f, "password change refused: {fault}"),
            LoginRefusal::NewPasswordRefused { fault } => write!(f, "the new password is refused: {fault}"),
            LoginRefusal::NewPasswordNotStored { fault } => {
                write!(f, "the new password could not be stored: {fault}")
            }
            LoginRefusal::SourceAddress { user, from } => write!(f, "{user} may not call from {from}"),
            LoginRefusal::SessionLimit { user, limit, live } => {
                write!(f, "{user} already has {} of {limit} sessions", live.len())?;
                for (n, LiveSession { session, from }) in live.iter().enumerate() {
                    write!(f, "{} {session} from {from}", if n == 0 { ":" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

/// A length of time for people, in days or less.
struct Days(u64);

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds @ 0..120 => write!(f, "{seconds} s"),
            seconds @ 120..7_200 => write!(f, "{} min", seconds / 60),
            seconds @ 7_200..172_800 => write!(f, "{} h", seconds / 3_600),
            seconds => write!(f, "{} days", seconds / 86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every() -> Vec<LoginRefusal> {
        let user = || "alice".to_owned();
        let text = || "why".to_owned();
        let from = IpAddr::from([203, 0, 113, 7]);
        vec![
            LoginRefusal::BadName { fault: "the user name is empty".to_owned() },
            LoginRefusal::UnknownUser { name: user() },
            LoginRefusal::UnknownUserInThisForm {
                name: "corp\\\\alice".to_owned(),
                other: user(),
                form: NameForm::Backslash,
            },
            LoginRefusal::UnknownUserInThisForm {
                name: "alice@corp".to_owned(),
                other: user(),
                form: NameForm::At,
            },
            LoginRefusal::NoPassword { user: user() },
            LoginRefusal::WrongPassword,
            LoginRefusal::RejectedByServer { server: "10.0.0.7:1812".to_owned(), message: text() },
            LoginRefusal::NeedsReversiblePassword { user: user() },
            LoginRefusal::SecondFactor { user: user(), fault: FactorFault::Wrong },
            LoginRefusal::SecondFactor { user: user(), fault: FactorFault::Missing },
            LoginRefusal::SecondFactor { user: user(), fault: FactorFault::Used },
            LoginRefusal::SecondFactor { user: user(), fault: FactorFault::NotEnrolled },
            LoginRefusal::SecondFactor { user: user(), fault: FactorFault::NeedsReversiblePassword },
            LoginRefusal::Locked { user: user(), left: 90 },
            LoginRefusal::HourlyLimit { user: user(), left: 90 },
            LoginRefusal::TooManyAtOnce { user: user() },
            LoginRefusal::AddressBanned { from, left: 90 },
            LoginRefusal::Disabled { user: user(), because: "left in May".to_owned() },
            LoginRefusal::Disabled { user: user(), because: String::new() },
            LoginRefusal::Expired { user: user(), ago: 7_200 },
            LoginRefusal::NoVpnPermission { user: user() },
            LoginRefusal::LogonHours { user: user() },
            LoginRefusal::MustChangePassword { user: user() },
            LoginRefusal::PasswordExpired { user: user(), age: 8_640_000, allowed: 119 },
            LoginRefusal::BadPasswordChange { fault: text() },
            LoginRefusal::NewPasswordRefused { fault: text() },
            LoginRefusal::NewPasswordNotStored { fault: text() },
            LoginRefusal::SourceAddress { user: user(), from },
            LoginRefusal::SessionLimit {
                user: user(),
                limit: 2,
                live: vec![
                    LiveSession { session: "s4".to_owned(), from },
                    LiveSession { session: "s9".to_owned(), from },
                ],
            },
        ]
    }

    #[test]
    fn every_reason_reads_as_a_sentence() {
        let lines: Vec<String> = every().iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "the user name is empty",
                "unknown user: no account \"alice\"",
                "unknown user: no account \"corp\\\\alice\", but there is \"alice\": auth.domain = \"strip\" takes the domain off",
                "unknown user: no account \"alice@corp\", but there is \"alice\": the user has to give the name without @",
                "the account alice has no password yet (adit user passwd alice)",
                "wrong password",
                "the RADIUS server 10.0.0.7:1812 has rejected the login: why",
                "CHAP-MD5 needs the clear-text password and only its NT hash is on file: adit user passwd alice --reversible",
                "wrong password or code: alice has a second factor, so the code follows the password",
                "the code is missing: alice has a second factor, so the code follows the password",
                "the code of alice was used before: the next one is valid",
                "alice needs a second factor and has none: adit user mfa enroll alice",
                "the second factor needs the clear-text password and only its NT hash is on file: adit user passwd alice --reversible",
                "alice is locked for another 90 s after failed logins",
                "too many failed logins of alice within an hour: none is checked for another 90 s",
                "as many logins of alice are being checked as may fail",
                "203.0.113.7 is banned for another 90 s after failed logins",
                "alice is disabled: left in May",
                "alice is disabled",
                "alice expired 2 h ago",
                "alice has no VPN permission",
                "alice may not log in at this hour",
                "alice must change the password",
                "the password of alice is 100 days old, 119 s is allowed",
                "password change refused: why",
                "the new password is refused: why",
                "the new password could not be stored: why",
                "alice may not call from 203.0.113.7",
                "alice already has 2 of 2 sessions: s4 from 203.0.113.7, s9 from 203.0.113.7",
            ]
        );
    }

    #[test]
    fn every_reason_survives_json() {
        for reason in every() {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(serde_json::from_str::<LoginRefusal>(&json).unwrap(), reason, "{json}");
        }
        let json = serde_json::to_string(&LoginRefusal::WrongPassword).unwrap();
        assert_eq!(json, r#""wrong-password""#);
    }

    #[test]
    fn code_and_number_follow_from_the_reason() {
        let numbers = |code| match code {
            Code::A01 | Code::A04 | Code::A05 => &[691][..],
            Code::A02 | Code::A10 => &[647],
            Code::A03 => &[648, 709],
            Code::A06 => &[646],
            Code::A08 | Code::A11 | Code::A13 => &[649],
            other => panic!("{other} is not of a refused login"),
        };
        for reason in every() {
            assert!(numbers(reason.code()).contains(&reason.mschap_error()), "{reason}");
        }
    }

    #[test]
    fn an_unknown_name_a_wrong_password_and_a_lock_look_the_same_to_the_client() {
        let wrong = LoginRefusal::WrongPassword;
        let is_alike = |reason: &LoginRefusal| matches!(reason.code(), Code::A01 | Code::A04);
        for reason in every().into_iter().filter(is_alike) {
            assert_eq!(
                (reason.client_message(), reason.mschap_error()),
                (wrong.client_message(), wrong.mschap_error()),
                "{reason}"
            );
        }
    }
}
