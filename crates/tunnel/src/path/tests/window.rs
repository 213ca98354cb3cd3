//! Tests of windowing: no more packets are in flight than the peer's window allows.

use super::*;

fn windowed(window: u16) -> (End, End) {
    let (mut server, client) = encrypted_pair();
    server.path.flow = Flow::new(window);
    (server, client)
}

/// Sends `packets`, each of which is `len` octets long.
fn send(end: &mut End, packets: std::ops::Range<u16>) {
    for number in packets {
        end.ip(&ping(number, 100));
    }
}

#[test]
fn c082_packets_wait_for_the_window_and_leave_in_order() {
    let (mut server, mut client) = windowed(8);
    send(&mut server, 0..20);
    let mut sent = server.sent();
    assert_eq!(sent.len(), 4, "half of the peer's window");
    let mut arrived = 0;
    while !sent.is_empty() {
        for packet in sent {
            client.gre(&packet);
        }
        assert_eq!(client.counters().lost + client.counters().decrypt_failures, 0);
        arrived = client.out.ip.len();
        // The acknowledgment is sent alone.
        client.pass(Duration::from_millis(100));
        for packet in client.sent() {
            server.gre(&packet);
        }
        sent = server.sent();
    }
    assert_eq!(arrived, 20);
    assert_eq!(server.counters().tx_packets, 20);
}

#[test]
fn c082_without_acknowledgments_it_goes_on_at_the_timeout() {
    let (mut server, _) = windowed(8);
    send(&mut server, 0..10);
    assert_eq!(server.sent().len(), 4);
    server.pass(Duration::from_millis(300));
    assert_eq!(server.sent().len(), 2, "half of that");
    server.pass(Duration::from_millis(600));
    assert_eq!(server.sent().len(), 1);
}

#[test]
fn what_waits_has_a_bound() {
    let (mut server, _) = windowed(8);
    send(&mut server, 0..1000);
    assert_eq!(server.counters().window_full, 1000 - 4 - 256);
    assert_eq!(server.counters().tx_packets, 4);
}

#[test]
fn control_frames_do_not_wait() {
    let (mut server, _) = windowed(8);
    send(&mut server, 0..10);
    assert_eq!(server.sent().len(), 4);
    server.frame(&[0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0]);
    assert_eq!(server.sent().len(), 1);
}

#[test]
fn c081_without_windowing_nothing_waits() {
    let (mut server, _) = windowed(0);
    send(&mut server, 0..1000);
    assert_eq!(server.sent().len(), 1000);
}
