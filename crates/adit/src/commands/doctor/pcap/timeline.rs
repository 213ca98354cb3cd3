//! The timeline of a call: a line for each layer that worked, every step of the one that failed.

use std::time::Duration;

use adit_capture::Upper;
use adit_capture::conversation::{By, Conversation, Event, Step};
use adit_diag::Layer;
use adit_doctor::facts::{Connect, Facts, LoginVerdict};
use adit_doctor::{At, Seen, Side, Verdict};
use adit_wire::{Protocol, cp, ppp};

/// Maximum number of lines shown per call.
const LINES_MAX: usize = 40;
/// A delay that is worth a remark.
const SLOW: Duration = Duration::from_secs(1);

/// A line of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) time: Duration,
    pub(super) frame: u64,
    pub(super) layer: Layer,
    pub(super) text: String,
}

/// The steps of one call, and of the control connection around it.
pub(super) fn steps(conversation: &Conversation, call: usize) -> impl Iterator<Item = &Step> {
    conversation.steps.iter().filter(move |step| step.call.is_none_or(|of| of == call))
}

/// The layer of a step, in terms of the test.
pub(super) fn layer(step: &Step) -> Layer {
    match (&step.what, step.protocol()) {
        (Event::Icmp(icmp), _) => match icmp.quoted.map(|quoted| quoted.upper) {
            Some(Upper::Gre { .. }) => Layer::Gre,
            _ => Layer::Control,
        },
        (_, Protocol::Gre | Protocol::Ipv4 | Protocol::Ppp) => Layer::Gre,
        (_, Protocol::Lcp) => Layer::Lcp,
        (_, Protocol::Pap | Protocol::Chap) => Layer::Auth,
        (Event::Ppp { protocol: ppp::EAP, .. }, _) => Layer::Auth,
        (_, Protocol::Ccp | Protocol::Mppe) => Layer::Encrypt,
        (_, Protocol::Ipcp | Protocol::Ipv6cp) => Layer::Address,
        _ => Layer::Control,
    }
}

/// The complete timeline of a call, for text output.
pub(super) fn lines(
    conversation: &Conversation,
    call: usize,
    facts: &Facts,
    verdict: &Verdict,
) -> (Vec<Line>, usize) {
    let failed = verdict.first_failure.map(|code| code.layer());
    // If a tunnel was up and failed later, the relevant steps follow its set-up, whatever their layer.
    let up = facts.address.opened.as_ref().and_then(|seen| seen.at.frame);
    let died = up.filter(|_| failed.is_some_and(|failed| failed <= Layer::Lcp));
    let is_done = |layer: Layer| failed.is_none_or(|failed| layer < failed);
    let began = conversation.began();
    let mut lines = worked(facts);
    lines.retain(|line| died.is_some() || is_done(line.layer));
    for step in steps(conversation, call) {
        let layer = layer(step);
        let is_known = died.map_or(is_done(layer), |up| step.frame <= up);
        if is_known && !step.is_end() || is_answered_echo(conversation, call, step) {
            continue;
        }
        let text = format!("{}: {step}", step.by);
        lines.push(Line { time: step.time.saturating_sub(began), frame: step.frame, layer, text });
    }
    lines.sort_by_key(|line| (line.time, line.frame));
    let lines = fold(lines);
    let more = lines.len().saturating_sub(LINES_MAX);
    // The end is more informative than the middle.
    let half = LINES_MAX / 2;
    let len = lines.len();
    let shown = lines.into_iter().enumerate().filter(|(at, _)| more == 0 || *at < half || len - at <= half);
    (shown.map(|(_, line)| line).collect(), more)
}

/// Whether this is an LCP echo up to the last reply, while the link was alive.
fn is_answered_echo(conversation: &Conversation, call: usize, step: &Step) -> bool {
    let Event::Ppp { protocol: ppp::LCP, information, .. } = &step.what else { return false };
    let Some(of) = conversation.calls.get(call) else { return false };
    let answered =
        [true, false].into_iter().filter_map(|by_client| of.tally.of(ppp::LCP, cp::ECHO_REPLY, by_client));
    let last = answered.map(|count| count.last.0).max();
    matches!(information.first(), Some(&(cp::ECHO_REQUEST | cp::ECHO_REPLY)))
        && last.is_some_and(|last| step.frame <= last)
}

/// Merges repeated lines into one.
fn fold(lines: Vec<Line>) -> Vec<Line> {
    let mut folded: Vec<(Line, String, u32, Duration)> = Vec::new();
    for line in lines {
        let key = without_id(&line.text);
        match folded.last_mut() {
            Some((_, known, times, last)) if *known == key => {
                *times += 1;
                *last = line.time;
            }
            _ => {
                let time = line.time;
                folded.push((line, key, 1, time));
            }
        }
    }
    folded
        .into_iter()
        .map(|(mut line, _, times, last)| {
            if times > 1 {
                line.text += &format!(" ({times} times, until +{:.3})", last.as_secs_f64());
            }
            line
        })
        .collect()
}

/// Removes identifiers, which increase with each retransmission.
fn without_id(text: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        let is_number = words.last() == Some(&"id");
        words.push(if is_number { "" } else { word });
    }
    words.join(" ")
}

/// One line for each layer that worked.
fn worked(facts: &Facts) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |at: At, layer: Layer, text: String| {
        if let (Some(frame), Some(time)) = (at.frame, at.time) {
            lines.push(Line { time, frame, layer, text });
        }
    };
    if let Some(seen) = &facts.tcp.connect
        && let Connect::Open { after } = seen.what
    {
        let port = facts.tcp.server.map_or(1723, |server| server.port());
        add(seen.at, Layer::Control, format!("TCP {port} open in {} ms", after.as_millis()));
    }
    if let Some(seen) = &facts.control.reply {
        let names = [("vendor", &seen.what.vendor), ("host", &seen.what.host)];
        let names: Vec<String> = names
            .into_iter()
            .filter(|(_, name)| !name.is_empty())
            .map(|(what, name)| format!("{what} \"{name}\""))
            .collect();
        let version = seen.what.version;
        let text = format!("server: PPTP {}.{} {}", version >> 8, version & 0xff, names.join(" "));
        add(seen.at, Layer::Control, text.trim_end().to_owned());
    }
    if let Some(seen) = facts.call.reply.as_ref().filter(|seen| seen.what.result == 1) {
        let id = |id: Option<u16>| id.map_or("?".to_owned(), |id| id.to_string());
        let ids = format!("call {} ↔ {}", id(facts.call.client_id), id(facts.call.server_id));
        add(seen.at, Layer::Control, ids);
    }
    let firsts = [&facts.gre.to_server.first, &facts.gre.to_client.first];
    if let [Some(one), Some(other)] = firsts {
        let later = if one.at.frame > other.at.frame { one } else { other };
        add(later.at, Layer::Gre, "both ways".to_owned());
    }
    link(facts, &mut add);
    if let Some(seen) = &facts.address.opened {
        let address = facts.address.assigned.as_ref().map_or("?".to_owned(), |seen| seen.what.to_string());
        let mut text = format!("address {address}");
        if let Some(peer) = &facts.address.peer {
            text += &format!(", peer {}", peer.what);
        }
        if let Some(dns) = facts.address.dns.as_ref().filter(|dns| !dns.what.is_empty()) {
            let dns: Vec<String> = dns.what.iter().map(ToString::to_string).collect();
            text += &format!(", dns {}", dns.join(" "));
        }
        add(seen.at, Layer::Address, text);
    }
    lines
}

/// LCP, login and encryption.
fn link(facts: &Facts, add: &mut impl FnMut(At, Layer, String)) {
    if let Some(seen) = &facts.lcp.opened {
        let mru = |mru: Option<u16>| mru.unwrap_or(1500);
        let mut text = format!("open, mru {} / {}", mru(facts.lcp.client_mru), mru(facts.lcp.server_mru));
        if let Some(method) = &facts.auth.agreed {
            text += &format!(", the server wants {}, the client agreed", method.what);
        }
        add(seen.at, Layer::Lcp, text);
    }
    if let Some(seen) = facts.auth.login.as_ref().filter(|seen| seen.what.verdict == LoginVerdict::Accepted) {
        let method = facts.auth.agreed.as_ref().map_or("login".to_owned(), |method| method.what.to_string());
        let user = facts.auth.user.as_ref().map_or(String::new(), |user| format!(" as \"{user}\""));
        add(seen.at, Layer::Auth, format!("{method}{user}: accepted"));
    }
    if let Some(seen) = &facts.encrypt.opened {
        let bits = |bits: &Option<Seen<adit_doctor::facts::Bits>>| {
            bits.as_ref().map_or("nothing".to_owned(), |bits| bits.what.to_string())
        };
        let (one, other) = (bits(&facts.encrypt.client_agreed), bits(&facts.encrypt.server_agreed));
        let text = if one == other { format!("mppe {one}") } else { format!("mppe {one} / {other}") };
        add(seen.at, Layer::Encrypt, text);
    }
}

/// Remarks that have no code.
pub(super) fn remarks(conversation: &Conversation, call: usize, facts: &Facts) -> Vec<String> {
    let mut remarks = Vec::new();
    let time = |at: At| at.time.unwrap_or_default();
    let granted = facts.call.reply.as_ref().map(|seen| time(seen.at));
    if let (Some(granted), Some(opened)) = (granted, facts.lcp.opened.as_ref()) {
        let took = time(opened.at).saturating_sub(granted);
        if took >= SLOW {
            let first = first_request_lost(conversation, call);
            let why = first.map_or(String::new(), |(side, frame)| {
                format!(": the first Configure-Request of the {side} (frame {frame}) was not answered")
            });
            remarks.push(format!("slow start: LCP took {:.1} s{why}", took.as_secs_f64()));
        }
    }
    let ipcp_refused = steps(conversation, call).find(|step| {
        matches!(&step.what, Event::Ppp { protocol: ppp::IPCP, information, .. }
            if information.first() == Some(&cp::TERMINATE_ACK))
    });
    if let (Some(step), Some(opened)) = (ipcp_refused, &facts.address.opened) {
        let took = time(opened.at).saturating_sub(step.time.saturating_sub(conversation.began()));
        if took >= SLOW && opened.at.frame > Some(step.frame) {
            remarks.push(format!(
                "slow start: the server let IPCP wait until encryption was up (frame {}), {:.1} s; normal",
                step.frame,
                took.as_secs_f64()
            ));
        }
    }
    let Some(of) = conversation.calls.get(call) else { return remarks };
    let hostile = steps(conversation, call).find(|step| is_long_eap(step));
    if let Some(step) = hostile {
        remarks.push(format!(
            "hostile: an EAP-MD5 request with a name far too long (frame {}), the attack of CVE-2020-8597",
            step.frame
        ));
    }
    if of.to_server.defects + of.to_client.defects > 0 {
        let packets = of.to_server.defects + of.to_client.defects;
        remarks.push(format!("{packets} GRE packets break a rule of RFC 2637 in their header"));
    }
    if conversation.stream.is_none() {
        remarks.push(
            "the control connection is not in the file: nothing can be said of how the call was set up"
                .to_owned(),
        );
    } else if !conversation.from_the_beginning {
        remarks.push("the beginning of the control connection is not in the file".to_owned());
    }
    if of.is_up && of.to_server.packets + of.to_client.packets == 0 {
        remarks.push("no GRE of this call is in the file: it was not captured, or none was sent".to_owned());
    }
    if facts.address.opened.is_some() && facts.address.dns.is_none() {
        remarks.push("the client asked for no DNS server, and was given none".to_owned());
    }
    remarks.extend(password(of));
    if conversation.steps.omitted() > 0 {
        remarks.push(format!("{} steps in the middle are not kept", conversation.steps.omitted()));
    }
    remarks
}

/// The result of decryption with a password.
fn password(call: &adit_capture::conversation::Call) -> Option<String> {
    use adit_capture::conversation::Checked;
    Some(match call.open.checked? {
        Checked::Right { frame } if call.open.opened > 0 => format!(
            "the password is right (frame {frame}); {} packets decrypted, {} not",
            call.open.opened, call.open.closed
        ),
        Checked::Right { frame } => {
            format!("the password is right (frame {frame}); there was nothing to decrypt")
        }
        Checked::Wrong { frame } => {
            format!("the password is not the one the client used (frame {frame}): nothing is decrypted")
        }
        Checked::OtherUser { frame } => {
            format!("this call is of another user (frame {frame}): the password was not tried")
        }
    })
}

/// EAP-MD5 with a name of more than 200 octets: no name is that long, and it overflows a buffer of old pppd versions.
fn is_long_eap(step: &Step) -> bool {
    const NAME_MAX: usize = 200;
    let Event::Ppp { protocol: ppp::EAP, information, .. } = &step.what else { return false };
    // Code, identifier, length; type 4 (MD5-Challenge), size of the value, value, name.
    let value = usize::from(information.get(5).copied().unwrap_or_default());
    matches!(information.first(), Some(1 | 2))
        && information.get(4) == Some(&4)
        && information.len().saturating_sub(6 + value) > NAME_MAX
}

/// The side whose first LCP request was not answered before it was retransmitted.
fn first_request_lost(conversation: &Conversation, call: usize) -> Option<(Side, u64)> {
    [(By::Client, Side::Client), (By::Server, Side::Server)].into_iter().find_map(|(by, side)| {
        let mut lcp = steps(conversation, call).filter_map(|step| match &step.what {
            Event::Ppp { protocol: ppp::LCP, information, .. } => Some((step, information.first().copied()?)),
            _ => None,
        });
        let (first, _) = lcp.find(|(step, code)| step.by == by && *code == cp::CONFIGURE_REQUEST)?;
        let (next, _) = lcp.find(|(step, code)| match *code {
            cp::CONFIGURE_REQUEST => step.by == by,
            cp::CONFIGURE_ACK | cp::CONFIGURE_NAK | cp::CONFIGURE_REJECT => step.by != by,
            _ => false,
        })?;
        let waited = next.time.saturating_sub(first.time);
        (waited >= SLOW).then_some((side, first.frame))
    })
}
