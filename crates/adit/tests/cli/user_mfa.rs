//! `adit user mfa`

use crate::World;

const GOOD: &str = "a very good passphrase\n";

/// The field of a line that begins with `word`.
fn field<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(word));
    lines.filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn a_factor_is_enrolled_shown_once_renewed_and_removed() {
    let world = World::configured();
    world.run_with(&["user", "add", "alice", "--reversible", "--password-stdin"], GOOD);
    let enrolled = world.run(&["user", "mfa", "enroll", "ALICE", "--no-confirm"]);
    let (secret, codes) = (field(&enrolled, "secret "), field(&enrolled, "recovery "));
    assert!(enrolled.contains("enrolled alice") && enrolled.contains("otpauth://totp/"), "{enrolled}");
    assert_eq!((secret.len(), codes.len()), (1, 8), "{enrolled}");
    let status = world.json(&["user", "mfa", "status", "alice"]);
    assert_eq!((&status["enrolled"], &status["recovery_left"]), (&true.into(), &8.into()));
    assert_eq!((&status["enrolled_by"], &status["changed"]), (&"mira".into(), &false.into()));

    let renewed = world.run(&["user", "mfa", "recovery-codes", "alice"]);
    let new = field(&renewed, "recovery ");
    assert_eq!(new.len(), 8, "{renewed}");
    assert!(new.iter().all(|code| !codes.contains(code)));

    // Neither the log nor an export shows anything of it.
    let export = world.run(&["user", "export", "--format", "json"]);
    let log = world.run(&["log"]);
    assert!(log.contains("mfa=enrolled") && log.contains("mfa=\"new recovery codes\""), "{log}");
    for shown in [export, log, world.run(&["user", "show", "alice"])] {
        for secret in secret.iter().chain(&codes).chain(&new) {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    let dry = world.run(&["user", "mfa", "remove", "alice", "--dry-run"]);
    assert!(dry.contains("would remove the second factor of alice"), "{dry}");
    let removed = world.run(&["user", "mfa", "remove", "alice", "--yes"]);
    assert!(removed.contains("removed  the second factor of alice"), "{removed}");
    let again = world.run(&["user", "mfa", "remove", "alice", "--yes"]);
    assert!(again.contains("unchanged alice"), "{again}");
    assert_eq!(world.json(&["user", "mfa", "status", "alice"])["enrolled"], false);
}

#[test]
fn what_could_not_log_in_is_refused_with_its_fix() {
    let world = World::configured();
    world.run_with(&["user", "add", "alice", "--reversible", "--password-stdin"], GOOD);
    world.run_with(&["user", "add", "bob", "--password-stdin"], GOOD);
    let refused = [
        (vec!["enroll", "bob", "--no-confirm"], "adit user passwd bob --reversible"),
        (vec!["enroll", "alicee", "--no-confirm"], "did you mean \"alice\"?"),
        (vec!["enroll", "alice"], "--no-confirm"),
        (vec!["recovery-codes", "alice"], "adit user mfa enroll alice"),
    ];
    for (arguments, fix) in refused {
        let answer = world.run(&[&["user", "mfa"], &arguments[..]].concat());
        assert!(answer.contains("error") && answer.contains(fix), "{arguments:?}: {answer}");
    }
    world.run(&["user", "mfa", "enroll", "alice", "--no-confirm"]);
    let kept = world.run_with(&["user", "passwd", "alice", "--no-reversible", "--password-stdin"], GOOD);
    assert!(kept.contains("adit user mfa remove alice"), "{kept}");
    // A dry run changes nothing.
    let dry = world.run(&["user", "mfa", "recovery-codes", "alice", "--dry-run"]);
    assert!(dry.contains("would replace") && !dry.contains("shown once"), "{dry}");
}
