//! `adit ban` and `adit user unlock` while the server runs.

use std::io::Read as _;
use std::net::TcpStream;

use crate::common::*;
use crate::world::{HOME, World, attacker, plan, run};

#[test]
fn a_ban_holds_at_once_and_until_it_is_lifted() {
    let world = World::new(&["victim"], 1, 1);
    let adit = |arguments: &[&str]| {
        let output = world.server.adit(arguments);
        (output.code.unwrap(), format!("{}{}", output.stdout, output.stderr))
    };
    assert!(world.logs_in("victim", HOME));
    let (code, text) = adit(&["ban", "add", "198.19.250.0/24", "--dry-run"]);
    assert!(code == 0 && text.contains("would ban 198.19.250.0/24   until"), "{text}");
    assert!(world.logs_in("victim", HOME));
    let (code, text) = adit(&["ban", "add", "198.19.250.7", "--for", "30m", "--reason", "a test"]);
    assert!(
        code == 0 && text.contains("banned   198.19.250.7   until") && text.contains("(30 min)"),
        "{text}"
    );
    assert!(!world.logs_in("victim", HOME), "an administrator bans own addresses too");
    assert_eq!(world.lockout().turned_away, 1);
    let (_, status) = adit(&["status"]);
    assert!(status.contains("Q22 1 address or network is banned"), "{status}");
    let (code, text) = adit(&["ban", "remove", "198.19.250.7"]);
    assert_eq!((code, text.trim_end()), (0, "unbanned 198.19.250.7"), "no other ban holds it");
    assert!(world.logs_in("victim", HOME));
    let (code, text) = adit(&["ban", "remove", "198.19.250.7"]);
    assert!(code == 5 && text.contains("198.19.250.7 is not banned"), "{code} {text}");
    let (_, log) = adit(&["log"]);
    assert!(log.contains("address.banned from=198.19.250.7") && log.contains("reason=\"a test\""), "{log}");
    assert!(log.contains("address.unbanned from=198.19.250.7"), "{log}");
}

#[test]
fn a_banned_address_is_closed_before_anything_is_read() {
    let world = World::new(&["victim"], 1, 1);
    assert!(world.server.adit(&["ban", "add", "192.0.2.2"]).ok);
    let mut stream =
        world.attackers.run(|| TcpStream::connect_timeout(&(SERVER, 1723).into(), SOON).unwrap());
    stream.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0, "closed, without a message from either side");
    let queue = world.server.status().queue;
    assert_eq!((world.lockout().turned_away, queue.unfinished, queue.arriving), (1, 0, 0));
}

#[test]
fn a_wrong_password_that_locks_one_network_is_unlocked() {
    let world = World::new(&["victim"], 1, 1);
    assert!(world.logs_in("victim", HOME));
    run(&world.users, plan("victim", "wrong", 5, vec![HOME]));
    assert!(!world.logs_in("victim", HOME), "locked by its own failures");
    let unlock = world.server.adit(&["user", "unlock", "victim"]);
    assert!(unlock.stdout.starts_with("unlocked victim"), "{unlock}");
    assert!(world.logs_in("victim", HOME));
    let log = world.server.adit(&["log"]).stdout;
    assert!(log.contains("account.locked user=victim from=198.19.250.7 code=A04"), "{log}");
    run(&world.attackers, plan("victim", "wrong", 1, vec![attacker(0)]));
    let removed = world.server.adit(&["user", "remove", "victim", "--yes"]);
    assert!(removed.ok, "{removed}");
    assert_eq!(world.lockout().locked, 0);
}
