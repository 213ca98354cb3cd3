//! A unit file, and a command under its restrictions: what systemd would do, by setpriv, mount namespaces and a seccomp filter.

use std::path::Path;
use std::process::Command;

use adit_testbed::wrap;

/// A unit of `packaging`, for the program that is tested.
pub(crate) struct Unit(String);

impl Unit {
    pub(crate) fn shipped(name: &str) -> Unit {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/systemd").join(name);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Unit(text.replace("@ADIT@", env!("CARGO_BIN_EXE_adit")))
    }

    /// All values of a setting, in order.
    pub(crate) fn values(&self, key: &str) -> Vec<&str> {
        self.0.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
    }

    /// The words of a setting that occurs once or more.
    pub(crate) fn words(&self, key: &str) -> Vec<&str> {
        self.values(key).into_iter().flat_map(str::split_whitespace).collect()
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The command, as this unit would run it: as user 65534 with the ambient capabilities of the unit, with everything
    /// read-only but `writable`, without /home and /root, with the TUN device as the only one beside the pseudo devices, and
    /// with the filter of system calls and address families.
    pub(crate) fn restricted(&self, command: &Command, writable: &Path) -> Command {
        let script = format!(
            "mount -t tmpfs none /mnt; mkdir /mnt/w; mount --bind {w} /mnt/w\n\
             mount -o remount,bind,ro / ; mount -t tmpfs -o ro,mode=000 none /root\n\
             mount --bind /mnt/w {w}; mount -o remount,bind,rw {w}; mount --bind -o ro /proc/sys /proc/sys\n\
             {TUN}\nexec \"$@\"",
            w = writable.display()
        );
        let mut restricted = Command::new("unshare");
        restricted.args(["--mount", "sh", "-e", "-c", &script, "sh"]);
        let capabilities: Vec<String> = self
            .words("AmbientCapabilities")
            .iter()
            .map(|name| format!("+{}", name.trim_start_matches("CAP_").to_lowercase()))
            .collect();
        let capabilities = format!("-all,{}", capabilities.join(","));
        restricted.args(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]);
        for set in ["inh-caps", "ambient-caps", "bounding-set"] {
            restricted.arg(format!("--{set}={capabilities}"));
        }
        restricted.args(["python3", "-c", FILTER, &self.words("RestrictAddressFamilies").join(" ")]);
        restricted.arg(self.system_calls().join(" "));
        wrap(&mut restricted, command);
        restricted
    }

    /// The system calls that the unit allows: `systemd-analyze` knows the groups.
    fn system_calls(&self) -> Vec<String> {
        let mut allowed: Vec<String> = Vec::new();
        for value in self.values("SystemCallFilter") {
            let (is_denied, groups) = match value.strip_prefix('~') {
                Some(groups) => (true, groups),
                None => (false, value),
            };
            let named = groups.split_whitespace().flat_map(group).collect::<Vec<_>>();
            match is_denied {
                true => allowed.retain(|name| !named.contains(name)),
                false => allowed.extend(named),
            }
        }
        assert!(allowed.len() > 100, "{allowed:?}");
        allowed
    }
}

/// A TUN device for every user, as udev makes it; in containers it may be root's.
pub(crate) const TUN: &str = "mount -t tmpfs none /dev/net; mknod -m 666 /dev/net/tun c 10 200";

/// The system calls of a group, or the call itself.
fn group(name: &str) -> Vec<String> {
    if !name.starts_with('@') {
        return vec![name.to_owned()];
    }
    let output = Command::new("systemd-analyze")
        .args(["syscall-filter", name])
        .output()
        .expect("this test needs systemd-analyze: apt-get install systemd");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().skip(1).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.flat_map(group).collect()
}

/// Loads a filter as systemd does (EPERM for other system calls, EAFNOSUPPORT for other address families), then runs the
/// command: families, system calls, command.
const FILTER: &str = r#"
import ctypes, errno, os, socket, sys
families, calls, command = sys.argv[1].split(), sys.argv[2].split(), sys.argv[3:]
lib = ctypes.CDLL("libseccomp.so.2")
lib.seccomp_init.restype = ctypes.c_void_p
ALLOW, ERRNO = 0x7fff0000, 0x00050000
class Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]
lib.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p]
lib.seccomp_load.argtypes = [ctypes.c_void_p]
context = lib.seccomp_init(ERRNO | errno.EPERM)
number = lambda name: lib.seccomp_syscall_resolve_name(name.encode())
def add(name, comparison=None):
    rule = ctypes.byref(comparison) if comparison is not None else None
    code = lib.seccomp_rule_add_array(context, ALLOW, number(name), 0 if rule is None else 1, rule)
    assert code == 0, (name, code)
for name in calls:
    # Calls of other architectures or of newer kernels have no number here.
    if name != "socket" and number(name) >= 0:
        add(name)
for family in families:
    value = {"AF_XDP": 44, "AF_NETLINK": 16}.get(family) or getattr(socket, family)
    add("socket", Comparison(0, 4, int(value), 0))
# Everything that the interpreter needs is loaded; execve is in the list.
assert lib.seccomp_load(context) == 0
os.execvp(command[0], command)
"#;
