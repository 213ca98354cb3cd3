use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn here() -> Identity {
    Identity { device: 4, inode: 7 }
}

fn sysctl(n: u32) -> Change {
    Change::Sysctl { key: format!("net.key{n}"), old: "0".to_owned(), new: "1".to_owned() }
}

fn opened(folder: &tempfile::TempDir) -> Folder {
    Folder::open(folder.path()).unwrap().unwrap()
}

fn file_with(n: u32) -> (tempfile::TempDir, JournalFile) {
    let folder = folder();
    let mut file = JournalFile::create(&opened(&folder), "test", Lasts::UntilExit, here()).unwrap();
    for number in 1..=n {
        file.intend(number, &sysctl(number)).unwrap();
    }
    (folder, file)
}

#[test]
fn what_is_written_is_read_again() {
    let (folder, mut file) = file_with(3);
    file.undone(2).unwrap();
    let name = file.name.clone();
    drop(file);
    let content = JournalFile::take_over(&opened(&folder), &name).unwrap().unwrap().read().unwrap();
    assert_eq!(content.changes, BTreeMap::from([(1, sysctl(1)), (3, sysctl(3))]));
    let header = content.header.unwrap();
    assert_eq!((header.by.as_str(), header.pid, header.namespace), ("test", process::id(), here()));
    assert!(!header.boot.is_empty() && header.started > 0);
    assert!(content.damaged.is_empty());
}

#[test]
fn every_prefix_is_readable_and_holds_the_changes_whose_lines_are_whole() {
    let (_folder, file) = file_with(5);
    let octets = fs::read(file.path()).unwrap();
    for cut in 0..=octets.len() {
        let content = parse(&octets[..cut]);
        let lines = octets[..cut].iter().filter(|o| **o == b'\n').count();
        assert_eq!(content.changes.len(), lines.saturating_sub(1), "cut at {cut}");
        assert!(content.damaged.is_empty(), "half a line is no damage");
    }
}

#[test]
fn damage_in_the_middle_is_named_and_the_rest_is_read() {
    let (_folder, file) = file_with(3);
    let mut octets = fs::read(file.path()).unwrap();
    let third = octets.iter().enumerate().filter(|(_, o)| **o == b'\n').nth(1).unwrap().0 + 1;
    octets[third + 3] = 0xff;
    let content = parse(&octets);
    assert_eq!(content.damaged, [3]);
    assert_eq!(content.changes.keys().copied().collect::<Vec<_>>(), [1, 3]);
    assert!(content.header.is_some());
}

#[test]
fn any_octets_can_be_read() {
    let mut seed = 7u64;
    for len in 0..200 {
        let octets: Vec<u8> = (0..len)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if seed >> 60 == 0 { b'\n' } else { (seed >> 33) as u8 }
            })
            .collect();
        assert!(parse(&octets).changes.is_empty());
    }
}

#[test]
fn a_file_is_taken_over_only_when_its_owner_is_gone() {
    let (folder, file) = file_with(1);
    let name = file.name.clone();
    let take_over = || JournalFile::take_over(&opened(&folder), &name).unwrap();
    assert!(take_over().is_none(), "the owner lives");
    drop(file);
    let taken = take_over().unwrap();
    assert!(take_over().is_none(), "another process holds it");
    taken.remove();
    assert!(take_over().is_none(), "removed");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let (folder, file) = file_with(1);
    let name = file.name.clone();
    file.file.set_len(SIZE_MAX + 1).unwrap();
    drop(file);
    let error = JournalFile::take_over(&opened(&folder), &name).unwrap().unwrap().read().unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged);
}
