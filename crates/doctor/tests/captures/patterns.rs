//! One capture for each pattern that breaks a call, and the code that must be named first.

use adit_diag::Code;
use adit_wire::pptp::{StopControlConnectionRequest, StopReason};
use adit_wire::{cp, gre, ppp};

use crate::case::{Case, all_right};
use crate::world::By::{Client, Server};
use crate::world::{
    BITS_40, BITS_128, By, CLIENT, INNER_SERVER, MS_CHAP_V2, Near, PAP, ROUTER, SERVER, World, address,
    control, lcp, magic, mppe, v4,
};

fn request(id: u8) -> Vec<u8> {
    lcp(cp::CONFIGURE_REQUEST, id, &magic(0x1111))
}

fn server_request(id: u8) -> Vec<u8> {
    lcp(cp::CONFIGURE_REQUEST, id, &[MS_CHAP_V2, &magic(0x5555)].concat())
}

/// LCP requests of one side without an answer.
fn asks_in_vain(world: &mut World, by: By, times: u8) {
    for id in 0..times {
        let frame = if by == Client { request(id) } else { server_request(id) };
        world.wait(3.0).gre_vanishes(by, &frame);
    }
}

fn refuse(world: &mut World, text: &str) {
    world.call().lcp_up(MS_CHAP_V2).challenge().response().chap(Server, 4, text.as_bytes());
    world.gre(Server, &lcp(cp::TERMINATE_REQUEST, 9, b"Authentication failed")).fin(Server);
}

fn logged_in(world: &mut World) -> &mut World {
    world.call().lcp_up(MS_CHAP_V2).login()
}

const CASES: &[Case] = &[
    // TCP 1723.
    Case {
        name: "SYN repeated, nothing back",
        near: Near::Client,
        code: Code::C01,
        make: |w| {
            for wait in [0.0, 1.0, 2.0, 4.0] {
                w.wait(wait).syn();
            }
            w.silence(8.0);
        },
    },
    Case {
        name: "RST to SYN",
        near: Near::Client,
        code: Code::C02,
        make: |w| {
            w.syn().reset(Server, 57);
        },
    },
    Case {
        name: "ICMP host unreachable",
        near: Near::Client,
        code: Code::N02,
        make: |w| {
            let syn = w.syn().last();
            w.icmp(ROUTER, (3, 1), 0, &syn);
        },
    },
    Case {
        name: "ICMP administratively prohibited",
        near: Near::Client,
        code: Code::C01,
        make: |w| {
            let syn = w.syn().last();
            w.icmp(ROUTER, (3, 13), 0, &syn);
        },
    },
    Case {
        name: "accepted, then reset before anything was said",
        near: Near::Client,
        code: Code::C03,
        make: |w| {
            w.open().reset(Server, 57);
        },
    },
    Case {
        name: "reset right after the first message",
        near: Near::Server,
        code: Code::C03,
        make: |w| {
            w.open().sccrq().reset(Server, 64);
        },
    },
    Case {
        name: "the request is acknowledged, and nothing follows",
        near: Near::Client,
        code: Code::C01,
        make: |w| {
            w.open().sccrq().ack(Server).silence(30.0);
        },
    },
    Case {
        name: "a web server",
        near: Near::Client,
        code: Code::C04,
        make: |w| {
            w.open().sccrq().bytes(Server, b"HTTP/1.1 400 Bad Request\r\n\r\n").fin(Server);
        },
    },
    // The control connection.
    Case {
        name: "start refused",
        near: Near::Client,
        code: Code::C07,
        make: |w| {
            w.open().sccrq().sccrp(4, 0).fin(Server);
        },
    },
    Case {
        name: "start refused: the channel exists",
        near: Near::Server,
        code: Code::G06,
        make: |w| {
            w.up();
            w.second_client(8, 1202);
            w.open().sccrq().sccrp(3, 0).fin(Server);
        },
    },
    Case {
        name: "garbage in mid-stream",
        near: Near::Client,
        code: Code::C09,
        make: |w| {
            w.open().sccrq().sccrp(1, 0).bytes(Server, &[0xde; 64]).fin(Client);
        },
    },
    Case {
        name: "the call is not answered",
        near: Near::Client,
        code: Code::C10,
        make: |w| {
            w.open().sccrq().sccrp(1, 0).ocrq().ack(Server).silence(60.0);
        },
    },
    Case {
        name: "the call is refused: busy",
        near: Near::Client,
        code: Code::C05,
        make: |w| {
            w.open().sccrq().sccrp(1, 0).ocrq().ocrp(4, 0, 7).fin(Client);
        },
    },
    Case {
        name: "echo without reply, then the sender closes",
        near: Near::Client,
        code: Code::C06,
        make: |w| {
            w.up().data(Client, 0, 100).data(Server, 0, 100).wait(60.0).echo(Client, 5, false).ack(Server);
            w.wait(60.0).fin(Client);
        },
    },
    Case {
        name: "the server stops the connection",
        near: Near::Client,
        code: Code::C08,
        make: |w| {
            w.open().sccrq().sccrp(1, 0).ocrq();
            w.send(Server, StopControlConnectionRequest { reason: StopReason::from(3) }).fin(Server);
        },
    },
    // GRE.
    Case {
        name: "client GRE only, seen at the client",
        near: Near::Client,
        code: Code::G01,
        make: |w| {
            asks_in_vain(w.call(), Client, 6);
        },
    },
    Case {
        name: "client GRE only, seen at the server",
        near: Near::Server,
        code: Code::G03,
        make: |w| {
            asks_in_vain(w.call(), Client, 6);
        },
    },
    Case {
        name: "server GRE only, seen at the server",
        near: Near::Server,
        code: Code::G02,
        make: |w| {
            asks_in_vain(w.call(), Server, 6);
        },
    },
    Case {
        name: "the server repeats and acknowledges nothing",
        near: Near::Client,
        code: Code::G02,
        make: |w| {
            w.call();
            w.acks = false;
            for id in 0..5 {
                w.wait(3.0).gre_vanishes(Client, &request(id)).gre(Server, &server_request(id));
                w.gre_vanishes(Client, &lcp(cp::CONFIGURE_ACK, id, &[MS_CHAP_V2, &magic(0x5555)].concat()));
            }
        },
    },
    Case {
        name: "the server answers, the client repeats",
        near: Near::Server,
        code: Code::G03,
        make: |w| {
            w.call();
            for id in 0..5 {
                w.wait(3.0).gre(Client, &request(id));
                w.gre_vanishes(Server, &lcp(cp::CONFIGURE_ACK, id, &magic(0x1111)));
            }
        },
    },
    Case {
        name: "GRE from another address of the server",
        near: Near::Client,
        code: Code::G03,
        make: |w| {
            w.call();
            for id in 0..5 {
                w.wait(3.0).gre_vanishes(Client, &request(id));
                let seq = u32::from(id);
                w.gre_raw(
                    (SERVER.octets().map(|octet| octet + 1).into(), CLIENT, 57),
                    (7, Some(seq), None),
                    &server_request(id),
                );
            }
        },
    },
    Case {
        name: "ICMP protocol unreachable",
        near: Near::Client,
        code: Code::G01,
        make: |w| {
            let gre = w.call().gre_vanishes(Client, &request(1)).last();
            w.icmp(SERVER, (3, 2), 0, &gre);
            asks_in_vain(w, Client, 3);
        },
    },
    Case {
        name: "ICMP prohibited, about GRE",
        near: Near::Client,
        code: Code::G01,
        make: |w| {
            let gre = w.call().gre_vanishes(Client, &request(1)).last();
            w.icmp(ROUTER, (3, 13), 0, &gre);
            asks_in_vain(w, Client, 3);
        },
    },
    Case {
        name: "the reply names another Call ID",
        near: Near::Client,
        code: Code::G04,
        make: |w| {
            w.open().sccrq().sccrp(1, 0).ocrq().ocrp(1, 0, 4711).ack(Client);
            asks_in_vain(w, Client, 5);
        },
    },
    Case {
        name: "GRE with a Call ID of no call",
        near: Near::Server,
        code: Code::G04,
        make: |w| {
            w.call();
            for id in 0..5 {
                w.wait(3.0).gre_raw((CLIENT, SERVER, 57), (9999, Some(u32::from(id)), None), &request(id));
                w.gre_vanishes(Server, &server_request(id));
            }
        },
    },
    Case {
        name: "two clients behind one address, one Call ID",
        near: Near::Server,
        code: Code::G06,
        make: |w| {
            w.up().data(Client, 0, 100).data(Server, 0, 100);
            w.second_client(7, 1202);
            w.call();
            asks_in_vain(w, Server, 4);
        },
    },
    Case {
        name: "GRE dies after idle, TCP goes on",
        near: Near::Client,
        code: Code::G05,
        make: |w| {
            w.up().data(Client, 0, 100).data(Server, 0, 100).wait(200.0);
            for id in 0..6 {
                w.wait(5.0).gre_vanishes(Client, &lcp(cp::ECHO_REQUEST, id, &[0; 4]));
                w.echo(Client, id.into(), true);
            }
        },
    },
    Case {
        name: "the server closes within two seconds",
        near: Near::Server,
        code: Code::L03,
        make: |w| {
            w.call().gre_vanishes(Client, &request(0)).wait(0.9).fin(Server).fin(Client);
        },
    },
    // LCP.
    Case {
        name: "a loop about the MRU",
        near: Near::Client,
        code: Code::L01,
        make: |w| {
            w.call();
            for id in 0..8 {
                w.gre(Client, &lcp(cp::CONFIGURE_REQUEST, id, &[1, 4, 5, 0x78]));
                w.gre(Server, &lcp(cp::CONFIGURE_NAK, id, &[1, 4, 2, 0]));
            }
            w.fin(Client);
        },
    },
    Case {
        name: "the link is looped back",
        near: Near::Client,
        code: Code::L02,
        make: |w| {
            w.call();
            for id in 0..4 {
                w.gre(Client, &request(id)).gre(Server, &request(id));
            }
            w.fin(Client);
        },
    },
    Case {
        name: "Terminate-Request during set-up",
        near: Near::Client,
        code: Code::L03,
        make: |w| {
            w.call().gre(Client, &request(0)).gre(Server, &lcp(cp::TERMINATE_REQUEST, 1, b"no thanks"));
            w.fin(Server);
        },
    },
    Case {
        name: "the peer dies",
        near: Near::Client,
        code: Code::L04,
        make: |w| {
            w.up().data(Client, 0, 100).data(Server, 0, 100);
            for id in 0..5 {
                w.wait(10.0).gre_vanishes(Client, &lcp(cp::ECHO_REQUEST, id, &[0; 4]));
            }
            w.echo(Client, 3, false).wait(1.0).fin(Client);
        },
    },
    // The login.
    Case {
        name: "E=691",
        near: Near::Client,
        code: Code::A01,
        make: |w| {
            refuse(w, "E=691 R=1 C=00000000000000000000000000000000 V=3 M=Access denied");
        },
    },
    Case { name: "E=646", near: Near::Client, code: Code::A06, make: |w| refuse(w, "E=646 R=0 V=3") },
    Case { name: "E=647", near: Near::Client, code: Code::A02, make: |w| refuse(w, "E=647 R=0 V=3") },
    Case { name: "E=648", near: Near::Client, code: Code::A03, make: |w| refuse(w, "E=648 R=0 V=3") },
    Case { name: "E=649", near: Near::Client, code: Code::A11, make: |w| refuse(w, "E=649 R=0 V=3") },
    Case { name: "a failure in words", near: Near::Client, code: Code::A01, make: |w| refuse(w, "go away") },
    Case {
        name: "PAP refused",
        near: Near::Client,
        code: Code::A01,
        make: |w| {
            w.call().lcp_up(PAP);
            w.gre(Client, &control(ppp::PAP, 1, 1, b"\x05alice\x03abc"));
            w.gre(Server, &control(ppp::PAP, 3, 1, b"\x02no")).fin(Server);
        },
    },
    Case {
        name: "the method is rejected",
        near: Near::Client,
        code: Code::A05,
        make: |w| {
            w.call();
            for id in 0..3 {
                w.gre(Server, &lcp(cp::CONFIGURE_REQUEST, id, PAP))
                    .gre(Client, &lcp(cp::CONFIGURE_REJECT, id, PAP));
            }
            w.gre(Server, &lcp(cp::TERMINATE_REQUEST, 9, b"peer refused to authenticate")).fin(Server);
        },
    },
    Case {
        name: "methods to and fro",
        near: Near::Server,
        code: Code::A05,
        make: |w| {
            w.call();
            for id in 0..4 {
                w.gre(Server, &lcp(cp::CONFIGURE_REQUEST, id, PAP));
                w.gre(Client, &lcp(cp::CONFIGURE_NAK, id, MS_CHAP_V2));
            }
            w.gre(Server, &lcp(cp::TERMINATE_REQUEST, 9, b"")).fin(Server);
        },
    },
    Case {
        name: "the challenge is not answered",
        near: Near::Server,
        code: Code::A14,
        make: |w| {
            w.call().lcp_up(MS_CHAP_V2);
            for id in 0..6 {
                w.challenge().wait(3.0);
                w.gre(Server, &lcp(cp::ECHO_REQUEST, id, &[0; 4]))
                    .gre(Client, &lcp(cp::ECHO_REPLY, id, &[0; 4]));
            }
        },
    },
    Case {
        name: "the response is not answered, echoes are",
        near: Near::Client,
        code: Code::A07,
        make: |w| {
            w.call().lcp_up(MS_CHAP_V2).challenge();
            for id in 0..6 {
                w.response().wait(3.0);
                w.gre(Client, &lcp(cp::ECHO_REQUEST, id, &[0; 4]))
                    .gre(Server, &lcp(cp::ECHO_REPLY, id, &[0; 4]));
            }
        },
    },
    // Encryption.
    Case {
        name: "the client rejects MPPE, the server wants it",
        near: Near::Client,
        code: Code::E01,
        make: |w| {
            logged_in(w).gre(Server, &control(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &mppe(BITS_128)));
            w.gre(Client, &control(ppp::CCP, cp::CONFIGURE_REJECT, 1, &mppe(BITS_128)));
            w.gre(Server, &lcp(cp::TERMINATE_REQUEST, 2, b"MPPE required but peer refused")).fin(Server);
        },
    },
    Case {
        name: "the client does not know CCP",
        near: Near::Server,
        code: Code::E01,
        make: |w| {
            let request = control(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &mppe(BITS_128));
            logged_in(w).gre(Server, &request);
            w.gre(Client, &lcp(cp::PROTOCOL_REJECT, 2, &request[2..]));
            w.gre(Server, &lcp(cp::TERMINATE_REQUEST, 3, b"MPPE required")).fin(Server);
        },
    },
    Case {
        name: "the server rejects CCP, the client wants it",
        near: Near::Client,
        code: Code::E02,
        make: |w| {
            let request = control(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &mppe(BITS_128));
            logged_in(w).gre(Client, &request);
            w.gre(Server, &lcp(cp::PROTOCOL_REJECT, 2, &request[2..]));
            w.gre(Client, &lcp(cp::TERMINATE_REQUEST, 3, b"encryption is required")).fin(Client);
        },
    },
    Case {
        name: "40 bits against 128",
        near: Near::Client,
        code: Code::E03,
        make: |w| {
            logged_in(w);
            for id in 0..6 {
                w.gre(Client, &control(ppp::CCP, cp::CONFIGURE_REQUEST, id, &mppe(BITS_40)));
                w.gre(Server, &control(ppp::CCP, cp::CONFIGURE_NAK, id, &mppe(BITS_128)));
            }
            w.gre(Client, &lcp(cp::TERMINATE_REQUEST, 2, b"")).fin(Client);
        },
    },
    Case {
        name: "packets that decrypt to garbage",
        near: Near::Client,
        code: Code::E05,
        make: |w| {
            w.up();
            for (n, protocol) in [0x3c17u16, 0x7e55, 0x1223, 0x5a99].into_iter().enumerate() {
                w.data(Client, n as u16, 60);
                w.gre(
                    Server,
                    &lcp(cp::PROTOCOL_REJECT, n as u8, &[&protocol.to_be_bytes()[..], &[1, 2, 3]].concat()),
                );
            }
            w.gre(Server, &lcp(cp::TERMINATE_REQUEST, 2, b"")).fin(Server);
        },
    },
    // Addresses.
    Case {
        name: "no address for the client",
        near: Near::Client,
        code: Code::I01,
        make: |w| {
            logged_in(w).mppe_up(BITS_128);
            let ask = address(3, [0, 0, 0, 0].into());
            w.gre(Client, &control(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &ask));
            w.gre(Server, &control(ppp::IPCP, cp::CONFIGURE_REJECT, 1, &ask));
            w.gre(Server, &lcp(cp::TERMINATE_REQUEST, 2, b"")).fin(Server);
        },
    },
    Case {
        name: "the same address refused again and again",
        near: Near::Client,
        code: Code::I02,
        make: |w| {
            logged_in(w).mppe_up(BITS_128);
            for id in 0..6 {
                w.gre(
                    Client,
                    &control(ppp::IPCP, cp::CONFIGURE_REQUEST, id, &address(3, [10, 1, 1, 1].into())),
                );
                w.gre(
                    Server,
                    &control(ppp::IPCP, cp::CONFIGURE_NAK, id, &address(3, [10, 99, 0, 14].into())),
                );
            }
            w.gre(Client, &lcp(cp::TERMINATE_REQUEST, 2, b"")).fin(Client);
        },
    },
    Case {
        name: "IPCP is not known",
        near: Near::Client,
        code: Code::I05,
        make: |w| {
            logged_in(w).mppe_up(BITS_128);
            let ask = control(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &address(3, [0, 0, 0, 0].into()));
            w.gre(Client, &ask).gre(Server, &lcp(cp::PROTOCOL_REJECT, 1, &ask[2..]));
            w.gre(Client, &lcp(cp::TERMINATE_REQUEST, 2, b"")).fin(Client);
        },
    },
    Case {
        name: "IPCP is not answered",
        near: Near::Client,
        code: Code::I06,
        make: |w| {
            logged_in(w).mppe_up(BITS_128);
            for id in 0..6 {
                w.gre(
                    Client,
                    &control(ppp::IPCP, cp::CONFIGURE_REQUEST, id, &address(3, [0, 0, 0, 0].into())),
                );
                w.gre_ack(Server).wait(3.0);
            }
            w.fin(Client);
        },
    },
    Case {
        name: "an address of 169.254",
        near: Near::Client,
        code: Code::I01,
        make: |w| {
            logged_in(w).mppe_up(BITS_128);
            w.agree(ppp::IPCP, &address(3, [169, 254, 3, 4].into()), &address(3, INNER_SERVER));
        },
    },
    // Packet sizes.
    Case {
        name: "big packets vanish",
        near: Near::Client,
        code: Code::M01,
        make: |w| {
            w.up();
            for n in 0..10u16 {
                w.wait(1.0).data(Client, n, 100).gre_ack(Server);
            }
            for n in 10..16u16 {
                w.wait(2.0).gre_vanishes(Client, &World::encrypted(n, 1400));
                w.wait(1.0).data(Client, n + 100, 80).gre_ack(Server);
            }
        },
    },
    Case {
        name: "first fragments without their rest",
        near: Near::Server,
        code: Code::M03,
        make: |w| {
            w.up();
            for id in 0..4u16 {
                let frame = World::encrypted(id, 1472);
                let whole = gre::packet(1201, Some(100 + u32::from(id)), None, &frame);
                let mut packet = v4(CLIENT, SERVER, gre::IP_PROTOCOL, 57, &whole[..1400]);
                packet[4..6].copy_from_slice(&(0x7000 + id).to_be_bytes());
                packet[6..8].copy_from_slice(&0x2000u16.to_be_bytes());
                w.wait(0.5).raw(packet);
            }
            w.silence(60.0);
        },
    },
];

#[test]
fn each_pattern_is_named() {
    all_right(CASES, |case, verdict| {
        let why = || adit_doctor::text::why(verdict);
        (verdict.first_failure != Some(case.code))
            .then(|| format!("{}: {} expected\n{verdict}\n{}", case.name, case.code, why()))
    });
}

/// Every verdict points to a frame, says who can fix it, and gives one next test.
#[test]
fn each_verdict_has_its_proof() {
    for case in CASES {
        let verdict = case.verdict();
        assert!(!verdict.causes.is_empty(), "{}: {verdict}", case.name);
        assert!(!verdict.next.is_empty(), "{}: {verdict}", case.name);
        assert!(verdict.causes.len() <= 3, "{}", case.name);
    }
}
