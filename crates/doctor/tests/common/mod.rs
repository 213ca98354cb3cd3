//! Prepared observations: a call that works as far as a layer, seen from a vantage point.

#![allow(dead_code, reason = "each test file uses its part")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use adit_diag::{AuthMethod, Layer};
use adit_doctor::facts::{
    Arrival, AuthProtocol, Bits, CallReply, Closed, Connect, Ending, How, Login, LoginVerdict, Resolved,
    Stage, StartReply,
};
use adit_doctor::{At, Facts, Position, Seen, Side, Vantage};

pub(crate) const D: Vantage = Vantage::Client;
pub(crate) const PC: Vantage = Vantage::Capture(Position::NearClient);
pub(crate) const PS: Vantage = Vantage::Capture(Position::NearServer);
pub(crate) const R: Vantage = Vantage::Record;

pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
pub(crate) const HOME: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

/// A fact at two seconds; of a capture, in frame 20.
pub(crate) fn seen<T>(what: T) -> Seen<T> {
    Seen::at(what, At::frame(20, Duration::from_secs(2)))
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A call that works up to and including `layer`.
pub(crate) fn up_to(vantage: Vantage, layer: Layer) -> Facts {
    let mut f = Facts::new(vantage, "vpn.example.org");
    if vantage == D {
        f.name.asked = Some("vpn.example.org".into());
        f.name.resolved = Some(Seen::new(Resolved::Addresses { v4: vec![SERVER], v6: 0 }));
        f.name.source = Some(Ipv4Addr::new(192, 168, 1, 23));
    }
    f.tcp.server = Some(SocketAddr::from((SERVER, 1723)));
    if layer >= Layer::Control {
        f.tcp.connect = Some(seen(Connect::Open { after: Duration::from_millis(24) }));
        f.control.requested = Some(seen(()));
        f.control.reply = Some(seen(StartReply {
            result: 1,
            error: 0,
            version: 0x100,
            vendor: "MikroTik".into(),
            host: String::new(),
        }));
        f.call.requested = Some(seen(()));
        f.call.client_id = Some(7);
        f.call.server_id = Some(1201);
        f.call.reply = Some(seen(CallReply { result: 1, error: 0, cause: 0 }));
    }
    if layer >= Layer::Gre {
        f.gre.to_server.packets = 8;
        f.gre.to_client.packets = 8;
        f.gre.to_server.arrival = Arrival::Proven;
        f.gre.to_client.arrival = Arrival::Proven;
    }
    if layer >= Layer::Lcp {
        f.lcp.opened = Some(seen(()));
        f.auth.agreed = Some(seen(AuthProtocol::Method(AuthMethod::MsChapV2)));
        f.auth.user = Some("alice".into());
    }
    if layer >= Layer::Auth {
        f.auth.challenges = 1;
        f.auth.responses = 1;
        f.auth.login = Some(seen(Login {
            verdict: LoginVerdict::Accepted,
            error: None,
            retry: None,
            text: String::new(),
        }));
    }
    if layer >= Layer::Encrypt {
        let bits = Bits(Bits::STATELESS | Bits::BITS_128);
        f.encrypt.client_agreed = Some(seen(bits));
        f.encrypt.server_agreed = Some(seen(bits));
        f.encrypt.opened = Some(seen(()));
    }
    if layer >= Layer::Address {
        f.address.assigned = Some(seen(Ipv4Addr::new(10, 99, 0, 14)));
        f.address.peer = Some(seen(Ipv4Addr::new(10, 99, 0, 1)));
        f.address.dns = Some(seen(vec![Ipv4Addr::new(192, 168, 10, 5)]));
        f.address.opened = Some(seen(()));
        f.inside.peer_answers = (vantage == D).then_some(true);
    }
    f
}

/// The server's answer to a login.
pub(crate) fn refuse(f: &mut Facts, error: u32, text: &str) {
    f.auth.challenges = 1;
    f.auth.responses = 1;
    let login = Login {
        verdict: LoginVerdict::Refused,
        error: Some(error),
        retry: Some(false),
        text: text.to_owned(),
    };
    f.auth.login = Some(seen(login));
}

/// The server closed the control connection.
pub(crate) fn closed(f: &mut Facts, how: How, stage: Stage, after: Duration) {
    f.control.closed = Some(seen(Closed { by: Side::Server, how, stage, after }));
}

/// The call ended on request.
pub(crate) fn hung_up(f: &mut Facts, by: Side) {
    f.ending =
        Some(seen(Ending { by: Some(by), how: "Stop-Control-Connection-Request".into(), in_order: true }));
}

/// The call is granted; so many GRE packets, each an LCP request, were seen each way, and nothing shows that they arrive.
pub(crate) fn granted(vantage: Vantage, to_server: u32, to_client: u32) -> Facts {
    let mut f = up_to(vantage, Layer::Control);
    (f.gre.to_server.packets, f.gre.to_client.packets) = (to_server.into(), to_client.into());
    (f.lcp.client_requests, f.lcp.server_requests) = (to_server, to_client);
    f
}
