//! Output of the verdict, as text and as a document.

use std::fmt::Write as _;
use std::time::Duration;

use adit_capture::conversation::Conversation;
use adit_doctor::{Outcome, text};
use jiff::Timestamp;

use super::super::args::Args;
use super::super::json;
use super::judged::{Judged, Read};
use super::timeline::{self, Line};
use crate::document::Utc;
use crate::failure::Failure;
use crate::output::Output;
use crate::style::Tone;

/// Maximum number of calls listed; of more, those that failed and the last ones.
const LINES_MAX: usize = 40;
/// Maximum number of remarks about the file shown.
const NOTES_SHOWN: usize = 5;

pub(super) fn calls(count: usize) -> String {
    match count {
        0 => "no call".to_owned(),
        1 => "1 call".to_owned(),
        count => format!("{count} calls"),
    }
}

fn packets(count: u64) -> String {
    if count == 1 { "1 packet".to_owned() } else { format!("{count} packets") }
}

pub(super) fn text(
    read: &Read,
    judged: &[Judged],
    decides: Option<usize>,
    args: &Args,
    output: &Output,
) -> Result<(), Failure> {
    let mut out = String::new();
    file(&mut out, read, judged);
    let Some(decides) = decides else {
        nothing(&mut out, read, args);
        return output.text(&out);
    };
    list(&mut out, read, judged, args, output);
    if let Some(one) = judged.get(decides) {
        detail(&mut out, read, one, decides, judged.len(), args, output);
    }
    others(&mut out, judged, decides);
    for line in &read.hashes {
        let _ = writeln!(out, "hashes        {line}");
    }
    output.text(&out)
}

/// Describes the file and its problems.
fn file(out: &mut String, read: &Read, judged: &[Judged]) {
    let summary = &read.summary;
    let span =
        summary.first.zip(summary.last).map_or(Duration::ZERO, |(first, last)| last.saturating_sub(first));
    let mut line =
        format!("{}, {:.1} s, {}", packets(summary.frames), span.as_secs_f64(), calls(judged.len()));
    let mut pairs: Vec<String> = judged
        .iter()
        .filter_map(|one| read.conversations.get(one.conversation?))
        .map(|conversation| format!("{} → {}", conversation.client, conversation.server))
        .collect();
    pairs.dedup();
    match pairs.as_slice() {
        [] => {}
        [one] => line += &format!(" ({one})"),
        [one, rest @ ..] => line += &format!(" ({one}, and {} more)", rest.len()),
    }
    text::paragraph(out, if read.is_live { "capture" } else { "file" }, &line);
    let mut places: Vec<&str> = judged.iter().map(|one| one.place.as_str()).collect();
    places.dedup();
    if let [place] = places.as_slice() {
        let vantage = judged.first().map(|one| one.verdict.vantage.word()).unwrap_or_default();
        text::paragraph(out, "", &format!("{}: {place}", where_made(vantage)));
    }
    for note in read.notes.iter().take(NOTES_SHOWN) {
        text::paragraph(out, "", &note.to_string());
    }
    let hidden = read.notes.len().saturating_sub(NOTES_SHOWN) as u64 + read.notes_left_out;
    if hidden > 0 {
        text::paragraph(out, "", &format!("and {hidden} more remarks about the file"));
    }
    if summary.cut > 0 {
        text::paragraph(
            out,
            "",
            &format!("{} packets are cut: the capture kept their beginnings only", summary.cut),
        );
    }
    if read.left_out > 0 {
        let all = read.left_out + read.conversations.len() as u64;
        let kept = read.conversations.len();
        let text = format!(
            "{all} control connections: {kept} are judged, those with messages or GRE before the others"
        );
        text::paragraph(out, "", &text);
    }
}

fn where_made(word: &str) -> &'static str {
    match word {
        "capture-near-client" => "made near the client",
        "capture-near-server" => "made near the server",
        "capture-in-the-middle" => "made between client and server",
        _ => "made at an unknown place",
    }
}

/// Reports that the file contains no PPTP.
fn nothing(out: &mut String, read: &Read, args: &Args) {
    let summary = &read.summary;
    let _ = writeln!(out);
    match &args.host {
        Some(host) if summary.has_pptp() => {
            text::wrapped(out, 0, &format!("No call to {host} in this file."))
        }
        _ => text::wrapped(out, 0, &format!("{}.", text::capital(&no_pptp(read)))),
    }
    let _ = writeln!(out);
    for (n, line) in there_is(read).iter().enumerate() {
        text::paragraph(out, if n == 0 { "There is" } else { "" }, line);
    }
    text::paragraph(out, "Next test", next(read));
}

/// Suggests what to capture instead.
fn next(read: &Read) -> &'static str {
    if read.is_live {
        return "call while it watches, on the client or the server of the call: adit doctor --capture any --seconds 300";
    }
    "a capture on the client or the server, begun before the call: tcpdump -i any -w call.pcap 'tcp port 1723 or proto 47 or icmp or port 53'"
}

fn no_pptp(read: &Read) -> String {
    // A live capture keeps only PPTP, so there may be much other traffic on the interface.
    let place = if read.is_live { "on the interface" } else { "in this file" };
    if read.summary.frames == 0 && !read.is_live {
        return format!("there is no packet {place}");
    }
    format!("no PPTP {place}: no TCP 1723, no PPTP message, no GRE version 1")
}

/// Lists the other traffic in the file.
fn there_is(read: &Read) -> Vec<String> {
    let summary = &read.summary;
    let mut lines = Vec::new();
    for ((version, protocol), count) in summary.other_gre.iter().take(4) {
        lines.push(format!(
            "GRE version {version}, protocol {protocol:#06x}, {count} packets: another tunnel, not PPTP"
        ));
    }
    if summary.ppp > 0 {
        lines
            .push(format!("PPP outside any tunnel (PPPoE, or a PPP link), {} frames: not PPTP", summary.ppp));
    }
    let failed = read.lookups.iter().filter(|lookup| {
        lookup.answer.as_ref().is_none_or(|answer| answer.addresses.is_empty())
            && matches!(lookup.kind, 1 | 28)
    });
    for lookup in failed.take(3) {
        let what = match &lookup.answer {
            None => "without an answer",
            Some(answer) if answer.rcode == 3 => "answered \"no such name\"",
            Some(_) => "answered without an address",
        };
        lines.push(format!(
            "a question for {} {what} (frame {}); if that is the server: adit doctor {} --pcap FILE",
            lookup.name, lookup.asked.0, lookup.name
        ));
    }
    lines
}

/// Prints a line for each call.
fn list(out: &mut String, read: &Read, judged: &[Judged], args: &Args, output: &Output) {
    let mut hidden = 0;
    for (at, one) in judged.iter().enumerate() {
        let is_last = judged.len() - at <= LINES_MAX / 2;
        let is_asked = args.call == Some(at + 1);
        if judged.len() > LINES_MAX && !is_last && !is_asked && at >= LINES_MAX / 2 {
            hidden += 1;
            continue;
        }
        let began = one.conversation.and_then(|at| read.conversations.get(at)).map(Conversation::began);
        let time = began.map_or(String::new(), |began| clock(began, output));
        let (tone, state) = state(one, read);
        let painted = output.paint(tone, &state);
        let _ = writeln!(out, "{:<10}{time:<15}{painted}", format!("call {}", at + 1));
    }
    if hidden > 0 {
        let _ = writeln!(out, "          {hidden} calls in the middle are left out; --json has them all");
    }
}

fn clock(time: Duration, output: &Output) -> String {
    let stamp = i64::try_from(time.as_millis()).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let text = stamp.map(|stamp| output.clock.time(stamp)).unwrap_or_default();
    format!("{text}.{:03}", time.subsec_millis())
}

/// The state of a call: `connected, 22 s, client hung up`, `FAILED at encrypt, E01`.
fn state(one: &Judged, read: &Read) -> (Tone, String) {
    if let Some(code) = one.code() {
        return (Tone::Bad, format!("FAILED at {}, {code}", code.layer().word()));
    }
    let conversation = one.conversation.and_then(|at| read.conversations.get(at));
    let length = conversation
        .map_or(0, |conversation| conversation.last_time.saturating_sub(conversation.began()).as_secs());
    match one.verdict.outcome {
        Outcome::Healthy => {
            let end = match one.facts.ending.as_ref().map(|end| &end.what) {
                Some(end) => match end.by {
                    Some(by) if end.in_order => format!("the {by} hung up"),
                    Some(by) => format!("the {by} ended it: {}", end.how),
                    None => end.how.clone(),
                },
                None => String::new(),
            };
            (Tone::Good, format!("connected, {length} s, {end}"))
        }
        Outcome::NotProvable | Outcome::Failed => (Tone::Warn, "nothing can be proven".to_owned()),
    }
}

/// Prints the deciding call: timeline, verdict, evidence.
fn detail(
    out: &mut String,
    read: &Read,
    one: &Judged,
    at: usize,
    count: usize,
    args: &Args,
    output: &Output,
) {
    let conversation = one.conversation.and_then(|at| read.conversations.get(at));
    let wants_timeline = one.verdict.outcome != Outcome::Healthy || args.call.is_some() || count == 1;
    if let Some(conversation) = conversation.filter(|_| wants_timeline) {
        let (lines, more) = timeline::lines(conversation, one.call, &one.facts, &one.verdict);
        let half = lines.len() / 2;
        for (n, line) in lines.iter().enumerate() {
            if more > 0 && n == half {
                let _ = writeln!(out, "   {more} lines are left out; --json has them all");
            }
            moment(out, line);
        }
    }
    let _ = writeln!(out);
    let verdict = &one.verdict;
    match verdict.first_failure {
        Some(code) => {
            let code_text = output.paint(Tone::Bad, code.as_str());
            let mut head = String::new();
            text::wrapped(&mut head, 5, &format!("{}.", text::capital(&verdict.headline)));
            let _ = write!(out, "{code_text}  {}", head.trim_start());
            let evidence =
                verdict.layer(code.layer()).map(|layer| layer.evidence.as_slice()).unwrap_or_default();
            for piece in evidence {
                let place = piece.at.frame.map_or(String::new(), |frame| format!("frame {frame}"));
                let text = match (piece.text == verdict.headline, place.is_empty()) {
                    (true, true) => continue,
                    (true, false) => place,
                    (false, true) => piece.text.clone(),
                    (false, false) => format!("{} ({place})", piece.text),
                };
                text::wrapped(out, 5, &text);
            }
            text::wrapped(out, 5, &format!("Confidence: {}.", sure(one)));
        }
        None => text::wrapped(out, 0, &format!("{}.", text::capital(&verdict.headline))),
    }
    let paragraphs = text::paragraphs(verdict);
    if !paragraphs.is_empty() || !one.remarks.is_empty() || count > 1 && args.call.is_none() {
        let _ = writeln!(out);
    }
    out.push_str(&paragraphs);
    for (n, remark) in one.remarks.iter().enumerate() {
        text::paragraph(out, if n == 0 { "Remarks" } else { "" }, remark);
    }
    if args.why {
        out.push_str(&text::why(verdict));
    }
    if count > 1 && args.call.is_none() {
        text::paragraph(out, "Shown", &format!("call {} of {count}; --call N shows another", at + 1));
    }
}

fn sure(one: &Judged) -> String {
    use adit_doctor::Confidence;
    match one.verdict.confidence {
        Confidence::High => "high, a positive proof".to_owned(),
        Confidence::Medium => {
            "medium, something is missing and it is known where the capture was made".to_owned()
        }
        Confidence::Low => {
            "low, something is missing and it is not known where the capture was made".to_owned()
        }
    }
}

fn moment(out: &mut String, line: &Line) {
    let letter = line.layer.letter();
    let begin = format!("   +{:<8.3} {letter}  ", line.time.as_secs_f64());
    let mut text = String::new();
    text::wrapped(&mut text, 16, &format!("{} (frame {})", line.text, line.frame));
    let _ = write!(out, "{begin}{}", text.trim_start());
}

/// Prints the findings of the other calls.
fn others(out: &mut String, judged: &[Judged], decides: usize) {
    let mut first = true;
    for (at, one) in judged.iter().enumerate().filter(|(at, _)| *at != decides).take(LINES_MAX) {
        for finding in &one.verdict.findings {
            let label = if first { "seen also" } else { "" };
            first = false;
            text::paragraph(out, label, &format!("call {}: {}  {}", at + 1, finding.code, finding.text));
        }
    }
}

/// Builds the document.
pub(super) fn document(read: &Read, judged: &[Judged], decides: Option<usize>, args: &Args) -> json::Doctor {
    let calls = judged.iter().enumerate().filter(|(at, _)| args.call.is_none_or(|call| call == at + 1));
    let mut notes: Vec<String> = read.notes.iter().map(ToString::to_string).collect();
    notes.extend(read.hashes.iter().cloned());
    let mut document = json::Doctor {
        file: Some(read.name.clone()),
        vantage: "capture".to_owned(),
        calls: Some(calls.map(|(at, one)| call(read, at, one)).collect()),
        notes,
        ..json::Doctor::default()
    };
    match decides.and_then(|at| judged.get(at)) {
        Some(one) => {
            document.vantage = one.verdict.vantage.word().to_owned();
            document.judgement = json::Judgement::of(&one.verdict);
        }
        None => {
            document.notes.push(no_pptp(read));
            document.notes.extend(there_is(read));
            document.judgement.next = vec![next(read).to_owned()];
        }
    }
    document
}

fn call(read: &Read, at: usize, one: &Judged) -> json::Call {
    let conversation = one.conversation.and_then(|at| read.conversations.get(at));
    let began = conversation.map(Conversation::began);
    let timeline = conversation.map_or_else(Vec::new, |conversation| {
        timeline::steps(conversation, one.call)
            .map(|step| json::Moment {
                t_s: step.time.saturating_sub(conversation.began()).as_secs_f64(),
                frame: step.frame,
                by: step.by.to_string(),
                layer: timeline::layer(step).word().to_owned(),
                text: step.to_string(),
            })
            .collect()
    });
    let stamp = |time: Duration| {
        let ms = i64::try_from(time.as_millis()).ok()?;
        Some(Utc(Timestamp::from_millisecond(ms).ok()?))
    };
    json::Call {
        call: at + 1,
        client: conversation.map_or(String::new(), |conversation| conversation.client.to_string()),
        server: conversation.map_or(String::new(), |conversation| conversation.server.to_string()),
        began: began.and_then(stamp),
        vantage: one.verdict.vantage.word().to_owned(),
        remarks: one.remarks.clone(),
        timeline,
        judgement: json::Judgement::of(&one.verdict),
    }
}
