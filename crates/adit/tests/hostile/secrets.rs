//! What is written down: no secret, and nothing that a terminal would obey.

use std::path::Path;

use adit_testbed::{Capture, wait_until};

use crate::common::*;
use crate::peer::{Peer, start_as};

const WRONG: &str = "Tr0ub4dor-and-3";

/// Everything in the files below a folder.
fn content(folder: &Path, all: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            content(&entry.path(), all);
        } else if kind.is_file() {
            all.extend(std::fs::read(entry.path()).unwrap());
        }
    }
}

fn holds(all: &[u8], secret: &[u8]) -> bool {
    all.windows(secret.len()).any(|window| window.eq_ignore_ascii_case(secret))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter_map(|c| (c as char).to_digit(16).map(|d| d as u8)).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn c238_logs_records_and_database_hold_no_password_and_no_response() {
    for (auth, method) in [
        ("", "mschap-v2"),
        ("[auth]\nmethods = [\"chap\"]\n[link]\nmppe = \"off\"\n", "chap"),
        ("[auth]\nmethods = [\"pap\"]\n[link]\nmppe = \"off\"\n", "pap"),
    ] {
        let (client_host, server_host) = neighbours();
        let logs = tempfile::TempDir::new().unwrap();
        let file = logs.path().join("adit.log");
        let log = format!("[log]\nto = [\"stderr\", {{ file = \"{}\" }}]\n", file.display());
        let server = Server::start(server_host, &format!("{CONFIG}{auth}{log}"), &[]);
        add_user(server.dir.path(), "alice", &["--reversible"]);
        let mut capture = Capture::start(&server.host, "eth0", "proto 47");
        let mppe = if auth.is_empty() { "require" } else { "off" };
        let more = ["--once", "--method", method, "--mppe", mppe];
        let mut wrong = dial(&client_host, "203.0.113.10", "alice", WRONG, &more);
        assert_eq!(wrong.running.wait(SOON).code(), Some(14), "{}", wrong.running.log());
        let mut right = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &more);
        right.running.wait_for("connected", SOON);
        assert_eq!(right.hang_up(), 0);
        wait_until("the records", SOON, || server.past(&[]).len() == 2);
        let fields = ["-Y", "chap.code == 2", "-T", "fields", "-e", "chap.value"];
        let responses: Vec<String> = capture.tshark(&fields).lines().map(str::to_owned).collect();
        assert_eq!(responses.len(), if method == "pap" { 0 } else { 2 }, "{method}: {responses:?}");
        let mut written = Vec::new();
        content(&server.dir.path().join("state"), &mut written);
        written.extend(std::fs::read(&file).unwrap());
        for log in [&server.running, &wrong.running, &right.running] {
            written.extend(log.log().into_bytes());
        }
        for session in ["s1", "s2"] {
            written.extend(server.adit(&["session", session]).stdout.into_bytes());
            written.extend(server.adit(&["session", session, "--json"]).stdout.into_bytes());
        }
        written.extend(server.adit(&["log", "--json"]).stdout.into_bytes());
        assert!(holds(&written, b"alice") && holds(&written, b"session.up"), "this looks in the wrong place");
        for secret in [PASSWORD, WRONG] {
            assert!(!holds(&written, secret.as_bytes()), "{method}: {secret} is written down");
            assert!(!holds(&written, &utf16(secret)), "{method}: {secret} is written down in UTF-16");
        }
        for response in responses {
            let plain = response.replace(':', "");
            assert!(!holds(&written, plain.as_bytes()), "{method}: a response is written down");
            assert!(!holds(&written, &octets(&plain)), "{method}: a response is written down");
        }
    }
}

#[test]
fn c013_names_from_the_network_cannot_write_on_the_terminal() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let evil = "\u{1b}[2J\u{7}\nready code=A01 \u{9b}31m";
    let mut peer = Peer::open(&client_host);
    peer.send(&start_as(&[b"\x1b[2J\x07\n".repeat(10), b"\x9b31m".to_vec()].concat()));
    peer.receive().unwrap();
    drop(peer);
    let mut client = dial(&client_host, "203.0.113.10", evil, WRONG, &["--once"]);
    assert_eq!(client.running.wait(SOON).code(), Some(14), "{}", client.running.log());
    wait_until("the records", SOON, || server.past(&[]).len() == 2);
    let mut shown = vec![server.running.log(), server.adit(&["log"]).stdout];
    for session in ["s1", "s2"] {
        shown.push(server.adit(&["session", session]).stdout);
    }
    shown.push(server.adit(&["sessions", "--past", "--wide"]).stdout);
    for text in shown {
        let bad = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(bad, None, "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("ready code")), "a line was forged: {text}");
    }
}
