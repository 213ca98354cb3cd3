//! `[auth.lockout]`: values that contradict each other, and values that protect nothing.

use adit_diag::Code;

use crate::finding::Level;
use crate::model::Config;
use crate::report::Report;

/// A shorter prefix holds so many addresses that ignoring it means to ban none.
const SHORTEST_IGNORED: u8 = 8;

const TRIES: &[&str] = &["auth", "lockout", "tries"];
const ADDRESS_TRIES: &[&str] = &["auth", "lockout", "address", "tries"];
const IGNORE: &[&str] = &["auth", "lockout", "address", "ignore"];

pub(super) fn run(report: &mut Report<'_>, config: &Config) {
    let rules = &config.auth.lockout;
    off(
        report,
        TRIES,
        rules.tries,
        "no account is locked, so its password can be guessed without limit",
        "5",
    );
    off(report, ADDRESS_TRIES, rules.address.tries, "no address is banned after failed logins", "20");
    if rules.address.tries > 0 && rules.address.tries < rules.tries {
        let (address, tries) = (rules.address.tries, rules.tries);
        let message = format!(
            "auth.lockout.address.tries is {address}, less than auth.lockout.tries, {tries}: \
             the mistakes of one user would ban all users behind the address before they lock the account"
        );
        let finding =
            report.on(ADDRESS_TRIES, Code::F06, Level::Error, message).label(format!("{tries} or more"));
        let enough = tries.saturating_mul(4).min(1000).to_string();
        let finding = match report.entry(ADDRESS_TRIES) {
            Some(entry) => report.replacing(finding, &entry.node.spot, enough),
            None => finding.advice(format!("[auth.lockout]  address = {{ tries = {enough} }}")),
        };
        report.push(finding);
    }
    if let Some(network) = rules.address.ignore.iter().find(|net| net.prefix_len() < SHORTEST_IGNORED) {
        let message = format!("auth.lockout.address.ignore has {network}: hardly any address is ever banned");
        let finding = report.on(IGNORE, Code::F14, Level::Warning, message);
        report.push(finding.label("too wide").advice("name the networks of your users only"));
    }
}

/// Reports a limit that is switched off.
fn off(report: &mut Report<'_>, path: &[&str], tries: u32, effect: &str, usual: &str) {
    if tries > 0 {
        return;
    }
    let message = format!("{} is 0: {effect}", path.join("."));
    let finding = report.on(path, Code::F14, Level::Warning, message).label("no protection");
    let finding = match report.entry(path) {
        Some(entry) => report.replacing(finding, &entry.node.spot, usual),
        None => finding,
    };
    report.push(finding);
}
