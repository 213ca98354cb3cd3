//! `adit doctor --pcap FILE` and `adit doctor --capture INTERFACE`

mod hashes;
mod judged;
mod live;
mod read;
mod show;
mod timeline;

use adit_capture::conversation::{Conversation, Secret};
use adit_doctor::from::capture;
use adit_doctor::{Outcome, judge};

use self::judged::{Judged, Read};
use super::args::Args;
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let secret = secret(args)?;
    if args.hashes {
        output.remark(
            "warning",
            "what --hashes shows is enough to find the password by trying: keep it to yourself",
        );
    }
    let mut reading = read::Reading::new(secret, args.hashes);
    match (&args.pcap, &args.capture) {
        (Some(path), _) => read::file(path, &mut reading, output)?,
        (None, Some(interface)) => live::interface(interface, args.seconds, &mut reading, output)?,
        (None, None) => return Err(Failure::usage("name a file or an interface")),
    }
    let mut read = reading.finish();
    read.is_live = args.pcap.is_none();
    read.name = match (&args.pcap, &args.capture) {
        (Some(path), _) if path.as_os_str() == "-" => "stdin".to_owned(),
        (Some(path), _) => path.display().to_string(),
        (None, Some(interface)) => format!("interface {interface}"),
        (None, None) => String::new(),
    };
    let judged = judged(&read, args.host.as_deref());
    if let Some(call) = args.call
        && (call == 0 || call > judged.len())
    {
        return Err(Failure::new(
            Exit::NotFound,
            format!("there is no call {call}: {}", show::calls(judged.len())),
        )
        .fix("adit doctor --pcap FILE lists them"));
    }
    let decides = decides(&judged, args.call);
    if output.is_text() {
        show::text(&read, &judged, decides, args, output)?;
    } else {
        output.document(&show::document(&read, &judged, decides, args))?;
    }
    Ok(match decides.and_then(|at| judged.get(at)) {
        None => Exit::NotFound,
        Some(decides) => match (decides.code(), decides.verdict.outcome) {
            (Some(code), _) => Exit::Layer(code.layer()),
            (None, Outcome::NotProvable) => Exit::Problem,
            (None, _) => Exit::Done,
        },
    })
}

/// The password, if a user or a source of the password is given.
fn secret(args: &Args) -> Result<Option<Secret>, Failure> {
    let given = args.password.password_stdin || args.password.password_file.is_some();
    if args.user.is_none() && !given {
        return Ok(None);
    }
    if args.password.password_stdin && args.pcap.as_ref().is_some_and(|path| path.as_os_str() == "-") {
        return Err(
            Failure::usage("stdin cannot be both the capture and the password").fix("--password-file FILE")
        );
    }
    let whose = args.user.as_deref().map_or(String::new(), |user| format!(" of {user}"));
    let password = args.password.read_once(&format!("Password{whose}: "))?;
    Ok(Some(Secret { user: args.user.clone(), password }))
}

/// Judges every call of the file, in the order in which they began. A requested server that was never called counts as
/// one call.
fn judged(read: &Read, host: Option<&str>) -> Vec<Judged> {
    let mut judged = Vec::new();
    // Without a query in the file, the addresses of a name are not known.
    let host = host.filter(|host| host.parse::<std::net::IpAddr>().is_ok() || is_asked_for(read, host));
    let mut looked = Vec::new();
    for (at, conversation) in read.conversations.iter().enumerate() {
        if host.is_some_and(|host| !is_about(conversation, host)) {
            continue;
        }
        for call in 0..conversation.calls.len().max(1) {
            let (vantage, place) = capture::vantage(conversation);
            looked.push((conversation, at, call, place, capture::facts(conversation, call, vantage)));
        }
    }
    let mut all: Vec<_> =
        looked.iter_mut().map(|(conversation, _, call, _, facts)| (*conversation, *call, facts)).collect();
    capture::addresses_twice(&mut all);
    for (conversation, at, call, place, facts) in looked {
        let verdict = judge(&facts);
        let remarks = timeline::remarks(conversation, call, &facts);
        judged.push(Judged { facts, verdict, conversation: Some(at), call, place, remarks });
    }
    judged.sort_by_key(|one| {
        let conversation = one.conversation.and_then(|at| read.conversations.get(at));
        (conversation.map(Conversation::began), one.call)
    });
    if let Some(host) = host.filter(|_| judged.is_empty())
        && let Some(facts) = capture::facts_of_name(&read.lookups, host)
    {
        let verdict = judge(&facts);
        judged.push(Judged {
            facts,
            verdict,
            conversation: None,
            call: 0,
            place: "no call to it is in the file".to_owned(),
            remarks: Vec::new(),
        });
    }
    judged
}

/// Whether the file has a DNS query for this name.
fn is_asked_for(read: &Read, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let of_calls = read.conversations.iter().flat_map(|conversation| &conversation.names);
    of_calls.chain(read.lookups.iter()).any(|lookup| lookup.name.eq_ignore_ascii_case(host))
}

/// Whether a conversation is with the server of this name or address.
fn is_about(conversation: &Conversation, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    conversation.server.to_string() == host
        || conversation.names.iter().any(|lookup| lookup.name.eq_ignore_ascii_case(host))
}

/// The deciding call: the requested one, else the last that failed, else the last.
fn decides(judged: &[Judged], asked: Option<usize>) -> Option<usize> {
    match asked {
        Some(call) => Some(call - 1),
        None => judged.iter().rposition(Judged::has_failed).or_else(|| judged.len().checked_sub(1)),
    }
}
