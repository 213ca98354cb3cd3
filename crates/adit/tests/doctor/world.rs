//! Running the doctor at a client.

use adit_testbed::{Host, Output};
use serde_json::Value;

use crate::common::services::{Answers, Dns};
use crate::common::{LAN_HOST, PASSWORD, adit};

/// What the doctor said.
pub(crate) struct Said {
    pub(crate) output: Output,
    pub(crate) json: Value,
}

/// Runs it on a host.
pub(crate) fn doctor(host: &Host, arguments: &[&str]) -> Said {
    let dir = tempfile::TempDir::new().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let mut all = vec!["doctor", "--json"];
    all.extend(arguments);
    if arguments.contains(&"-u") && !arguments.contains(&"--password-file") {
        all.extend(["--password-file", password.to_str().unwrap()]);
    }
    let output = host.command(&mut adit(dir.path(), &all));
    let json = serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output}"));
    Said { output, json }
}

impl Said {
    /// The first failure's code; empty when there is none.
    pub(crate) fn code(&self) -> &str {
        self.json["first_failure"].as_str().unwrap_or_default()
    }

    /// A layer's state.
    pub(crate) fn state(&self, layer: &str) -> &str {
        let layers = self.json["layers"].as_array().unwrap();
        let found = layers.iter().find(|found| found["name"] == layer);
        found.and_then(|found| found["state"].as_str()).unwrap_or_default()
    }

    /// Fails with all that was said unless it found nothing wrong.
    #[track_caller]
    pub(crate) fn is_healthy(&self) {
        assert_eq!((self.output.code, self.code()), (Some(0), ""), "{}", self.output);
        assert_eq!(self.json["findings"], serde_json::json!([]), "{}", self.output);
    }
}

/// The name server of the LAN: `intranet.corp.example.org` is [`LAN_HOST`], and nothing else is.
pub(crate) fn names(lan: &Host) -> Dns {
    Dns::start(lan, [192, 168, 10, 5].into(), Answers::new(&[("intranet.corp.example.org", LAN_HOST)]))
}
