//! Banned addresses and networks: list, add, lift.

use adit_api::bans::{Action, Ban, Change, Changed, Request, Response};
use adit_api::{Error, Kind, Result};
use adit_diag::event::{Banned, EventFacts, Unbanned};
use adit_policy::lockout::{self, MAX_BANS, SHORTEST_PREFIX};
use adit_store::NewEvent;
use ipnet::Ipv4Net;

use crate::lockout::from_ms;
use crate::{Context, printable};

/// The shortest ban in seconds.
const SHORTEST_S: u64 = 60;
/// The longest ban in seconds: a year.
const LONGEST_S: u64 = 365 * 86_400;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 200;

/// Carries out one request.
pub(crate) fn call(context: &Context<'_>, request: &Request) -> Result<Response> {
    match request {
        Request::List => list(context).map(Response::List),
        Request::Change(request) => change(context, request).map(Response::Changed),
    }
}

fn list(context: &Context<'_>) -> Result<Vec<Ban>> {
    let mut bans = Vec::new();
    context.lockout.with(&mut |now, lockout| bans = lockout.bans(now))?;
    Ok(bans.into_iter().map(|(network, ban)| shown(network, ban)).collect())
}

fn shown(network: Ipv4Net, ban: lockout::Ban) -> Ban {
    let lockout::Ban { since, until, by, reason } = ban;
    Ban { network, since: from_ms(since), until: from_ms(until), by, reason }
}

fn change(context: &Context<'_>, request: &Change) -> Result<Changed> {
    let Change { dry_run, by, network, action } = request;
    let (own, others): (Vec<Ban>, Vec<Ban>) = list(context)?
        .into_iter()
        .filter(|ban| ban.network.contains(network) || network.contains(&ban.network))
        .partition(|ban| ban.network == *network);
    let before = own.into_iter().next();
    let facts = match action {
        Action::Add { for_s, reason } => {
            let lasts_s = for_s.unwrap_or(context.config.auth.lockout.address.ban.as_secs());
            check(context, *network, lasts_s, reason)?;
            let (by, reason) = (Some(by.clone()), reason.clone());
            EventFacts::AddressBanned(Banned { network: *network, lasts_s, by, reason })
        }
        Action::Remove if before.is_none() => return Err(not_banned(*network, &others)),
        Action::Remove => EventFacts::AddressUnbanned(Unbanned { network: *network, by: by.clone() }),
    };
    let mut after = None;
    let mut has_space = true;
    if let EventFacts::AddressBanned(Banned { lasts_s, by, reason, .. }) = &facts {
        context.lockout.with(&mut |now, lockout| {
            let until = now.saturating_add(lasts_s.saturating_mul(1_000));
            let ban = lockout::Ban { since: now, until, by: by.clone(), reason: reason.clone() };
            has_space = *dry_run || lockout.ban(now, *network, ban.clone());
            after = Some(shown(*network, ban));
        })?;
    } else if !dry_run {
        context.lockout.with(&mut |_, lockout| {
            lockout.unban(*network);
        })?;
    }
    if !has_space {
        let message = format!("there are {MAX_BANS} bans already, all of them made by administrators");
        return Err(
            Error::new(Kind::Conflict, message).fix("lift some, or ban whole networks: adit ban list")
        );
    }
    let warning = if *dry_run { None } else { record(context, *network, facts) };
    Ok(Changed { before, after, others, warning })
}

/// Checks that a network can be banned.
fn check(context: &Context<'_>, network: Ipv4Net, lasts_s: u64, reason: &str) -> Result<()> {
    let refuse = |message: String, fix: String| Err(Error::new(Kind::Invalid, message).fix(fix));
    if network != network.trunc() {
        return refuse(format!("{network} has bits behind its prefix"), network.trunc().to_string());
    }
    if network.prefix_len() < SHORTEST_PREFIX {
        let message =
            format!("{network} is too large to be banned: /{SHORTEST_PREFIX} or longer is possible");
        return refuse(message, "access.from admits only the networks of your users".to_owned());
    }
    if !(SHORTEST_S..=LONGEST_S).contains(&lasts_s) {
        return refuse(
            format!("a ban lasts from 1 minute to 365 days, not {lasts_s} s"),
            "--for 12h".to_owned(),
        );
    }
    if reason.chars().count() > LONGEST_REASON {
        return refuse(
            format!("the reason has more than {LONGEST_REASON} characters"),
            "shorten it".to_owned(),
        );
    }
    let ignored = &context.config.auth.lockout.address.ignore;
    if let Some(ignored) = ignored.iter().find(|net| net.contains(&network) || network.contains(*net)) {
        let message =
            format!("{} overlaps {ignored}, which auth.lockout.address.ignore never bans", text(network));
        let fix = "take it out of auth.lockout.address.ignore, then adit reload".to_owned();
        return Err(Error::new(Kind::Conflict, message).fix(fix));
    }
    Ok(())
}

/// The error for a network without a ban; it names those of the others that would have to be lifted.
fn not_banned(network: Ipv4Net, others: &[Ban]) -> Error {
    let error = Error::new(Kind::NotFound, format!("{} is not banned", text(network)));
    if let Some(wider) = others.iter().find(|ban| ban.network.contains(&network)) {
        return error.fix(format!("its network is: adit ban remove {}", wider.network));
    }
    match others {
        [] => error.fix("adit ban list"),
        [inside] => error.fix(format!("of its addresses is: adit ban remove {}", text(inside.network))),
        [inside, ..] => error.fix(format!(
            "{} bans are inside it: adit ban remove {}, ...; adit ban list",
            others.len(),
            text(inside.network)
        )),
    }
}

/// A network for people: without its length if it is one address.
fn text(network: Ipv4Net) -> String {
    if network.prefix_len() == 32 { network.addr().to_string() } else { network.to_string() }
}

/// Records a change in the event log. The change is already made, so a failure here is only a warning.
fn record(context: &Context<'_>, network: Ipv4Net, facts: EventFacts) -> Option<String> {
    let mut event = NewEvent::new(context.now, facts);
    event.from = (network.prefix_len() == 32).then(|| network.addr().into());
    let error = context.recorder.record(event).err()?;
    Some(format!("the change is done, but not in the log: {}", printable(&error)))
}
