//! S: the hosts themselves.

use adit_testbed::MountNamespace;

use crate::case::{Case, LOGIN, row};
use crate::world::{Plan, World};

#[test]
fn row_66_state_directory_full() {
    let mut case = Case::new("66", &Plan::without_server());
    let state = case.world.dir.path().join("state");
    let script = format!(
        "mkdir -p {0}; cp -a {0} {0}.kept; mount -t tmpfs -o size=1m none {0}; cp -a {0}.kept/. {0}/",
        state.display()
    );
    case.world.server_lan = Some(MountNamespace::new(&case.world.server, &script));
    case.world.serve();
    let space = case.world.server_lan.as_ref().unwrap();
    std::fs::write(space.path(&state.join("filler")), vec![0; 4 << 20]).unwrap_err();
    case.examine(LOGIN);
    case.server().printed().judge();
}

#[test]
fn row_67_clients_own_firewall() {
    row("67", &Plan::default(), &[], |world| {
        World::firewall(&world.client, "output", "ip protocol 47 counter drop");
    });
}
