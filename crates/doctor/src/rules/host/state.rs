//! The rules for addresses, sizes, clock, disk and accounts.

use adit_diag::Code;

use super::reported::{lasting, repaired};
use super::{HostRule, Proof, as_written, count, fact_if, of, rule};
use crate::Facts;
use crate::facts::host::{Host, Pool};

pub(super) const RULES: &[HostRule] = &[
    rule!(Pool, "pool-full", I01, Fault, |f| pool(f, full), |_| {
        vec!["adit pool show: who has the addresses; a larger pool in adit.toml".to_owned()]
    }),
    rule!(Pool, "server-address", S10, Fault, |f| lasting(f, Code::S10), as_written),
    rule!(Pool, "server-address-repaired", S10, Finding, |f| repaired(f, Code::S10), as_written),
    rule!(
        Pool,
        "pool-nearly-full",
        I01,
        Finding,
        |f| pool(f, |pool| !full(pool) && nearly(pool)),
        as_written
    ),
    rule!(Pool, "pool-without-dns", I04, Finding, no_dns, |_| {
        vec!["pool.dns in adit.toml: the DNS server of the networks behind".to_owned()]
    }),
    rule!(Mtu, "outer-too-small", M03, Finding, outer, |host| {
        let fit = host.sizes.as_ref().map(|sizes| sizes.outer.saturating_sub(sizes.overhead));
        fit.map(|fit| format!("link.mtu = {fit} in adit.toml")).into_iter().collect()
    }),
    rule!(Mtu, "mss-not-clamped", M02, Finding, unclamped, |_| vec![
        "link.mss = \"clamp\" in adit.toml".to_owned()
    ]),
    rule!(Clock, "clock-absurd", S05, Fault, clock, |_| vec!["timedatectl set-ntp true".to_owned()]),
    rule!(Clock, "server-clock", S05, Finding, |f| lasting(f, Code::S05), as_written),
    rule!(Disk, "server-database", S09, Fault, |f| lasting(f, Code::S09), as_written),
    rule!(Disk, "server-database-repaired", S09, Finding, |f| repaired(f, Code::S09), as_written),
    rule!(Disk, "disk-full", S06, Fault, disk, |host| {
        let path = host.disk.as_ref().map(|disk| disk.path.clone());
        path.map(|path| format!("make room: du -xh {path} | sort -h | tail")).into_iter().collect()
    }),
    rule!(Disk, "server-disk", S06, Fault, |f| lasting(f, Code::S06), as_written),
    rule!(Disk, "disk-nearly-full", S06, Finding, disk_low, as_written),
    rule!(Users, "users-locked", A04, Finding, |f| barred(f, Code::A04, "locked"), |_| {
        vec!["adit user unlock NAME, when it was a mistake".to_owned()]
    }),
    rule!(Users, "users-expired", A10, Finding, |f| tried(f, Code::A10, "account has expired"), as_written),
    rule!(Users, "users-disabled", A02, Finding, |f| tried(f, Code::A02, "account is disabled"), as_written),
    rule!(
        Users,
        "users-password-expired",
        A03,
        Finding,
        |f| tried(f, Code::A03, "password has expired"),
        as_written
    ),
    rule!(Users, "users-hours", A06, Finding, |f| tried(f, Code::A06, "hour is not allowed"), as_written),
    rule!(
        Users,
        "users-no-permission",
        A11,
        Finding,
        |f| tried(f, Code::A11, "account may not use the VPN"),
        as_written
    ),
    rule!(
        Users,
        "directory-silent",
        A07,
        Finding,
        |f| tried(f, Code::A07, "directory did not answer"),
        as_written
    ),
    rule!(Users, "users-soon", A10, Finding, soon, as_written),
    rule!(Calls, "calls-refused", C05, Finding, refused, |_| {
        vec!["adit log --layer C --since 24h shows whom, and why".to_owned()]
    }),
    rule!(Calls, "denied", R02, Finding, denied, |_| vec![
        "the routes of the user or group in adit.toml, if it should".to_owned()
    ]),
];

fn full(pool: &Pool) -> bool {
    pool.used.is_some_and(|used| used >= pool.size)
}

fn nearly(pool: &Pool) -> bool {
    pool.used.is_some_and(|used| pool.size >= 10 && used * 10 >= pool.size * 9)
}

fn pool(facts: &Facts, which: fn(&Pool) -> bool) -> Option<Proof> {
    let pool = of(facts).pools.iter().find(|pool| which(pool))?;
    let used = pool.used?;
    let proof =
        Proof::fact(format!("pool {} {}: {used} of {} addresses in use", pool.name, pool.net, pool.size))?;
    let holders: Vec<String> =
        pool.holders.iter().take(5).map(|(who, number)| format!("{who} {number}")).collect();
    Some(if holders.is_empty() { proof } else { proof.with(format!("held by {}", holders.join(", "))) })
}

fn no_dns(facts: &Facts) -> Option<Proof> {
    let pool = of(facts).pools.iter().find(|pool| pool.no_dns)?;
    Proof::fact(format!("pool {} gives clients no DNS server", pool.name))
}

fn outer(facts: &Facts) -> Option<Proof> {
    let sizes = of(facts).sizes.as_ref()?;
    fact_if(sizes.outer > 0 && sizes.inner + sizes.overhead > sizes.outer, || {
        format!(
            "packets of {} octets become {} with the tunnel's headers, and the line to the clients takes {}: they \
             travel in pieces",
            sizes.inner,
            sizes.inner + sizes.overhead,
            sizes.outer
        )
    })
}

fn unclamped(facts: &Facts) -> Option<Proof> {
    let sizes = of(facts).sizes.as_ref()?;
    fact_if(!sizes.clamped, || {
        format!(
            "link.mss is off and no rule lowers segment sizes, though the tunnel takes only {}",
            sizes.inner
        )
    })
}

fn clock(facts: &Facts) -> Option<Proof> {
    let clock = of(facts).clock.as_ref()?;
    fact_if(clock.absurd, || format!("the clock says {}, which cannot be", clock.now))
}

/// Free bytes below which the disk counts as full: the database needs space to write.
const LEAST: u64 = 4 << 20;
/// Free bytes below which it is reported.
const LITTLE: u64 = 64 << 20;
const FILES_LEAST: u64 = 16;

fn disk(facts: &Facts) -> Option<Proof> {
    let disk = of(facts).disk.as_ref()?;
    if disk.read_only {
        return Proof::fact(format!("{} cannot be written: mounted read-only", disk.path));
    }
    if disk.files.is_some_and(|files| files < FILES_LEAST) {
        return Proof::fact(format!("{} has no room for more files (df -i)", disk.path));
    }
    fact_if(disk.free < LEAST, || {
        format!("{} has {} KiB free of {} MiB", disk.path, disk.free >> 10, disk.size >> 20)
    })
}

fn disk_low(facts: &Facts) -> Option<Proof> {
    let disk = of(facts).disk.as_ref()?;
    // A small dedicated disk is small on purpose.
    let low = disk.free < LITTLE && disk.free < disk.size / 10;
    fact_if(low && disk.free >= LEAST && !disk.read_only, || {
        format!("{} has {} MiB free of {} MiB", disk.path, disk.free >> 20, disk.size >> 20)
    })
}

fn named(host: &Host, code: Code) -> Vec<String> {
    let users = host.users.iter().flat_map(|users| &users.barred);
    users.filter(|(_, why)| *why == code).map(|(name, _)| name.clone()).collect()
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = names.len().saturating_sub(SHOWN);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

fn barred(facts: &Facts, code: Code, word: &str) -> Option<Proof> {
    let names = named(of(facts), code);
    fact_if(!names.is_empty(), || format!("{} {word}: {}", names.len(), list(&names)))
}

/// Reports an account that may not log in only if it tried.
fn tried(facts: &Facts, code: Code, why: &str) -> Option<Proof> {
    let failed = of(facts).calls.as_ref()?.failed.iter().find(|failed| failed.code == code)?;
    let names = named(of(facts), code);
    let who = if names.is_empty() { String::new() } else { format!(" ({})", list(&names)) };
    Proof::fact(format!("{} refused since yesterday because the {why}{who}", count(failed.count, "login")))
}

fn soon(facts: &Facts) -> Option<Proof> {
    let users = of(facts).users.as_ref()?;
    fact_if(!users.soon.is_empty(), || {
        format!("{} expire within 7 days: {}", users.soon.len(), list(&users.soon))
    })
}

fn refused(facts: &Facts) -> Option<Proof> {
    let failed = of(facts).calls.as_ref()?.failed.iter().find(|failed| failed.code == Code::C05)?;
    Proof::fact(format!("{} refused since yesterday: a limit was reached", count(failed.count, "call")))
}

fn denied(facts: &Facts) -> Option<Proof> {
    let mut denied = of(facts).calls.as_ref()?.denied.iter();
    let words = |(who, what): &(String, String)| format!("{who}: {what}");
    let first = Proof::fact(words(denied.next()?))?;
    Some(denied.take(4).fold(first, |proof, one| proof.with(words(one))))
}
