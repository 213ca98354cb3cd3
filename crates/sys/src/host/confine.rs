//! Confinement of this process: it keeps only the capabilities that it needs, gains no others, and its memory cannot be read.
#![expect(unsafe_code, reason = "capget, capset, prctl, setrlimit")]

use std::io;

use super::capability::Capability;
use crate::error::{Error, Result};

/// `_LINUX_CAPABILITY_VERSION_3`: two words of 32 bits.
const VERSION: u32 = 0x2008_0522;
/// The highest capability that is removed from the bounding set; the kernel refuses numbers that it does not have.
const LAST: u32 = 63;

#[repr(C)]
struct Header {
    version: u32,
    process: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Word {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The capability sets of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sets {
    effective: u64,
    permitted: u64,
    inheritable: u64,
}

impl Sets {
    /// Those of the calling thread.
    fn read() -> io::Result<Sets> {
        let mut header = Header { version: VERSION, process: 0 };
        let mut words = [Word::default(); 2];
        // SAFETY: this version of the call fills two words, which `words` has.
        let read = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) };
        if read < 0 {
            return Err(io::Error::last_os_error());
        }
        let [low, high] = words;
        let join = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        Ok(Sets {
            effective: join(low.effective, high.effective),
            permitted: join(low.permitted, high.permitted),
            inheritable: join(low.inheritable, high.inheritable),
        })
    }

    /// Sets those of the calling thread.
    fn write(self) -> io::Result<()> {
        let mut header = Header { version: VERSION, process: 0 };
        let word = |shift: u32| Word {
            effective: (self.effective >> shift) as u32,
            permitted: (self.permitted >> shift) as u32,
            inheritable: (self.inheritable >> shift) as u32,
        };
        let words = [word(0), word(32)];
        // SAFETY: this version of the call reads two words, which `words` has.
        let written = unsafe { libc::syscall(libc::SYS_capset, &raw mut header, words.as_ptr()) };
        if written < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

fn mask(capabilities: &[Capability]) -> u64 {
    capabilities.iter().fold(0, |mask, capability| mask | 1 << capability.bit())
}

fn control(option: libc::c_int, argument: libc::c_ulong) -> io::Result<libc::c_int> {
    // SAFETY: the options that this file uses take integers only.
    let answer =
        unsafe { libc::prctl(option, argument, 0 as libc::c_ulong, 0 as libc::c_ulong, 0 as libc::c_ulong) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// Drops all capabilities of the calling thread, and of threads and programs that it starts later, except `keep`, which
/// stay in effect, and `on_demand`, which [`with_capability`] puts into effect for single calls. Capabilities that the thread
/// does not have are not gained. From then on, a program with a set-user-ID bit gains nothing either.
///
/// Call it before other threads are started: those that run keep theirs.
///
/// # Errors
/// The error of the kernel, which does not occur for a thread that only drops.
pub fn keep_capabilities(keep: &[Capability], on_demand: &[Capability]) -> Result<()> {
    let failed = |e: io::Error| Error::io("cannot drop the capabilities that are not needed", &e);
    let (keep, on_demand) = (mask(keep), mask(on_demand));
    control(libc::PR_SET_NO_NEW_PRIVS, 1).map_err(failed)?;
    let sets = Sets::read().map_err(failed)?;
    for capability in (0..=LAST).filter(|number| (keep | on_demand) >> number & 1 == 0) {
        match control(libc::PR_CAPBSET_READ, capability.into()) {
            Ok(0) => {}
            // Without CAP_SETPCAP the bounding set stays; the process cannot use it, because it gains nothing.
            Ok(_) => drop(control(libc::PR_CAPBSET_DROP, capability.into())),
            // The kernel does not have this one, nor any higher one.
            Err(_) => break,
        }
    }
    // The ambient set shrinks with the others.
    let permitted = sets.permitted & (keep | on_demand);
    let dropped = Sets { effective: permitted & keep, permitted, inheritable: sets.inheritable & permitted };
    // A service that was started with these sets alone may be forbidden to call capset (SystemCallFilter=).
    if dropped == sets { Ok(()) } else { dropped.write().map_err(failed) }
}

/// Puts a capability into effect for the calling thread during `work`, if the thread has it on demand.
pub fn with_capability<T>(capability: Capability, work: impl FnOnce() -> T) -> T {
    let Ok(sets) = Sets::read() else { return work() };
    let bit = mask(&[capability]);
    if sets.permitted & bit == 0 || sets.effective & bit != 0 {
        return work();
    }
    // If it cannot be raised, the work fails with the kernel's reason.
    let _ = Sets { effective: sets.effective | bit, ..sets }.write();
    let done = work();
    let _ = sets.write();
    done
}

/// Forbids other programs of the same user, debuggers and core dumps to read the memory of this process.
///
/// # Errors
/// The error of the kernel; cannot happen.
pub fn forbid_inspection() -> Result<()> {
    let failed = |e: io::Error| Error::io("cannot forbid the inspection of this process", &e);
    control(libc::PR_SET_DUMPABLE, 0).map(drop).map_err(failed)
}

/// Raises the limit of locked memory to `octets`, as far as this process may.
pub fn raise_locked_memory_limit(octets: u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit to be filled in.
    if unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } < 0 || limit.rlim_cur >= octets {
        return;
    }
    let wanted = libc::rlimit { rlim_cur: octets, rlim_max: limit.rlim_max.max(octets) };
    let possible = libc::rlimit { rlim_cur: octets.min(limit.rlim_max), rlim_max: limit.rlim_max };
    for limit in [wanted, possible] {
        // SAFETY: `limit` is a valid rlimit.
        if unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) } == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each thread has its own capabilities, so that a test changes only those of a thread that ends with it.
    fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| scope.spawn(work).join().unwrap())
    }

    #[test]
    fn only_what_is_kept_is_in_effect_and_a_child_gains_nothing() {
        on_a_thread(|| {
            let before = Sets::read().unwrap();
            let net = [Capability::NetAdmin, Capability::NetRaw];
            assert_eq!(before.effective & mask(&net), mask(&net), "this test needs root");
            keep_capabilities(&net, &[Capability::Bpf]).unwrap();
            let sets = Sets::read().unwrap();
            assert_eq!(sets.effective, mask(&net));
            assert_eq!(sets.permitted, mask(&net) | mask(&[Capability::Bpf]));
            let child = std::process::Command::new("cat").arg("/proc/self/status").output().unwrap();
            let status = String::from_utf8(child.stdout).unwrap();
            let field = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
                u64::from_str_radix(line.trim(), 16).unwrap()
            };
            assert_eq!(field("CapBnd:"), mask(&net) | mask(&[Capability::Bpf]));
            assert_eq!(field("NoNewPrivs:"), 1);
        });
    }

    #[test]
    fn a_capability_on_demand_is_in_effect_only_during_the_call() {
        on_a_thread(|| {
            keep_capabilities(&[Capability::NetAdmin], &[Capability::Bpf]).unwrap();
            let bpf = mask(&[Capability::Bpf]);
            let inside = with_capability(Capability::Bpf, || Sets::read().unwrap().effective);
            assert_eq!(inside & bpf, bpf);
            assert_eq!(Sets::read().unwrap().effective & bpf, 0);
            let none = with_capability(Capability::SysAdmin, || Sets::read().unwrap().effective);
            assert_eq!(none, mask(&[Capability::NetAdmin]), "what was dropped does not come back");
        });
    }
}
