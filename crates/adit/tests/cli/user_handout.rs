//! `adit user handout`

use adit_store::NewAccount;

use crate::{World, at, user};

#[test]
fn a_page_has_the_steps_for_every_client_and_no_password() {
    let world = user::peopled();
    let page = world.run(&["user", "handout", "alice"]);
    assert!(!page.contains("correct horse"), "{page}");
    insta::assert_snapshot!("page", page);
    let one = world.run(&["user", "handout", "bob", "--for", "windows"]);
    assert!(one.contains("Add-VpnConnectionRoute") && !one.contains("pppd"), "{one}");
    assert!(one.contains("192.168.10.0/24"), "the routes of its group: {one}");
    let unknown = world.run(&["user", "handout", "alicia"]);
    assert!(unknown.contains("--- exit 5"), "{unknown}");
}

#[test]
fn without_split_tunnel_all_traffic_uses_the_tunnel() {
    let world = World::configured();
    std::fs::write(
        world.path("adit.toml"),
        "[server]\nlisten = \"203.0.113.10\"\n[pool]\nnet = \"10.99.0.0/24\"\n[access]\ntunnel = \"all\"\n",
    )
    .unwrap();
    world.store().add_account(&NewAccount::named("alice"), None, false, at(0)).unwrap();
    let page = world.run(&["user", "handout", "alice"]);
    for (wanted, unwanted) in [
        ("-ServerAddress '203.0.113.10'", "-SplitTunneling"),
        ("add-default-route=yes", "/ip route"),
        ("\ndefaultroute\n", "nodefaultroute"),
        ("all traffic", "never-default"),
    ] {
        assert!(page.contains(wanted) && !page.contains(unwanted), "{wanted}: {page}");
    }
}

#[test]
fn a_server_without_a_name_is_reported() {
    let world = World::configured();
    std::fs::write(
        world.path("adit.toml"),
        "[server]\nlisten = [\"203.0.113.10\", \"203.0.113.11\"]\n[pool]\nnet = \"10.99.0.0/24\"\n",
    )
    .unwrap();
    world.store().add_account(&NewAccount::named("alice"), None, false, at(0)).unwrap();
    let page = world.run(&["user", "handout", "alice"]);
    assert!(
        page.contains("the name that clients connect to is not configured") && page.contains("--- exit 1"),
        "{page}"
    );
}
