//! Two data paths connected to each other, with packets changed, lost and forged between them.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::mppe::{self, KeySchedule, Strength, Wanting, start_keys_v2};
use adit_crypto::rc4::Job;
use adit_crypto::secret::Password;
use adit_diag::Side;
use adit_policy::reach::{Acl, Action, Keys, Locals, Prefixes, Reach, Rule, ServerReach, Target};
use adit_ppp::mppe::Mppe;
use adit_tunnel::path::{
    Begin, Finished, HEADROOM, Network, NetworkV6, Origin, Path, PathCommand, PathConfig, Sink,
};
use adit_wire::{LocalCallId, PeerCallId};
use adit_wire::{gre, ipv4, ppp};
use ipnet::IpNet;

use crate::input::Input;

const ENDS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 99, 0, 1), Ipv4Addr::new(10, 99, 0, 14)];

/// The output of one end.
#[derive(Default)]
struct Out {
    gre: Vec<Vec<u8>>,
    ip: usize,
    changes: u32,
}

impl Sink for Out {
    fn gre(&mut self, packet: &[u8]) {
        self.gre.push(packet.to_vec());
    }

    fn ip(&mut self, packet: &mut [u8]) {
        assert!(!packet.is_empty());
        self.ip += 1;
    }

    fn frame(&mut self, frame: &[u8], _origin: Origin) {
        if let Ok((protocol, _)) = ppp::frame(frame) {
            assert!(!matches!(protocol, ppp::IP | ppp::IPV6), "an IP packet among the control frames");
        }
    }

    fn dhcp(&mut self, packet: &[u8]) {
        assert!(!packet.is_empty());
    }

    fn may_spend(&mut self, changes: u32) -> bool {
        self.changes = self.changes.saturating_add(changes);
        self.changes < 20_000
    }
}

/// The first octet chooses the terms; each step then moves a packet, meddles, commands or waits.
pub(crate) fn path(data: &[u8]) {
    let mut input = Input::new(data);
    let terms = input.u8();
    let is_required = terms & 1 != 0;
    let begun = Instant::now();
    let mut now = begun;
    let mut ends = [0, 1].map(|end| {
        let ids = [(7, 9), (9, 7)][end];
        let window = u16::from(terms >> 5);
        let config = PathConfig {
            encryption_required: is_required,
            window,
            ..PathConfig::new(LocalCallId::new(ids.0), PeerCallId::new(ids.1))
        };
        Path::new(config, now)
    });
    let mut was_encrypted = [is_required; 2];
    while !input.is_empty() {
        let step = input.u8();
        let end = usize::from(step & 1);
        let mut out = Out::default();
        match step >> 1 & 7 {
            0 | 1 => {
                let mut buffer = vec![0; HEADROOM];
                buffer.extend_from_slice(&packet(&mut input, end));
                ends[end].handle_ip(now, &mut buffer, &mut out);
            }
            2 => ends[end].send_frame(now, &frame(&mut input), &mut out),
            3 => {
                let mut raw = input.chunk().to_vec();
                ends[end].handle_gre(now, &mut raw, &mut out);
            }
            4 => {
                now += Duration::from_millis(u64::from(input.u16()));
                if ends[end].poll_timeout().is_some_and(|(at, _)| at <= now) {
                    ends[end].handle_timeout(now, &mut out);
                    let still = ends[end].poll_timeout();
                    assert!(still.is_none_or(|(at, _)| at > now), "a timeout that stays due: {still:?}");
                }
            }
            _ => {
                let command = command(&mut input, end, terms);
                was_encrypted[end] |= matches!(command, PathCommand::Encryption(Some(_)));
                ends[end].command(now, command);
            }
        }
        deliver(&mut ends, end, now, out, &mut input, was_encrypted);
    }
    for end in &ends {
        let _ = (end.counters(), end.mtu());
    }
}

/// Delivers, drops or changes what `end` sent to the other one, until nothing more is sent.
fn deliver(
    ends: &mut [Path; 2],
    mut end: usize,
    now: Instant,
    mut out: Out,
    input: &mut Input<'_>,
    was_encrypted: [bool; 2],
) {
    for _ in 0..8 {
        let mut answer = Out::default();
        for sent in std::mem::take(&mut out.gre) {
            check_clear(&sent, was_encrypted[end]);
            let mut packet = sent;
            let fate = input.u8();
            match fate & 7 {
                1 => continue,
                2 => ends[1 - end].handle_gre(now, &mut packet.clone(), &mut answer),
                3 => {
                    let at = usize::from(input.u8()) % packet.len();
                    packet[at] ^= input.u8();
                }
                _ => {}
            }
            if fate & 8 == 0 {
                ends[1 - end].handle_gre(now, &mut packet, &mut answer);
            } else {
                in_halves(&mut ends[1 - end], now, &mut packet, &mut answer);
            }
        }
        if answer.gre.is_empty() {
            return;
        }
        (end, out) = (1 - end, answer);
    }
}

/// As a worker takes a packet, with keys made ahead for those that follow.
fn in_halves(path: &mut Path, now: Instant, packet: &mut [u8], out: &mut Out) {
    match path.begin(now, packet, out) {
        Begin::Later(pending) => {
            let mut others = [[0; 512]; 4];
            let [a, b, c, d] = others.each_mut().map(|data| Job { key: &[1; 16], data });
            mppe::apply_each(&mut [a, b, c, d, pending.cipher.job(packet)], &mut Ahead(path));
            match path.finish(now, pending, packet, out) {
                Finished::Ip(range) => out.ip(&mut packet[range]),
                Finished::Done => {}
                Finished::Again => path.handle_gre(now, packet, out),
            }
        }
        Begin::Ip(range) => out.ip(&mut packet[range]),
        Begin::Done => {}
        Begin::NotNow => path.handle_gre(now, packet, out),
    }
}

struct Ahead<'a>(&'a mut Path);

impl Wanting for Ahead<'_> {
    fn wanting(&mut self) -> Option<&mut KeySchedule> {
        self.0.wanting_keys()
    }
}

/// No IP packet in clear once encryption is required or was there.
fn check_clear(packet: &[u8], was_encrypted: bool) {
    let parsed = gre::Packet::new_checked(packet);
    assert!(parsed.is_ok(), "a GRE packet that cannot be read: {packet:02x?}");
    if let Ok(parsed) = parsed
        && let Ok((protocol, _)) = ppp::frame(parsed.payload())
    {
        let is_clear = matches!(protocol, ppp::IP | ppp::IPV6);
        assert!(!(is_clear && was_encrypted), "an IP packet left in clear");
    }
}

fn packet(input: &mut Input<'_>, end: usize) -> Vec<u8> {
    let shape = input.u8();
    if shape & 0x80 != 0 {
        return input.chunk().to_vec();
    }
    let data = input.chunk();
    let payload = data.repeat(usize::from(shape & 0x0f) + 1);
    let protocol = [17, 6, 1, 50][usize::from(shape >> 5 & 3)];
    let header = ipv4::Repr {
        dont_fragment: shape & 0x10 != 0,
        identification: u16::from(shape),
        ..ipv4::Repr::new(ENDS[end], ENDS[1 - end], protocol)
    };
    header.packet(&payload)
}

fn frame(input: &mut Input<'_>) -> Vec<u8> {
    let mut frame = Vec::new();
    let protocol = [ppp::LCP, ppp::CCP, ppp::IPCP, ppp::CHAP][usize::from(input.u8() & 3)];
    ppp::push_header(&mut frame, protocol, false, false);
    frame.extend_from_slice(input.chunk());
    frame
}

/// Rules that a choice selects.
fn reach(choice: u8) -> Arc<Reach> {
    let action = if choice & 1 != 0 { Action::Allow } else { Action::Deny };
    let rule = Rule { log: choice & 2 != 0, ..Rule::new(action, Target::Any) };
    Arc::new(Reach {
        server: if choice & 4 != 0 { ServerReach::All } else { ServerReach::nothing() },
        locals: Arc::new(Locals::new((choice & 8 != 0).then(|| ENDS[0].into()).map(IpNet::V4))),
        clients: (choice & 16 != 0).then(|| Prefixes::v4(&[ENDS[1].into()])),
        acl: Arc::new(Acl::new(vec![rule], None)),
        keys: Keys::default(),
    })
}

fn command(input: &mut Input<'_>, end: usize, terms: u8) -> PathCommand {
    let kind = input.u8();
    // A value of its own: the corpus keeps its meaning.
    if kind == 0xa4 {
        return PathCommand::Reach(reach(input.u8()));
    }
    match kind & 3 {
        0 => {
            let flags = input.u8();
            PathCommand::Link { peer_mru: input.u16(), pfc: flags & 1 != 0, acfc: flags & 2 != 0 }
        }
        1 => {
            let choice = input.u8();
            let side = [Side::Server, Side::Client][end];
            let keys = start_keys_v2(&Password::new("clientPass").nt_hash(), &[choice; 24], side);
            let strength =
                [Strength::Bits128, Strength::Bits56, Strength::Bits40][usize::from(terms >> 1) % 3];
            let mppe = Mppe { strength, stateless: terms & 0x80 == 0, keys };
            PathCommand::Encryption((choice & 0x80 == 0).then_some(mppe))
        }
        2 => {
            let choice = input.u8();
            let ipv6 = (choice & 1 != 0).then(|| NetworkV6::link_local(1 + end as u64, 2 - end as u64));
            let network = Network {
                peer_networks: vec![ENDS[1 - end].into()],
                acl: (choice & 2 != 0).then(|| vec![ENDS[end].into()]),
                local: ENDS[end],
                mtu: input.u16(),
                answer_dhcp: choice & 4 != 0,
                ipv6,
            };
            PathCommand::Network((choice & 0x80 == 0).then_some(network))
        }
        _ => PathCommand::Mtu(input.u16()),
    }
}
