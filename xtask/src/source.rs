//! The repository's files, and the part of a Rust file that is not tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Every file that is, or would be, committed: paths relative to `root`, sorted.
pub(crate) fn files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let out = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    ensure!(out.status.success(), "git ls-files: {}", String::from_utf8_lossy(&out.stderr));
    let mut files: Vec<PathBuf> = String::from_utf8_lossy(&out.stdout)
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .filter(|file| root.join(file).is_file())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// True for a file that holds only tests, or helpers of tests.
pub(crate) fn is_test_file(file: &Path) -> bool {
    let below = |name: &str| file.components().any(|part| part.as_os_str() == name);
    below("tests") || file.file_name().is_some_and(|name| name == "tests.rs" || name == "testing.rs")
}

/// The lines of a Rust source before its `#[cfg(test)] mod tests`, which is last by convention.
pub(crate) fn without_tests(text: &str) -> &str {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let rest = &text[start + line.len()..];
        if line.trim_end() == "#[cfg(test)]" && rest.trim_start().starts_with("mod ") {
            return &text[..start];
        }
        start += line.len();
    }
    text
}

/// A line without its `//` comment; exact enough to search words in code.
pub(crate) fn without_comment(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_at_the_end_do_not_count() {
        let text = "fn a() {}\n#[cfg(test)]\nfn helper() {}\n\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(without_tests(text), "fn a() {}\n#[cfg(test)]\nfn helper() {}\n\n");
        assert_eq!(without_tests("fn a() {}\n"), "fn a() {}\n");
    }

    #[test]
    fn test_files_are_known_by_place() {
        assert!(is_test_file(Path::new("crates/wire/tests/a.rs")));
        assert!(is_test_file(Path::new("crates/ppp/src/lcp/tests.rs")));
        assert!(!is_test_file(Path::new("crates/ppp/src/lcp.rs")));
    }
}
