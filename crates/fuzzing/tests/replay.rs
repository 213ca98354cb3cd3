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
        // The name of the input is printed when it fails.
        let result = std::panic::catch_unwind(|| adit_fuzzing::run(target, &data));
        assert!(result.is_ok(), "fuzz/corpus/{target}/{}", path.file_name().unwrap().to_string_lossy());
    }
}

#[test]
fn every_target_is_replayed() {
    for target in TARGETS {
        let call = format!("replay(\"{}\")", target.name);
        assert!(include_str!("replay.rs").contains(&call), "no test calls {call}");
    }
}

#[test]
fn c236_control_stream() {
    replay("control_stream");
}

#[test]
fn c236_gre_packet() {
    replay("gre_packet");
}

#[test]
fn c236_dhcp_and_ip() {
    replay("dhcp_and_ip");
}

#[test]
fn c236_ppp_frames() {
    replay("ppp_frames");
}

#[test]
fn c236_mppe_decrypt() {
    replay("mppe_decrypt");
}

#[test]
fn access_rules() {
    replay("access_rules");
}

#[test]
fn c236_path() {
    replay("path");
}

#[test]
fn c236_control_connection() {
    replay("control_connection");
}

#[test]
fn c236_config_toml() {
    replay("config_toml");
}

#[test]
fn c236_link_server() {
    replay("link_server");
}

#[test]
fn c236_link_client() {
    replay("link_client");
}

#[test]
fn c236_server_conversation() {
    replay("server_conversation");
}

#[test]
fn c236_client_conversation() {
    replay("client_conversation");
}

#[test]
fn c236_journal() {
    replay("journal");
}

#[test]
fn c236_control_socket() {
    replay("control_socket");
}

#[test]
fn c236_capture_file() {
    replay("capture_file");
}

#[test]
fn c236_host_texts() {
    replay("host_texts");
}

#[test]
fn c236_netstack() {
    replay("netstack");
}

#[test]
fn c236_account_file() {
    replay("account_file");
}

#[test]
fn c236_radius_packet() {
    replay("radius_packet");
}

#[test]
fn c236_radius_client() {
    replay("radius_client");
}
