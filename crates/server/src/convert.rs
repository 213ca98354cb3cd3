//! Conversions from the configuration to the settings of the core's machines, and from counters to what is
//! shown and stored.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use adit_api::status::RadiusStatus;
use adit_auth::ServerStatus;
use adit_config::{Config, Mss, Reorder};
use adit_crypto::mppe::Strength;
use adit_crypto::rc4::Form;
use adit_dataplane::{DataplaneConfig, Io};
use adit_policy::{Access, Encryption, PoolConfig};
use adit_ppp::ccp::{Mode, MppePolicy, Stateful};
use adit_ppp::link::{LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_store::Retention;
use adit_tunnel::ServerConfig;
use adit_tunnel::events::Terms;
use adit_tunnel::path::PathConfig;
use adit_wire::{LocalCallId, PeerCallId};
use ipnet::Ipv4Net;

/// The machine's configuration for a new call.
pub(crate) fn tunnel(config: &Config) -> ServerConfig {
    let link = &config.link;
    let mut control = ControlConfig::server();
    control.host_name = config.server.hostname.as_bytes().to_vec();
    control.vendor = b"adit".to_vec();
    // There is one call per connection: NAT helpers track only one, and a session is a connection here.
    control.max_calls = 1;
    control.setup_timeout = link.setup;
    control.callless_timeout = link.setup;
    let control_echo = echo(&config.server.echo);
    control.echo_every = control_echo.map(|(every, _)| every);
    control.echo_timeout = control_echo.map_or(Duration::ZERO, |(every, lost)| every * lost);
    let mut ppp = LinkConfig::new(Side::Server);
    ppp.mru = link.mtu;
    // An account source may take the whole set-up time: a user may have to approve a login on a phone.
    ppp.auth_timeout = ppp.auth_timeout.max(link.setup);
    ppp.methods.clone_from(&config.auth.methods);
    ppp.change_password = true;
    // Without echoes, the size tests, which are echoes too, are off as well.
    ppp.test_sizes = link.echo.every.is_some();
    ppp.mppe = mppe(config, &config.access);
    ppp.ipv6 = link.ipv6;
    ppp.local_name = config.server.hostname.as_str().into();
    ppp.echo = echo(&link.echo).map(|(every, lost)| adit_ppp::link::Echo { every, lost });
    ServerConfig { control: control.into(), link: ppp.into(), setup: link.setup, mtu: link.mtu }
}

/// The data path of a call whose client receives `window` packets without an acknowledgment.
pub(crate) fn path(
    config: &Config,
    local_call_id: LocalCallId,
    peer_call_id: PeerCallId,
    window: u16,
) -> PathConfig {
    let link = &config.link;
    let Reorder { packets, wait } = link.reorder;
    PathConfig {
        reorder_packets: packets,
        reorder_wait: wait,
        encryption_required: config.access.encryption == Encryption::Require,
        mtu: link.mtu,
        max_mss: match link.mss {
            Mss::Off => None,
            Mss::Clamp => Some(u16::MAX),
            Mss::Size(size) => Some(size),
        },
        window: if link.windowing { window } else { 0 },
        ..PathConfig::new(local_call_id, peer_call_id)
    }
}

/// The encryption policy of an access.
pub(crate) fn mppe(config: &Config, access: &Access) -> MppePolicy {
    MppePolicy {
        mode: match access.encryption {
            Encryption::Require => Mode::Require,
            // MPPE is requested from every client that can encrypt.
            Encryption::Allow => Mode::Prefer,
            Encryption::Off => Mode::Off,
        },
        strengths: config
            .link
            .mppe_bits
            .iter()
            .map(|bits| match bits {
                40 => Strength::Bits40,
                56 => Strength::Bits56,
                _ => Strength::Bits128,
            })
            .collect(),
        stateful: if config.link.mppe_stateless { Stateful::Refuse } else { Stateful::Accept },
    }
}

/// The terms for a call of a user with this access, with the `networks` behind its client.
pub(crate) fn terms(config: &Config, access: &Access, networks: Vec<Ipv4Net>) -> Terms {
    Terms {
        idle: access.idle,
        max: access.max,
        mppe: Some(mppe(config, access)),
        networks,
        // The path passes nothing until it gets the rules of the group (`crate::reach`).
        reach: Some(Vec::new()),
        answer_dhcp: true,
    }
}

/// The dataplane settings of a server that listens on the address `near` and keeps its state in the directory `state`.
pub(crate) fn dataplane(config: &Config, near: Option<Ipv4Addr>, state: Option<&Path>) -> DataplaneConfig {
    DataplaneConfig {
        networks: config.pools.values().map(|pool| pool.net).collect(),
        io: match config.link.io {
            adit_config::Io::Auto => Io::Auto,
            adit_config::Io::Socket => Io::Socket,
            adit_config::Io::Xdp => Io::Xdp,
        },
        cipher: match config.link.cipher {
            adit_config::Cipher::Auto => None,
            adit_config::Cipher::Assembly => Some(Form::Assembly),
            adit_config::Cipher::Portable => Some(Form::Portable),
        },
        workers: config.link.workers.map(usize::from),
        near,
        remember: state.map(adit_dataplane::remembered_in),
        ..DataplaneConfig::server()
    }
}

/// How long rows are kept.
pub(crate) fn retention(config: &Config) -> Retention {
    let adit_config::Retention { events, sessions } = config.retention;
    Retention { events, sessions, ..Retention::default() }
}

/// The pool of an access; the check of the configuration ensures that it exists.
pub(crate) fn pool<'a>(config: &'a Config, access: &Access) -> Option<&'a PoolConfig> {
    config.pools.get(&access.pool)
}

/// A keep-alive as (interval, allowed unanswered echoes).
pub(crate) fn echo(echo: &adit_config::Echo) -> Option<(Duration, u32)> {
    let adit_config::Echo { every, lost } = *echo;
    every.map(|every| (every, lost.max(1)))
}

/// The status of a RADIUS server.
pub(crate) fn radius_status(server: ServerStatus) -> RadiusStatus {
    let ServerStatus { address, is_in_service, since, answered, unanswered, problem } = server;
    let since_s = since.elapsed().as_secs();
    RadiusStatus { address, in_service: is_in_service, since_s, answered, unanswered, problem }
}

#[cfg(test)]
mod tests {
    use adit_config::{Checked, Source};

    use super::*;

    #[test]
    fn an_account_source_may_take_as_long_as_the_set_up() {
        let timeout = |text: &str| {
            let config = Checked::built_in_with(Source::new("adit.toml", text)).into_config().unwrap();
            tunnel(&config).link.auth_timeout
        };
        assert_eq!(timeout("[link]\nsetup = \"2m\"\n"), Duration::from_secs(120));
        assert_eq!(timeout("[link]\nsetup = \"6s\"\n"), Duration::from_secs(30));
    }
}
