//! Checks the source of the core crates: no clock, no I/O, no threads.

use std::path::Path;

use crate::source;

/// What the code of a core crate must not contain, and why.
const WORDS: &[(&str, &str)] = &[
    ("Instant::now", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("Timestamp::now", "time is an argument"),
    ("std::fs", "no I/O"),
    ("std::io", "no I/O"),
    ("std::env", "no environment"),
    ("std::process", "no processes"),
    ("std::thread", "no threads"),
    ("std::sync", "no threads"),
    ("TcpStream", "no sockets"),
    ("UdpSocket", "no sockets"),
    ("async fn", "no async"),
    ("HashMap", "its order is not deterministic: BTreeMap or Vec"),
    ("HashSet", "its order is not deterministic: BTreeSet or Vec"),
    ("println!", "no output"),
];

/// The only unsafe code in core, by crate: RC4 in assembly. The crate denies it in all other files.
const UNSAFE: &[(&str, &str)] = &[("crates/crypto", "crates/crypto/src/rc4/x86_64.rs")];

/// Adds a finding for every impure word in the crate at `folder`, and for a missing ban of unsafe code.
pub(crate) fn check(root: &Path, folder: &Path, findings: &mut Vec<String>) -> anyhow::Result<()> {
    let place = folder.strip_prefix(root).unwrap_or(folder);
    let library = std::fs::read_to_string(folder.join("src/lib.rs"))?;
    let fenced = UNSAFE.iter().find(|(krate, _)| place == Path::new(krate)).map(|(_, file)| Path::new(file));
    let ban = if fenced.is_some() { "#![deny(unsafe_code)]" } else { "#![forbid(unsafe_code)]" };
    if !library.contains(ban) {
        findings.push(format!("{}: core bans unsafe code in lib.rs: {ban}", place.display()));
    }
    for file in source::files(root)? {
        let is_source =
            file.starts_with(place.join("src")) && file.extension().is_some_and(|end| end == "rs");
        if !is_source || source::is_test_file(&file) {
            continue;
        }
        let text = std::fs::read_to_string(root.join(&file))?;
        if fenced != Some(file.as_path()) && lifts_the_ban(&text) {
            findings.push(format!("{}: unsafe code in core", file.display()));
        }
        for (number, line) in source::without_tests(&text).lines().enumerate() {
            for (word, why) in forbidden(line) {
                findings.push(format!("{}:{}: {word} in core: {why}", file.display(), number + 1));
            }
        }
    }
    Ok(())
}

/// Whether a source allows itself what the crate denies. A ban that forbids cannot be lifted.
fn lifts_the_ban(text: &str) -> bool {
    text.lines()
        .map(source::without_comment)
        .any(|code| code.contains("unsafe_code") && !code.contains("forbid(") && !code.contains("deny("))
}

/// Shared ownership of constant data needs no threads; everything else in `std::sync` does.
const SHARING: &str = "std::sync::Arc";

fn forbidden(line: &str) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let code = source::without_comment(line).replace(&format!("{SHARING};"), "");
    WORDS.iter().filter(move |(word, _)| code.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifted_ban_is_found() {
        assert!(lifts_the_ban("fn f() {}\n#[expect(unsafe_code, reason = \"fast\")]\nfn g() {}"));
        assert!(!lifts_the_ban("#![deny(unsafe_code)]\n// allow(unsafe_code) is not for here"));
    }

    #[test]
    fn code_is_checked_and_comments_are_not() {
        assert_eq!(forbidden("let now = Instant::now();").count(), 1);
        assert_eq!(forbidden("/// Never calls `Instant::now`.").count(), 0);
        assert_eq!(forbidden("fn poll(now: Instant) {}").count(), 0);
        assert_eq!(forbidden("use std::sync::Arc;").count(), 0);
        assert_eq!(forbidden("use std::sync::Mutex;").count(), 1);
        assert_eq!(forbidden("use std::sync::{Arc, Mutex};").count(), 1);
    }
}
