//! Control connections, in any order of their segments.

#![cfg(test)]

mod world;

use adit_capture::{Arrival, Item, What};
use world::{By, Tcp, echo, messages, ocrq, packets, pcap, read, reported, sccrq, segment};

const RAW: u16 = 101;

fn names(items: &[Item]) -> Vec<String> {
    messages(items).into_iter().map(|(_, name)| name).collect()
}

const SCCRQ: &str = "Start-Control-Connection-Request";
const OCRQ: &str = "Outgoing-Call-Request";
const ECHO: &str = "Echo-Request";

#[test]
fn messages_are_found_on_any_port_however_they_are_cut() {
    let octets = [sccrq(), ocrq(), echo(7)].concat();
    for port in [1723, 4711] {
        for size in [1, 5, 11, 12, 100, 156, 157, 1000] {
            let mut tcp = Tcp::new(port);
            let mut frames = tcp.open();
            frames.extend(octets.chunks(size).map(|piece| tcp.send(By::Client, piece)));
            let items = read(&pcap(RAW, &frames));
            assert_eq!(names(&items), [SCCRQ, OCRQ, ECHO], "pieces of {size} at port {port}");
            assert_eq!(reported(&items), []);
            let packets = packets(&items);
            assert!(segment(packets.last().unwrap()).is_control);
            assert!(packets.iter().all(|packet| segment(packet).checksum == Some(true)));
        }
    }
}

#[test]
fn the_opening_is_timed() {
    let packets = packets(&read(&pcap(RAW, &Tcp::new(1723).open())));
    let times: Vec<_> = packets.iter().map(|packet| segment(packet).since_syn.unwrap().as_millis()).collect();
    assert_eq!(times, [0, 10, 20]);
    assert!(segment(&packets[0]).is_syn() && segment(&packets[1]).is_syn_ack());
}

#[test]
fn retransmissions_and_overlaps_are_read_once() {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    let start = tcp.next[0];
    let all = [sccrq(), ocrq()].concat();
    frames.push(tcp.send(By::Client, &all[..100]));
    frames.push(tcp.raw(By::Client, 0x18, start, &all[..100]));
    frames.push(tcp.raw(By::Client, 0x18, start, &all[..200]));
    frames.push(tcp.raw(By::Client, 0x18, start + 150, &all[150..]));
    let items = read(&pcap(RAW, &frames));
    assert_eq!(messages(&items), [(6, SCCRQ.to_owned()), (7, OCRQ.to_owned())]);
    let arrivals: Vec<_> = packets(&items).iter().skip(3).map(|packet| segment(packet).arrival).collect();
    assert_eq!(arrivals, [Arrival::InOrder, Arrival::Retransmission, Arrival::InOrder, Arrival::InOrder]);
}

#[test]
fn segments_out_of_order_wait_for_those_before() {
    for around_the_end in [false, true] {
        let mut tcp = Tcp::new(1723);
        if around_the_end {
            tcp.next[0] = u32::MAX - 100;
        }
        let mut frames = tcp.open();
        let one = tcp.send(By::Client, &sccrq());
        let two = tcp.send(By::Client, &ocrq());
        let three = tcp.send(By::Client, &echo(1));
        frames.extend([three, two, one]);
        let items = read(&pcap(RAW, &frames));
        assert_eq!(messages(&items).iter().map(|(frame, _)| *frame).collect::<Vec<_>>(), [6, 6, 6]);
        assert_eq!(names(&items), [SCCRQ, OCRQ, ECHO]);
        assert_eq!(segment(&packets(&items)[3]).arrival, Arrival::Ahead);
    }
}

#[test]
fn what_the_other_side_acknowledges_is_missing_from_the_file_only() {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    frames.push(tcp.send(By::Client, &sccrq()));
    tcp.send(By::Client, &ocrq());
    frames.push(tcp.send(By::Client, &echo(1)));
    frames.push(tcp.raw(By::Server, 0x10, tcp.next[1], &[]));
    frames.push(tcp.send(By::Client, &echo(2)));
    let items = read(&pcap(RAW, &frames));
    let gap = What::Gap { stream: 0, source: world::ip(world::CLIENT), octets: 168, acknowledged: true };
    assert_eq!(reported(&items), [gap]);
    let late: Vec<_> = packets(&items).iter().map(|packet| segment(packet).late.len()).collect();
    assert_eq!(
        late,
        [0, 0, 0, 0, 0, 1, 0],
        "the echo behind the gap becomes readable with the acknowledgment"
    );
    assert_eq!(names(&items), [SCCRQ, ECHO]);
}

#[test]
fn a_file_that_starts_in_the_middle_is_read_from_the_next_message() {
    let mut tcp = Tcp::new(1723);
    let frames = [
        tcp.send(By::Client, &ocrq()[70..]),
        tcp.send(By::Client, &echo(1)),
        tcp.send(By::Server, &echo(2)),
        tcp.send(By::Client, &echo(3)),
    ];
    let items = read(&pcap(RAW, &frames));
    assert_eq!(messages(&items).iter().map(|(frame, _)| *frame).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(!segment(&packets(&items)[0]).is_control);
}

#[test]
fn another_protocol_on_the_port_is_shown_by_its_beginning() {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    frames.push(tcp.send(By::Client, &sccrq()));
    frames.push(tcp.send(By::Server, b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    frames.push(tcp.send(By::Server, &echo(1)));
    let packets = packets(&read(&pcap(RAW, &frames)));
    assert_eq!(segment(&packets[4]).first, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    assert_eq!(segment(&packets[5]).messages, [], "what began otherwise is no control connection later");
    assert_eq!(segment(&packets[5]).first, b"");
}

#[test]
fn a_stream_that_breaks_the_format_is_reported_and_found_again() {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    frames.push(tcp.send(By::Client, &[&echo(1)[..], &[0xff; 20]].concat()));
    frames.push(tcp.send(By::Client, &echo(2)));
    let items = read(&pcap(RAW, &frames));
    assert_eq!(names(&items), [ECHO, ECHO]);
    assert!(matches!(reported(&items)[..], [What::StreamLost { stream: 0, .. }]), "{:?}", reported(&items));
}

#[test]
fn ports_used_again_are_another_connection() {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    frames.push(tcp.send(By::Client, &sccrq()));
    tcp.next = [90_000, 100_000];
    frames.extend(tcp.open());
    frames.push(tcp.send(By::Client, &sccrq()));
    let items = read(&pcap(RAW, &frames));
    assert_eq!(names(&items), [SCCRQ, SCCRQ]);
    let streams: Vec<_> = packets(&items).iter().map(|packet| segment(packet).stream).collect();
    assert_eq!(streams, [0, 0, 0, 0, 1, 1, 1, 1]);
}

#[test]
fn a_syn_sent_again_is_the_same_connection() {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    frames.insert(0, frames[0].clone());
    let packets = packets(&read(&pcap(RAW, &frames)));
    assert_eq!(segment(&packets[1]).arrival, Arrival::Retransmission);
    assert_eq!(segment(&packets[1]).since_syn.unwrap().as_millis(), 10);
    assert!(packets.iter().all(|packet| segment(packet).stream == 0));
}

#[test]
fn segments_that_the_capture_cut_leave_a_gap() {
    let mut tcp = Tcp::new(1723);
    let opening = tcp.open();
    let cut = tcp.send(By::Client, &[sccrq(), ocrq()].concat());
    let next = tcp.send(By::Client, &echo(1));
    let mut file = pcap(RAW, &opening);
    // 20 octets of IP, 20 of TCP, the first message and a piece of the second.
    adit_capture::write::frame(&mut file, world::at(4), &cut[..40 + 200], cut.len());
    adit_capture::write::frame(&mut file, world::at(5), &next, next.len());
    let items = read(&file);
    assert_eq!(names(&items), [SCCRQ, ECHO]);
    assert!(matches!(reported(&items)[..], [What::Gap { octets: 124, acknowledged: false, .. }]));
    assert_eq!(segment(&packets(&items)[3]).len, 324);
    assert_eq!(segment(&packets(&items)[3]).checksum, None);
}

#[test]
fn too_much_out_of_order_is_given_up() {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    frames.push(tcp.send(By::Client, &sccrq()));
    tcp.send(By::Client, &ocrq());
    frames.extend((0..40).map(|n| tcp.send(By::Client, &echo(n))));
    let items = read(&pcap(RAW, &frames));
    assert_eq!(names(&items).iter().filter(|name| *name == ECHO).count(), 40);
    assert!(matches!(reported(&items)[..], [What::Gap { octets: 168, acknowledged: false, .. }]));
}

#[test]
fn connections_that_are_not_pptp_are_evicted_first() {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    frames.push(tcp.send(By::Client, &sccrq()));
    let others =
        (0..adit_capture::STREAMS_MAX + 500).map(|n| Tcp::new(2000 + n as u16).open().swap_remove(0));
    frames.extend(others);
    frames.push(tcp.send(By::Client, &echo(1)));
    let items = read(&pcap(RAW, &frames));
    assert_eq!(names(&items), [SCCRQ, ECHO]);
    assert_eq!(segment(packets(&items).last().unwrap()).stream, 0);
    assert!(matches!(reported(&items)[..], [What::Full { .. }]));
}
