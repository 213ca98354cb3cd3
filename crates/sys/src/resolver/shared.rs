//! Whether the resolver's configuration belongs to the whole machine although this process is in a network namespace: a
//! name server behind a tunnel of that namespace would then be wrong for every other process. ip-netns(8) gives a
//! namespace its own file, /etc/netns/NAME/resolv.conf, mounted over /etc/resolv.conf.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::namespace::{Identity, Namespace};

/// The root directory of PID 1, as far as the kernel shows it.
const MACHINE: &str = "/proc/1/root";
const NAMES: &str = "/run/netns";

/// Why the name servers must not be set in `path`: its text is for the user. `None` if they may.
pub(super) fn belongs_to_machine(path: &Path) -> Option<String> {
    let own = Namespace::current().and_then(|own| own.identity()).ok()?;
    let name = name_of(own);
    let is_of_machine = match identity("/proc/1/ns/net".as_ref()) {
        Some(machine) => machine == own,
        // Not visible without privilege; a name shows that it is not the machine's.
        None => name.is_none(),
    };
    if is_of_machine {
        return None;
    }
    let machine = Path::new(MACHINE).join(path.strip_prefix("/").unwrap_or(path));
    // The link itself is in the machine's directory, even where its target is mounted for this namespace.
    let is_link = fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    let is_own = match (identity(path), identity(&machine)) {
        (Some(here), Some(there)) => here != there && !is_link,
        // It does not exist here, so it would be created in a directory of the machine, or only here.
        (None, _) => identity(path.parent()?) != identity(machine.parent()?),
        (Some(_), None) => fs::metadata(MACHINE).is_ok() && !is_link,
    };
    if is_own {
        return None;
    }
    let name = name.unwrap_or_else(|| "NAME".to_owned());
    Some(format!(
        "{} belongs to the whole machine, not to this network namespace; ip netns exec uses /etc/netns/{name}/resolv.conf",
        path.display()
    ))
}

/// Whether the calling thread is in another network namespace than PID 1, whose services the system bus connects to.
pub(super) fn is_in_other_namespace() -> bool {
    let Ok(own) = Namespace::current().and_then(|own| own.identity()) else { return false };
    match identity("/proc/1/ns/net".as_ref()) {
        Some(machine) => machine != own,
        None => name_of(own).is_some(),
    }
}

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|about| Identity { device: about.dev(), inode: about.ino() })
}

/// The name of a namespace in `ip netns`.
fn name_of(namespace: Identity) -> Option<String> {
    let names = fs::read_dir(NAMES).into_iter().flatten().flatten();
    names
        .filter(|entry| identity(&entry.path()) == Some(namespace))
        .find_map(|entry| entry.file_name().into_string().ok())
}
