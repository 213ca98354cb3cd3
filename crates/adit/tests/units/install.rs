//! `adit service`, into the directory of another system, and what systemd makes of the units.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::common::*;
use crate::unit::Unit;

/// An empty system with systemd.
fn image() -> TempDir {
    let root = TempDir::new().unwrap();
    std::fs::create_dir_all(root.path().join("etc/systemd/system")).unwrap();
    std::fs::create_dir_all(root.path().join("etc/polkit-1/rules.d")).unwrap();
    root
}

fn service(root: &Path, arguments: &[&str]) -> std::process::Output {
    let dir = TempDir::new().unwrap();
    let mut all = vec!["service", arguments[0], "--root", root.to_str().unwrap()];
    all.extend(&arguments[1..]);
    with_input(&mut adit(dir.path(), &all), PASSWORD)
}

#[track_caller]
fn done(root: &Path, arguments: &[&str]) -> String {
    let output = service(root, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn files(root: &Path) -> Vec<String> {
    let output =
        Command::new("find").arg(".").args(["-not", "-type", "d"]).current_dir(root).output().unwrap();
    let mut files: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    files.sort();
    files
}

#[test]
fn a_server_and_a_client_are_installed_for_the_next_boot_and_removed() {
    let root = image();
    let path = |name: &str| root.path().join(name.trim_start_matches('/'));
    assert!(
        done(root.path(), &["install", "--dry-run"])
            .contains("would write  /etc/systemd/system/adit.service")
    );
    assert!(files(root.path()).is_empty(), "{:?}", files(root.path()));
    done(root.path(), &["install"]);
    let link = path("etc/systemd/system/multi-user.target.wants/adit.service");
    assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("/etc/systemd/system/adit.service"));
    let unit = std::fs::read_to_string(path("etc/systemd/system/adit.service")).unwrap();
    // This program is in a build directory, which the unit could not read.
    assert!(unit.contains("ExecStart=/usr/local/bin/adit serve\n"), "{unit}");
    assert!(path("usr/local/bin/adit").exists() && path("etc/sysusers.d/adit.conf").exists());
    // Again: the same.
    let before = files(root.path());
    done(root.path(), &["install"]);
    assert_eq!(files(root.path()), before);

    let client =
        ["install", "--client", "office", "--host", "vpn.example.org", "-u", "CORP\\bob", "--password-stdin"];
    done(root.path(), &[&client[..], &["--", "--routes", "192.168.10.0/24"]].concat());
    let conf = std::fs::read_to_string(path("etc/adit/clients/office.conf")).unwrap();
    assert!(
        conf.ends_with(
            "SERVER='vpn.example.org'\nADIT_USER='CORP\\bob'\nOPTIONS='--routes 192.168.10.0/24'\n"
        ),
        "{conf}"
    );
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path(name)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(
        (mode("etc/adit/clients/office.password"), mode("etc/adit/clients"), mode("etc/adit")),
        (0o600, 0o700, 0o755)
    );
    assert!(path("etc/systemd/system/multi-user.target.wants/adit-client@office.service").is_symlink());

    done(root.path(), &["remove"]);
    assert!(
        !link.is_symlink() && path("etc/systemd/system/adit-client@.service").exists(),
        "the client needs it"
    );
    done(root.path(), &["remove", "--client", "office"]);
    assert_eq!(files(root.path()), ["./usr/local/bin/adit"]);
    let again = service(root.path(), &["remove"]);
    assert_eq!(again.status.code(), Some(5));
}

#[test]
fn a_unit_of_the_administrator_is_kept() {
    let root = image();
    let unit = root.path().join("etc/systemd/system/adit.service");
    std::fs::write(&unit, "[Service]\nExecStart=/opt/mine\n").unwrap();
    let output = service(root.path(), &["install"]);
    assert_eq!(output.status.code(), Some(6), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_to_string(&unit).unwrap(), "[Service]\nExecStart=/opt/mine\n");
    for name in ["../x", "a b", "", "-x"] {
        let output = service(
            root.path(),
            &["install", "--client", name, "--host", "h", "-u", "u", "--password-stdin"],
        );
        assert_eq!(output.status.code(), Some(2), "{name:?}");
    }
}

fn analyze(arguments: &[&str], folder: &Path) -> String {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("this test needs systemd-analyze: apt-get install systemd");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn systemd_accepts_the_units_and_their_exposure_is_at_most_1_8() {
    let folder = TempDir::new().unwrap();
    for (shipped, unit) in
        [("adit.service", "adit.service"), ("adit-client@.service", "adit-client@office.service")]
    {
        std::fs::write(folder.path().join(unit), Unit::shipped(shipped).text()).unwrap();
        let path = format!("./{unit}");
        let verified = analyze(&["verify", "--man=no", &path], folder.path());
        assert!(!verified.contains(unit), "{verified}");
        let security = analyze(&["security", "--offline=yes", "--threshold=18", &path], folder.path());
        let last =
            security.lines().rev().find(|line| line.contains("Overall exposure level")).unwrap_or_default();
        let level: f64 =
            last.split(": ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap();
        assert!(level <= 1.8, "{unit}: {level}");
    }
}
