//! `adit pool` without a server.

use adit_policy::{AddressRequest, PoolConfig};
use adit_store::{Change, LeaseClaim, NewAccount, NewSession, Release, SessionId};
use jiff::{SignedDuration, Timestamp};

use crate::{CONFIG, World, server};

/// A world in which ann has a fixed address, ben had one of the range an hour ago, and cat had one for which `sticky` is over.
fn lent() -> World {
    let world = World::configured();
    let more =
        "[pools.lab]\nnet = \"10.98.0.0/29\"\n[groups.lab]\npool = \"lab\"\nroutes = [\"192.168.10.0/24\"]\n";
    std::fs::write(world.path("adit.toml"), format!("{CONFIG}{more}")).unwrap();
    let store = world.store();
    let now = Timestamp::now();
    for (name, address) in [("ann", Some([10, 99, 0, 200].into())), ("ben", None), ("cat", None)] {
        store.add_account(&NewAccount { address, ..NewAccount::named(name) }, None, false, now).unwrap();
    }
    let pool = PoolConfig::new("default", "10.99.0.0/24".parse().unwrap());
    let pools = [("default".to_owned(), pool)].into();
    let (server, from) = (server(&store), "198.51.100.7:50000".parse().unwrap());
    for (user, hours) in [("ben", 1), ("cat", 24 * 31)] {
        let then = now - SignedDuration::from_hours(hours);
        let session: SessionId =
            store.start_sessions(server, &[NewSession { started: then, from }]).unwrap()[0];
        let request = AddressRequest { pools: &pools, pool: "default", user, fixed: None };
        let claim = LeaseClaim { session, request };
        let address = store.claim_lease(&claim, &[], then).unwrap().unwrap().address;
        store.apply(&[Change::Release(Release { session, pool: "default".into(), address })], then).unwrap();
    }
    world
}

#[test]
fn pools_have_their_counts() {
    let list = lent().run(&["pool", "list", "--wide"]);
    let expected = "\
$ adit pool list --wide
POOL     NET           SIZE  USED  FREE  KEPT  FIXED  USERS
default  10.99.0.0/24   241     0   240     1      1  access groups.ops groups.staff
lab      10.98.0.0/29     5     0     5     0      0  groups.lab
";
    assert_eq!(list, expected);
    let json = lent().json(&["pool", "list", "--filter", "pool=lab"]);
    assert_eq!(json["pools"].as_array().unwrap().len(), 1);
    assert_eq!(json["pools"][0]["ranges"], serde_json::json!([["10.98.0.2", "10.98.0.6"]]));
}

#[test]
fn addresses_have_their_users() {
    let world = lent();
    let shown = world.run(&["pool", "show", "--columns", "address,state,user,session,fixed_of"]);
    let expected = "\
$ adit pool show --columns address,state,user,session,fixed_of
ADDRESS      STATE  USER  SESSION  FIXED
10.99.0.10   kept   ben   -        -
10.99.0.200  fixed  ann   -        ann
";
    assert_eq!(shown, expected);
    assert!(world.run(&["pool", "show", "lab"]).ends_with("no addresses: all are free\n"));
    let wrong = world.run(&["pool", "show", "labs"]);
    assert!(wrong.contains("there is no pool \"labs\": did you mean \"lab\"?"), "{wrong}");
    assert!(wrong.contains("--- exit 5"), "{wrong}");
}

#[test]
fn a_kept_address_is_released_and_others_are_not() {
    let world = lent();
    let dry = world.run(&["pool", "release", "10.99.0.10", "--dry-run"]);
    assert!(dry.contains("would release 10.99.0.10   pool default   was kept for ben until"), "{dry}");
    assert!(world.run(&["pool", "release", "10.99.0.10"]).contains("released 10.99.0.10   pool default"));
    let log = world.run(&["log"]);
    assert!(log.contains("address.released user=ben address=10.99.0.10 pool=default by=mira"), "{log}");
    for (address, message, fix, exit) in [
        ("10.99.0.10", "10.99.0.10 is kept for no one", "adit pool show default", 5),
        // The time for which it was kept is over.
        ("10.99.0.11", "10.99.0.11 is kept for no one", "adit pool show default", 5),
        ("10.99.0.200", "10.99.0.200 is the fixed address of ann", "adit user set ann --no-address", 6),
        ("10.97.0.1", "10.97.0.1 is in no pool", "adit pool list", 5),
        ("10.98.0.0", "10.98.0.0 is kept for no one", "adit pool show lab", 5),
        ("0.0.0.0", "0.0.0.0 is in no pool", "adit pool list", 5),
        ("255.255.255.255", "255.255.255.255 is in no pool", "adit pool list", 5),
        ("10.99.0", "invalid IPv4 address", "adit pool release --help", 2),
    ] {
        let refused = world.run(&["pool", "release", address]);
        let exit = format!("--- exit {exit}");
        assert!(refused.contains(message) && refused.contains(fix) && refused.contains(&exit), "{refused}");
    }
    let list = world.run(&["pool", "list", "--columns", "kept"]);
    assert!(list.ends_with("KEPT\n   0\n   0\n"), "{list}");
}

#[test]
fn without_a_configuration_there_is_no_pool() {
    let refused = World::new().run(&["pool", "list"]);
    assert!(refused.contains("no pool is configured"), "{refused}");
}
