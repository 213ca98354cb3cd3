//! Every change is undone, whenever its owner dies.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adit_sys::Kind;
use adit_sys::journal::{Change, Journal, Lasts, Report, Scope, Undone, recover};
use adit_sys::net::Route;
use adit_testbed::{Host, wire};
use tempfile::TempDir;

/// A host on a wire, with files to be changed and a folder for journals.
struct World {
    host: Host,
    _peer: Host,
    folder: TempDir,
}

fn world() -> World {
    let (host, peer) = (Host::new("host"), Host::new("peer"));
    host.sysctl("net.ipv6.conf.all.disable_ipv6", "1");
    wire((&host, "eth0", "192.0.2.1/24"), (&peer, "eth0", "192.0.2.2/24"));
    let folder = tempfile::tempdir().unwrap();
    let world = World { host, _peer: peer, folder };
    fs::create_dir(world.path("etc")).unwrap();
    fs::write(world.path("etc/hosts"), "old\n").unwrap();
    fs::write(world.path("etc/stub"), "stub\n").unwrap();
    symlink("stub", world.path("etc/resolv.conf")).unwrap();
    world
}

const CHANGES: usize = 7;
const TABLE: &str =
    "table inet adit { chain input { type filter hook input priority -10; tcp dport 1723 accept; }; }";

fn scope(folder: &Path) -> Scope {
    let names = ["etc/hosts", "etc/resolv.conf", "etc/made"];
    names.iter().fold(Scope::default(), |scope, name| scope.with_file(folder.join(name)))
}

impl World {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn journals(&self) -> PathBuf {
        self.path("journal")
    }

    /// The files of this world besides the fixed list.
    fn scope(&self) -> Scope {
        scope(self.folder.path())
    }

    fn open(&self, lasts: Lasts) -> Journal {
        self.host.run(|| Journal::open(&self.journals(), "test", lasts).unwrap().within(self.scope()))
    }

    /// Makes the change of that number, 1 to [`CHANGES`].
    fn change(&self, journal: &mut Journal, number: usize) -> adit_sys::Result<()> {
        self.host.run(|| {
            let eth0 = journal.net().interface("eth0")?;
            match number {
                1 => journal.add_address(&eth0, "10.1.0.1/24".parse().unwrap(), None),
                2 => journal.add_route(
                    &Route::new("10.2.0.0/16".parse().unwrap(), eth0.index).via("192.0.2.2".parse().ok()),
                ),
                3 => journal.set_sysctl("net.ipv4.ip_forward", "1").map(|changed| assert!(changed)),
                4 => journal.replace_file(&self.path("etc/hosts"), "new\n"),
                5 => journal.replace_file(&self.path("etc/resolv.conf"), "nameserver 10.1.0.2\n"),
                6 => journal.replace_file(&self.path("etc/made"), "made\n"),
                _ => journal.load_nft_table("inet", "adit", TABLE),
            }
        })
    }

    /// Makes the first `count` changes, then dies without undoing: only the text of the journal is left.
    fn crash_after(&self, count: usize) -> String {
        let mut journal = self.open(Lasts::UntilExit);
        for number in 1..=count {
            self.change(&mut journal, number).unwrap();
        }
        let path = self.only_file();
        let text = path.as_ref().map(|path| fs::read_to_string(path).unwrap());
        // The lock of a file lives with its descriptor, which is never closed; so the text moves to another file.
        std::mem::forget(journal);
        if let (Some(path), Some(text)) = (path, &text) {
            fs::remove_file(&path).unwrap();
            self.leave(text);
        }
        text.unwrap_or_default()
    }

    /// Leaves a journal without an owner.
    fn leave(&self, text: &str) {
        fs::create_dir_all(self.journals()).unwrap();
        fs::write(self.journals().join("1-1-0.journal"), text).unwrap();
    }

    fn only_file(&self) -> Option<PathBuf> {
        let mut all: Vec<_> = fs::read_dir(self.journals()).ok()?.map(|e| e.unwrap().path()).collect();
        assert!(all.len() <= 1, "{all:?}");
        all.pop()
    }

    fn recover(&self) -> Report {
        self.host.run(|| recover(&self.journals(), &self.scope(), false, false).unwrap())
    }

    /// All that the changes touch.
    fn state(&self) -> String {
        let mut text =
            self.host.sh("ip -4 -o address show | sed 's/ valid_lft.*//'; ip -4 route show table all | sort");
        text += &self.host.sh("cat /proc/sys/net/ipv4/ip_forward; nft list tables");
        for name in ["hosts", "resolv.conf", "made", "stub"] {
            let path = self.path("etc").join(name);
            text += &format!("{name} {:?} {:?}\n", fs::read_link(&path).ok(), fs::read_to_string(&path).ok());
        }
        text
    }
}

/// What became of each, last change first.
fn results(report: &Report) -> Vec<Undone> {
    report.outcomes.iter().map(|o| o.undone.clone().unwrap()).collect()
}

#[test]
fn everything_is_undone_and_nothing_is_left_behind() {
    let world = world();
    let before = world.state();
    let mut journal = world.open(Lasts::UntilExit);
    assert_eq!(world.only_file(), None, "no file without a change");
    for number in 1..=CHANGES {
        world.change(&mut journal, number).unwrap();
    }
    assert_eq!(journal.changes().count(), CHANGES);
    let during = world.state();
    for seen in
        ["10.1.0.1/24", "10.2.0.0/16", "\n1\n", "table inet adit", "nameserver 10.1.0.2", "made\\n", "new\\n"]
    {
        assert!(during.contains(seen), "{seen:?} in {during}");
    }
    let outcomes = journal.undo();
    assert!(outcomes.iter().all(|(_, undone)| *undone == Undone::Undone), "{outcomes:?}");
    assert!(matches!(outcomes.first(), Some((Change::NftTable { .. }, _))), "the last change first");
    assert_eq!(world.state(), before);
    assert_eq!(world.only_file(), None);
    assert!(journal.undo().is_empty());
}

#[test]
fn dropping_undoes_from_any_thread() {
    let world = world();
    let before = world.state();
    let mut journal = world.open(Lasts::UntilExit);
    for number in 1..=CHANGES {
        world.change(&mut journal, number).unwrap();
    }
    // This thread is in another namespace than the changes.
    drop(journal);
    assert_eq!(world.state(), before);
}

#[test]
fn some_can_be_undone_while_others_stay() {
    let world = world();
    let mut journal = world.open(Lasts::UntilExit);
    for number in 1..=4 {
        world.change(&mut journal, number).unwrap();
    }
    assert_eq!(journal.undo_some(|c| matches!(c, Change::Route(_))).len(), 1);
    assert_eq!(journal.changes().count(), 3);
    assert!(!world.state().contains("10.2.0.0/16") && world.state().contains("10.1.0.1/24"));
    assert!(world.only_file().is_some());
}

#[test]
fn c234_whenever_the_owner_is_killed_the_next_start_puts_everything_back() {
    let world = world();
    let before = world.state();
    let whole = world.crash_after(CHANGES);
    let lines: Vec<_> = whole.split_inclusive('\n').collect();
    assert_eq!(lines.len(), CHANGES + 1);
    assert_eq!(results(&world.recover()), vec![Undone::Undone; CHANGES]);
    assert_eq!(world.state(), before);

    for made in 0..=CHANGES {
        // Killed after the change of that number was made.
        let text = world.crash_after(made);
        assert_eq!(results(&world.recover()).len(), made);
        assert_eq!(world.state(), before, "killed after change {made}");

        // Killed after the next one was announced, before it was made.
        if made < CHANGES {
            world.crash_after(made);
            let text = if made == 0 { lines[0] } else { &text };
            world.leave(&format!("{text}{}", lines[made + 1]));
            let results = results(&world.recover());
            assert_eq!(results.len(), made + 1);
            assert_eq!(results[0], Undone::Gone, "change {} was never made", made + 1);
            assert_eq!(world.state(), before, "killed before change {}", made + 1);

            // Killed in the middle of announcing it.
            world.crash_after(made);
            world.leave(&format!("{text}{}", &lines[made + 1][..lines[made + 1].len() / 2]));
            let report = world.recover();
            assert_eq!((report.outcomes.len(), report.damaged.len()), (made, 0));
            assert_eq!(world.state(), before, "killed while announcing change {}", made + 1);
        }
        assert_eq!(world.only_file(), None);
    }
}

#[test]
fn killed_while_undoing_the_rest_is_undone_later() {
    let world = world();
    let before = world.state();
    let whole = world.crash_after(CHANGES);
    world.recover();
    // The file survived, although all was undone: the owner was killed before it could write that down.
    world.leave(&whole);
    assert_eq!(results(&world.recover()), vec![Undone::Gone; CHANGES]);
    assert_eq!(world.state(), before);

    // Half of it is noted as undone.
    world.crash_after(CHANGES);
    world.leave(&format!("{whole}{{\"undone\":{{\"number\":7}}}}\n{{\"undone\":{{\"number\":6}}}}\n"));
    assert_eq!(world.recover().outcomes.len(), CHANGES - 2);
    world.leave(&whole);
    world.recover();
    assert_eq!(world.state(), before);
}

#[test]
fn the_changes_of_a_living_owner_are_left_alone() {
    let world = world();
    let mut journal = world.open(Lasts::UntilExit);
    world.change(&mut journal, 1).unwrap();
    let report = world.recover();
    assert_eq!((report.outcomes.len(), report.still.len()), (0, 1));
    assert!(report.still[0].alive);
    assert!(world.state().contains("10.1.0.1/24"));
    drop(journal);
    assert_eq!(world.recover(), Report::default());
}

#[test]
fn changes_that_are_meant_to_last_stay_until_undo() {
    let world = world();
    let before = world.state();
    let mut journal = world.open(Lasts::UntilUndo);
    for number in [3, 7] {
        world.change(&mut journal, number).unwrap();
    }
    drop(journal);
    let report = world.recover();
    assert!(report.outcomes.is_empty() && !report.still[0].alive && report.still[0].by == "test");
    assert_ne!(world.state(), before);

    let dry = world.host.run(|| recover(&world.journals(), &world.scope(), true, true).unwrap());
    assert_eq!(
        dry.outcomes.iter().map(|o| o.change.to_string()).collect::<Vec<_>>(),
        ["firewall table inet adit", "sysctl net.ipv4.ip_forward from 0 to 1"]
    );
    assert!(dry.outcomes.iter().all(|o| o.undone.is_none()));
    assert_ne!(world.state(), before, "a dry run changes nothing");

    let report = world.host.run(|| recover(&world.journals(), &world.scope(), true, false).unwrap());
    assert_eq!(results(&report), [Undone::Undone, Undone::Undone]);
    assert_eq!(world.state(), before);
}

#[test]
fn what_another_program_changed_since_is_left() {
    let world = world();
    world.crash_after(CHANGES);
    world.host.sysctl("net.ipv4.ip_forward", "0");
    fs::write(world.path("etc/hosts"), "theirs\n").unwrap();
    world.host.ip("route replace 10.2.0.0/16 via 192.0.2.3 dev eth0 proto static");
    let results = results(&world.recover());
    assert_eq!(results[3], Undone::Left("changed by another program since".to_owned()));
    assert_eq!(
        (&results[4], &results[5]),
        (&Undone::Gone, &Undone::Gone),
        "back at the old value; another's route"
    );
    assert!(world.host.ip("route show 10.2.0.0/16").contains("192.0.2.3"));
    assert_eq!(fs::read_to_string(world.path("etc/hosts")).unwrap(), "theirs\n");
    assert_eq!(world.only_file(), None);
}

#[test]
fn damage_is_named_the_rest_is_undone_and_the_file_is_kept() {
    let world = world();
    let before = world.state();
    let text = world.crash_after(2);
    world.leave(&text.replace("\"number\":1", "\"number\":one"));
    let report = world.recover();
    assert_eq!(report.outcomes.len(), 1);
    assert_eq!(report.damaged.len(), 1);
    let words = report.damaged[0].to_string();
    assert_eq!(report.damaged[0].kind(), Kind::Damaged);
    assert!(words.contains("line 2 is damaged") && words.contains("1-1-0.damaged"), "{words}");
    assert!(world.state().contains("10.1.0.1/24") && !world.state().contains("10.2.0.0"));
    assert_eq!(world.recover(), Report::default(), "a damaged file is not tried again");
    world.host.ip("address del 10.1.0.1/24 dev eth0");
    assert_eq!(world.state(), before);

    // Without its first line the owner is not known; the changes are undone all the same.
    fs::remove_file(world.journals().join("1-1-0.damaged")).unwrap();
    let text = world.crash_after(2);
    world.leave(text.split_once('\n').unwrap().1);
    let report = world.recover();
    assert_eq!(results(&report), [Undone::Undone, Undone::Undone]);
    assert!(report.damaged[0].answer().contains("first line"), "{:?}", report.damaged);
    assert_eq!(world.state(), before);

    // An empty file is removed without an error.
    fs::remove_file(world.journals().join("1-1-0.damaged")).unwrap();
    world.leave("");
    assert_eq!(world.recover(), Report::default());
    assert_eq!(world.only_file(), None);
}

#[test]
fn after_a_reboot_only_files_are_put_back() {
    let world = world();
    let text = world.crash_after(CHANGES);
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert!(text.contains(boot.trim()));
    world.leave(&text.replace(boot.trim(), "11111111-2222-3333-4444-555555555555"));
    let results = results(&world.recover());
    let kernel = [0, 4, 5, 6].map(|n| results[n].clone());
    assert!(kernel.iter().all(|undone| *undone == Undone::Gone), "{results:?}");
    assert!([1, 2, 3].iter().all(|n| results[*n] == Undone::Undone), "{results:?}");
    assert!(world.state().contains("10.1.0.1/24"), "of another run of the kernel: not ours to remove");
}

#[test]
fn changes_in_another_namespace_are_undone_there_or_known_to_be_gone() {
    let world = world();
    let before = world.state();
    world.crash_after(CHANGES);
    // A process keeps the namespace in sight.
    let _inside = world.host.spawn(std::process::Command::new("sleep").arg("60"));
    let elsewhere = Host::new("elsewhere");
    let report = elsewhere.run(|| recover(&world.journals(), &world.scope(), false, false).unwrap());
    assert_eq!(results(&report), vec![Undone::Undone; CHANGES]);
    assert_eq!(world.state(), before);

    let text = world.crash_after(2);
    let inode = world.host.namespace().identity().unwrap().inode;
    world.leave(&text.replace(&format!("\"inode\":{inode}"), "\"inode\":1"));
    assert_eq!(
        results(&elsewhere.run(|| recover(&world.journals(), &world.scope(), false, false).unwrap())),
        [Undone::Gone, Undone::Gone]
    );
}

#[test]
fn a_change_that_cannot_be_made_leaves_no_trace() {
    let world = world();
    let mut journal = world.open(Lasts::UntilExit);
    let error = journal.add_route(&Route::new("10.2.0.0/16".parse().unwrap(), 999)).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    assert_eq!((journal.changes().count(), world.only_file()), (0, None));
    let error = world.host.run(|| journal.load_nft_table("inet", "adit", "nonsense").unwrap_err());
    assert!(error.to_string().contains("cannot load firewall rules"), "{error}");
    assert_eq!(world.only_file(), None);
    assert_eq!(world.host.run(|| journal.set_sysctl("net.no.such", "1").unwrap_err()).kind(), Kind::NotFound);

    // What is there already is not a change of this journal.
    world.host.ip("route add 10.2.0.0/16 via 192.0.2.2");
    assert_eq!(world.change(&mut journal, 2).unwrap_err().kind(), Kind::Exists);
    world.host.ip("address add 10.1.0.1/24 dev eth0");
    assert_eq!(world.change(&mut journal, 1).unwrap_err().kind(), Kind::Exists);
    world.host.sysctl("net.ipv4.ip_forward", "1");
    assert!(!world.host.run(|| journal.set_sysctl("net.ipv4.ip_forward", "1").unwrap()));
    drop(journal);
    assert!(world.state().contains("10.2.0.0/16") && world.state().contains("10.1.0.1/24"));
}

#[test]
fn a_change_that_cannot_be_undone_now_stays_for_the_next_start() {
    const INSIDE: &str = "ADIT_TEST_JOURNAL";
    if let Ok(folder) = std::env::var(INSIDE) {
        let report = recover(Path::new(&folder), &Scope::default(), false, false).unwrap();
        for outcome in &report.outcomes {
            println!("seen: {} {}", outcome.change, outcome.undone.as_ref().unwrap());
        }
        return;
    }
    let world = world();
    let before = world.state();
    world.crash_after(2);
    let mut command = std::process::Command::new("setpriv");
    command.args(["--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin"]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "a_change_that_cannot_be_undone_now_stays_for_the_next_start", "--nocapture"]);
    let output = world.host.command(command.env(INSIDE, world.journals()));
    assert!(output.stdout.contains("not undone: cannot remove route"), "{output}");
    assert!(output.stdout.contains("CAP_NET_ADMIN"), "{output}");
    assert!(world.only_file().is_some());
    assert_eq!(results(&world.recover()), [Undone::Undone, Undone::Undone]);
    assert_eq!(world.state(), before);
}

#[test]
fn two_starts_at_once_undo_each_change_once() {
    let world = world();
    let before = world.state();
    for _ in 0..5 {
        world.crash_after(CHANGES);
        let reports = std::thread::scope(|s| {
            [0, 1, 2].map(|_| s.spawn(|| world.recover())).map(|thread| thread.join().unwrap())
        });
        let undone: usize = reports.iter().map(|r| r.outcomes.len()).sum();
        assert_eq!(undone, CHANGES, "{reports:?}");
        assert!(reports.iter().all(|r| r.damaged.is_empty()));
        assert_eq!(world.state(), before);
    }
}

#[test]
fn a_kill_is_a_crash_like_any_other() {
    const INSIDE: &str = "ADIT_TEST_WORLD";
    if let Ok(folder) = std::env::var(INSIDE) {
        let journal = Journal::open(&Path::new(&folder).join("journal"), "victim", Lasts::UntilExit).unwrap();
        let mut journal = journal.within(scope(Path::new(&folder)));
        let eth0 = journal.net().interface("eth0").unwrap();
        journal.add_address(&eth0, "10.1.0.1/24".parse().unwrap(), None).unwrap();
        journal.set_sysctl("net.ipv4.ip_forward", "1").unwrap();
        journal.replace_file(&Path::new(&folder).join("etc/resolv.conf"), "nameserver 10.1.0.2\n").unwrap();
        println!("ready");
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let world = world();
    let before = world.state();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_kill_is_a_crash_like_any_other", "--nocapture"]);
    let mut victim = world.host.spawn(command.env(INSIDE, world.folder.path()));
    victim.wait_for("ready", Duration::from_secs(30));
    assert!(world.recover().still[0].alive);
    victim.kill();
    let report = world.recover();
    assert_eq!(results(&report), vec![Undone::Undone; 3]);
    assert_eq!(report.outcomes[0].by, "victim");
    assert_eq!(world.state(), before);
}

/// A journal that replaces a file of the host, ready to be left in the folder.
fn of_a_file(world: &World) -> String {
    let mut journal = world.open(Lasts::UntilExit);
    world.change(&mut journal, 4).unwrap();
    let path = world.only_file().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    std::mem::forget(journal);
    fs::remove_file(path).unwrap();
    text
}

/// Recovery must change nothing and report one file, with these words.
#[track_caller]
fn refuses(world: &World, words: &str) {
    let before = world.state();
    let report = world.recover();
    assert!(report.outcomes.is_empty(), "{report:?}");
    assert_eq!(report.damaged.len(), 1, "{report:?}");
    let text = report.damaged[0].to_string();
    assert!(text.contains("cannot trust journal") && text.contains(words), "{text}");
    assert_eq!(world.state(), before);
}

#[test]
fn a_journal_that_another_user_may_have_written_is_not_used() {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    let world = world();
    let text = of_a_file(&world);
    let file = world.journals().join("1-1-0.journal");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();

    world.leave(&text);
    chown(&file, Some(65534), Some(65534)).unwrap();
    refuses(&world, "it belongs to user 65534");
    chown(&file, Some(0), Some(0)).unwrap();
    mode(&file, 0o620);
    refuses(&world, "other users may write it (mode 620)");
    mode(&file, 0o602);
    refuses(&world, "other users may write it");
    mode(&file, 0o600);

    // A link to a file that was not written as a journal.
    let elsewhere = world.path("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    refuses(&world, "it is a link");
    fs::remove_file(&file).unwrap();
    fs::hard_link(&elsewhere, &file).unwrap();
    refuses(&world, "second name");
    fs::remove_file(&file).unwrap();
    // One that would never be opened.
    world.host.sh(&format!("mkfifo -m 600 {}", file.display()));
    refuses(&world, "no regular file");
    fs::remove_file(&file).unwrap();

    // The directory.
    fs::rename(&elsewhere, &file).unwrap();
    let untrusted = |words: &str| {
        let error = world.host.run(|| recover(&world.journals(), &world.scope(), false, false).unwrap_err());
        assert!(error.to_string().contains(words), "{error}");
        let error =
            world.host.run(|| Journal::open(&world.journals(), "test", Lasts::UntilExit).unwrap_err());
        assert!(error.to_string().contains(words), "{error}");
    };
    chown(world.journals(), Some(65534), None).unwrap();
    untrusted("it belongs to user 65534");
    chown(world.journals(), Some(0), None).unwrap();
    mode(&world.journals(), 0o777);
    untrusted("other users may write it");
    mode(&world.journals(), 0o700);
    fs::rename(world.journals(), world.path("real")).unwrap();
    symlink(world.path("real"), world.journals()).unwrap();
    untrusted("it is a link");
    fs::remove_file(world.journals()).unwrap();
    fs::rename(world.path("real"), world.journals()).unwrap();

    assert_eq!(results(&world.recover()), [Undone::Undone], "the same file, when it can be trusted");
}

#[test]
fn an_entry_outside_of_the_fixed_list_is_neither_made_nor_undone() {
    let world = world();
    let text = of_a_file(&world);
    let victim = world.path("etc/shadow");
    // What the entry claims to have written: undo would replace it with the old content.
    fs::write(&victim, "new\n").unwrap();
    world.leave(&text.replace("etc/hosts", "etc/shadow"));
    for dry_run in [true, false] {
        let report = world.host.run(|| recover(&world.journals(), &world.scope(), false, dry_run).unwrap());
        let undone = report.outcomes[0].undone.clone().unwrap().to_string();
        assert!(undone.contains("adit never changes it"), "{undone}");
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "new\n");
    assert!(world.only_file().is_some(), "kept for inspection");
    fs::remove_file(world.only_file().unwrap()).unwrap();

    let mut journal = world.open(Lasts::UntilExit);
    let error = world.host.run(|| journal.replace_file(&victim, "x\n").unwrap_err());
    assert_eq!(error.kind(), Kind::NotPermitted, "{error}");
    let error = world.host.run(|| journal.set_sysctl("kernel.hostname", "x").unwrap_err());
    assert_eq!(error.kind(), Kind::NotPermitted, "{error}");
    assert_eq!((journal.changes().count(), world.only_file()), (0, None));
}
