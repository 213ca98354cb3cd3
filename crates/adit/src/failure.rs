//! Why a command fails, and its exit code.

use core::fmt;

use adit_diag::{Code, Diagnostic};

/// The exit codes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Success, nothing found.
    Done,
    /// Completed, and found a problem.
    Problem,
    /// Wrong usage, or a prompt is necessary but not possible.
    Usage,
    /// The server cannot be reached.
    Unreachable,
    /// Not permitted.
    Denied,
    /// No such user, session, revision or code.
    NotFound,
    /// Another request changed the object first, or it exists already.
    Conflict,
    /// The first failing layer, 10 to 19.
    Layer(adit_diag::Layer),
    /// The exit code of another process, which has reported the error.
    Passed(u8),
}

impl Exit {
    pub(crate) const fn number(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Problem => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::Denied => 4,
            Exit::NotFound => 5,
            Exit::Conflict => 6,
            Exit::Layer(layer) => layer.exit_code(),
            Exit::Passed(code) => code,
        }
    }
}

/// The error of a command.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) code: Option<Code>,
    pub(crate) message: String,
    /// The first thing to do.
    pub(crate) fix: Option<String>,
    /// Print nothing, because the reader closed the pipe (`adit user list | head`).
    pub(crate) silent: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, code: None, message: message.into(), fix: None, silent: false }
    }

    /// Wrong usage, or a prompt that is not possible.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, message)
    }

    #[must_use]
    pub(crate) fn code(mut self, code: Code) -> Failure {
        self.code = Some(code);
        self
    }

    #[must_use]
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Failure {
        self.fix = Some(fix.into());
        self
    }

    /// An error of the operating system about a file.
    pub(crate) fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
        let answer = error.to_string();
        let answer = answer.split(" (os error").next().unwrap_or_default();
        let message = format!("{doing} {}: {answer}", path.display());
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => Failure::new(Exit::Denied, message)
                .code(Code::S08)
                .fix("run it with sudo, or as the user adit"),
            std::io::ErrorKind::ReadOnlyFilesystem => Failure::new(Exit::Problem, message)
                .fix("mount -o remount,rw makes the file system writable; or name another place"),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Failure::new(Exit::Layer(adit_diag::Layer::Host), message).code(Code::S06)
            }
            _ => Failure::new(Exit::Problem, message),
        }
    }

    /// The reader of our output closed the pipe.
    pub(crate) fn reader_closed() -> Failure {
        Failure { silent: true, ..Failure::new(Exit::Done, "") }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Failure {
        let exit = match diagnostic.code {
            Code::S08 => Exit::Denied,
            code if code.exit_code() == 1 => Exit::Problem,
            code => Exit::Layer(code.layer()),
        };
        let mut message = diagnostic.message;
        for (key, value) in &diagnostic.evidence {
            message.push_str(&format!("  {key}={value}"));
        }
        Failure { exit, code: Some(diagnostic.code), message, fix: diagnostic.fix, silent: false }
    }
}

/// The only place that maps API errors to exit codes.
impl From<adit_api::Error> for Failure {
    fn from(error: adit_api::Error) -> Failure {
        use adit_api::Kind;
        let by_code = |otherwise| match error.code {
            Some(code) if code.exit_code() != 1 => Exit::Layer(code.layer()),
            _ => otherwise,
        };
        let exit = match error.kind {
            Kind::NotFound => Exit::NotFound,
            Kind::Invalid => Exit::Usage,
            Kind::Conflict => Exit::Conflict,
            Kind::Denied => Exit::Denied,
            Kind::Busy | Kind::Unavailable => by_code(Exit::Unreachable),
            Kind::Failed | Kind::Internal => by_code(Exit::Problem),
            Kind::Unsupported => Exit::Unreachable,
        };
        Failure { exit, code: error.code, message: error.message, fix: error.fix, silent: false }
    }
}

impl From<adit_store::Error> for Failure {
    fn from(error: adit_store::Error) -> Failure {
        adit_admin::refused(error).into()
    }
}

impl From<adit_sys::Error> for Failure {
    fn from(error: adit_sys::Error) -> Failure {
        let exit = match (error.kind(), error.code()) {
            (adit_sys::Kind::NotPermitted, _) => Exit::Denied,
            (_, Some(code)) if code.exit_code() != 1 => Exit::Layer(code.layer()),
            _ => Exit::Problem,
        };
        Failure {
            code: error.code(),
            fix: Some(error.fix().to_owned()).filter(|fix| !fix.is_empty()),
            ..Failure::new(exit, format!("{}: {}", error.tried(), error.answer()))
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use adit_api::{Error, Kind};

    use super::*;

    #[test]
    fn every_kind_of_refusal_has_its_exit_code() {
        for (kind, code, exit) in [
            (Kind::NotFound, None, 5),
            (Kind::Invalid, None, 2),
            (Kind::Conflict, None, 6),
            (Kind::Denied, Some(Code::S08), 4),
            (Kind::Busy, None, 3),
            (Kind::Busy, Some(Code::S09), 19),
            (Kind::Unavailable, None, 3),
            (Kind::Unavailable, Some(Code::S06), 19),
            (Kind::Failed, None, 1),
            (Kind::Internal, None, 1),
            (Kind::Unsupported, None, 3),
        ] {
            let error = Error { code, ..Error::new(kind, "x") };
            assert_eq!(Failure::from(error).exit.number(), exit, "{kind:?} {code:?}");
        }
    }
}
