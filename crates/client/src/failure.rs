//! Why a connection failed or ended: the code determines the exit status and whether to retry.

use adit_diag::{Code, Layer};
use adit_tunnel::events::{End, Why};

/// Why a connection failed or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The diagnosis code; `None` for an orderly end.
    pub code: Option<Code>,
    /// One line of evidence.
    pub detail: String,
}

impl Failure {
    /// A failure with a code.
    pub fn new(code: Code, detail: impl Into<String>) -> Failure {
        Failure { code: Some(code), detail: detail.into() }
    }

    /// The exit status of `adit connect`: 10 to 19 by layer, 0 for an orderly end.
    pub fn exit_code(&self) -> u8 {
        self.code.map_or(0, Code::exit_code)
    }

    /// Whether a retry can help. Never after a refused password or account, which retries would lock, not where the
    /// user has to fix something first, and not for a server that does not know the password (A12): each attempt would
    /// give it another response to attack. `was_up`: the tunnel carried traffic. Encryption was agreed then, and a new
    /// call negotiates it again.
    pub fn may_retry(&self, was_up: bool) -> bool {
        match self.code {
            None => false,
            Some(Code::A01 | Code::A02 | Code::A03 | Code::A04 | Code::A05 | Code::A12) => false,
            Some(Code::E05 | Code::E08) => true,
            Some(code) if code.layer() == Layer::Encrypt => was_up,
            Some(code) => code.layer() != Layer::Host,
        }
    }

    /// Whether the server refuses the login only for now: the hour, a directory that does not answer, a session that still
    /// exists. A client that runs unattended must not end for good then.
    pub fn is_temporary_refusal(&self) -> bool {
        matches!(self.code, Some(Code::A06 | Code::A07 | Code::A08))
    }

    /// Whether the server was not reached at all: the network may not be ready yet.
    pub(crate) fn is_of_network(&self) -> bool {
        self.code.is_some_and(|code| code.layer() == Layer::Name || code == Code::C01)
    }
}

impl From<End> for Failure {
    fn from(end: End) -> Failure {
        let code = match (end.code, end.why) {
            (Some(code), _) => Some(code),
            (None, Why::LostCarrier) => Some(Code::C06),
            (None, _) => None,
        };
        Failure { code, detail: end.detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_password_is_never_tried_again() {
        for code in [Code::A01, Code::A02, Code::A03, Code::A04, Code::A05, Code::A12, Code::E01, Code::S07] {
            assert!(!Failure::new(code, "").may_retry(false), "{code}");
        }
        for code in [Code::N01, Code::C01, Code::C02, Code::C06, Code::G01, Code::L04, Code::I01] {
            assert!(Failure::new(code, "").may_retry(false), "{code}");
        }
    }

    #[test]
    fn a_tunnel_whose_encryption_failed_is_dialled_again() {
        for code in [Code::E05, Code::E08] {
            assert!(
                Failure::new(code, "").may_retry(true) && Failure::new(code, "").may_retry(false),
                "{code}"
            );
        }
        for code in [Code::E01, Code::E03, Code::E07] {
            assert!(
                Failure::new(code, "").may_retry(true) && !Failure::new(code, "").may_retry(false),
                "{code}"
            );
        }
        for code in [Code::A01, Code::A02, Code::S07] {
            assert!(!Failure::new(code, "").may_retry(true), "{code}");
        }
    }

    #[test]
    fn what_the_server_may_accept_later_is_tried_again() {
        for code in [Code::A06, Code::A07, Code::A08, Code::A10, Code::A11, Code::A13, Code::A14] {
            assert!(Failure::new(code, "").may_retry(false), "{code}");
        }
        let temporary = |code| Failure::new(code, "").is_temporary_refusal();
        assert!([Code::A06, Code::A07, Code::A08].into_iter().all(temporary));
        assert!(![Code::A01, Code::A04, Code::A10, Code::N01].into_iter().any(temporary));
    }

    #[test]
    fn the_exit_status_is_the_layer() {
        assert_eq!(Failure::new(Code::A01, "").exit_code(), 14);
        assert_eq!(Failure { code: None, detail: String::new() }.exit_code(), 0);
    }
}
