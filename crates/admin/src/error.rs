//! Conversion of store errors.

use adit_api::{Error, Kind};
use adit_store::ErrorKind;

/// Converts an error of the store to an error response.
pub fn refused(error: adit_store::Error) -> Error {
    let kind = match &error.kind {
        ErrorKind::NoSuchAccount(_) | ErrorKind::NoSuchSession(_) => Kind::NotFound,
        ErrorKind::AccountExists(_) | ErrorKind::AddressTaken { .. } | ErrorKind::Changed(_) => {
            Kind::Conflict
        }
        ErrorKind::BadName { .. } => Kind::Invalid,
        ErrorKind::Locked { .. } => Kind::Busy,
        ErrorKind::Permission { .. } => Kind::Denied,
        _ => Kind::Unavailable,
    };
    Error { code: error.code(), fix: error.fix(), ..Error::new(kind, error.to_string()) }
}

#[cfg(test)]
mod tests {
    use adit_diag::Code;

    use super::*;

    #[test]
    fn a_program_can_act_on_the_kind() {
        for (error, kind, code) in [
            (ErrorKind::NoSuchAccount("bob".into()), Kind::NotFound, None),
            (ErrorKind::AccountExists("bob".into()), Kind::Conflict, None),
            (ErrorKind::Changed("bob".into()), Kind::Conflict, None),
            (ErrorKind::BadName { name: "a b".into(), why: "has a space" }, Kind::Invalid, None),
            (ErrorKind::Locked { waited: std::time::Duration::from_secs(5) }, Kind::Busy, Some(Code::S09)),
            (ErrorKind::Full, Kind::Unavailable, Some(Code::S06)),
            (ErrorKind::Permission { detail: "x".into() }, Kind::Denied, Some(Code::S08)),
        ] {
            let refusal = refused(error.into());
            assert_eq!((refusal.kind, refusal.code), (kind, code), "{refusal}");
            assert!(refusal.fix.is_some(), "{refusal}");
        }
    }
}
