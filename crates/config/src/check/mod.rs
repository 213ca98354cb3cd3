//! Checks of meaning: what one value says against another, and against this host.

mod access;
mod auth;
mod host;
mod link;
mod pools;
mod server;

pub(crate) use host::run as run_host;
pub use host::{HostFacts, HostNet};

use crate::book::Book;
use crate::model::Config;

/// Everything that needs no host.
pub(crate) fn run(book: &mut Book<'_>, config: &Config) {
    server::run(book, config);
    pools::run(book, config);
    access::run(book, config);
    auth::run(book, config);
    link::run(book, config);
}

/// The path of a pool's table: the default pool has a short form.
fn pool_path<'a>(book: &Book<'_>, name: &'a str) -> Vec<&'a str> {
    if name == "default" && book.entry(&["pools", name]).is_none() {
        vec!["pool"]
    } else {
        vec!["pools", name]
    }
}

/// A path and one more name.
fn below<'a>(path: &[&'a str], name: &'a str) -> Vec<&'a str> {
    [path, &[name]].concat()
}
