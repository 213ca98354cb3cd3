//! The caller of the service.

use adit_api::{Error, Kind, Result};
use adit_diag::Code;

/// The caller, as identified by the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The user id; `None` if the kernel does not provide it.
    pub(crate) uid: Option<u32>,
}

impl Caller {
    /// Checks whether the caller may change accounts: only root and the user of the server may, because they
    /// may change the database. Access to the socket is sufficient for everything else.
    pub(crate) fn may_change_accounts(self) -> Result<()> {
        self.must_be_trusted(
            "you may look at accounts and sessions, and end sessions, but not change accounts, bans or leases",
        )
    }

    /// Checks whether the caller may read stored secrets, which only the same users may.
    pub(crate) fn may_read_secrets(self) -> Result<()> {
        self.must_be_trusted("you may look at accounts and sessions, but not at passwords and NT hashes")
    }

    fn must_be_trusted(self, message: &str) -> Result<()> {
        if is_trusted(self.uid, Some(adit_sys::host::effective_user())) {
            return Ok(());
        }
        Err(Error::new(Kind::Denied, message).code(Code::S08).fix("run it with sudo, or as the user adit"))
    }
}

fn is_trusted(uid: Option<u32>, own: Option<u32>) -> bool {
    uid.is_some_and(|uid| uid == 0 || Some(uid) == own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_user_of_the_server_are_trusted() {
        for (uid, own, trusted) in [
            (Some(0), Some(0), true),
            (Some(0), Some(998), true),
            (Some(998), Some(998), true),
            (Some(1000), Some(998), false),
            (Some(1000), Some(0), false),
            (Some(1000), None, false),
            (None, None, false),
        ] {
            assert_eq!(is_trusted(uid, own), trusted, "{uid:?} {own:?}");
        }
    }
}
