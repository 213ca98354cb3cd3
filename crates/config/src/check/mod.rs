//! Semantic checks: values against each other, and against this host.

mod access;
mod auth;
mod host;
mod link;
mod lockout;
mod pools;
mod radius;
mod reach;
mod server;

pub(crate) use host::run as run_host;
pub use host::{HostFacts, HostNet};

use crate::model::Config;
use crate::report::Report;

/// Runs all checks that need no host.
pub(crate) fn run(report: &mut Report<'_>, config: &Config) {
    server::run(report, config);
    pools::run(report, config);
    access::run(report, config);
    reach::run(report, config);
    auth::run(report, config);
    radius::run(report, config);
    lockout::run(report, config);
    link::run(report, config);
}

/// The path of a pool's table: the default pool has a short form.
fn pool_path<'a>(report: &Report<'_>, name: &'a str) -> Vec<&'a str> {
    if name == "default" && report.entry(&["pools", name]).is_none() {
        vec!["pool"]
    } else {
        vec!["pools", name]
    }
}

/// A path extended by one name.
fn below<'a>(path: &[&'a str], name: &'a str) -> Vec<&'a str> {
    [path, &[name]].concat()
}
