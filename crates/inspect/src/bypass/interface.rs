//! Properties of the interface: its kind, its master, its XDP programs.

use rustix::net::{AddressFamily, SocketType, netdevice, socket};
use serde_json::Value as Json;

use super::obstacle::Obstacle;
use crate::read;

/// The most levels of the description of a program.
const DEPTH_MAX: usize = 8;

/// The index of an interface; `None` if it does not exist.
pub(super) fn index(name: &str) -> Option<u32> {
    let any = socket(AddressFamily::INET, SocketType::DGRAM, None).ok()?;
    netdevice::name_to_index(any, name).ok()
}

/// Evaluates `ip -j -d link show dev NAME`.
pub(super) fn obstacles(text: &str, name: &str, own_program: Option<u32>) -> Vec<Obstacle> {
    let not_read = |why: String| vec![Obstacle::NotRead { what: "the interface", why }];
    let list = match read::json("ip -j link", text) {
        Ok(list) => list,
        Err(error) => return not_read(error.to_string()),
    };
    let link = list
        .as_array()
        .and_then(|list| list.iter().find(|link| link.get("ifname").and_then(Json::as_str) == Some(name)));
    let Some(link) = link else { return not_read(format!("`ip link` does not show {name}")) };
    let mut obstacles = Vec::new();
    let interface = || name.to_owned();
    if let Some(master) = link.get("master") {
        let master = master.as_str().unwrap_or("another interface");
        let what = format!("has the master {master}, whose rules are not evaluated");
        obstacles.push(Obstacle::Interface { interface: interface(), what });
    }
    // A hardware interface has no kind. All others are on top of, or consist of, interfaces with their own rules.
    match link.get("linkinfo").and_then(|info| info.get("info_kind")).map(Json::as_str) {
        None | Some(Some("veth")) => {}
        kind => {
            let kind = kind.flatten().unwrap_or("virtual interface");
            let what = format!("is a {kind}: the rules of the interfaces below it are not evaluated");
            obstacles.push(Obstacle::Interface { interface: interface(), what });
        }
    }
    if let Some(xdp) = link.get("xdp") {
        let mut ids = Vec::new();
        program_ids(xdp, DEPTH_MAX, &mut ids);
        if ids.is_empty() || ids.iter().any(|id| Some(*id) != own_program.map(u64::from)) {
            obstacles.push(Obstacle::Program { interface: interface(), kind: "XDP" });
        }
    }
    obstacles
}

/// Collects the ids of programs; `ip` nests them in a list if there are several.
fn program_ids(json: &Json, depth: usize, ids: &mut Vec<u64>) {
    if depth == 0 {
        return;
    }
    match json {
        Json::Array(list) => list.iter().for_each(|one| program_ids(one, depth - 1, ids)),
        Json::Object(object) => {
            if let Some(program) = object.get("prog") {
                ids.push(program.get("id").and_then(Json::as_u64).unwrap_or(u64::MAX));
            }
            object.values().for_each(|one| program_ids(one, depth - 1, ids));
        }
        _ => {}
    }
}
