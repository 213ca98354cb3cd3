//! The purpose of this host, from its configuration and from its running server.

use adit_api::session::SessionRow;
use adit_api::status::Status;
use adit_api::{Request, Response};
use adit_config::{Checked, Config, Level, Listen, Mss, StoreUrl};
use adit_doctor::facts::host::{self, Check, Host, Pool, Remark, Reported};
use adit_inspect::look::{self, Purpose};
use adit_policy::Tunnel;
use ipnet::Ipv4Net;

use crate::commands::status;
use crate::facts;
use crate::failure::Exit;
use crate::output::Output;
use crate::places::Places;
use crate::settings::Settings;
use crate::table::printable;

/// The tunnel interface, unless a server reports another.
const TUNNEL: &str = "adit0";

/// Information from both sources.
pub(super) struct Known<'a> {
    places: &'a Places,
    /// The configuration, if there is a file.
    checked: Option<Checked>,
    config: Option<&'a Config>,
    status: Option<Box<Status>>,
    sessions: Vec<SessionRow>,
    /// Why the running server could not be queried.
    refused: Option<String>,
    state: Option<std::path::PathBuf>,
}

impl<'a> Known<'a> {
    pub(super) fn ask(output: &Output, places: &'a Places, settings: &'a Settings) -> Known<'a> {
        let checked = adit_config::is_there(&places.config).then(|| {
            let mut checked = Checked::read(&places.config);
            if let Some(facts) = facts::of_this_host() {
                checked.check_host(&facts);
            }
            checked
        });
        let mut known = Known {
            places,
            checked,
            config: settings.config(),
            status: None,
            sessions: Vec::new(),
            refused: None,
            state: settings.database().ok().and_then(|file| file.parent().map(std::path::Path::to_path_buf)),
        };
        match status::ask(&Request::Status, output, places) {
            Ok(Response::Status(status)) => {
                known.status = Some(status);
                if let Ok(Response::Sessions(rows)) = status::ask(&Request::Sessions, output, places) {
                    known.sessions = rows;
                }
            }
            Ok(_) => {}
            Err(failure) if failure.exit == Exit::Unreachable => {}
            Err(failure) => known.refused = Some(failure.message),
        }
        known
    }

    pub(super) fn sessions(&self) -> &[SessionRow] {
        &self.sessions
    }

    /// What clients dial, for tests from outside.
    pub(super) fn name(&self) -> String {
        let listen = || {
            let address = match self.config?.server.listen.first()? {
                Listen::Address { address, .. } if !address.is_unspecified() => address.to_string(),
                _ => return None,
            };
            Some(address)
        };
        self.config
            .and_then(|config| config.server.name.clone())
            .or_else(listen)
            .unwrap_or_else(|| "NAME".to_owned())
    }

    pub(super) fn purpose(&self) -> Purpose {
        let mut purpose = Purpose {
            daemon: self.status.as_ref().map(|status| status.pid),
            tunnel: self.status.as_ref().map_or(TUNNEL, |status| status.interface.as_str()).to_owned(),
            state: self.state.clone(),
            clamps: true,
            ..Purpose::default()
        };
        if let Some(status) = &self.status {
            purpose.sessions = status.sessions_limit;
        }
        let Some(config) = self.config else { return purpose };
        purpose.listen = config.server.listen.iter().map(listen).collect();
        purpose.pools = config.pools.values().map(|pool| (pool.net, pool.server)).collect();
        let all = std::iter::once(&config.access).chain(config.groups.values());
        for access in all {
            match access.tunnel {
                Tunnel::All => purpose.reach.push(Ipv4Net::default()),
                Tunnel::Split => purpose.reach.extend(&access.routes),
            }
        }
        purpose.dns = config.pools.values().flat_map(|pool| pool.dns.iter().copied()).collect();
        purpose.dns.sort();
        purpose.dns.dedup();
        purpose.mtu = config.link.mtu;
        purpose.clamps = config.link.mss != Mss::Off;
        purpose.echo_seconds = config.link.echo.every.map_or(0, |every| every.as_secs());
        purpose.sessions = u64::from(config.limits.sessions);
        if config.store.url == StoreUrl::Memory {
            purpose.state = None;
        }
        purpose
    }

    /// Adds the facts that the host itself does not show.
    pub(super) fn put(&self, host: &mut Host) {
        match &self.checked {
            Some(checked) => host.config = Some(remarks(&self.places.config.display().to_string(), checked)),
            None => {
                let file = self.places.config.display();
                let why = match self.status {
                    Some(_) => format!("there is no {file}: the server runs with the built-in configuration"),
                    None => format!("there is no {file}, and no server runs: adit init"),
                };
                host.not_tested.insert(Check::Config, why.into());
            }
        }
        if let (Some(listen), Some(status)) = (host.listen.as_mut(), &self.status) {
            listen.draining = status.draining;
            listen.sessions = Some((status.sessions_up, status.sessions_limit));
        }
        let faults = self.status.iter().flat_map(|status| &status.faults);
        host.reported = faults
            .map(|fault| Reported {
                code: fault.code,
                text: printable(&fault.text),
                repaired_s: fault.repaired_s,
            })
            .collect();
        host.rc4 = self.status.as_ref().map(|status| status.cipher.clone());
        if let Some(why) = &self.refused {
            host.not_tested.insert(Check::Pool, why.as_str().into());
        }
        let Some(config) = self.config else { return };
        for pool in config.pools.values() {
            let live = self
                .status
                .as_ref()
                .and_then(|status| status.pools.iter().find(|live| live.name == pool.name));
            let size: u64 = pool
                .ranges
                .iter()
                .map(|(from, to)| u64::from(u32::from(*to)) - u64::from(u32::from(*from)) + 1)
                .sum();
            host.pools.push(Pool {
                name: pool.name.clone(),
                net: pool.net,
                used: live.map(|live| live.used),
                size: live.map_or(size, |live| live.size),
                holders: self.holders(pool.net),
                no_dns: pool.dns.is_empty(),
            });
        }
    }

    /// Users with addresses in a network, and the number of addresses of each, largest first.
    fn holders(&self, net: Ipv4Net) -> Vec<(String, u64)> {
        let mut holders: Vec<(String, u64)> = Vec::new();
        for session in &self.sessions {
            let inside = session.address.is_some_and(|address| net.contains(&address));
            if !inside {
                continue;
            }
            match holders.iter_mut().find(|(user, _)| *user == session.user) {
                Some((_, number)) => *number += 1,
                None => holders.push((session.user.clone(), 1)),
            }
        }
        holders.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        holders
    }
}

fn listen(listen: &Listen) -> look::Listen {
    match listen {
        Listen::Address { address, port } => {
            look::Listen { address: Some(*address), interface: None, port: *port }
        }
        Listen::Interface { name, port } => {
            look::Listen { address: None, interface: Some(name.clone()), port: *port }
        }
    }
}

fn remarks(file: &str, checked: &Checked) -> host::Config {
    let worth = checked.findings().iter().filter(|finding| finding.level != Level::Note);
    let remarks = worth.map(|finding| Remark {
        code: finding.code,
        error: finding.level == Level::Error,
        text: match finding.line {
            0 => finding.message.clone(),
            line => format!("line {line}: {}", finding.message),
        },
        fix: finding.fix.as_ref().map(|fix| fix.text.clone()),
    });
    let remarks = remarks.collect();
    host::Config { file: file.to_owned(), broken: checked.config().is_none(), remarks }
}
