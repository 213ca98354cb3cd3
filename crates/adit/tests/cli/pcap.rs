//! `adit doctor --pcap`

use adit_wire::{cp, ppp};
use insta::assert_snapshot;

use crate::World;
use world::By::{Client, Server};
use world::{BITS_128, MS_CHAP_V2, Near, World as Wire, control, lcp, mppe};

#[allow(dead_code, reason = "the doctor's own tests use more of it")]
#[path = "../../../doctor/tests/captures/world.rs"]
mod world;

fn file(world: &World, wire: &Wire) -> String {
    let path = world.path("call.pcap");
    std::fs::write(&path, wire.file()).unwrap();
    path.display().to_string()
}

/// A call that works, and one whose client wants no encryption.
fn two_calls() -> Wire {
    let mut wire = Wire::new(Near::Client);
    wire.up();
    for n in 0..20 {
        wire.wait(1.0).data(Client, n, 100).data(Server, n, 1200);
    }
    wire.hang_up().wait(6.0);
    wire.second_client(8, 1202);
    wire.call().lcp_up(MS_CHAP_V2).login();
    wire.gre(Server, &control(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &mppe(BITS_128)));
    wire.gre(Client, &control(ppp::CCP, cp::CONFIGURE_REJECT, 1, &mppe(BITS_128)));
    wire.gre(Server, &lcp(cp::TERMINATE_REQUEST, 2, b"MPPE required but peer refused"));
    wire.fin(Server).fin(Client);
    wire
}

/// GRE is sent, and none arrives.
fn one_way() -> Wire {
    let mut wire = Wire::new(Near::Client);
    wire.call();
    for id in 0..5 {
        wire.wait(3.0).gre_vanishes(Client, &lcp(cp::CONFIGURE_REQUEST, id, &world::magic(0x1111)));
    }
    wire
}

#[test]
fn the_last_call_that_failed_is_shown_in_full() {
    let world = World::new();
    let file = file(&world, &two_calls());
    let runs = [
        world.run(&["doctor", "--pcap", &file]),
        world.run(&["doctor", "--pcap", &file, "--call", "1"]),
        world.run(&["doctor", "--pcap", &file, "--call", "3"]),
    ];
    assert_snapshot!("two_calls", runs.join("\n"));
}

#[test]
fn missing_parts_are_reported_with_the_place() {
    let world = World::new();
    let file = file(&world, &one_way());
    assert_snapshot!("one_way", world.run(&["doctor", "--pcap", &file, "--why"]));
    assert_snapshot!("one_way_json", world.run(&["doctor", "--pcap", &file, "--json"]));
}

#[test]
fn no_pptp_is_an_answer() {
    let world = World::new();
    let mut wire = Wire::new(Near::Client);
    wire.silence(1.0);
    let file = file(&world, &wire);
    let runs = [
        world.run(&["doctor", "--pcap", &file]),
        world.run(&["doctor", "--pcap", &file, "--json"]),
        world.run(&["doctor", "--pcap", "DIR/not-there.pcap"]),
    ];
    assert_snapshot!("no_pptp", runs.join("\n"));
}

#[test]
fn a_damaged_file_is_read_as_far_as_it_goes() {
    let world = World::new();
    let octets = two_calls().file();
    let path = world.path("cut.pcap");
    std::fs::write(&path, &octets[..octets.len() * 2 / 3]).unwrap();
    let path = path.display().to_string();
    let text = world.run(&["doctor", "--pcap", &path]);
    assert!(text.contains("the file ends within a frame"), "{text}");
    assert!(text.contains("call 1    22:13:20.010   connected"), "{text}");
    std::fs::write(world.path("cut.pcap"), b"no capture at all").unwrap();
    let text = world.run(&["doctor", "--pcap", &path]);
    assert!(text.contains("no capture file") && text.contains("exit 5"), "{text}");
}

#[test]
fn stdin_and_the_password_do_not_get_into_each_others_way() {
    let world = World::new();
    let output = world.command(&["doctor", "--pcap", "-"]).write_stdin(one_way().file()).output().unwrap();
    assert_eq!(output.status.code(), Some(12), "{output:?}");
    let text = world.run(&["doctor", "--pcap", "-", "-u", "alice", "--password-stdin"]);
    assert!(text.contains("stdin cannot be both") && text.contains("exit 2"), "{text}");
    let file = file(&world, &two_calls());
    let text = world.run_with(&["doctor", "--pcap", &file, "-u", "alice", "--password-stdin"], "guess\n");
    assert!(text.contains("the password is not the one"), "{text}");
}

/// Authentication proofs are shown on request only.
#[test]
fn hashes_are_shown_on_demand_alone() {
    let world = World::new();
    let file = file(&world, &two_calls());
    let challenge = "5a".repeat(16);
    for arguments in [&["doctor", "--pcap", &file][..], &["doctor", "--pcap", &file, "--json", "--why"]] {
        assert!(!world.run(arguments).to_lowercase().contains(&challenge));
    }
    let text = world.run(&["doctor", "--pcap", &file, "--hashes"]);
    assert!(text.contains(&challenge) && text.contains("enough to find the password"), "{text}");
}

#[test]
fn a_host_picks_its_calls() {
    let world = World::new();
    let file = file(&world, &two_calls());
    let run = |host: &str| world.run(&["doctor", host, "--pcap", &file]);
    assert!(run("203.0.113.10").contains("2 calls"));
    assert!(run("203.0.113.11").contains("No call to 203.0.113.11 in this file"));
    // The file has no query for the name: its address is not known, and nothing is left out.
    assert!(run("vpn.example.org").contains("2 calls"));
}
