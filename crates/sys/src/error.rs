//! The error type of this crate: the operation that failed, the kernel's error, and the fix.

use std::fmt;
use std::io;

use adit_diag::{Code, Diagnostic};

/// The kind of error, for callers that handle some kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A capability or file permission is missing.
    NotPermitted,
    /// The file system is mounted read-only, which no permission changes.
    ReadOnly,
    /// The device, program, interface or file does not exist.
    NotFound,
    /// It exists already.
    Exists,
    /// It is in use by another process.
    Busy,
    /// This kernel or service does not support it.
    Unsupported,
    /// Another program has changed it since; it was not modified.
    Changed,
    /// The content of a file is invalid.
    Damaged,
    /// Any other error.
    Other,
}

/// An error of an operation on this host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{tried}: {answer}{}", Fix(fix))]
pub struct Error {
    kind: Kind,
    tried: String,
    answer: String,
    fix: String,
    code: Option<Code>,
}

/// The result of operations in this crate.
pub type Result<T> = core::result::Result<T, Error>;

struct Fix<'a>(&'a str);

impl fmt::Display for Fix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "; {}", self.0) }
    }
}

impl Error {
    /// The kind of error.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The operation that failed, as "cannot …".
    pub fn tried(&self) -> &str {
        &self.tried
    }

    /// The error of the kernel or the service.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// The fix, as an instruction; empty if none is known.
    pub fn fix(&self) -> &str {
        &self.fix
    }

    /// The code of the catalogue, if there is one.
    pub fn code(&self) -> Option<Code> {
        self.code
    }

    /// The diagnostic, for errors that have a code.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let diagnostic = Diagnostic::new(self.code?)
            .message(format!("{}: {}", self.tried, self.answer))
            .with("answer", &self.answer);
        Some(if self.fix.is_empty() { diagnostic } else { diagnostic.fix(&self.fix) })
    }

    /// Creates an error from the kernel's error.
    pub(crate) fn io(tried: impl Into<String>, answer: &io::Error) -> Error {
        let kind = kind_of(answer);
        let fix = if kind == Kind::ReadOnly { WRITABLE } else { "" };
        Error { kind, tried: tried.into(), answer: words(answer), fix: fix.to_owned(), code: None }
    }

    /// Creates an error without a number from the kernel.
    pub fn new(kind: Kind, tried: impl Into<String>, answer: impl Into<String>) -> Error {
        Error { kind, tried: tried.into(), answer: answer.into(), fix: String::new(), code: None }
    }

    /// Sets the code.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Error {
        self.code = Some(code);
        self
    }

    /// Sets S08 and the way to grant `capability`, if a permission is missing.
    pub(crate) fn needs(self, capability: &str) -> Error {
        if self.kind == Kind::NotPermitted {
            self.with_code(Code::S08).with_fix(grant(capability))
        } else {
            self
        }
    }

    /// Sets the fix; that of a read-only file system is kept, which callers do not know of.
    #[must_use]
    pub fn with_fix(self, fix: impl Into<String>) -> Error {
        if self.kind == Kind::ReadOnly { self } else { self.with_fix_for_read_only(fix) }
    }

    /// Sets the fix, also for a read-only file system.
    pub(crate) fn with_fix_for_read_only(mut self, fix: impl Into<String>) -> Error {
        self.fix = fix.into();
        self
    }
}

/// The fix for a read-only file system.
const WRITABLE: &str = "the file system is mounted read-only: mount -o remount,rw makes it writable; in a unit or a container, \
                        its options do (ReadWritePaths=, no --read-only)";

/// How to grant a process the missing capability.
fn grant(capability: &str) -> String {
    format!(
        "this needs {capability}: run as root, or set AmbientCapabilities={capability} in the unit, \
         or give the container --cap-add {}",
        capability.trim_start_matches("CAP_")
    )
}

/// The kernel's message without the number that Rust appends.
fn words(answer: &io::Error) -> String {
    let text = answer.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

fn kind_of(answer: &io::Error) -> Kind {
    match answer.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => Kind::NotPermitted,
        Some(libc::EROFS) => Kind::ReadOnly,
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO | libc::ESRCH | libc::EADDRNOTAVAIL) => Kind::NotFound,
        Some(libc::EEXIST) => Kind::Exists,
        Some(libc::EBUSY | libc::EADDRINUSE) => Kind::Busy,
        Some(libc::EOPNOTSUPP | libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT | libc::ENOSYS) => {
            Kind::Unsupported
        }
        _ => match answer.kind() {
            io::ErrorKind::NotFound => Kind::NotFound,
            io::ErrorKind::PermissionDenied => Kind::NotPermitted,
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Kind::Damaged,
            _ => Kind::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_with_the_fix() {
        let e = Error::io("cannot open a raw GRE socket", &io::Error::from_raw_os_error(libc::EPERM))
            .with_fix("run as root");
        assert_eq!(e.to_string(), "cannot open a raw GRE socket: Operation not permitted; run as root");
        assert_eq!(e.kind, Kind::NotPermitted);
    }

    #[test]
    fn a_read_only_file_system_is_no_missing_permission() {
        let e = Error::io("cannot set net.ipv4.ip_forward", &io::Error::from_raw_os_error(libc::EROFS))
            .needs("CAP_NET_ADMIN")
            .with_fix("run as root");
        assert_eq!((e.kind(), e.code()), (Kind::ReadOnly, None));
        assert!(
            e.fix().starts_with("the file system is mounted read-only") && !e.fix().contains("root"),
            "{e}"
        );
    }
}
