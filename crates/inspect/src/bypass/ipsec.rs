//! IPsec policies.

use ipnet::Ipv4Net;

use super::asked::Asked;
use super::obstacle::{OBSTACLES_MAX, Obstacle};
use crate::read::words;

/// The most characters of a policy that are shown.
const SHOWN_MAX: usize = 200;

/// Evaluates `ip xfrm policy`: a policy is an obstacle unless it certainly does not match the packets.
pub(super) fn obstacles(text: &str, asked: &Asked) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    while let Some(selector) = lines.next() {
        let mut details = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
            details.push(line.trim());
        }
        if !is_harmless(selector, &details, asked) {
            let direction = details.first().copied().unwrap_or_default();
            let text = format!("{} {direction}", selector.trim());
            obstacles
                .push(Obstacle::Ipsec(text.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect()));
        }
        if obstacles.len() >= OBSTACLES_MAX {
            obstacles.push(Obstacle::More);
            break;
        }
    }
    obstacles
}

fn is_harmless(selector: &str, details: &[&str], asked: &Asked) -> bool {
    let mut direction = details.iter().find_map(|line| line.strip_prefix("dir ")).unwrap_or_default();
    direction = direction.split_ascii_whitespace().next().unwrap_or_default();
    // The policy of one socket, with which a key daemon exempts its own packets; or one for forwarded packets.
    if details.iter().any(|line| line.starts_with("socket ")) || direction == "fwd" {
        return true;
    }
    let all: Vec<&str> = selector.split_ascii_whitespace().collect();
    let ["src", source, "dst", destination, rest @ ..] = all.as_slice() else { return false };
    if source.contains(':') && destination.contains(':') {
        return true;
    }
    let after = |key: &str| {
        let at = rest.iter().position(|word| *word == key)?;
        rest.get(at + 1).copied()
    };
    let is_gre = after("proto").is_none_or(|name| words::protocol(name).is_none_or(|number| number == 47));
    let is_here = after("dev").is_none_or(|name| name == asked.interface);
    if !is_gre || !is_here {
        return true;
    }
    let own = match direction {
        "in" => destination,
        "out" => source,
        _ => return false,
    };
    let Ok(own) = own.parse::<Ipv4Net>() else { return false };
    !asked.addresses.is_empty() && !asked.addresses.iter().any(|address| own.contains(address))
}

/// Evaluates `ip xfrm policy getdefault`.
pub(super) fn default_obstacle(text: &str) -> Option<Obstacle> {
    let blocks = |line: &&str| line.contains("block") && !line.trim_start().starts_with("fwd");
    let line = text.lines().find(blocks)?;
    Some(Obstacle::Ipsec(format!("the default policy, {}", line.trim())))
}
