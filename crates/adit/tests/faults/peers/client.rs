//! A PPTP client that is not `adit connect`.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::secret::Password;
use adit_ppp::auth::Credentials;
use adit_ppp::link::{LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_sys::gre::{GreOptions, GreSocket};
use adit_testbed::Host;
use adit_tunnel::events::{Answer, Question};
use adit_tunnel::{ClientConfig, ClientTunnel};
use adit_wire::LocalCallId;

use super::Manners;
use super::drive::Drive;
use crate::common::services::Service;
use crate::common::{PASSWORD, SERVER, SOON};

/// The link of a client that answers MS-CHAPv2 and wants 128 bits.
pub(crate) fn link(user: &str) -> LinkConfig {
    LinkConfig {
        credentials: Some(Credentials::new(user, Password::new(PASSWORD))),
        ..LinkConfig::new(Side::Client)
    }
}

/// Dials the server from a host, and goes on until the value returned is dropped.
pub(crate) fn dial(host: &Host, link: LinkConfig, manners: Manners) -> Service {
    let stream = host.run(|| TcpStream::connect_timeout(&(SERVER, 1723).into(), SOON).unwrap());
    let gre = host.run(|| GreSocket::open(&GreOptions::default()).unwrap());
    Service::start(host, move |stop| {
        let config = ClientConfig {
            control: Arc::new(ControlConfig { vendor: b"Microsoft".to_vec(), ..ControlConfig::client() }),
            link: Arc::new(link),
            setup: Duration::from_secs(30),
            mtu: 1400,
            call_id: LocalCallId::new(16384),
        };
        let machine = ClientTunnel::new(config, SERVER, Instant::now(), Rng::from_number(7));
        let answers = |_: &Question| -> Answer { unreachable!("a client is asked nothing") };
        Drive { machine, stream, gre: Some(gre), peer: SERVER, manners: &manners, answers: &answers }
            .run(stop);
    })
}
