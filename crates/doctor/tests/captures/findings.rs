//! What deserves a look, in calls that work.

use adit_diag::Code;
use adit_wire::{cp, ppp};

use crate::case::{Case, all_right};
use crate::world::By::{Client, Server};
use crate::world::{
    BITS_40, BITS_128, CLIENT, INNER_CLIENT, INNER_DNS, MS_CHAP_V1, MS_CHAP_V2, Near, PAP, ROUTER, SERVER,
    World, address, control, dns, udp, v4,
};

const CASES: &[Case] = &[
    Case {
        name: "PAP",
        near: Near::Client,
        code: Code::Q12,
        make: |w| {
            w.call().lcp_up(PAP);
            w.gre(Client, &control(ppp::PAP, 1, 1, b"\x05alice\x03abc"));
            w.gre(Server, &control(ppp::PAP, 2, 1, b"\0")).ipcp_up();
        },
    },
    Case {
        name: "MS-CHAPv1",
        near: Near::Client,
        code: Code::Q13,
        make: |w| {
            w.call().lcp_up(MS_CHAP_V1).login().mppe_up(BITS_128).ipcp_up();
        },
    },
    Case {
        name: "40 bits",
        near: Near::Client,
        code: Code::Q13,
        make: |w| {
            w.call().lcp_up(MS_CHAP_V2).login().mppe_up(BITS_40).ipcp_up();
        },
    },
    Case {
        name: "no encryption",
        near: Near::Server,
        code: Code::Q11,
        make: |w| {
            w.up_in_clear();
            for _ in 0..5 {
                w.inside(Client, &v4(INNER_CLIENT, INNER_DNS, 17, 64, &udp(5000, 5001, b"x")));
                w.inside(Server, &v4(INNER_DNS, INNER_CLIENT, 17, 63, &udp(5001, 5000, b"y")));
            }
        },
    },
    Case {
        name: "DNS asked for and not given",
        near: Near::Client,
        code: Code::I04,
        make: |w| {
            w.call().lcp_up(MS_CHAP_V2).login().mppe_up(BITS_128);
            let ask = [address(3, [0, 0, 0, 0].into()), address(129, [0, 0, 0, 0].into())].concat();
            w.gre(Client, &control(ppp::IPCP, cp::CONFIGURE_REQUEST, 50, &ask));
            w.gre(Server, &control(ppp::IPCP, cp::CONFIGURE_REJECT, 50, &address(129, [0, 0, 0, 0].into())));
            w.agree(ppp::IPCP, &address(3, INNER_CLIENT), &address(3, [10, 99, 0, 1].into()));
        },
    },
    Case {
        name: "an address of the client's own network",
        near: Near::Client,
        code: Code::I03,
        make: |w| {
            w.call().lcp_up(MS_CHAP_V2).login().mppe_up(BITS_128);
            w.agree(ppp::IPCP, &address(3, [192, 168, 1, 77].into()), &address(3, [192, 168, 1, 1].into()));
        },
    },
    Case {
        name: "the server's end is its public address",
        near: Near::Client,
        code: Code::R01,
        make: |w| {
            w.call().lcp_up(MS_CHAP_V2).login().mppe_up(BITS_128);
            w.agree(ppp::IPCP, &address(3, INNER_CLIENT), &address(3, SERVER));
        },
    },
    Case {
        name: "questions for the inner DNS server outside",
        near: Near::Client,
        code: Code::R04,
        make: |w| {
            w.up();
            for id in 0..4 {
                let question = udp(5353, 53, &dns(id, "files.corp.example", 1, None));
                w.raw(v4(CLIENT, INNER_DNS, 17, 64, &question));
            }
        },
    },
    Case {
        name: "loss from the server",
        near: Near::Client,
        code: Code::G07,
        make: |w| {
            w.up();
            for n in 0..200u16 {
                if n % 4 == 1 {
                    w.lost(Server);
                }
                w.wait(0.02).data(Client, n, 100).data(Server, n, 100);
            }
        },
    },
    Case {
        name: "out of order",
        near: Near::Client,
        code: Code::G08,
        make: |w| {
            w.up();
            for n in 0..60u32 {
                // Two by two, the later one first.
                for seq in [100 + 2 * n + 1, 100 + 2 * n] {
                    let frame = World::encrypted(seq as u16, 100);
                    w.gre_raw((SERVER, CLIENT, 57), (7, Some(seq), None), &frame);
                }
            }
        },
    },
    Case {
        name: "the sender waits for acknowledgments",
        near: Near::Client,
        code: Code::G09,
        make: |w| {
            w.up();
            for round in 0..5u16 {
                for n in 0..10u16 {
                    w.gre(Client, &World::encrypted(round * 10 + n, 200));
                }
                w.wait(3.0).gre_ack(Server);
            }
        },
    },
    Case {
        name: "only acknowledgments from the server",
        near: Near::Client,
        code: Code::R06,
        make: |w| {
            w.up();
            for n in 0..20u16 {
                w.wait(0.5).data(Client, n, 100).gre_ack(Server);
            }
        },
    },
    Case {
        name: "reset after reset",
        near: Near::Client,
        code: Code::E07,
        make: |w| {
            w.call().lcp_up(MS_CHAP_V2).login().mppe_up(0x40).ipcp_up();
            for n in 0..40u16 {
                w.data(Server, n, 100);
                w.gre(Client, &control(ppp::CCP, cp::RESET_REQUEST, n as u8, &[]));
                w.gre(Server, &control(ppp::CCP, cp::RESET_ACK, n as u8, &[]));
            }
        },
    },
    Case {
        name: "a router says that packets are too big",
        near: Near::Client,
        code: Code::M01,
        make: |w| {
            let gre = w.up().data(Client, 0, 1450).last();
            w.icmp(ROUTER, (3, 4), 1400, &gre);
        },
    },
];

#[test]
fn each_finding_is_reported_and_is_no_failure() {
    all_right(CASES, |case, verdict| {
        let reported = verdict.findings.iter().any(|finding| finding.code == case.code);
        let is_right = reported && verdict.first_failure.is_none();
        (!is_right).then(|| format!("{}: finding {} expected\n{verdict}", case.name, case.code))
    });
}

/// Numbers that the receiver acknowledged are missing in the file only.
#[test]
fn what_the_capture_lost_is_no_loss() {
    let mut world = World::new(Near::Client);
    world.up();
    for n in 0..200u16 {
        if n % 4 == 1 {
            // The client has it, and says so; the file does not.
            let seq = world.lost(Server);
            world.gre_raw((CLIENT, SERVER, 64), (1201, None, Some(seq)), &[]);
        }
        world.wait(0.02).data(Client, n, 100).data(Server, n, 100);
    }
    let verdict = world.verdict();
    assert!(verdict.findings.iter().all(|finding| finding.code != Code::G07), "{verdict}");
}
