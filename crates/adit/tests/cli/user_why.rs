//! `adit user show --why`

use adit_store::NewAccount;

use crate::{World, at};

#[test]
fn every_effective_value_has_its_origin() {
    let world = World::configured();
    let store = world.store();
    let account = NewAccount {
        group: Some("ops".into()),
        address: Some([10, 99, 0, 7].into()),
        expires: Some("2099-04-01T00:00:00Z".parse().unwrap()),
        ..NewAccount::named("bob")
    };
    store.add_account(&account, None, false, at(0)).unwrap();
    store.add_account(&NewAccount::named("alice"), None, false, at(0)).unwrap();
    let shown = ["bob", "alice"].map(|name| world.run(&["user", "show", name, "--why"]));
    insta::assert_snapshot!("why", shown.join("\n"));
    let json = world.json(&["user", "show", "bob"]);
    let of =
        |key: &str| json["effective"].as_array().unwrap().iter().find(|value| value["key"] == key).unwrap();
    assert_eq!(
        (&of("idle")["origin"], &of("idle")["over"][0]["origin"]),
        (&"group".into(), &"built-in".into())
    );
    assert_eq!((&of("address")["origin"], &of("address")["value"]), (&"user".into(), &"10.99.0.7".into()));
    assert_eq!(of("routes")["origin"], "access");
}
