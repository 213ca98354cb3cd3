//! How the doctor behaves: it says good-bye, leaves nothing behind, and does not pretend.

use std::process::Command;
use std::time::{Duration, Instant};

use adit_testbed::{Relay, Seeded, pass, wait_until};

use crate::common::*;
use crate::world::*;

#[test]
fn it_goes_no_further_than_requested() {
    let (client, server) = neighbours();
    let _server = Server::start(server, CONFIG, &["alice"]);
    let reply = doctor(&client, &["203.0.113.10", "--layers", "name,control"]);
    reply.is_healthy();
    assert_eq!((reply.state("control"), reply.state("lcp")), ("pass", "not-tested"), "{}", reply.output);
}

#[test]
fn ctrl_c_disconnects_and_reports_the_findings() {
    let (client, server) = neighbours();
    server.nft("table ip f { chain i { type filter hook input priority 0; ip protocol 47 drop; }; }");
    let server = Server::start(server, CONFIG, &["alice"]);
    let dir = tempfile::TempDir::new().unwrap();
    let mut running = client.spawn(&mut adit(dir.path(), &["doctor", "203.0.113.10"]));
    running.wait_for("waiting for the server's GRE", SOON);
    let began = Instant::now();
    running.signal("INT");
    let status = running.wait(SOON);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(status.code(), Some(130), "it ended by itself: {}", running.log());
    assert!(running.log().contains("2 control   ok"), "{}", running.log());
    wait_until("the call's end at the server", SOON, || server.sessions().is_empty());
    let call = server.first_past();
    assert_eq!(call.from, "203.0.113.77", "{call:?}");
}

#[test]
fn without_raw_sockets_the_missing_capability_is_named() {
    let (client, server) = neighbours();
    let _server = Server::start(server, CONFIG, &["alice"]);
    let dir = tempfile::TempDir::new().unwrap();
    let program = adit(dir.path(), &[]);
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-net_raw", "--inh-caps=-net_raw"]).arg(program.get_program());
    command.args(["doctor", "203.0.113.10", "--json"]);
    let output = client.command(&mut command);
    let reply = Reply::of(output);
    assert_eq!(reply.code(), "", "{}", reply.output);
    assert_eq!((reply.state("control"), reply.state("gre")), ("pass", "not-tested"), "{}", reply.output);
    assert!(reply.output.stdout.contains("CAP_NET_RAW"), "{}", reply.output);
    assert_eq!(reply.output.code, Some(4), "not permitted: {}", reply.output);
}

#[test]
fn it_is_over_in_time() {
    let (client, server) = neighbours();
    server.nft("table ip f { chain i { type filter hook input priority 0; ip protocol 47 drop; }; }");
    let _server = Server::start(server, CONFIG, &["alice"]);
    let began = Instant::now();
    let reply = doctor(&client, &["203.0.113.10", "--timeout", "4s"]);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}: {}", began.elapsed(), reply.output);
    assert_eq!(reply.state("control"), "pass", "{}", reply.output);
}

#[test]
fn a_line_that_loses_packets_is_no_broken_line() {
    let (client, server) = (adit_testbed::Host::new("client"), adit_testbed::Host::new("server"));
    let relay = Relay::between(
        (&client, "eth0", "203.0.113.77/24"),
        (&server, "eth0", "203.0.113.10/24"),
        Seeded { drop: 20, ..Seeded::new(1) },
        Seeded { drop: 20, ..Seeded::new(2) },
    );
    let server = Server::start(server, CONFIG, &["alice"]);
    let _names = names(&server.lan);
    let target = ["203.0.113.10", "-u", "alice", "--reach", "192.168.10.20"];
    doctor(&client, &target).is_healthy();
    // Much in one direction: still no fault, and the direction is told.
    relay.set(Seeded { drop: 300, ..Seeded::new(3) }, pass);
    let reply = doctor(&client, &target);
    assert_eq!(reply.code(), "", "{}", reply.output);
    let loss = reply.verdict.finding("G07").unwrap_or_else(|| panic!("{}", reply.output));
    assert!(format!("{loss:?}").contains("from client to server"), "{}", reply.output);
}

#[test]
fn the_bundle_holds_what_was_found_and_no_proof() {
    let (client, server) = neighbours();
    let server = Server::start(server, CONFIG, &["alice"]);
    let _names = names(&server.lan);
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("call.tar.gz");
    let path = file.to_str().unwrap();
    let arguments = ["203.0.113.10", "-u", "alice", "--reach", "192.168.10.20", "--bundle", path];
    let reply = doctor(&client, &arguments);
    assert_eq!(reply.output.code, Some(0), "{}", reply.output);
    let listed = reply.output.stderr.find("capture.pcap").unwrap();
    assert!(listed < reply.output.stderr.find("written to").unwrap(), "told before: {}", reply.output);
    client.sh(&format!("tar -xzf {path} -C {}", dir.path().display()));
    let names = client.sh(&format!("tar -tzf {path}"));
    assert_eq!(
        names.lines().collect::<Vec<_>>(),
        ["verdict.txt", "verdict.json", "host.txt", "capture.pcap"]
    );
    let capture = dir.path().join("capture.pcap");
    let shown =
        client.sh(&format!("tshark -n -r {} -Y 'chap.code == 2' -T fields -e chap.value", capture.display()));
    assert!(
        !shown.trim().is_empty() && shown.trim().chars().all(|c| c == '0'),
        "the response is cut out: {shown}"
    );
    // The capture is judged as the call was.
    let again =
        client.command(&mut adit(dir.path(), &["doctor", "--pcap", capture.to_str().unwrap(), "--json"]));
    assert_eq!(again.code, Some(0), "{again}");
    // What is there is not written over, and no login is spent on finding that out.
    let again = client.command(&mut adit(dir.path(), &["doctor", "203.0.113.10", "--bundle", path]));
    assert_eq!(again.code, Some(6), "{again}");
}

#[test]
fn every_address_of_a_name_is_tried() {
    let (client, server) = neighbours();
    server.ip("address add 203.0.113.11/24 dev eth0");
    let _server = Server::start(server, CONFIG, &["alice"]);
    let dir = tempfile::TempDir::new().unwrap();
    let hosts = dir.path().join("hosts");
    let doctor = |names: &str| {
        std::fs::write(&hosts, names).unwrap();
        let program = adit(dir.path(), &[]);
        let script = format!(
            "mount --bind {} /etc/hosts && exec {} doctor vpn.test --json --layers control",
            hosts.display(),
            program.get_program().display()
        );
        let output = client.command(Command::new("unshare").args(["-m", "sh", "-c", &script]));
        Reply::of(output)
    };
    let reply = doctor("203.0.113.99 vpn.test\n203.0.113.10 vpn.test\n");
    assert_eq!(reply.output.code, Some(0), "{}", reply.output);
    assert!(reply.output.stdout.contains("vpn.test \u{2192} 203.0.113.10"), "{}", reply.output);
    let other = reply.verdict.finding("C01").unwrap_or_else(|| panic!("{}", reply.output));
    assert!(format!("{other:?}").contains("203.0.113.99"), "{}", reply.output);
    doctor("203.0.113.10 vpn.test\n").is_healthy();
    let reply = doctor("2001:db8::10 vpn.test\n");
    assert_eq!((reply.code(), reply.output.code), ("N01", Some(10)), "{}", reply.output);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
    let (client, _server) = neighbours();
    let dir = tempfile::TempDir::new().unwrap();
    for arguments in [
        &["doctor"][..],
        &["doctor", "203.0.113.10", "--from", "192.0.2.77"],
        &["doctor", "203.0.113.10", "--reach", "192.168.10.20"],
        &["doctor", "203.0.113.10:nonsense"],
        &["doctor", "203.0.113.10", "-u", "alice", "--reach", "a:b", "--password-stdin"],
        &["doctor", "203.0.113.10", "-u", "alice"],
        &["doctor", "203.0.113.10", "--server"],
    ] {
        let output = client.command(&mut adit(dir.path(), arguments));
        assert_eq!(output.code, Some(2), "{arguments:?}: {output}");
    }
}
