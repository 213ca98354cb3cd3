//! Changes to this host for a connection: address, routes and name servers, all recorded in the journal and undone.

mod plan;

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use adit_diag::Code;
use adit_sys::journal::{self, Change, Journal, Lasts, Scope, Undone};
use adit_sys::net::Net;
use adit_sys::resolver::{Dns, DnsMethod, ResolverFiles};
use adit_sys::{Error, Kind};

pub use plan::Plan;
use plan::{Need, Steps};

/// What was configured, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Name servers and the domains they are used for; empty if none were configured.
    pub dns: String,
    /// The networks that go through the tunnel.
    pub routes: String,
}

/// The changes to the host for one connection. Dropping it undoes them.
#[derive(Debug)]
pub struct Setup {
    folder: PathBuf,
    by: String,
    resolver: ResolverFiles,
    journal: Option<Journal>,
    applied: Option<(Plan, Done)>,
    remarks: Vec<String>,
}

impl Setup {
    /// Undoes what crashed connections left behind, and prepares the journal. `folder` is the state directory of the
    /// program.
    ///
    /// # Errors
    /// The directory of the journal cannot be created.
    pub async fn open(folder: &Path) -> Result<Setup, Error> {
        Setup::with_resolver(folder, ResolverFiles::default()).await
    }

    /// As [`Setup::open`], with other files of the resolver's configuration.
    ///
    /// # Errors
    /// As [`Setup::open`].
    pub async fn with_resolver(folder: &Path, resolver: ResolverFiles) -> Result<Setup, Error> {
        let folder = folder.join(FOLDER);
        let by = "connect".to_owned();
        let (path, whose) = (folder.clone(), by.clone());
        let scope = Scope::default().with_resolver(&resolver);
        let (journal, remarks) = blocking(move || {
            let report = journal::recover(&path, &scope, false, false);
            let remarks = match report {
                Ok(report) => report
                    .outcomes
                    .iter()
                    .filter_map(|o| remark(&o.change, o.undone.as_ref()?))
                    .chain(report.damaged.iter().map(ToString::to_string))
                    .collect(),
                // Journals that cannot be read now cannot be read later either; they must not prevent a connection.
                Err(error) => vec![error.to_string()],
            };
            Ok((Journal::open(&path, &whose, Lasts::UntilExit)?.within(scope), remarks))
        })
        .await?;
        Ok(Setup { folder, by, resolver, journal: Some(journal), applied: None, remarks })
    }

    /// Configures the host as planned. Applying the same plan again changes nothing; another plan replaces it.
    ///
    /// # Errors
    /// S08 without the privilege; I03 if a network behind the tunnel is also a local network of this host, or if it needs the
    /// assigned address outside the tunnel. All changes
    /// made until then are undone.
    pub async fn apply(&mut self, plan: &Plan) -> Result<Done, Error> {
        match &self.applied {
            Some((applied, done)) if applied == plan => return Ok(done.clone()),
            Some(_) => {
                let remarks = self.undo().await;
                self.remarks.extend(remarks);
            }
            None => {}
        }
        let journal = match self.journal.take() {
            Some(journal) => journal,
            // An earlier call was cancelled: dropping its journal has undone its changes.
            None => Journal::open(&self.folder, &self.by, Lasts::UntilExit)?
                .within(Scope::default().with_resolver(&self.resolver)),
        };
        let (plan, resolver) = (plan.clone(), self.resolver.clone());
        let (journal, plan, done) = blocking(move || {
            let mut journal = journal;
            let done = apply(&mut journal, &plan, &resolver);
            if done.is_err() {
                journal.undo();
            }
            Ok((journal, plan, done))
        })
        .await?;
        self.journal = Some(journal);
        let done = done?;
        self.applied = Some((plan, done.clone()));
        Ok(done)
    }

    /// Undoes all changes; returns warnings for the user: what was left because another program has changed it since,
    /// and what could not be undone.
    pub async fn undo(&mut self) -> Vec<String> {
        self.applied = None;
        let mut remarks = std::mem::take(&mut self.remarks);
        let Some(mut journal) = self.journal.take() else { return remarks };
        let undone = blocking(move || {
            let outcomes = journal.undo();
            Ok((journal, outcomes))
        })
        .await;
        match undone {
            Ok((journal, outcomes)) => {
                self.journal = Some(journal);
                remarks.extend(outcomes.iter().filter_map(|(change, undone)| remark(change, undone)));
            }
            Err(error) => remarks.push(error.to_string()),
        }
        remarks
    }
}

/// Directory of the journal inside the state directory.
pub const FOLDER: &str = "journal";

fn remark(change: &Change, undone: &Undone) -> Option<String> {
    match undone {
        Undone::Undone | Undone::Gone => None,
        other => Some(format!("{change}: {other}")),
    }
}

fn apply(journal: &mut Journal, plan: &Plan, resolver: &ResolverFiles) -> Result<Done, Error> {
    let interface = journal.net().interface(&plan.interface)?;
    let hop = journal.net().route_to(plan.server.into())?;
    let others: Vec<_> = adit_sys::host::in_use(journal.net())?
        .into_iter()
        .filter(|u| u.interface != plan.interface)
        .collect();
    let needed = needed(journal.net(), interface.index)?;
    let steps = Steps::new(plan, interface.index, &hop, &others, &needed)?;
    if let Some(route) = &steps.to_server {
        match journal.add_route(route) {
            // The host already has a route to the server; it takes precedence.
            Err(error) if error.kind() == Kind::Exists => {}
            other => other?,
        }
    }
    journal.net().set_mtu(interface.index, u32::from(plan.mtu))?;
    journal.add_address(&interface, steps.address, steps.peer.map(Into::into))?;
    journal.net().set_up(interface.index, true)?;
    for route in &steps.through_tunnel {
        journal.add_route(route).map_err(|error| {
            if error.kind() != Kind::Exists {
                return error;
            }
            Error::new(
                Kind::Exists,
                format!("cannot route {} through the tunnel", route.destination),
                error.answer(),
            )
            .with_code(Code::I03)
            .with_fix("see `ip route` for whose it is; leave this network out of the tunnel's routes")
        })?;
    }
    let dns = if plan.dns.is_empty() { String::new() } else { set_dns(journal, plan, &interface, resolver)? };
    Ok(Done { dns, routes: steps.text })
}

/// The addresses that this host needs outside the tunnel interface with this index.
fn needed(net: &Net, tunnel: u32) -> Result<Vec<(Ipv4Addr, Need)>, Error> {
    let v4 = |address: IpAddr| match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    };
    let interfaces = net.interfaces()?;
    let mut needed = Vec::new();
    for address in net.addresses()?.into_iter().filter(|address| address.interface != tunnel) {
        let interface = interfaces.iter().find(|interface| interface.index == address.interface);
        let name = interface.map(|interface| interface.name.clone()).unwrap_or_default();
        needed.extend(v4(address.address.addr()).map(|address| (address, Need::Own(name))));
    }
    let routes = net.routes()?.into_iter().filter(|route| route.interface != Some(tunnel));
    needed.extend(routes.filter_map(|route| Some((v4(route.gateway?)?, Need::Router))));
    let servers = adit_sys::host::nameservers().servers.into_iter().filter_map(v4);
    needed.extend(servers.map(|server| (server, Need::NameServer)));
    Ok(needed)
}

fn set_dns(
    journal: &mut Journal,
    plan: &Plan,
    interface: &adit_sys::net::Interface,
    resolver: &ResolverFiles,
) -> Result<String, Error> {
    let servers = plan.dns.iter().map(|server| (*server).into()).collect();
    let set = journal.set_dns(interface, &Dns { servers, domains: plan.domains.clone() }, resolver);
    let servers: Vec<_> = plan.dns.iter().map(ToString::to_string).collect();
    let servers = servers.join(", ");
    let kept = |why: &str| format!("{servers} not set: {why}");
    Ok(match set {
        Ok(DnsMethod::Kept(why)) => kept(&why),
        // A client without root: the tunnel works, and its user can set the name servers.
        Err(error) if matches!(error.kind(), Kind::NotPermitted | Kind::ReadOnly) => kept(&error.to_string()),
        Err(error) => return Err(error),
        Ok(_) if plan.domains.is_empty() => format!("{servers} for all names"),
        Ok(DnsMethod::Resolved) => format!("{servers} for {}", plan.domains.join(", ")),
        Ok(DnsMethod::ResolvConf) => {
            format!("{servers} for all names (resolv.conf cannot keep {} apart)", plan.domains.join(", "))
        }
    })
}

/// Runs an operation that may block on the disk or on another program on a thread where it delays no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let lost = |_| Error::new(Kind::Other, "cannot change this host", "the thread ended unexpectedly");
    tokio::task::spawn_blocking(work).await.map_err(lost)?
}
