//! Names outside the tunnel, and what is inside one: in clear, and behind MPPE with the password.

use adit_capture::conversation::Secret;
use adit_crypto::mppe::{Strength, start_keys_v2};
use adit_crypto::mschap;
use adit_crypto::secret::Password;
use adit_diag::{Code, Side};
use adit_doctor::from::capture;
use adit_doctor::{Verdict, judge};
use adit_ppp::mppe::{Encryptor, Mppe};
use adit_wire::ipv4;

use crate::world::By::{self, Client, Server};
use crate::world::{
    BITS_128, CLIENT, INNER_CLIENT, INNER_DNS, MS_CHAP_V2, Near, ROUTER, SERVER, TARGET, World, dns, tcp,
    udp, v4,
};

const NAME: &str = "vpn.example.org";
const RESOLVER: std::net::Ipv4Addr = ROUTER;

fn asks(world: &mut World, id: u16, kind: u16, answer: Option<(u8, &[std::net::Ipv4Addr])>) {
    world.raw(v4(CLIENT, RESOLVER, ipv4::UDP, 64, &udp(5353, 53, &dns(id, NAME, kind, None))));
    if answer.is_some() {
        world.raw(v4(RESOLVER, CLIENT, ipv4::UDP, 60, &udp(53, 5353, &dns(id, NAME, kind, answer))));
    }
}

fn of_name(world: &World) -> Option<Verdict> {
    let (conversations, lookups) = world.read(None);
    assert!(conversations.is_empty());
    capture::facts_of_name(&lookups, NAME).map(|facts| judge(&facts))
}

#[test]
fn a_name_that_does_not_exist() {
    let mut world = World::new(Near::Client);
    asks(&mut world, 1, 1, Some((3, &[])));
    let verdict = of_name(&world).unwrap();
    assert_eq!(verdict.first_failure, Some(Code::N01), "{verdict}");
    assert!(verdict.headline.contains(NAME), "{verdict}");
}

#[test]
fn a_name_without_an_answer() {
    let mut world = World::new(Near::Client);
    for _ in 0..3 {
        asks(&mut world, 1, 1, None);
        world.wait(2.0);
    }
    assert_eq!(of_name(&world).unwrap().first_failure, Some(Code::N01));
}

#[test]
fn a_name_that_was_found_is_no_fault() {
    let mut world = World::new(Near::Client);
    asks(&mut world, 1, 1, Some((0, &[SERVER])));
    assert!(of_name(&world).is_none());
    world.up().hang_up();
    let (conversations, _) = world.read(None);
    let (vantage, _) = capture::vantage(&conversations[0]);
    let facts = capture::facts(&conversations[0], 0, vantage);
    assert_eq!(facts.name.asked.as_deref(), Some(NAME));
}

/// Packets inside: who sends, and what.
type Talk = fn() -> Vec<(By, Vec<u8>, f64)>;

struct Case {
    name: &'static str,
    talk: Talk,
    code: Option<Code>,
}

fn question(id: u16, answer: Option<(u8, &[std::net::Ipv4Addr])>) -> (By, Vec<u8>, f64) {
    let data = dns(id, "files.corp.example", 1, answer);
    match answer {
        None => (Client, v4(INNER_CLIENT, INNER_DNS, ipv4::UDP, 64, &udp(5000, 53, &data)), 1.0),
        Some(_) => (Server, v4(INNER_DNS, INNER_CLIENT, ipv4::UDP, 63, &udp(53, 5000, &data)), 0.02),
    }
}

/// A segment to or from port 443 of the target; the options of a SYN say MSS 1460.
fn segment(by: By, flags: u8, seq: u32, ack: u32, data: &[u8], wait: f64) -> (By, Vec<u8>, f64) {
    let mss: &[u8] = if flags & 2 != 0 { &[2, 4, 5, 0xb4] } else { &[] };
    let (ends, ports) = match by {
        Client => ((INNER_CLIENT, TARGET), (50_000, 443)),
        Server => ((TARGET, INNER_CLIENT), (443, 50_000)),
    };
    let segment = tcp(ends, ports, (flags, seq, ack), mss, data);
    (by, v4(ends.0, ends.1, ipv4::TCP, 64, &segment), wait)
}

const CASES: &[Case] = &[
    Case {
        name: "the DNS server inside is silent",
        code: Some(Code::R04),
        talk: || {
            (0..5)
                .map(|_| question(7, None))
                .chain([(Server, v4(TARGET, INNER_CLIENT, ipv4::UDP, 60, &udp(9, 9, b"x")), 5.0)])
                .collect()
        },
    },
    Case {
        name: "the name does not exist inside",
        code: Some(Code::R05),
        talk: || vec![question(7, None), question(7, Some((3, &[])))],
    },
    Case {
        name: "the target refuses",
        code: Some(Code::R09),
        talk: || vec![segment(Client, 0x02, 1, 0, &[], 0.1), segment(Server, 0x14, 0, 2, &[], 0.1)],
    },
    Case {
        name: "the target is silent",
        code: Some(Code::R08),
        talk: || {
            let mut talk: Vec<_> = (0..4).map(|_| segment(Client, 0x02, 1, 0, &[], 2.0)).collect();
            talk.extend(
                (0..3).map(|n| (Server, v4(TARGET, INNER_CLIENT, ipv4::UDP, 60, &udp(9, 9, &[n])), 1.0)),
            );
            talk
        },
    },
    Case {
        name: "the tunnel carries itself",
        code: Some(Code::R01),
        talk: || {
            let loops = v4(INNER_CLIENT, SERVER, 47, 64, &[0x30, 1, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 1]);
            vec![(Client, loops, 0.1)]
        },
    },
    Case {
        name: "segments that never arrive",
        code: Some(Code::M02),
        talk: || {
            let mut talk = vec![
                segment(Client, 0x02, 1, 0, &[], 0.1),
                segment(Server, 0x12, 1, 2, &[], 0.1),
                segment(Client, 0x10, 2, 2, &[], 0.1),
                segment(Client, 0x18, 2, 2, &[7; 300], 0.1),
                segment(Server, 0x10, 2, 302, &[], 0.1),
            ];
            talk.extend((0..5).map(|n| segment(Client, 0x18, 302, 2, &[8; 1460], f64::from(1 << n))));
            talk.push(question(7, None));
            talk.push(question(7, Some((0, &[TARGET]))));
            talk
        },
    },
    Case {
        name: "all is well",
        code: None,
        talk: || {
            vec![
                question(7, None),
                question(7, Some((0, &[TARGET]))),
                segment(Client, 0x02, 1, 0, &[], 0.1),
                segment(Server, 0x12, 1, 2, &[], 0.1),
                segment(Client, 0x10, 2, 2, &[], 0.1),
            ]
        },
    },
];

#[test]
fn in_clear() {
    for case in CASES {
        let mut world = World::new(Near::Client);
        world.up_in_clear();
        for (by, packet, wait) in (case.talk)() {
            world.wait(wait).inside(by, &packet);
        }
        let verdict = world.verdict();
        assert_eq!(verdict.first_failure, case.code, "{}\n{verdict}", case.name);
    }
}

const PASSWORD: &str = "correct horse";

/// A login with real proofs; gives the keys of both directions.
fn real_login(world: &mut World, password: &str) -> [Encryptor; 2] {
    let (challenge, peer) = ([0x5a; 16], [0x33; 16]);
    let hash = Password::new(password).nt_hash();
    let response = mschap::nt_response_v2(&challenge, &peer, b"alice", &hash);
    let proof = mschap::authenticator_response(&challenge, &peer, b"alice", &hash, &response);
    world.challenge();
    world.chap(Client, 2, &[&[49][..], &peer, &[0; 8], &response, &[0], b"CORP\\alice"].concat());
    let digits: String = proof.iter().map(|octet| format!("{octet:02X}")).collect();
    world.chap(Server, 3, format!("S={digits} M=ok").as_bytes());
    [Side::Client, Side::Server].map(|side| {
        let keys = start_keys_v2(&hash, &response, side);
        Mppe { strength: Strength::Bits128, stateless: true, keys }.encryptor()
    })
}

fn encrypted(world: &mut World, keys: &mut [Encryptor; 2], by: By, packet: &[u8]) {
    let mut data = [&[0, 0x21], packet].concat();
    let header = keys[by as usize].encrypt(&mut data);
    world.gre(by, &[&[0xff, 3, 0, 0xfd][..], &header.emit(), &data].concat());
}

fn secret(user: Option<&str>, password: &str) -> Option<Secret> {
    Some(Secret { user: user.map(str::to_owned), password: Password::new(password) })
}

fn hidden(case: &Case) -> World {
    let mut world = World::new(Near::Client);
    world.call().lcp_up(MS_CHAP_V2);
    let mut keys = real_login(&mut world, PASSWORD);
    world.mppe_up(BITS_128).ipcp_up();
    for (by, packet, wait) in (case.talk)() {
        world.wait(wait);
        encrypted(&mut world, &mut keys, by, &packet);
    }
    world
}

#[test]
fn with_the_password_it_goes_on_inside() {
    for case in CASES {
        let world = hidden(case);
        let verdict = world.verdict_with(secret(Some("alice"), PASSWORD));
        assert_eq!(verdict.first_failure, case.code, "{}\n{verdict}", case.name);
    }
}

#[test]
fn a_wrong_password_decrypts_nothing_and_is_reported() {
    use adit_capture::conversation::Checked;
    let world = hidden(&CASES[1]);
    let opened = |secret| {
        let (conversations, _) = world.read(secret);
        let open = &conversations[0].calls[0].open;
        (open.checked, open.opened)
    };
    assert!(matches!(opened(secret(None, "guess")), (Some(Checked::Wrong { .. }), 0)));
    assert!(matches!(opened(secret(Some("bob"), PASSWORD)), (Some(Checked::OtherUser { .. }), 0)));
    assert!(matches!(opened(secret(Some("ALICE"), PASSWORD)), (Some(Checked::Right { .. }), 2)));
    assert_eq!(opened(None), (None, 0));
}

#[test]
fn stateful_encryption_is_followed_too() {
    let mut world = World::new(Near::Client);
    world.call().lcp_up(MS_CHAP_V2);
    let hash = Password::new(PASSWORD).nt_hash();
    let _ = real_login(&mut world, PASSWORD);
    world.mppe_up(0x40).ipcp_up();
    let response = mschap::nt_response_v2(&[0x5a; 16], &[0x33; 16], b"alice", &hash);
    let mut keys = [Side::Client, Side::Server].map(|side| {
        let keys = start_keys_v2(&hash, &response, side);
        Mppe { strength: Strength::Bits128, stateless: false, keys }.encryptor()
    });
    let packet = v4(INNER_CLIENT, TARGET, ipv4::UDP, 64, &udp(1, 2, b"x"));
    for _ in 0..700 {
        encrypted(&mut world, &mut keys, Client, &packet);
    }
    let (conversations, _) = world.read(secret(None, PASSWORD));
    let open = &conversations[0].calls[0].open;
    assert_eq!((open.opened, open.closed), (700, 0));
}

#[test]
fn loss_does_not_end_decryption() {
    let mut world = World::new(Near::Client);
    world.call().lcp_up(MS_CHAP_V2);
    let mut keys = real_login(&mut world, PASSWORD);
    world.mppe_up(BITS_128).ipcp_up();
    let packet = v4(INNER_CLIENT, TARGET, ipv4::UDP, 64, &udp(1, 2, b"x"));
    for n in 0..9000u32 {
        if n % 7 == 3 || (1000..7000).contains(&n) {
            let mut data = [&[0, 0x21], &packet[..]].concat();
            keys[0].encrypt(&mut data);
            world.lost(Client);
        } else {
            encrypted(&mut world, &mut keys, Client, &packet);
        }
    }
    let (conversations, _) = world.read(secret(None, PASSWORD));
    let open = &conversations[0].calls[0].open;
    assert_eq!(open.closed, 0, "{open:?}");
    assert!(open.opened > 2000, "{open:?}");
}
