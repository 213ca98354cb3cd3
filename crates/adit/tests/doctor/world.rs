//! Running the doctor at a client.

use adit_testbed::{Host, Output};

use crate::common::documents::{Doctor, Judgement, parse};
use crate::common::services::{Answers, Dns};
use crate::common::{LAN_HOST, PASSWORD, adit};

/// What the doctor said.
pub(crate) struct Reply {
    pub(crate) output: Output,
    pub(crate) verdict: Judgement,
}

/// Runs it on a host.
pub(crate) fn doctor(host: &Host, arguments: &[&str]) -> Reply {
    let dir = tempfile::TempDir::new().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let mut all = vec!["doctor", "--json"];
    all.extend(arguments);
    if arguments.contains(&"-u") && !arguments.contains(&"--password-file") {
        all.extend(["--password-file", password.to_str().unwrap()]);
    }
    let output = host.command(&mut adit(dir.path(), &all));
    Reply::of(output)
}

impl Reply {
    /// Reads the document.
    #[track_caller]
    pub(crate) fn of(output: Output) -> Reply {
        let document: Doctor = parse(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output}"));
        Reply { output, verdict: document.judgement }
    }

    /// The first failure's code; empty when there is none.
    pub(crate) fn code(&self) -> &str {
        self.verdict.code()
    }

    /// A layer's state.
    #[track_caller]
    pub(crate) fn state(&self, layer: &str) -> &str {
        &self.verdict.layer(layer).state
    }

    /// Fails with all that was said unless it found nothing wrong.
    #[track_caller]
    pub(crate) fn is_healthy(&self) {
        assert_eq!((self.output.code, self.code()), (Some(0), ""), "{}", self.output);
        assert!(self.verdict.findings.is_empty(), "{}", self.output);
    }
}

/// The name server of the LAN: `intranet.corp.example.org` is [`LAN_HOST`], and nothing else is.
pub(crate) fn names(lan: &Host) -> Dns {
    Dns::start(lan, [192, 168, 10, 5].into(), Answers::new(&[("intranet.corp.example.org", LAN_HOST)]))
}
