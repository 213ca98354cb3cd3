use std::os::unix::fs::{chown, symlink};
use std::time::Duration;

use adit_diag::Layer;

use super::*;

fn of(pid: u32, start: u64) -> Running {
    let text = format!("{{\"pid\":{pid},\"start\":{start},\"server\":\"old\",\"user\":\"bob\"}}");
    serde_json::from_str(&text).unwrap()
}

fn leave(run: &Path, name: &str, running: &Running) -> PathBuf {
    fs::create_dir_all(folder(run)).unwrap();
    let path = folder(run).join(name);
    fs::write(&path, serde_json::to_vec(running).unwrap()).unwrap();
    path
}

#[test]
fn a_living_client_is_found_and_a_dead_one_is_not() {
    let run = tempfile::tempdir().unwrap();
    assert!(all(run.path()).is_empty());
    let mark = Mark::new(run.path(), "vpn.example.org", "alice").unwrap();
    let found = all(run.path());
    assert_eq!((found[0].pid, found[0].server.as_str()), (std::process::id(), "vpn.example.org"));
    leave(run.path(), "1.json", &of(std::process::id(), 1));
    fs::write(folder(run.path()).join("2.json"), "garbage").unwrap();
    assert_eq!(all(run.path()).len(), 1);
    drop(mark);
    assert!(all(run.path()).is_empty());
    assert_eq!(fs::read_dir(folder(run.path())).unwrap().count(), 0);
}

#[test]
fn the_state_of_the_connection_follows_its_progress() {
    let run = tempfile::tempdir().unwrap();
    let mut mark = Mark::new(run.path(), "vpn.example.org", "alice").unwrap();
    let state = || {
        let found = all(run.path()).remove(0);
        (found.phase, found.address, found.failure, found.code)
    };
    let since = Duration::ZERO;
    assert_eq!(state().0, Phase::Connecting);
    mark.note(&Progress::ok(Layer::Address, "10.99.0.14  peer 10.99.0.1", since));
    mark.note(&Progress::note(Milestone::Connected, "in 0.14 s on adit0", since));
    assert_eq!(state(), (Phase::Up, "10.99.0.14  peer 10.99.0.1".into(), String::new(), None));
    let failure = crate::Failure::new(Code::L04, "no answer");
    mark.note(&Progress::fail(Layer::Lcp, &failure, since));
    mark.note(&Progress::note(Milestone::Retry, "retry in 2 s", since));
    assert_eq!(state(), (Phase::Waiting, String::new(), "no answer".into(), Some(Code::L04)));
    mark.note(&Progress::ok(Layer::Name, "203.0.113.10", since));
    assert_eq!(state().0, Phase::Connecting);
}

#[test]
fn a_file_of_another_user_does_not_choose_the_process_to_end() {
    let run = tempfile::tempdir().unwrap();
    let own = std::process::id();
    let path = leave(run.path(), "1.json", &of(own, start_of(own).unwrap()));
    assert_eq!(all(run.path()).len(), 1);
    // A user who is neither root, nor this one, nor that of the process.
    chown(&path, Some(65534), Some(65534)).unwrap();
    chown(folder(run.path()), Some(65534), Some(65534)).unwrap();
    assert!(all(run.path()).is_empty());
    assert!(path.exists(), "another user's file is not removed");
    // A process of that user itself.
    let mut child = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "sleep", "60"])
        .spawn()
        .unwrap();
    while user_of(child.id()) != Some(65534) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let path = leave(run.path(), "2.json", &of(child.id(), start_of(child.id()).unwrap()));
    chown(&path, Some(65534), Some(65534)).unwrap();
    assert_eq!(all(run.path()).len(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn links_are_not_followed() {
    let run = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let victim = elsewhere.path().join("victim.json");
    fs::write(&victim, "keep me").unwrap();
    // A directory that is a link: nothing in it is read or removed.
    fs::create_dir_all(run.path().join("units/office")).unwrap();
    symlink(elsewhere.path(), run.path().join("units/office/clients")).unwrap();
    assert!(all(run.path()).is_empty());
    assert!(victim.exists());
    // A file that is a link: it is replaced, and its target stays.
    fs::create_dir_all(folder(run.path())).unwrap();
    for name in [format!("{}.json", std::process::id()), format!("{}.new", std::process::id())] {
        symlink(&victim, folder(run.path()).join(name)).unwrap();
    }
    let mark = Mark::new(run.path(), "vpn.example.org", "alice").unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "keep me");
    assert_eq!(all(run.path()).len(), 1);
    drop(mark);
}

#[test]
fn clients_of_units_are_found() {
    let run = tempfile::tempdir().unwrap();
    let mark = Mark::new(&run.path().join("units/office"), "vpn.example.org", "alice").unwrap();
    assert_eq!(all(run.path()).len(), 1);
    drop(mark);
}
