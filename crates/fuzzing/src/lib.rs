//! What the fuzz targets do, as plain functions.
//!
//! `fuzz/` holds a cargo-fuzz program for each entry of [`TARGETS`], one line long; the corpora in `fuzz/corpus` are
//! replayed by an ordinary test of this crate. A target panics when it finds something: a panic of the code under
//! test, or an assertion here, such as "what was read and written again reads the same".

#![forbid(unsafe_code)]

mod account_file;
mod capture;
mod control;
mod files;
mod forge;
mod host;
mod input;
mod inside;
mod link;
mod mppe;
mod packets;
mod path;
mod ppp;
mod radius;
mod rules;
mod socket;
mod stream;
mod tunnel;

/// One fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of the file in `fuzz/fuzz_targets` and of the folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Does it all with one input.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "control_stream", run: stream::control_stream },
    Target { name: "gre_packet", run: packets::gre_packet },
    Target { name: "dhcp_and_ip", run: packets::dhcp_and_ip },
    Target { name: "ppp_frames", run: ppp::ppp_frames },
    Target { name: "mppe_decrypt", run: mppe::mppe_decrypt },
    Target { name: "path", run: path::path },
    Target { name: "control_connection", run: control::control_connection },
    Target { name: "config_toml", run: files::config_toml },
    Target { name: "access_rules", run: rules::access_rules },
    Target { name: "journal", run: files::journal },
    Target { name: "control_socket", run: socket::control_socket },
    Target { name: "link_server", run: link::link_server },
    Target { name: "link_client", run: link::link_client },
    Target { name: "server_conversation", run: tunnel::server_conversation },
    Target { name: "client_conversation", run: tunnel::client_conversation },
    Target { name: "capture_file", run: capture::capture_file },
    Target { name: "host_texts", run: host::host_texts },
    Target { name: "netstack", run: inside::netstack },
    Target { name: "account_file", run: account_file::account_file },
    Target { name: "radius_packet", run: radius::radius_packet },
    Target { name: "radius_client", run: radius::radius_client },
];

/// Runs the target of that name.
///
/// # Panics
/// When there is no such target, and whenever the target finds something.
#[expect(clippy::panic, reason = "a fuzz target fails by panicking")]
pub fn run(name: &str, data: &[u8]) {
    match TARGETS.iter().find(|target| target.name == name) {
        Some(target) => (target.run)(data),
        None => panic!("no fuzz target {name:?}"),
    }
}
