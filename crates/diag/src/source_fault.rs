//! Why an account source gave no verdict on a login: typed, with its words in one place.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::Code;
use crate::note::Text;

/// Why an account source gave no verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SourceFault {
    /// The store of the local accounts failed.
    Store {
        /// What it reported.
        error: Text,
    },
    /// The source reported an error.
    Failed {
        /// What it reported.
        error: Text,
    },
    /// The source gave no answer in time.
    TimedOut {
        /// The time that a login may take, in seconds.
        seconds: u64,
    },
    /// As many logins wait for the source as may.
    TooManyLogins {
        /// How many may wait.
        limit: usize,
    },
    /// The source asked for another round once too often.
    TooManyRounds {
        /// How many rounds it may add to one login.
        limit: u8,
    },
    /// The source did not recognise a login for which it had asked for another round.
    LostLogin,
}

/// An account source that gave no verdict, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SourceUnavailable {
    /// The source, by its word in `auth.sources`.
    pub source: String,
    /// What is wrong.
    pub fault: SourceFault,
}

impl SourceUnavailable {
    /// The catalogue's code.
    pub const fn code(&self) -> Code {
        Code::A07
    }

    /// What the client is sent: nothing from which it could learn how the accounts are kept.
    pub const fn for_client(&self) -> &'static str {
        match self.fault {
            SourceFault::Store { .. } => "the account store does not answer",
            _ => "the account source does not answer",
        }
    }
}

/// The sentence of the record.
impl fmt::Display for SourceUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SourceUnavailable { source, fault } = self;
        match fault {
            SourceFault::Store { error } => write!(f, "the account store does not answer: {error}"),
            SourceFault::Failed { error } => write!(f, "the account source {source} failed: {error}"),
            SourceFault::TimedOut { seconds } => {
                write!(f, "the account source {source} gave no answer within {seconds} s")
            }
            SourceFault::TooManyLogins { limit } => {
                write!(f, "{limit} logins wait for the account source {source}, and no more may")
            }
            SourceFault::TooManyRounds { limit } => {
                write!(f, "the account source {source} asked for more than {limit} further rounds")
            }
            SourceFault::LostLogin => {
                write!(f, "the account source {source} did not recognise a login that it had challenged")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_reads_as_a_sentence_and_survives_json() {
        let faults = [
            SourceFault::Store { error: "locked".into() },
            SourceFault::Failed { error: "refused".into() },
            SourceFault::TimedOut { seconds: 180 },
            SourceFault::TooManyLogins { limit: 4096 },
            SourceFault::TooManyRounds { limit: 8 },
            SourceFault::LostLogin,
        ];
        let mut lines = Vec::new();
        for fault in faults {
            let unavailable = SourceUnavailable { source: "radius".to_owned(), fault };
            let json = serde_json::to_string(&unavailable).unwrap();
            assert_eq!(serde_json::from_str::<SourceUnavailable>(&json).unwrap(), unavailable, "{json}");
            assert_eq!(unavailable.code(), Code::A07);
            lines.push(unavailable.to_string());
        }
        assert_eq!(
            lines,
            [
                "the account store does not answer: locked",
                "the account source radius failed: refused",
                "the account source radius gave no answer within 180 s",
                "4096 logins wait for the account source radius, and no more may",
                "the account source radius asked for more than 8 further rounds",
                "the account source radius did not recognise a login that it had challenged",
            ]
        );
    }

    #[test]
    fn the_client_is_not_sent_what_the_source_reported() {
        for fault in
            [SourceFault::Store { error: "secret".into() }, SourceFault::Failed { error: "secret".into() }]
        {
            let unavailable = SourceUnavailable { source: "radius".to_owned(), fault };
            assert!(
                !unavailable.for_client().contains("secret") && !unavailable.for_client().contains("radius")
            );
        }
    }
}
