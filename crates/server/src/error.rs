//! Why the server cannot start or go on.

use adit_diag::Code;

/// One problem, with its code and its fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    /// The code.
    pub code: Code,
    /// What was tried and what came back.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl ServerError {
    /// Makes an error; see the fields.
    pub fn new(code: Code, message: impl Into<String>, fix: impl Into<String>) -> ServerError {
        ServerError { code, message: message.into(), fix: fix.into() }
    }
}

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}  {}", self.code, self.message)
    }
}

impl std::error::Error for ServerError {}

/// The result of everything that can stop the server.
pub type Result<T> = std::result::Result<T, ServerError>;

/// A failure of the operating system, as a reason not to start or go on.
pub(crate) fn sys_error(error: &adit_sys::Error) -> ServerError {
    let code = error.code().unwrap_or(Code::S08);
    ServerError::new(code, format!("{}: {}", error.tried(), error.answer()), error.fix())
}

/// A store that does not work, as a reason not to start.
pub(crate) fn store_error(error: &adit_store::Error) -> ServerError {
    ServerError::new(error.code().unwrap_or(Code::S09), error.to_string(), error.fix().unwrap_or_default())
}
