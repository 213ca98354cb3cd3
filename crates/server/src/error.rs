//! Errors that keep the server from starting or stop it.

use adit_diag::Code;

/// One problem, with its code and its fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    /// The code.
    pub code: Code,
    /// What failed, and the error that was returned.
    pub message: String,
    /// What the administrator should do.
    pub fix: String,
}

impl ServerError {
    /// Creates an error; see the fields.
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

/// The result of an operation whose failure stops the server.
pub type Result<T> = std::result::Result<T, ServerError>;

/// An error of the operating system as a [`ServerError`].
pub(crate) fn sys_error(error: &adit_sys::Error) -> ServerError {
    let code = error.code().unwrap_or(Code::S08);
    ServerError::new(code, format!("{}: {}", error.tried(), error.answer()), error.fix())
}

/// An error of the store at start as a [`ServerError`].
pub(crate) fn store_error(error: &adit_store::Error) -> ServerError {
    ServerError::new(error.code().unwrap_or(Code::S09), error.to_string(), error.fix().unwrap_or_default())
}
