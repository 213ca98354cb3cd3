//! The rules for whether the server can run here, and whether it does.

use adit_diag::Code;

use super::reported::{lasting, repaired};
use super::{HostRule, Proof, as_written, fact_if, of, rule};
use crate::Facts;
use crate::facts::host::{Holder, Host, Listen};

/// Programs that are PPTP servers.
const SERVERS: &[&str] = &["adit", "pptpd", "pptpctrl", "accel-pppd"];

pub(super) const SYSTEM: &[HostRule] = &[
    rule!(Host, "tun-missing", S07, Fault, tun, |_| vec!["modprobe tun; ls -l /dev/net/tun".to_owned()]),
    rule!(Host, "server-interface", S07, Fault, |f| lasting(f, Code::S07), as_written),
    rule!(Host, "server-interface-repaired", S07, Finding, |f| repaired(f, Code::S07), as_written),
    rule!(Host, "server-permission", S08, Fault, |f| lasting(f, Code::S08), as_written),
    rule!(Host, "rights-missing", S08, Fault, rights, as_written),
    rule!(Host, "few-descriptors", S08, Finding, descriptors, |_| {
        vec!["LimitNOFILE= in the unit: systemctl edit adit".to_owned()]
    }),
];

pub(super) const LISTEN: &[HostRule] = &[
    rule!(Listen, "port-taken", S01, Fault, taken, |host| {
        let holders = strangers(host).map(|holder| format!("stop {}: {}", holder.name, stop(holder)));
        holders.take(2).collect()
    }),
    rule!(Listen, "listen-none", C02, Fault, no_listener, |_| vec![
        "systemctl start adit; journalctl -u adit".to_owned()
    ]),
    rule!(Listen, "listen-address-missing", S10, Fault, missing, as_written),
    rule!(Listen, "gre-none", S02, Fault, no_gre, as_written),
    rule!(Listen, "gre-two", S02, Finding, two_gre, |host| {
        let holders = gre_strangers(host).map(|holder| format!("stop {}: {}", holder.name, stop(holder)));
        holders.take(2).collect()
    }),
    rule!(Listen, "sessions-full", C05, Fault, full, |_| vec![
        "raise limits.sessions in adit.toml".to_owned()
    ]),
    rule!(Listen, "draining", C05, Finding, draining, as_written),
];

fn tun(facts: &Facts) -> Option<Proof> {
    let system = of(facts).system.as_ref()?;
    let why = system.tun.as_ref().filter(|_| !system.runs)?;
    Proof::fact(format!("/dev/net/tun cannot be used: {why}"))
}

fn rights(facts: &Facts) -> Option<Proof> {
    let system = of(facts).system.as_ref()?;
    fact_if(!system.runs && !system.missing_rights.is_empty(), || {
        format!("root here has no {}", system.missing_rights.join(" and no "))
    })
}

/// Descriptors besides one for each session: the database, sockets, logs.
const OTHER_FILES: u64 = 64;

fn descriptors(facts: &Facts) -> Option<Proof> {
    let system = of(facts).system.as_ref()?;
    let (files, sessions) = (system.files?, system.sessions?);
    fact_if(files < sessions + OTHER_FILES, || {
        format!("the server may have {files} open files, and {sessions} sessions need one each")
    })
}

/// Whether a process is the examined server; if there is none, whether it is a PPTP server at all.
fn is_ours(listen: &Listen, holder: &Holder) -> bool {
    match listen.daemon {
        Some(daemon) => holder.process.is_none_or(|process| process == daemon),
        None => SERVERS.contains(&holder.name.as_str()) || holder.name.is_empty(),
    }
}

fn strangers(host: &Host) -> impl Iterator<Item = &Holder> {
    let listen = host.listen.iter();
    listen.flat_map(|listen| listen.holders.iter().filter(|holder| !is_ours(listen, holder)))
}

fn gre_strangers(host: &Host) -> impl Iterator<Item = &Holder> {
    let listen = host.listen.iter().filter(|listen| listen.daemon.is_some());
    listen.flat_map(|listen| listen.gre.iter().filter(|holder| !is_ours(listen, holder)))
}

fn stop(holder: &Holder) -> String {
    match holder.process {
        Some(process) => format!("process {process}, see systemctl status {process}"),
        None => "see ss -ltnp sport = :1723".to_owned(),
    }
}

pub(crate) fn name(holder: &Holder) -> String {
    match (holder.name.as_str(), holder.process) {
        ("", None) => "a process that cannot be seen from here".to_owned(),
        (name, Some(process)) => format!("{name}, process {process}"),
        (name, None) => name.to_owned(),
    }
}

fn taken(facts: &Facts) -> Option<Proof> {
    let host = of(facts);
    let first = strangers(host).next()?;
    let proof = Proof::fact(format!("{} is held by {}, not by adit", first.address, name(first)))?;
    Some(
        strangers(host).skip(1).take(4).fold(proof, |proof, holder| {
            proof.with(format!("{} is held by {}", holder.address, name(holder)))
        }),
    )
}

fn no_listener(facts: &Facts) -> Option<Proof> {
    let listen = of(facts).listen.as_ref()?;
    fact_if(listen.holders.is_empty(), || {
        let port = listen.port;
        match listen.daemon {
            Some(process) => {
                format!("no program listens on TCP {port}, though adit runs (process {process})")
            }
            None => format!("no program listens on TCP {port}: the server does not run"),
        }
    })
}

fn missing(facts: &Facts) -> Option<Proof> {
    let listen = of(facts).listen.as_ref()?;
    fact_if(!listen.missing.is_empty(), || {
        format!("{} is not an address of this host", listen.missing.join(", "))
    })
}

fn no_gre(facts: &Facts) -> Option<Proof> {
    let listen = of(facts).listen.as_ref()?;
    let ours = listen.holders.iter().find(|holder| is_ours(listen, holder))?;
    // pptpd and accel-ppp may have the kernel receive GRE, which is not visible.
    let may_use_kernel = listen.daemon.is_none() && ours.name != "adit";
    fact_if(listen.gre.is_empty() && !may_use_kernel, || {
        format!(
            "{} takes calls on {}, and no program has a socket for protocol 47: every GRE packet is refused",
            name(ours),
            ours.address
        )
    })
}

fn two_gre(facts: &Facts) -> Option<Proof> {
    let other = gre_strangers(of(facts)).next()?;
    Proof::fact(format!("{} reads protocol 47 too", name(other)))
}

fn full(facts: &Facts) -> Option<Proof> {
    let (up, most) = of(facts).listen.as_ref()?.sessions?;
    fact_if(most > 0 && up >= most, || format!("{up} sessions of {most}: the next call is refused"))
}

fn draining(facts: &Facts) -> Option<Proof> {
    fact_if(of(facts).listen.as_ref()?.draining, || "the server drains: new calls are refused".to_owned())
}
