//! A key, or a number with or without the name of its program, in every spelling a person types.

use super::{Explanation, pick, words};
use crate::foreign::Foreign;

/// Words that say nothing about whose number it is.
const NOISE: &[&str] = &[
    "a",
    "access",
    "code",
    "err",
    "error",
    "errorcode",
    "fehler",
    "erreur",
    "got",
    "id",
    "no",
    "nr",
    "number",
    "remote",
    "returned",
    "status",
    "the",
    "vpn",
    "with",
];

/// A question that is a key: `windows 619`, `E=691`, `exit code 16`, `SCCRP result 4`, `Lost-Carrier`.
pub(super) fn by_key(text: &str, all: &[Foreign]) -> Option<Explanation> {
    if let Some(found) = pick(all, &[text.to_owned()]) {
        return Some(found);
    }
    let lower = text.to_lowercase();
    let parts: Vec<&str> = lower
        .split([':', ' ', '=', '#', ',', '(', ')', '.', '\t'])
        .filter(|part| !part.is_empty() && !NOISE.contains(part))
        .collect();
    terminate_cause(&parts, all).or_else(|| number(&parts, all))
}

fn number(parts: &[&str], all: &[Foreign]) -> Option<Explanation> {
    // "E=691 R=0" ends with what only qualifies the number.
    let parts = match parts {
        [rest @ .., "r", "0" | "1"] if !rest.is_empty() => rest,
        parts => parts,
    };
    let (last, names) = parts.split_last()?;
    let last = value(last)?;
    // "OCRP result 2 error 4" is a result and the general error beside it.
    let (number, names, error) =
        match names.split_last().and_then(|(word, names)| Some((value(word)?, names))) {
            Some((number, names)) if !names.is_empty() => (number, names, Some(last)),
            _ => (last, names, None),
        };
    let mut keys: Vec<String> = systems(names)?.iter().map(|system| format!("{system}:{number}")).collect();
    match error {
        Some(error) if keys.iter().all(|key| key.starts_with("pptp:")) => {
            keys.push(format!("pptp:general:{error}"))
        }
        Some(_) => return None,
        None => {}
    }
    pick(all, &keys)
}

/// A number, decimal or hexadecimal.
fn value(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

/// The beginnings of keys that a number with these names can belong to; none when a name is not known here.
fn systems(names: &[&str]) -> Option<&'static [&'static str]> {
    let one = |wanted: &[&str]| names.iter().any(|name| wanted.contains(name));
    if names.len() > 4 || !names.iter().all(|name| NAMES.iter().any(|names| names.contains(name))) {
        return None;
    }
    // The number itself must be what is left: "pptp result" and "sccrp result" name a field of a message.
    Some(match () {
        () if names.is_empty() => &["windows", "event", "pppd", "nps"],
        () if one(MSCHAP) => &["mschap"],
        () if one(RADIUS) => &["radius:terminate"],
        () if one(EVENT) => &["event"],
        () if one(START) => &["pptp:start"],
        () if one(CALL) => &["pptp:call"],
        () if one(INCOMING) => &["pptp:incoming"],
        () if one(DISCONNECT) => &["pptp:disconnect"],
        () if one(STOP) => &["pptp:stop"],
        () if one(ECHO) => &["pptp:echo"],
        () if one(GENERAL) => &["pptp:general"],
        () if one(PPTP) && one(CAUSE) => &["pptp:cause"],
        () if one(PPTP) && one(RESULT) => &["pptp:start", "pptp:call"],
        () if one(PPPD) => &["pppd"],
        () if one(NPS) || names == ["reason"] => &["nps"],
        () if one(WINDOWS) => &["windows"],
        () => return None,
    })
}

const WINDOWS: &[&str] = &["windows", "win", "ras", "rasdial", "rasclient", "microsoft"];
const EVENT: &[&str] = &["event", "eventid", "events", "remoteaccess", "rras"];
const NPS: &[&str] = &["nps", "ias"];
const PPPD: &[&str] = &["pppd", "exit", "exited"];
const MSCHAP: &[&str] = &["mschap", "mschapv2", "ms-chap", "ms-chapv2", "ms-chap-v2", "chap", "e"];
const RADIUS: &[&str] = &["radius", "acct-terminate-cause", "terminate-cause", "terminate"];
const PPTP: &[&str] = &["pptp"];
const START: &[&str] = &["start", "sccrp", "start-control-connection-reply"];
const CALL: &[&str] = &["call", "ocrp", "outgoing-call-reply"];
const INCOMING: &[&str] = &["incoming", "icrp", "incoming-call-reply"];
const DISCONNECT: &[&str] = &["disconnect", "cdn", "call-disconnect-notify"];
const STOP: &[&str] = &["stop", "stopccrq", "stop-ccrq", "stop-control-connection-request"];
const ECHO: &[&str] = &["echo", "echo-reply"];
const GENERAL: &[&str] = &["general"];
const RESULT: &[&str] = &["result"];
const CAUSE: &[&str] = &["cause"];
const REASON: &[&str] = &["reason"];
const NAMES: &[&[&str]] = &[
    WINDOWS, EVENT, NPS, PPPD, MSCHAP, RADIUS, PPTP, START, CALL, INCOMING, DISCONNECT, STOP, ECHO, GENERAL,
    RESULT, CAUSE, REASON,
];

/// A RADIUS terminate cause by its name: `Lost-Carrier`, `Acct-Terminate-Cause = Idle-Timeout`.
fn terminate_cause(parts: &[&str], all: &[Foreign]) -> Option<Explanation> {
    let (name, before) = parts.split_last()?;
    if !name.contains('-') || !before.iter().all(|part| RADIUS.contains(part) || CAUSE.contains(part)) {
        return None;
    }
    let wanted = words(name);
    let found =
        all.iter().find(|one| one.key.starts_with("radius:terminate:") && words(&one.wording) == wanted)?;
    pick(all, core::slice::from_ref(&found.key))
}
