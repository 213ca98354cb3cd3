//! Reading of configuration files: a file that cannot be read is a finding.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use adit_diag::Code;

use crate::finding::{Finding, Level};
use crate::source::Source;

/// The largest file that is read, in bytes.
pub const MAX_FILE: u64 = 1 << 20;

/// The most files that are merged.
pub const MAX_FILES: usize = 256;

/// Reads a file, and then the `*.toml` files of `conf.d` beside it in the order of their names. A file that cannot be
/// read is a finding (F18); the others are read all the same.
pub fn read_files(path: &Path) -> (Vec<Source>, Vec<Finding>) {
    let mut sources = Vec::new();
    let mut findings = Vec::new();
    let mut paths = vec![path.to_owned()];
    match drop_ins(path) {
        Ok(more) => paths.extend(more),
        Err((dir, error)) => findings.push(unreadable(&dir, &error)),
    }
    if paths.len() > MAX_FILES {
        let many = io::Error::other(format!("more than {MAX_FILES} files in conf.d"));
        findings.push(unreadable(path, &many));
        paths.truncate(MAX_FILES);
    }
    for path in paths {
        match read(&path) {
            Ok(text) => sources.push(Source::new(path.display().to_string(), text)),
            Err(error) => findings.push(unreadable(&path, &error)),
        }
    }
    (sources, findings)
}

fn drop_ins(path: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let dir = path.parent().unwrap_or(Path::new(".")).join("conf.d");
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err((dir, error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| (dir.clone(), error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> io::Result<String> {
    let size = fs::metadata(path)?.len();
    if size > MAX_FILE {
        return Err(io::Error::other(format!("{size} octets, the limit is {MAX_FILE}")));
    }
    let octets = fs::read(path)?;
    String::from_utf8(octets).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(good).filter(|octet| **octet == b'\n').count() + 1;
        io::Error::other(format!("line {line} is not UTF-8; save the file as UTF-8"))
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Finding {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    let mut finding = Finding::new(Code::F18, Level::Error, "", format!("cannot be read: {why}"));
    if error.kind() == io::ErrorKind::PermissionDenied {
        finding = finding.advice("run it with sudo, or as a user who may read the file");
    }
    finding.file = path.display().to_string();
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_file_then_conf_d_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join("adit.toml");
        fs::write(&main, "version = 1\n").unwrap();
        fs::create_dir(dir.path().join("conf.d")).unwrap();
        for name in ["20-b.toml", "10-a.toml", "note.txt"] {
            fs::write(dir.path().join("conf.d").join(name), format!("# {name}\n")).unwrap();
        }
        let (sources, findings) = read_files(&main);
        assert!(findings.is_empty());
        let texts: Vec<&str> = sources.iter().map(|source| source.text.as_str()).collect();
        assert_eq!(texts, ["version = 1\n", "# 10-a.toml\n", "# 20-b.toml\n"]);
    }

    #[test]
    fn what_cannot_be_read_is_a_finding() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("adit.toml");
        let (sources, findings) = read_files(&path);
        assert!(sources.is_empty());
        assert_eq!(findings[0].message, "cannot be read: there is no such file");
        fs::write(&path, b"a = 1\nname = \"caf\xe9\"\n").unwrap();
        let (_, findings) = read_files(&path);
        assert_eq!(findings[0].code, Code::F18);
        assert_eq!(findings[0].message, "cannot be read: line 2 is not UTF-8; save the file as UTF-8");
        fs::write(&path, vec![b'#'; MAX_FILE as usize + 1]).unwrap();
        assert_eq!(read_files(&path).1.len(), 1);
    }
}
