//! The test to run next.

use adit_diag::Code;

use crate::{Facts, Outcome, Side, Vantage};

/// The next test for a verdict.
pub(crate) fn test(facts: &Facts, code: Option<Code>, outcome: Outcome) -> String {
    match (code, outcome) {
        (Some(code), _) => of_code(facts, code),
        (None, Outcome::Healthy) => String::new(),
        (None, _) => elsewhere(facts.vantage),
    }
}

fn of_code(facts: &Facts, code: Code) -> String {
    let host = facts.name.asked.clone().or_else(|| facts.tcp.server.map(|server| server.ip().to_string()));
    let host = host.unwrap_or_else(|| "HOST".to_owned());
    match (code, facts.vantage) {
        (Code::C01 | Code::G01 | Code::G02 | Code::G03, Vantage::Client) => {
            format!("from another network, a phone's hotspot for one: adit doctor {host}")
        }
        (Code::G01 | Code::G02 | Code::G03, Vantage::Record) => {
            format!("from the client's network: adit doctor {host}; here: adit doctor --server")
        }
        (Code::G01, Vantage::Capture(_)) => {
            "a capture at the other end of the same call; it tells which direction is blocked".to_owned()
        }
        (Code::C02 | Code::C03 | Code::R03 | Code::R06, Vantage::Client) => {
            "on the server: adit doctor --server".to_owned()
        }
        (
            Code::A01 | Code::A02 | Code::A03 | Code::A04 | Code::A08 | Code::A10 | Code::A11,
            Vantage::Record,
        ) => {
            format!("adit explain user {}", facts.auth.user.as_deref().unwrap_or("NAME"))
        }
        (Code::R02, Vantage::Record) => {
            format!("adit explain route {} DEST[:PORT]", facts.auth.user.as_deref().unwrap_or("USER"))
        }
        // The page of the code refers users to this check.
        (Code::S03, Vantage::Host) => {
            "`nft list ruleset`, and the counters before and after a call.".to_owned()
        }
        // The pages of these codes refer users to the record, which this is.
        (
            Code::A05
            | Code::E01
            | Code::E03
            | Code::E06
            | Code::E07
            | Code::I05
            | Code::L01
            | Code::L03
            | Code::L05,
            Vantage::Record,
        ) => format!(
            "the last request and answer among the steps; from the client: adit doctor {host} -u USER"
        ),
        _ => code.entry().next,
    }
}

/// Where to look for the answer, if it is not here.
fn elsewhere(vantage: Vantage) -> String {
    match (vantage, vantage.near()) {
        (Vantage::Client, _) => "on the server: adit doctor --server, and its record: adit log --failed",
        (Vantage::Record, _) => "from the client: adit doctor HOST",
        (_, Some(Side::Client)) => "from the same client: adit doctor HOST; or a capture at the server",
        (_, Some(Side::Server)) => "the server's record: adit log --failed; or from the client: adit doctor HOST",
        _ => "from the client: adit doctor HOST; or a capture made on the client or the server, from before the call on",
    }
    .to_owned()
}
