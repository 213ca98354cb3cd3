//! `[server]`.

use adit_diag::Code;

use crate::finding::Level;
use crate::model::{Config, Listen};
use crate::report::Report;

pub(super) fn run(report: &mut Report<'_>, config: &Config) {
    let path = ["server", "listen"];
    if report.entry(&["server"]).is_some_and(|entry| entry.node.table().is_none()) {
        return;
    }
    if report.entry(&path).is_none() {
        let message = "server.listen is missing: the address or interface to take calls on";
        let finding = report.on(&path, Code::F08, Level::Error, message);
        report.push(finding.advice("[server]  listen = \"the public address of this host\""));
        return;
    }
    let everywhere =
        |listen: &Listen| matches!(listen, Listen::Address { address, .. } if address.is_unspecified());
    if config.server.listen.iter().any(everywhere) && config.server.interface.is_none() {
        let message = "server.listen is every address of this host, the LAN's and later ones too";
        let finding = report.on(&path, Code::F15, Level::Warning, message);
        report.push(
            finding.label("name the public one").advice("listen = \"the public address of this host\""),
        );
    }
}
