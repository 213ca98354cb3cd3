//! The committed corpora, and every input that once broke something, as an ordinary test.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use adit_fuzzing::TARGETS;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// File names below `folder` without their endings, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let mut targets: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    targets.sort_unstable();
    assert_eq!(names(&fuzz_folder().join("fuzz_targets")), targets, "programs in fuzz/fuzz_targets");
    assert_eq!(names(&fuzz_folder().join("corpus")), targets, "folders in fuzz/corpus");
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    for target in targets {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} in fuzz/Cargo.toml");
    }
}

fn replay(target: &str) {
    let folder = fuzz_folder().join("corpus").join(target);
    let files = names(&folder);
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::read(&path).unwrap();
        // The name of the input is told when it breaks something.
        let result = std::panic::catch_unwind(|| adit_fuzzing::run(target, &data));
        assert!(result.is_ok(), "fuzz/corpus/{target}/{}", path.file_name().unwrap().to_string_lossy());
    }
}

macro_rules! replays {
    ($($test:ident $target:literal),+ $(,)?) => {
        $(#[test]
        fn $test() {
            replay($target);
        })+

        #[test]
        fn every_target_is_replayed() {
            let mut replayed = vec![$($target),+];
            replayed.sort_unstable();
            let mut targets: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            targets.sort_unstable();
            assert_eq!(replayed, targets);
        }
    };
}

replays! {
    c236_control_stream "control_stream",
    c236_gre_packet "gre_packet",
    c236_dhcp_and_ip "dhcp_and_ip",
    c236_ppp_frames "ppp_frames",
    c236_mppe_decrypt "mppe_decrypt",
    c236_path "path",
    c236_control_connection "control_connection",
}
