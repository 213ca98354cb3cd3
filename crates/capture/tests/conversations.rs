//! Packets are grouped into conversations, also where something on the path changed them.

#![cfg(test)]

mod world;

use std::net::Ipv4Addr;

use adit_capture::Item;
use adit_capture::conversation::{By, CONVERSATIONS_MAX, Conversation, Conversations, Event, FIRST, LAST};
use adit_wire::pptp::{CallClearRequest, OutgoingCallReply, OutgoingCallRequest, OutgoingResult};
use adit_wire::{gre, ppp};
use world::{By as Side, CLIENT, LCP, SERVER, Tcp, ip, octets, pcap, read, sccrq, v4};

const RAW: u16 = 101;

fn conversations(frames: &[Vec<u8>]) -> Vec<Conversation> {
    let mut conversations = Conversations::default();
    for item in read(&pcap(RAW, frames)) {
        match item {
            Item::Packet(packet) => conversations.take(&packet),
            Item::Note(note) => conversations.take_note(&note),
        }
    }
    conversations.finish();
    std::iter::from_fn(|| conversations.poll()).collect()
}

#[track_caller]
fn only(frames: &[Vec<u8>]) -> Conversation {
    let found = conversations(frames);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

fn request(call_id: u16) -> Vec<u8> {
    octets(OutgoingCallRequest::new(call_id))
}

fn reply(call_id: u16, peer_call_id: u16, result: u8) -> Vec<u8> {
    octets(OutgoingCallReply {
        result: OutgoingResult::from(result),
        connect_speed: 0,
        ..OutgoingCallReply::connected(call_id, peer_call_id)
    })
}

/// GRE with a PPP frame, or an acknowledgment alone.
fn data(from: Ipv4Addr, to: Ipv4Addr, call_id: u16, seq: Option<u32>, ack: Option<u32>) -> Vec<u8> {
    let frame = if seq.is_some() { LCP } else { &[] };
    v4(from, to, gre::IP_PROTOCOL, &gre::packet(call_id, seq, ack, frame))
}

fn to_server(call_id: u16, seq: u32) -> Vec<u8> {
    data(CLIENT, SERVER, call_id, Some(seq), None)
}

fn to_client(call_id: u16, seq: u32) -> Vec<u8> {
    data(SERVER, CLIENT, call_id, Some(seq), None)
}

/// A control connection with one call: the client's Call ID is 7, the server's 99.
fn set_up() -> (Tcp, Vec<Vec<u8>>) {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    frames.push(tcp.send(Side::Client, &sccrq()));
    frames.push(tcp.send(Side::Client, &request(7)));
    frames.push(tcp.send(Side::Server, &reply(99, 7, 1)));
    (tcp, frames)
}

#[test]
fn a_call_from_its_beginning_to_its_end() {
    let (mut tcp, mut frames) = set_up();
    frames.extend([to_server(99, 0), to_client(7, 0)]);
    frames.push(tcp.send(Side::Client, &octets(CallClearRequest { call_id: 7 })));
    frames.push(tcp.raw(Side::Client, 0x11, tcp.next[0], &[]));
    let conversation = only(&frames);
    assert_eq!((conversation.client, conversation.server), (ip(CLIENT), ip(SERVER)));
    assert_eq!(conversation.ports, Some((1723, 40_000)));
    assert!(conversation.has_roles && conversation.from_the_beginning);
    let [call] = &conversation.calls[..] else { panic!("{:#?}", conversation.calls) };
    assert_eq!((call.client_id, call.server_id, call.repeated_id), (Some(7), Some(99), None));
    assert!(call.is_up && call.has_ended);
    assert_eq!((call.to_server.packets, call.to_client.packets), (1, 1));
    let steps: Vec<_> =
        conversation.steps.iter().map(|step| (step.frame, step.by, step.call, step.to_string())).collect();
    assert_eq!(steps[0], (1, By::Client, None, "SYN".to_owned()));
    assert_eq!(steps[1], (2, By::Server, None, "SYN and ACK".to_owned()));
    assert_eq!(steps[2], (3, By::Client, None, "open".to_owned()));
    assert_eq!((steps[4].0, steps[4].2), (5, Some(0)));
    assert_eq!(steps[6], (7, By::Client, Some(0), "first GRE packet".to_owned()));
    assert_eq!(steps[7], (7, By::Client, Some(0), "Configure-Request id 1: mru 1400".to_owned()));
    assert_eq!(steps[8].1, By::Server);
    assert_eq!(steps.last().unwrap(), &(10, By::Client, None, "FIN".to_owned()));
}

#[test]
fn several_calls_are_distinguished_by_their_numbers() {
    let (mut tcp, mut frames) = set_up();
    frames.push(tcp.send(Side::Client, &request(8)));
    frames.push(tcp.send(Side::Server, &reply(0, 8, 1)));
    frames.push(tcp.send(Side::Client, &request(9)));
    frames.push(tcp.send(Side::Server, &reply(0, 9, 4)));
    frames.extend([to_server(0, 0), to_server(0, 1), to_server(99, 0), to_client(8, 0)]);
    let conversation = only(&frames);
    let figures: Vec<_> = conversation
        .calls
        .iter()
        .map(|call| (call.client_id, call.is_up, call.to_server.packets, call.to_client.packets))
        .collect();
    assert_eq!(figures, [(Some(7), true, 1, 0), (Some(8), true, 2, 1), (Some(9), false, 0, 0)]);
}

#[test]
fn a_number_rewritten_in_one_message_only_is_seen() {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    frames.push(tcp.send(Side::Client, &request(7)));
    frames.push(tcp.send(Side::Server, &reply(99, 4711, 1)));
    frames.push(to_client(4711, 0));
    let conversation = only(&frames);
    let call = &conversation.calls[0];
    assert_eq!((call.client_id, call.repeated_id, call.server_id), (Some(7), Some(4711), Some(99)));
    assert_eq!((call.wrong_to_client, call.to_client.packets), (Some(4711), 1));
}

#[test]
fn gre_with_a_wrong_number_belongs_to_the_only_call() {
    let (_, mut frames) = set_up();
    frames.extend([to_server(98, 0), to_server(98, 1)]);
    let conversation = only(&frames);
    let call = &conversation.calls[0];
    assert_eq!((call.wrong_to_server, call.to_server.packets), (Some(98), 2));
    let reported = conversation.steps.iter().filter(|step| step.what == Event::UnknownCall(98)).count();
    assert_eq!(reported, 1);
}

#[test]
fn gre_before_any_call_is_reported() {
    let mut tcp = Tcp::new(1723);
    let mut frames = tcp.open();
    frames.extend([to_client(5, 0), to_client(5, 1), to_client(6, 0)]);
    assert_eq!(only(&frames).unknown, [5, 6]);
}

#[test]
fn gre_from_another_address_of_the_server_is_found_by_its_number() {
    let other = Ipv4Addr::new(198, 51, 100, 9);
    let (_, mut frames) = set_up();
    frames.push(data(other, CLIENT, 7, Some(0), None));
    let conversation = only(&frames);
    let call = &conversation.calls[0];
    assert_eq!((call.from_elsewhere, call.to_client.packets), (Some(ip(other)), 1));
    assert!(conversation.steps.iter().any(|step| step.what == Event::GreFrom(ip(other))));
}

#[test]
fn clients_behind_one_address_keep_their_own_calls() {
    let (_, mut frames) = set_up();
    // The same client address, another port, and the same Call ID.
    let (_, mut open) = set_up();
    open.pop();
    let mut second = Tcp::new(1723);
    second.next = [1001, 5001];
    open.push(second.send(Side::Server, &reply(100, 7, 1)));
    let open: Vec<_> = open.into_iter().map(|packet| with_port(packet, 41_000)).collect();
    frames.push(to_server(99, 0));
    frames.extend(open);
    frames.extend([to_server(100, 0), to_server(99, 1)]);
    let found = conversations(&frames);
    let packets: Vec<_> = found.iter().map(|one| one.calls[0].to_server.packets).collect();
    assert_eq!(packets, [2, 1]);
}

#[test]
fn without_a_control_connection_both_directions_are_one_call() {
    let conversation = only(&[to_server(6016, 430_001), to_client(17, 539_320), to_server(6016, 430_002)]);
    assert_eq!((conversation.stream, conversation.has_roles), (None, false));
    let call = &conversation.calls[0];
    assert_eq!((call.server_id, call.client_id), (Some(6016), Some(17)));
    assert_eq!((call.to_server.packets, call.to_client.packets), (2, 1));
    assert_eq!(call.wrong_to_client, None);
}

#[test]
fn a_file_that_starts_in_the_middle_identifies_client_and_server() {
    let mut tcp = Tcp::new(4711);
    let conversation = only(&[tcp.send(Side::Server, &reply(99, 7, 1)), to_client(7, 0)]);
    assert_eq!((conversation.client, conversation.server), (ip(CLIENT), ip(SERVER)));
    assert!(!conversation.from_the_beginning && conversation.has_roles);
    assert_eq!(conversation.calls[0].client_id, Some(7));
    assert_eq!(conversation.calls[0].to_client.packets, 1);
}

#[test]
fn lost_late_repeated_and_restarted_numbers_are_counted() {
    let figures = |numbers: &[u32]| {
        let frames: Vec<_> = numbers.iter().map(|seq| to_server(99, *seq)).collect();
        let flow = only(&frames).calls[0].to_server.clone();
        (flow.missing, flow.late, flow.repeated, flow.restarts)
    };
    assert_eq!(figures(&[0, 1, 2, 3]), (0, 0, 0, 0));
    assert_eq!(figures(&[0, 3, 4]), (2, 0, 0, 0));
    assert_eq!(figures(&[0, 2, 1, 3]), (0, 1, 0, 0));
    assert_eq!(figures(&[0, 1, 1, 2]), (0, 0, 1, 0));
    assert_eq!(figures(&[u32::MAX - 1, u32::MAX, 0, 1]), (0, 0, 0, 0), "around the end of the numbers");
    assert_eq!(figures(&[5000, 5001, 0, 1]), (0, 0, 0, 1));
    assert_eq!(figures(&[7, 2_000_000, 2_000_001]), (0, 0, 0, 1));
}

#[test]
fn acknowledgments_show_what_only_the_file_lacks() {
    let (_, mut frames) = set_up();
    frames.push(data(SERVER, CLIENT, 7, Some(0), Some(u32::MAX)));
    frames.extend([to_server(99, 0), to_server(99, 1), to_server(99, 3)]);
    frames.extend([1, 2, 3].map(|ack| data(SERVER, CLIENT, 7, None, Some(ack))));
    let conversation = only(&frames);
    let flow = &conversation.calls[0].to_server;
    assert_eq!((flow.missing, flow.acked, flow.acked_unseen), (1, Some(3), 1));
    assert_eq!(conversation.calls[0].to_client.acks_only, 3);
}

#[test]
fn acknowledgments_are_timed_and_prove_sizes() {
    let (_, mut frames) = set_up();
    let start = frames.len();
    frames.push(to_server(99, 0));
    frames.push(data(SERVER, CLIENT, 7, None, Some(0)));
    frames.push(to_server(99, 1));
    frames.extend((0..20).map(|_| data(SERVER, CLIENT, 7, None, Some(0))));
    frames.push(data(SERVER, CLIENT, 7, None, Some(1)));
    frames.push(to_server(99, 2));
    let flow = only(&frames).calls[0].to_server.clone();
    let millis = |time: Option<std::time::Duration>| time.map(|time| time.as_millis());
    assert_eq!((millis(flow.quickest_ack), millis(flow.slowest_ack)), (Some(10), Some(210)));
    assert_eq!((flow.largest, flow.largest_acked), (44, 44));
    assert_eq!(flow.unacked_since, Some(world::at(frames.len() - 1)));
    let (pause, frame) = flow.longest_pause.unwrap();
    assert_eq!((pause.as_millis(), frame), (220, frames.len() as u64));
    assert_eq!(flow.first.unwrap().0, start as u64 + 1);
    assert_eq!(flow.to_string(), "3 packets, numbers 0 to 2, control 3");
}

#[test]
fn icmp_errors_belong_to_what_they_quote() {
    let (tcp, mut frames) = set_up();
    let router = Ipv4Addr::new(198, 51, 100, 1);
    let error = |code: u8, quote: &[u8]| {
        v4(router, CLIENT, 1, &[&[3, code, 0, 0, 0, 0, 0, 0], &quote[..28]].concat())
    };
    frames.push(error(2, &to_server(99, 0)));
    frames.push(error(13, &tcp.raw(Side::Client, 0x10, tcp.next[0], &[])));
    frames.push(error(1, &v4(CLIENT, router, 17, &[0; 8])));
    let conversation = only(&frames);
    let codes: Vec<_> = conversation
        .steps
        .iter()
        .filter_map(|step| match &step.what {
            Event::Icmp(icmp) => Some((step.by, icmp.code)),
            _ => None,
        })
        .collect();
    assert_eq!(codes, [(By::Other(ip(router)), 2), (By::Other(ip(router)), 13)]);
}

#[test]
fn what_the_file_lacks_is_a_step_of_its_call() {
    let (mut tcp, mut frames) = set_up();
    let mut piece = to_server(99, 0);
    piece[6] = 0x20;
    frames.push(piece);
    tcp.send(Side::Server, &world::echo(1));
    frames.push(tcp.send(Side::Server, &world::echo(2)));
    frames.push(tcp.raw(Side::Client, 0x10, tcp.next[0], &[]));
    let conversation = only(&frames);
    let lacking: Vec<_> = conversation
        .steps
        .iter()
        .filter(|step| matches!(step.what, Event::Lacking(_)))
        .map(|step| (step.frame, step.by, step.call, step.to_string()))
        .collect();
    let gap = "16 octets of the control connection from 203.0.113.1 are not in the file, though they arrived";
    assert_eq!(lacking[0], (9, By::Server, None, gap.to_owned()));
    assert_eq!((lacking[1].1, lacking[1].2, lacking.len()), (By::Client, Some(0), 2));
    assert!(lacking[1].3.starts_with("the last fragment of the packet in frame 7 is missing"));
}

#[test]
fn the_list_of_steps_keeps_beginning_and_end() {
    let (_, mut frames) = set_up();
    frames.extend((0..1000).map(|seq| to_server(99, seq)));
    let conversation = only(&frames);
    assert_eq!(conversation.steps.len(), FIRST + LAST);
    assert_eq!(conversation.steps.omitted(), 1000 + 7 - (FIRST + LAST) as u64);
    assert_eq!(conversation.steps.iter().last().unwrap().frame, 1006);
    let is_lcp = |step: &adit_capture::conversation::Step| {
        matches!(step.what, Event::Ppp { protocol: ppp::LCP, seq: Some(999), .. })
    };
    assert!(conversation.steps.iter().last().is_some_and(is_lcp));
}

#[test]
fn too_many_conversations_return_the_oldest() {
    let syn = |n| with_port(Tcp::new(1723).open().swap_remove(0), 2000 + n);
    let calls = (0..CONVERSATIONS_MAX as u16 + 3).map(syn);
    let found = conversations(&calls.collect::<Vec<_>>());
    assert_eq!(found.len(), CONVERSATIONS_MAX + 3);
    assert!(found.iter().zip(1u64..).all(|(one, frame)| one.last_frame == frame));
}

/// Gives a packet another port of the client.
fn with_port(mut packet: Vec<u8>, port: u16) -> Vec<u8> {
    let at = if packet[12..16] == CLIENT.octets() { 20 } else { 22 };
    packet[at..at + 2].copy_from_slice(&port.to_be_bytes());
    packet
}

#[test]
fn a_port_scan_evicts_no_call() {
    let (_, mut frames) = set_up();
    frames.extend([to_server(99, 0), to_client(7, 0)]);
    for n in 0..3 * CONVERSATIONS_MAX as u16 {
        let mut syn = Tcp::new(1723).open().remove(0);
        // Another source for each.
        syn[14..16].copy_from_slice(&n.to_be_bytes());
        frames.push(syn);
    }
    frames.extend([to_server(99, 1), to_client(7, 1)]);
    let found = conversations(&frames);
    let call: Vec<_> = found.iter().filter(|one| one.has_substance()).collect();
    assert_eq!(call.len(), 1);
    assert_eq!((call[0].calls[0].to_server.packets, call[0].calls[0].to_client.packets), (2, 2));
}
