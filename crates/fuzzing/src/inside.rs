//! The host in user space that the doctor puts into a tunnel: whatever arrives through the tunnel, each question has
//! one answer.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use adit_netstack::{Command, QUESTIONS_MAX, Stack, StackConfig};
use adit_wire::checksum;

use crate::input::Input;

const US: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 10);
const MTU: u16 = 1396;
/// Packets that one round of questions may cause.
const SENT_MAX: usize = 4096;

/// Questions, packets and time by turns; packets are noise, or answers to what was sent with octets changed.
pub(crate) fn netstack(data: &[u8]) {
    let mut input = Input::new(data);
    let mut now = Instant::now();
    let seed = u64::from(input.u32()) << 32 | u64::from(input.u32());
    let mut stack = Stack::new(StackConfig { local: US, mtu: MTU, seed }, now);
    let (mut asked, mut answered, mut sent): (Vec<u32>, Vec<u32>, Vec<Vec<u8>>) = Default::default();
    while !input.is_empty() {
        match input.u8() % 8 {
            0 | 1 if asked.len() < QUESTIONS_MAX * 2 => {
                let command = question(&mut input);
                asked.push(stack.handle_command(now, command));
            }
            2 => {
                now += Duration::from_millis(u64::from(input.u16() % 2000));
                stack.handle_timeout(now);
            }
            3 => stack.handle_input(now, input.chunk()),
            _ => {
                let which = usize::from(input.u8());
                let packet = sent.get(which % sent.len().max(1)).cloned().unwrap_or_default();
                stack.handle_input(now, &answer(packet, &mut input));
            }
        }
        collect(&mut stack, &mut sent, &mut answered);
    }
    // Every question has a limit of seconds; no answer takes more wake-ups than this.
    for _ in 0..10_000 {
        let Some((at, _)) = stack.poll_timeout(now) else { break };
        now = at.max(now + Duration::from_millis(1));
        stack.handle_timeout(now);
        collect(&mut stack, &mut sent, &mut answered);
        if answered.len() == asked.len() {
            break;
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, asked, "each question is answered once");
}

fn collect(stack: &mut Stack, sent: &mut Vec<Vec<u8>>, answered: &mut Vec<u32>) {
    let mut packet = Vec::new();
    while stack.poll_transmit(&mut packet) {
        assert!(packet.len() <= usize::from(u16::MAX) && packet.first() == Some(&0x45));
        assert!(sent.len() < SENT_MAX, "packets without end");
        sent.push(packet.clone());
    }
    answered.extend(std::iter::from_fn(|| stack.poll_event()).map(|event| event.id));
}

fn question(input: &mut Input<'_>) -> Command {
    let wait = Duration::from_millis(u64::from(input.u16() % 4000));
    let to = if input.u8() & 1 == 0 { Ipv4Addr::new(192, 168, 10, 20) } else { Ipv4Addr::from(input.u32()) };
    match input.u8() % 4 {
        0 => {
            let (size, dont_fragment) = (input.u16(), input.u8() & 1 == 0);
            Command::Ping { to, size, dont_fragment, ttl: Some(input.u8()), wait }
        }
        1 => {
            let name = String::from_utf8_lossy(input.chunk()).into_owned();
            Command::Lookup { server: to, name, wait }
        }
        2 => Command::Dial { to: SocketAddrV4::new(to, input.u16()), wait },
        _ => Command::Routes { wait },
    }
}

/// The packet as its receiver might answer it: turned round, some octets changed, the checksums right again more often than
/// not.
fn answer(mut packet: Vec<u8>, input: &mut Input<'_>) -> Vec<u8> {
    if packet.len() < 28 {
        return packet;
    }
    let (source, destination) = (packet[12..16].to_vec(), packet[16..20].to_vec());
    packet[12..16].copy_from_slice(&destination);
    packet[16..20].copy_from_slice(&source);
    if packet[9] == 1 {
        packet[20] = 0;
    } else {
        let ports = [packet[22], packet[23], packet[20], packet[21]];
        packet[20..24].copy_from_slice(&ports);
    }
    if packet[9] == 6 && packet.len() >= 40 {
        let (seq, ack) = (packet[24..28].to_vec(), packet[28..32].to_vec());
        packet[24..28].copy_from_slice(&ack);
        let next = u32::from_be_bytes([seq[0], seq[1], seq[2], seq[3]]).wrapping_add(1);
        packet[28..32].copy_from_slice(&next.to_be_bytes());
        packet[33] = 0x12;
    }
    for _ in 0..input.u8() % 4 {
        let at = usize::from(input.u16()) % packet.len();
        packet[at] = input.u8();
    }
    let fix = input.u8();
    if fix & 1 == 0 {
        repair(&mut packet);
    }
    packet
}

/// Updates the checksums.
fn repair(packet: &mut [u8]) {
    packet[10..12].fill(0);
    let sum = checksum::of(&packet[..20]).to_be_bytes();
    packet[10..12].copy_from_slice(&sum);
    let address = |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
    let (source, destination, protocol) = (address(12), address(16), packet[9]);
    let len = packet.len() - 20;
    let at = match protocol {
        1 => 22,
        6 => 36,
        17 => 26,
        _ => return,
    };
    let Some(place) = packet.get_mut(at..at + 2) else { return };
    place.fill(0);
    let sum = checksum::Sum::default();
    let sum = if protocol == 1 { sum } else { sum.pseudo_v4(source, destination, protocol, len as u16) };
    let sum = sum.with(&packet[20..]).finish().to_be_bytes();
    packet[at..at + 2].copy_from_slice(&sum);
}

#[cfg(test)]
mod tests {
    #[test]
    fn noise_does_not_panic() {
        let mut state = 7u64;
        for _ in 0..3000 {
            let mut data = Vec::new();
            for _ in 0..60 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                data.extend_from_slice(&state.to_be_bytes()[..6]);
            }
            super::netstack(&data);
        }
    }
}
