//! Commands that need the running server, when it is not there or not well.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;

use crate::World;

/// A server that reads one request and answers with these octets, then closes.
fn answering(world: &World, answer: &'static [u8]) -> std::thread::JoinHandle<String> {
    std::fs::create_dir_all(world.path("run")).unwrap();
    let listener = UnixListener::bind(world.path("run/adit.sock")).unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        (&stream).write_all(answer).unwrap();
        line
    })
}

#[test]
fn no_server() {
    let world = World::new();
    let runs = [
        world.run(&["status"]),
        world.run(&["sessions"]),
        world.run(&["kick", "alice"]),
        world.run(&["status", "--json"]),
        world.run(&["disconnect"]),
    ];
    insta::assert_snapshot!(runs.join("\n"));
}

#[test]
fn a_silent_server_times_out() {
    let world = World::new();
    std::fs::create_dir_all(world.path("run")).unwrap();
    let _listener = UnixListener::bind(world.path("run/adit.sock")).unwrap();
    let began = std::time::Instant::now();
    let text = world.run(&["status", "--timeout", "200ms"]);
    assert!(began.elapsed().as_secs() < 5);
    assert!(text.contains("does not answer: nothing in time") && text.contains("--- exit 3"), "{text}");
}

#[test]
fn strange_answers() {
    for (answer, words) in [
        (&b"hello\n"[..], "not in our language"),
        (b"", "it closed the connection"),
        (b"{\"done\":\"x\"}\n", "another version"),
        (
            br#"{"error":{"kind":"not-found","code":null,"message":"no active session matches \"x\": adit sessions","fix":null}}
"#,
            "no active session",
        ),
    ] {
        let world = World::new();
        let server = answering(&world, answer);
        let text = world.run(&["status"]);
        assert!(text.contains(words), "{text}");
        assert_eq!(server.join().unwrap(), "{\"command\":\"status\"}\n");
    }
}

#[test]
fn sessions_that_run() {
    let world = World::new();
    let row = br#"{"sessions":[{"id":"s41","user":"alice","group":"staff","address":"10.99.0.14","from":"198.51.100.7","state":"up","code":"","started":"2026-11-22T17:40:00Z","age_s":7985,"up_s":7980,"mppe":128,"method":"mschap-v2","vendor":"Microsoft Windows NT","counters":{"rx_packets":900,"rx_bytes":1234567890,"tx_packets":400,"tx_bytes":88000000,"lost":100,"reordered":0,"duplicate":0,"out_of_window":0,"decrypt_failures":0,"clear_refused":0,"spoofed":0,"acl_denied":0}},{"id":"s47","user":"","group":"","address":"","from":"203.0.113.77","state":"gre","code":"G01","started":"2026-11-22T19:40:00Z","age_s":4,"up_s":0,"mppe":0,"method":"","vendor":"","counters":{"rx_packets":0,"rx_bytes":0,"tx_packets":0,"tx_bytes":0,"lost":0,"reordered":0,"duplicate":0,"out_of_window":0,"decrypt_failures":0,"clear_refused":0,"spoofed":0,"acl_denied":0}}]}
"#;
    let mut runs = Vec::new();
    for arguments in
        [&["sessions"][..], &["sessions", "--sort", "-rx", "--filter", "rx>1M", "--columns", "id,rx,lost"]]
    {
        let world = World::new();
        let server = answering(&world, row);
        runs.push(world.run(arguments));
        server.join().unwrap();
    }
    insta::assert_snapshot!(runs.join("\n"));
    let server = answering(&world, row);
    let json = world.json(&["sessions", "--columns", "id,tx"]);
    server.join().unwrap();
    assert_eq!(json["schema"], "adit.sessions/1");
    assert_eq!(json["sessions"][1]["counters"]["tx_bytes"], 0);
    assert_eq!(json["sessions"][0].as_object().unwrap().len(), 2);
}
