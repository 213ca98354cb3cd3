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
        (Some(_), None) => {
            !is_link
                && (fs::metadata(MACHINE).is_ok() || name.as_deref().is_some_and(|name| is_given(path, name)))
        }
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

/// Whether `ip netns exec NAME` has mounted the file of that namespace here: the only proof where PID 1 is hidden, as in many
/// containers.
fn is_given(path: &Path, name: &str) -> bool {
    fs::read_to_string("/proc/self/mountinfo").is_ok_and(|mounts| is_file_of(&mounts, path, name))
}

/// Whether the last mount at `path`, in the form of proc_pid_mountinfo(5), is the file of the namespace `name`. Its root is a
/// path in its file system, which may begin at /etc.
fn is_file_of(mounts: &str, path: &Path, name: &str) -> bool {
    let file = path.file_name().map(Path::new);
    mounts
        .lines()
        .rev()
        .map(|line| line.split(' ').skip(3))
        .find_map(|mut fields| {
            let (root, at) = (fields.next()?, fields.next()?);
            (Path::new(at) == path).then_some(Path::new(root))
        })
        .zip(file)
        .is_some_and(|(root, file)| root.ends_with(Path::new("netns").join(name).join(file)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_ip_netns_has_mounted_is_known_by_its_root() {
        let mounts = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
                      90 22 254:0 /etc/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw\n\
                      91 22 254:0 /etc/netns/blue/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/vda rw\n\
                      92 22 254:9 /netns/blue/hosts /etc/hosts rw - ext4 /dev/vdb rw";
        let of = |mounts: &str, path: &str, name: &str| is_file_of(mounts, Path::new(path), name);
        assert!(of(mounts, "/etc/resolv.conf", "blue"));
        assert!(of(mounts, "/etc/hosts", "blue"));
        assert!(!of(mounts, "/etc/resolv.conf", "lue") && !of(mounts, "/etc/resolv.conf", "red"));
        assert!(!of(mounts, "/etc/hostname", "blue") && !of("", "/etc/resolv.conf", "blue"));
        // A container's own mount, over that of the namespace.
        let over =
            format!("{mounts}\n93 91 254:0 /containers/1/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw");
        assert!(!of(&over, "/etc/resolv.conf", "blue"));
    }
}
