//! Requests.

use serde::{Deserialize, Serialize};

use crate::{accounts, bans, history, log, pools};

/// A request to the service. As JSON `{"command":"kick","with":{...}}`: the command is the first field, so that the
/// decoder reads the rest in place, without an intermediate copy that would retain a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", content = "with", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Identify the server and its database.
    Identity,
    /// Show the status of the server.
    Status,
    /// List all sessions, including those in set-up.
    Sessions,
    /// Show a session with its record.
    Session {
        /// Session ID (`s41`), user name, or inner address.
        selector: String,
    },
    /// End sessions.
    Kick {
        /// Session ID (`s41`), user name, inner address, `from:ADDRESS`, `group:NAME` or `all`.
        selector: String,
        /// The reason, for the log.
        reason: String,
        /// Only report which sessions would be ended.
        dry_run: bool,
    },
    /// Read the configuration again and apply it to new calls.
    Reload,
    /// Refuse new calls and keep active sessions; `false` accepts calls again.
    Drain {
        /// Whether to drain.
        on: bool,
    },
    /// End all sessions in order and stop.
    Stop,
    /// A request about accounts.
    Accounts(accounts::Request),
    /// A request about banned addresses.
    Bans(bans::Request),
    /// A request about pools.
    Pools(pools::Request),
    /// A request about past sessions.
    History(history::Request),
    /// Read stored events.
    Log(log::Filter),
    /// Follow new events. The response is a sequence of [`crate::Response::Followed`] until the caller disconnects.
    Follow(log::Filter),
}

impl Request {
    /// Whether the request, carried out, changes accounts, bans or leases: this requires more rights than operating the server.
    pub fn changes_store(&self) -> bool {
        match self {
            Request::Accounts(request) => request.is_change(),
            Request::Bans(request) => request.is_change(),
            Request::Pools(request) => request.is_change(),
            _ => false,
        }
    }

    /// Whether the response contains stored secrets: this requires the same rights.
    pub fn reads_secrets(&self) -> bool {
        matches!(self, Request::Accounts(request) if request.reads_secrets())
    }
}

#[cfg(test)]
mod tests {
    use adit_crypto::secret::Password;

    use super::*;
    use crate::accounts::{Action, Change, NewPassword};

    fn change(dry_run: bool) -> Request {
        let password = NewPassword::Given { password: Password::new("secret"), weak: false };
        let action = Action::Password { name: "bob".into(), password, reversible: None, must_change: false };
        Request::Accounts(accounts::Request::Change(Box::new(Change { dry_run, by: "root".into(), action })))
    }

    #[test]
    fn requests_keep_their_names() {
        for (request, json) in [
            (Request::Status, r#"{"command":"status"}"#),
            (Request::Sessions, r#"{"command":"sessions"}"#),
            (Request::Drain { on: true }, r#"{"command":"drain","with":{"on":true}}"#),
            (
                Request::Accounts(accounts::Request::List { after: None }),
                r#"{"command":"accounts","with":{"list":{"after":null}}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&request).unwrap(), json);
            assert_eq!(serde_json::from_str::<Request>(json).unwrap(), request);
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for json in [
            r#"{"command":"dance"}"#,
            r#"{"command":"status","why":1}"#,
            r#"{"command":"drain","with":{"on":true,"off":false}}"#,
            r#"{"command":"accounts","with":{"list":{"after":null,"before":null}}}"#,
        ] {
            assert!(serde_json::from_str::<Request>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_password_is_neither_in_the_line_nor_in_a_debug_text() {
        let request = change(false);
        let json = serde_json::to_string(&request).unwrap();
        assert!(!json.contains("secret") && !format!("{request:?}").contains("secret"), "{json}");
        assert_eq!(serde_json::from_str::<Request>(&json).unwrap(), request);
    }

    #[test]
    fn only_what_is_carried_out_changes_the_store() {
        assert!(change(false).changes_store());
        assert!(!change(true).changes_store());
        assert!(!Request::Stop.changes_store());
        assert!(!Request::Accounts(accounts::Request::Show { name: "bob".into() }).changes_store());
    }
}
