//! E: encryption.

use adit_crypto::mppe::StartKeys;
use adit_tunnel::path::PathCommand;

use crate::case::{Case, row};
use crate::peers::{Manners, client, server};
use crate::world::Plan;

#[test]
fn row_42_server_requires_what_the_client_refuses() {
    row("42", &Plan::default(), &["-u", "alice", "--mppe", "off"], |_| {});
}

#[test]
fn row_43_client_requires_what_the_server_refuses() {
    row(
        "43",
        &Plan::with("[link]\n", "[link]\nmppe = \"off\"\n"),
        &["-u", "alice", "--mppe", "require"],
        |_| {},
    );
}

#[test]
fn row_44_key_sizes_have_nothing_in_common() {
    row("44", &Plan::default(), &["-u", "alice", "--mppe-bits", "40"], |_| {});
}

/// Its keys come from another password than the one that was proved, and it talks all the time.
fn other_keys() -> Manners {
    Manners {
        path: Box::new(|command| match command {
            PathCommand::Encryption(Some(mut mppe)) => {
                let StartKeys { send, receive } = mppe.keys;
                mppe.keys = StartKeys { send: receive, receive: send };
                PathCommand::Encryption(Some(mppe))
            }
            other => other,
        }),
        talks: true,
        ..Manners::default()
    }
}

#[test]
fn row_45_keys_differ() {
    let mut case = Case::new("45", &Plan::without_server());
    let server = server::start(&case.world.server, server::link(), other_keys());
    case.examine(&["-u", "alice"]);
    drop(server);
    case.world.serve();
    let _client = client::dial(&case.world.client, client::link("alice"), other_keys());
    case.wait_for_a_failure(0);
    case.server().record().judge();
}
