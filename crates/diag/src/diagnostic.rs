//! One finding about one connection, host or file, with what proves it.

use core::fmt;

use crate::Code;

/// A code, what happened this time, and the facts that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which problem it is; layer, owner and fix follow from it.
    pub code: Code,
    /// What happened this time, one sentence without the code.
    pub message: String,
    /// Facts as key and value, in the order in which they convince.
    pub evidence: Vec<(String, String)>,
    /// The one thing to do first, when this case allows something more exact than the code's page.
    pub fix: Option<String>,
}

impl Diagnostic {
    /// A diagnostic whose message is the code's title.
    pub fn new(code: Code) -> Diagnostic {
        Diagnostic { code, message: code.title().to_owned(), evidence: Vec::new(), fix: None }
    }

    /// Replaces the message by what happened this time.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Diagnostic {
        self.message = message.into();
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl fmt::Display) -> Diagnostic {
        self.evidence.push((key.into(), value.to_string()));
        self
    }

    /// Sets the one thing to do first.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Diagnostic {
        self.fix = Some(fix.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    /// One line: code, message, then the evidence as `key=value`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.message)?;
        for (key, value) in &self.evidence {
            write!(f, " {key}={value}")?;
        }
        Ok(())
    }
}
