//! A PPTP server that is not `adit serve`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::proof::{Secret, check};
use adit_crypto::secret::Password;
use adit_diag::Code;
use adit_ppp::auth::{MsChapError, Rejection};
use adit_ppp::link::{AddressGrant, LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_sys::gre::{GreOptions, GreSocket};
use adit_testbed::Host;
use adit_tunnel::events::{Answer, Question, Terms};
use adit_tunnel::{ServerConfig, ServerTunnel};
use adit_wire::LocalCallId;

use super::Manners;
use super::drive::Drive;
use super::listener::{each_connection, listen};
use crate::common::PASSWORD;
use crate::common::services::Service;

/// Its end of every tunnel, and what it gives.
const LOCAL: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);
const GIVEN: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 10);

/// The link of a server that asks for MS-CHAPv2 and 128 bits.
pub(crate) fn link() -> LinkConfig {
    LinkConfig { local_name: "pptpd".into(), ..LinkConfig::new(Side::Server) }
}

/// Puts it on TCP 1723 of a host.
pub(crate) fn start(host: &Host, link: LinkConfig, manners: Manners) -> Service {
    let listener = listen(host);
    let link = Arc::new(link);
    Service::start(host, move |stop| {
        each_connection(&listener, stop, |stream| {
            let Ok(IpAddr::V4(peer)) = stream.peer_addr().map(|address| address.ip()) else { return };
            let config = ServerConfig {
                control: Arc::new(ControlConfig {
                    host_name: b"local".to_vec(),
                    vendor: b"linux".to_vec(),
                    ..ControlConfig::server()
                }),
                link: Arc::clone(&link),
                setup: Duration::from_secs(30),
                mtu: 1400,
            };
            let machine = ServerTunnel::new(
                config,
                peer,
                Instant::now(),
                Rng::from_number(u64::from(std::process::id())),
            );
            let gre = (!manners.no_gre).then(|| GreSocket::open(&GreOptions::default()).unwrap());
            Drive { machine, stream, gre, peer, manners: &manners, answers: &answer }.run(stop);
        });
    })
}

fn answer(question: &Question) -> Answer {
    match question {
        Question::Call(_) => Answer::AcceptCall { call_id: LocalCallId::new(1201) },
        Question::Authenticate(request) => {
            match check(&request.proof, &Secret::Clear(Password::new(PASSWORD))) {
                Ok(proven) => Answer::Accept { proven, terms: Terms::default() },
                Err(_) => Answer::Reject(Rejection {
                    error: MsChapError::AuthenticationFailure,
                    code: Code::A01,
                    retry: false,
                    message: String::new(),
                }),
            }
        }
        Question::Address { .. } => Answer::Address(AddressGrant {
            peer: GIVEN,
            local: LOCAL,
            dns: vec![Ipv4Addr::new(192, 168, 10, 5)],
            wins: Vec::new(),
        }),
    }
}
