//! Reading the rules of the packet filter with the host's own tools.

use std::io;
use std::path::Path;

use adit_doctor::facts::host::NotTested;

use super::run::Limits;
use super::{run, system};
use crate::filter::{Chain, Ruleset};
use crate::read::{iptables, nft};

/// The names of the tables of the legacy kernel interface of iptables, which nft does not list.
///
/// # Errors
/// If the kernel has this interface, but the process may not read the names.
pub(crate) fn legacy_tables() -> io::Result<String> {
    match system::text(Path::new("/proc/thread-self/net/ip_tables_names"), 4096) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other,
    }
}

/// The rules, and the programs that loaded them.
pub(crate) struct Rules {
    /// The rules.
    pub(crate) set: Ruleset,
    /// The names of these programs, for display.
    pub(super) by: String,
    /// Why nft did not list its rules; those of iptables are then known.
    pub(crate) unlisted: Option<NotTested>,
}

/// Reads the rules of nftables and of both kinds of iptables.
///
/// # Errors
/// Why they cannot be read, or not all of them.
pub(crate) fn read(limits: &Limits) -> Result<Rules, NotTested> {
    let mut by = Vec::new();
    let listed = match run::run_within(limits, "nft", &["-j", "list", "ruleset"]) {
        Ok(text) => Ok(nft::read(&text).map_err(|error| NotTested::Other(error.to_string()))?),
        Err(silent) => Err(silent),
    };
    let mut set = match &listed {
        Ok(set) => set.clone(),
        Err(_) => Ruleset::default(),
    };
    if set.chains.values().any(|chain| chain.base.is_some()) {
        by.push("nftables");
    }
    let (mut saved_any, mut old_read) = (None, false);
    // The second program uses the legacy kernel interface if the first one uses nftables.
    for program in ["iptables-save", "iptables-legacy-save"] {
        let saved = match run::run_within(limits, program, &["-c"]) {
            Ok(text) => iptables::read(&text).map_err(|error| NotTested::Other(error.to_string()))?,
            Err(run::Silent::Missing) => continue,
            // nft has listed the same rules already.
            Err(_) if listed.is_ok() && program == "iptables-save" => continue,
            Err(silent) if listed.is_err() => return Err(silent.not_tested(program, "iptables")),
            Err(_) => continue,
        };
        saved_any = Some(());
        let is_nftables = saved.nftables;
        let family = if is_nftables { "ip" } else { "iptables" };
        old_read |= !is_nftables;
        set.absorb(saved);
        let has_effect =
            |chain: &Chain| chain.base.as_ref().is_some_and(|base| base.drops || !chain.rules.is_empty());
        let mut chains = set.chains.iter().filter(|(name, chain)| name.family == family && chain.by_iptables);
        if chains.any(|(_, chain)| has_effect(chain)) {
            by.push(if is_nftables { "iptables (nf_tables)" } else { "iptables" });
        }
    }
    let old = legacy_tables().unwrap_or_default();
    if !old.trim().is_empty() && !old_read {
        let tables = old.split_ascii_whitespace().collect::<Vec<_>>().join(", ");
        return Err(NotTested::Other(format!(
            "the kernel has tables of iptables ({tables}) that no program here shows: apt install iptables"
        )));
    }
    match listed {
        Err(silent) if saved_any.is_none() => {
            // A kernel that never had a rule.
            if silent == run::Silent::Missing
                && old.trim().is_empty()
                && !Path::new("/sys/module/nf_tables").exists()
            {
                return Ok(Rules { set, by: "no packet filter".to_owned(), unlisted: None });
            }
            return Err(silent.not_tested("nft", "nftables"));
        }
        _ => {}
    }
    by.dedup();
    let by = if by.is_empty() { "no rules".to_owned() } else { by.join(", ") };
    let unlisted = listed.err().map(|silent| silent.not_tested("nft", "nftables"));
    Ok(Rules { set, by, unlisted })
}
