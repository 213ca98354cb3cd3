//! Kernel, capabilities, clock, disk.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use adit_doctor::facts::host::{Check, Clock, Disk, Host, System, Tracking};
use adit_sys::host::{Capability, capabilities, clock_is_synchronised};

use super::{Purpose, not_tested};
use crate::read::proc;

/// The range of plausible times, in seconds since 1970: 2025-01-01 to 2100-01-01.
const EARLIEST: u64 = 1_735_689_600;
const LATEST: u64 = 4_102_444_800;

/// The text of a file, truncated if it is too long.
pub(crate) fn text(path: &Path, most: u64) -> io::Result<String> {
    let mut octets = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// The number in a file of /proc/sys; separated by slashes, because an interface name may contain dots.
pub(crate) fn sysctl(path: &str) -> Option<i64> {
    let text = text(&Path::new("/proc/sys").join(path), 64).ok()?;
    proc::sysctl("sysctl", &text).ok()
}

pub(super) fn look(purpose: &Purpose, host: &mut Host) {
    host.system = Some(system(purpose));
    host.clock = clock();
    match &purpose.state {
        Some(path) => match disk(path) {
            Ok(disk) => host.disk = Some(disk),
            Err(error) => not_tested(host, Check::Disk, format!("{}: {error}", path.display())),
        },
        None => not_tested(host, Check::Disk, "no state directory is known"),
    }
    host.tracking = tracking(purpose);
}

fn system(purpose: &Purpose) -> System {
    let kernel = text(Path::new("/proc/sys/kernel/osrelease"), 256).unwrap_or_default().trim().to_owned();
    let root = rustix::process::geteuid().is_root();
    let have = capabilities().unwrap_or_default();
    let wanted = [Capability::NetAdmin, Capability::NetRaw];
    // Missing capabilities of another user are no evidence about the server.
    let missing = wanted.iter().filter(|capability| root && !have.contains(capability));
    let files = purpose.daemon.and_then(|process| {
        let limits = text(Path::new(&format!("/proc/{process}/limits")), 8192).ok()?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        line.split_ascii_whitespace().next()?.parse().ok()
    });
    System {
        kernel,
        missing_rights: missing.map(Capability::to_string).collect(),
        runs: purpose.daemon.is_some(),
        tun: tun(root),
        files,
        sessions: Some(purpose.sessions).filter(|sessions| *sessions > 0),
    }
}

fn tun(root: bool) -> Option<String> {
    let path = Path::new("/dev/net/tun");
    let words =
        |error: io::Error| error.to_string().split(" (os error").next().unwrap_or_default().to_owned();
    match fs::metadata(path) {
        Err(error) => return Some(words(error)),
        Ok(metadata) if !metadata.file_type().is_char_device() => return Some("it is no device".to_owned()),
        Ok(_) => {}
    }
    // Opening the device creates no interface.
    match File::options().read(true).write(true).open(path) {
        Ok(_) => None,
        Err(_) if !root => None,
        Err(error) => Some(words(error)),
    }
}

fn clock() -> Option<Clock> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Some(Clock {
        now: date(seconds),
        absurd: !(EARLIEST..LATEST).contains(&seconds),
        synchronised: clock_is_synchronised(),
    })
}

/// RFC 3339 UTC, by the Gregorian calendar (the inverse of days_from_civil).
fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

fn disk(path: &Path) -> io::Result<Disk> {
    // A path that does not exist yet will be created on the disk of its nearest existing parent.
    let there = path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let stat = rustix::fs::statvfs(there)?;
    let (block, root) = (stat.f_frsize, rustix::process::geteuid().is_root());
    // The server is not root: blocks reserved for root are not available to it.
    let _ = root;
    Ok(Disk {
        path: path.display().to_string(),
        free: stat.f_bavail.saturating_mul(block),
        size: stat.f_blocks.saturating_mul(block),
        // Some file systems do not count files.
        files: (stat.f_files > 0).then_some(stat.f_favail),
        read_only: stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
    })
}

/// The most octets of the connection tracking table that are read.
const TRACKED_MAX: u64 = 8 << 20;
const GRE: u8 = 47;

fn tracking(purpose: &Purpose) -> Option<Tracking> {
    let number =
        |name: &str| sysctl(&format!("net/netfilter/{name}")).and_then(|value| u64::try_from(value).ok());
    let (entries, limit) = (number("nf_conntrack_count")?, number("nf_conntrack_max")?);
    let lines = text(Path::new("/proc/thread-self/net/nf_conntrack"), TRACKED_MAX).ok();
    let tracked = lines.and_then(|lines| {
        // The last line may be truncated.
        let whole =
            if lines.len() as u64 == TRACKED_MAX { lines.rsplit_once('\n')?.0 } else { lines.as_str() };
        proc::conntrack(whole).ok()
    });
    let gre = tracked.map(|all| all.iter().filter(|one| one.protocol == GRE).count() as u64);
    let gre_seconds = number("nf_conntrack_gre_timeout_stream");
    Some(Tracking { entries, limit, gre, gre_seconds, echo_seconds: purpose.echo_seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (EARLIEST, "2025-01-01T00:00:00Z"),
            (1_795_467_906, "2026-11-23T21:05:06Z"),
            (LATEST, "2100-01-01T00:00:00Z"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }
}
