//! A: authentication.

use crate::case::{Case, later, row};
use crate::world::{Plan, hold_a_call};

#[test]
fn row_31_wrong_password() {
    let mut case = Case::new("31", &Plan::default());
    let wrong = case.world.password_file("not-the-password");
    case.examine(&["-u", "alice", "--password-file", &wrong]);
    case.server().record().judge();
}

#[test]
fn row_32_unknown_user() {
    row("32", &Plan::default(), &["-u", "unknown"], |_| {});
}

#[test]
fn row_33_account_disabled() {
    row("33", &Plan::default(), &["-u", "alice"], |world| {
        let done = world.at_server(&["user", "disable", "alice"]);
        assert!(done.ok, "{done}");
    });
}

#[test]
fn row_34_account_expired() {
    row("34", &Plan::default(), &["-u", "alice"], |world| {
        // No command makes an account that is over already: its last day was in 2020.
        let database = rusqlite::Connection::open(world.dir.path().join("state/adit.db")).unwrap();
        let changed = database.execute("UPDATE accounts SET expires = 1577836800000", ()).unwrap();
        assert_eq!(changed, 1);
    });
}

#[test]
fn rows_35_36_38_39_50_65_later() {
    ["35", "36", "38", "39", "50", "65"].into_iter().for_each(later);
}

#[test]
fn row_37_no_vpn_permission() {
    row("37", &Plan::default(), &["-u", "alice"], |world| {
        let done = world.at_server(&["user", "set", "alice", "--vpn", "no"]);
        assert!(done.ok, "{done}");
    });
}

#[test]
fn row_40_already_connected() {
    let mut case = Case::new("40", &Plan::with("[access]\n", "[access]\non_second = \"refuse\"\n"));
    let neighbour = case.world.neighbour();
    let _held = hold_a_call(&neighbour, "alice");
    case.examine(&["-u", "alice"]);
    case.server().record().judge();
}

#[test]
fn row_41_domain_that_the_server_does_not_strip() {
    row("41", &Plan::with("[auth]\n", "[auth]\ndomain = \"keep\"\n"), &["-u", "CORP\\alice"], |_| {});
}
