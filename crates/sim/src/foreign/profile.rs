//! Profiles of products: what each offers and requires.

use std::time::Duration;

use adit_wire::cp::ConfigOption;
use adit_wire::lcp;
use adit_wire::ppp::{CCP, IPCP, IPV6CP};

use super::negotiation::Options;

/// MPPE bits: stateless, 56, 128, 40 bits, MPPC.
const H: u32 = 0x0100_0000;
const M: u32 = 0x80;
const S: u32 = 0x40;
const L: u32 = 0x20;
const C: u32 = 0x01;

const CHAP_MS_V2: [u8; 3] = [0xc2, 0x23, 0x81];
const EAP: [u8; 2] = [0xc2, 0x27];

/// The profile of a product.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name, for test output.
    pub name: &'static str,
    /// Whether it is a server.
    pub server: bool,
    /// Framing and bearer capabilities.
    pub capabilities: (u32, u32),
    /// Maximum Channels.
    pub channels: u16,
    /// Firmware Revision.
    pub firmware: u16,
    /// Host Name.
    pub host: &'static [u8],
    /// Vendor Name.
    pub vendor: &'static [u8],
    /// Minimum and maximum BPS of a request; the second is also the connect speed of a reply.
    pub bps: (u32, u32),
    /// Packet Receive Window Size.
    pub window: u16,
    /// Its Call ID.
    pub call_id: u16,
    /// The sequence number of its first GRE packet.
    pub first_sequence: u32,
    /// LCP options of its first request; the magic number is filled in.
    pub lcp: Options,
    /// LCP options that it accepts from the peer.
    pub lcp_takes: &'static [u8],
    /// MPPE bits of its first request.
    pub mppe: u32,
    /// MPPE bits that it requires.
    pub mppe_wants: u32,
    /// IPCP options of its first request.
    pub ipcp: Options,
    /// IPCP options of the peer that it rejects.
    pub ipcp_rejects: &'static [u8],
    /// The network protocols that it starts, in this order.
    pub begins: &'static [u16],
    /// The Identification packets that it sends when LCP is up.
    pub identifications: Vec<Vec<u8>>,
    /// Deviations from the RFCs, or from usual behaviour.
    pub quirks: Quirks,
}

/// The quirks of a product.
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    /// Whether the Outgoing-Call-Request is in the same segment as the Start-Control-Connection-Request.
    pub eager: bool,
    /// Whether all its protocols share one identifier counter, which is incremented for each packet.
    pub one_counter: bool,
    /// Whether a Terminate-Ack for its IPCP request makes it disconnect.
    pub hates_terminate_ack: bool,
    /// Set-Link-Info when LCP is up, with this Call ID; `None` for the correct one.
    pub set_link_info: Option<Option<u16>>,
    /// Whether Call-Disconnect-Notify contains the peer's Call ID.
    pub disconnect_with_peer_id: bool,
    /// Result of Call-Disconnect-Notify.
    pub disconnect_result: u8,
    /// Whether the Success message lacks `M=`.
    pub success_without_message: bool,
    /// Data of its Terminate-Request.
    pub goodbye: Vec<u8>,
    /// The interval of its LCP Echo-Requests in seconds.
    pub lcp_echo: Option<u64>,
    /// Whether a server repeats its IPCP request once although it was acknowledged.
    pub repeats_ipcp: bool,
    /// Whether a server ends the call upon the client's Terminate-Request; others wait for its
    /// Call-Clear-Request.
    pub ends_at_once: bool,
    /// Whether a client answers a Challenge once, and again only if the Challenge is repeated.
    pub answers_once: bool,
    /// An Ack of its first CCP request that arrives sooner than this leaves its MPPE off: it rejects data packets,
    /// and further requests of CCP.
    pub early_ack: Option<Duration>,
    /// Whether TCP is closed without Stop-Control-Connection-Request.
    pub abrupt: bool,
}

fn word(value: u32) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

fn zeros(kinds: &[u8]) -> Options {
    kinds.iter().map(|kind| (*kind, vec![0; 4])).collect()
}

impl Profile {
    /// The same product, set to stateful MPPE.
    pub fn stateful(self) -> Profile {
        Profile { mppe: S, mppe_wants: S, ..self }
    }

    /// Whether each frame has a key of its own.
    pub fn is_stateless(&self) -> bool {
        self.mppe_wants & H != 0
    }

    /// Windows 10: callback offered, three Identifications, one counter for all, CCP with H alone.
    pub fn windows_10() -> Profile {
        let guid = vec![
            0xe3, 0x57, 0x2a, 0x57, 0xe0, 0xa2, 0xbd, 0x41, 0xb8, 0x26, 0xf1, 0x45, 0x41, 0x06, 0xf2, 0x61,
        ];
        Profile {
            name: "Windows 10",
            server: false,
            capabilities: (1, 1),
            channels: 0,
            firmware: 0,
            host: b"",
            vendor: b"Microsoft",
            bps: (300, 100_000_000),
            window: 64,
            call_id: 64234,
            first_sequence: 0,
            lcp: vec![
                (lcp::Mru::KIND, 1400u16.to_be_bytes().to_vec()),
                (lcp::Magic::KIND, vec![]),
                (lcp::Pfc::KIND, vec![]),
                (lcp::Acfc::KIND, vec![]),
                (lcp::Callback::KIND, vec![6]),
            ],
            lcp_takes: &[
                lcp::Mru::KIND,
                lcp::Accm::KIND,
                lcp::Auth::KIND,
                lcp::Magic::KIND,
                lcp::Pfc::KIND,
                lcp::Acfc::KIND,
            ],
            mppe: H,
            mppe_wants: H | S,
            ipcp: zeros(&[3, 129, 130, 131, 132]),
            ipcp_rejects: &[2],
            begins: &[IPV6CP, CCP, IPCP],
            identifications: vec![b"MSRASV5.20".to_vec(), b"MSRAS-0-DESKTOP-1".to_vec(), guid],
            quirks: Quirks {
                one_counter: true,
                set_link_info: Some(None),
                disconnect_result: 0,
                goodbye: vec![0, 0, 0, 0, 0, 0x3c, 0xcd, 0x74, 0, 0, 0, 0],
                ..Quirks::default()
            },
        }
    }

    /// Windows XP: every strength and MPPC offered, two Identifications, no IPv6.
    pub fn windows_xp() -> Profile {
        Profile {
            name: "Windows XP",
            mppe: H | M | S | L | C,
            begins: &[CCP, IPCP],
            identifications: vec![b"MSRASV5.10".to_vec(), b"MSRAS-0-XP".to_vec()],
            ..Profile::windows_10()
        }
    }

    /// RouterOS as client: IPCP in parallel with CCP, and a disconnect if that is answered with
    /// Terminate-Ack.
    pub fn routeros_client() -> Profile {
        Profile {
            name: "RouterOS client",
            capabilities: (3, 3),
            channels: 0,
            firmware: 1,
            host: b"MikroTik",
            vendor: b"MikroTik",
            bps: (300, 100_000_000),
            window: 100,
            call_id: 1,
            lcp: vec![(lcp::Mru::KIND, 1450u16.to_be_bytes().to_vec()), (lcp::Magic::KIND, vec![])],
            lcp_takes: &[lcp::Mru::KIND, lcp::Auth::KIND, lcp::Magic::KIND],
            mppe: H | S,
            ipcp: zeros(&[3, 129, 131]),
            begins: &[IPCP, CCP],
            identifications: Vec::new(),
            quirks: Quirks {
                hates_terminate_ack: true,
                lcp_echo: Some(30),
                disconnect_result: 4,
                abrupt: true,
                ..Quirks::default()
            },
            ..Profile::windows_10()
        }
    }

    /// pptp-linux with pppd: VJ offered, GRE numbers from 1.
    pub fn pptp_linux() -> Profile {
        let mut ipcp = zeros(&[3, 129, 131]);
        ipcp.insert(0, (2, vec![0, 0x2d, 0x0f, 1]));
        Profile {
            name: "pptp-linux",
            capabilities: (3, 3),
            channels: 65535,
            firmware: 1,
            host: b"local",
            vendor: b"cananian",
            bps: (2400, 10_000_000),
            window: 3,
            call_id: 0xae1e,
            first_sequence: 1,
            lcp: vec![
                (lcp::Accm::KIND, word(0)),
                (lcp::Magic::KIND, vec![]),
                (lcp::Pfc::KIND, vec![]),
                (lcp::Acfc::KIND, vec![]),
            ],
            mppe: H | S,
            ipcp,
            ipcp_rejects: &[],
            begins: &[CCP, IPCP],
            identifications: Vec::new(),
            quirks: Quirks {
                eager: true,
                answers_once: true,
                goodbye: b"User request".to_vec(),
                ..Quirks::default()
            },
            ..Profile::windows_10()
        }
    }

    /// A Windows server: EAP first, endpoint discriminator, Set-Link-Info with Call ID 0, no `M=`, no second DNS.
    pub fn windows_server() -> Profile {
        let mut endpoint = vec![1];
        endpoint.extend_from_slice(&[0x5a; 20]);
        Profile {
            name: "Windows server",
            server: true,
            call_id: 58378,
            window: 16384,
            bps: (0, 5_317_890),
            lcp: vec![
                (lcp::Mru::KIND, 1400u16.to_be_bytes().to_vec()),
                (lcp::Auth::KIND, EAP.to_vec()),
                (lcp::Magic::KIND, vec![]),
                (lcp::Pfc::KIND, vec![]),
                (lcp::Acfc::KIND, vec![]),
                (lcp::Endpoint::KIND, endpoint),
            ],
            mppe: H | M | S | L | C,
            ipcp: vec![(3, vec![10, 77, 0, 1])],
            ipcp_rejects: &[2, 130, 131, 132],
            begins: &[CCP, IPCP],
            identifications: Vec::new(),
            quirks: Quirks {
                one_counter: true,
                set_link_info: Some(Some(0)),
                success_without_message: true,
                repeats_ipcp: true,
                ..Quirks::default()
            },
            ..Profile::windows_10()
        }
    }

    /// RouterOS as server: IPCP in parallel with CCP, keep-alive by LCP.
    pub fn routeros_server() -> Profile {
        Profile {
            name: "RouterOS server",
            server: true,
            lcp: vec![
                (lcp::Mru::KIND, 1450u16.to_be_bytes().to_vec()),
                (lcp::Auth::KIND, CHAP_MS_V2.to_vec()),
                (lcp::Magic::KIND, vec![]),
            ],
            ipcp: vec![(3, vec![10, 77, 0, 1])],
            ipcp_rejects: &[2, 130, 132],
            ..Profile::routeros_client()
        }
    }

    /// pptpd with pppd: Call ID 0, no capabilities, ACCM, VJ.
    pub fn pptpd() -> Profile {
        Profile {
            name: "pptpd",
            server: true,
            capabilities: (0, 0),
            channels: 1,
            vendor: b"linux",
            bps: (0, 100_000_000),
            window: 64,
            call_id: 0,
            lcp: vec![
                (lcp::Mru::KIND, 1490u16.to_be_bytes().to_vec()),
                (lcp::Accm::KIND, word(0)),
                (lcp::Auth::KIND, CHAP_MS_V2.to_vec()),
                (lcp::Magic::KIND, vec![]),
                (lcp::Pfc::KIND, vec![]),
                (lcp::Acfc::KIND, vec![]),
            ],
            mppe: H | S | L,
            ipcp: vec![(2, vec![0, 0x2d, 0x0f, 1]), (3, vec![10, 77, 0, 1])],
            ipcp_rejects: &[130, 132],
            quirks: Quirks {
                disconnect_with_peer_id: true,
                ends_at_once: true,
                disconnect_result: 1,
                lcp_echo: Some(30),
                ..Quirks::default()
            },
            ..Profile::pptp_linux()
        }
    }

    /// accel-ppp: as pptpd, and not ready for an early Ack of CCP.
    pub fn accel_ppp() -> Profile {
        let pptpd = Profile::pptpd();
        let quirks = Quirks { early_ack: Some(Duration::from_millis(20)), ..pptpd.quirks };
        Profile { name: "accel-ppp", vendor: b"accel-ppp", quirks, ..pptpd }
    }

    /// The clients.
    pub fn clients() -> Vec<Profile> {
        vec![Profile::windows_10(), Profile::windows_xp(), Profile::routeros_client(), Profile::pptp_linux()]
    }

    /// The servers.
    pub fn servers() -> Vec<Profile> {
        vec![Profile::windows_server(), Profile::routeros_server(), Profile::pptpd(), Profile::accel_ppp()]
    }
}
