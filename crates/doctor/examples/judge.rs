//! Judges the calls of a capture file, in short: `cargo run -p adit-doctor --example judge -- FILE [PASSWORD [NAME]]`

use adit_capture::conversation::{Conversations, Secret};
use adit_capture::{Item, Reader};
use adit_crypto::secret::Password;
use adit_doctor::from::capture;
use adit_doctor::{judge, text};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = std::fs::read(arguments.next().unwrap_or_default())?;
    let password = arguments.next().map(Password::new);
    let name = arguments.next();
    let mut conversations = password.map_or_else(Conversations::default, |password| {
        Conversations::with_secret(Secret { user: None, password })
    });
    let mut reader = Reader::default();
    let mut take = |item| match item {
        Item::Packet(packet) => conversations.take(&packet),
        Item::Note(note) => conversations.take_note(&note),
    };
    reader.feed(&file, &mut take);
    reader.finish();
    std::iter::from_fn(|| reader.poll()).for_each(take);
    conversations.finish();
    let mut facts = Vec::new();
    while let Some(conversation) = conversations.poll() {
        for call in 0..conversation.calls.len().max(1) {
            facts.push(capture::facts(&conversation, call, capture::vantage(&conversation).0));
        }
    }
    if facts.is_empty()
        && let Some(name) = name
    {
        facts.extend(capture::facts_of_name(conversations.lookups(), &name));
    }
    for one in &facts {
        let verdict = judge(one);
        let code = verdict.first_failure.map_or("-".to_owned(), |code| code.to_string());
        let findings: Vec<_> = verdict.findings.iter().map(|finding| format!("+{}", finding.code)).collect();
        println!("{code} {} {} | {}", findings.join(" "), verdict.vantage.word(), verdict.headline);
        if std::env::var_os("WHY").is_some() {
            println!("{verdict}\n{}\n{one:#?}", text::why(&verdict));
        }
    }
    Ok(())
}
