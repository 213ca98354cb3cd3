//! Prints the conversations of a capture file: `cargo run -p adit-capture --example conversations -- FILE...`

use std::io::Read as _;
use std::time::Duration;

use adit_capture::conversation::{Conversation, Conversations};
use adit_capture::{Item, Reader};

fn main() -> std::io::Result<()> {
    for name in std::env::args().skip(1) {
        let mut file = std::fs::File::open(&name)?;
        let (mut reader, mut conversations) = (Reader::default(), Conversations::default());
        let mut take = |item| {
            match item {
                Item::Packet(packet) => conversations.take(&packet),
                Item::Note(note) => conversations.take_note(&note),
            }
            std::iter::from_fn(|| conversations.poll()).for_each(|one| show(&one));
        };
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let len = file.read(&mut buffer)?;
            if len == 0 {
                break;
            }
            reader.feed(&buffer[..len], &mut take);
        }
        reader.finish();
        std::iter::from_fn(|| reader.poll()).for_each(take);
        conversations.finish();
        std::iter::from_fn(|| conversations.poll()).for_each(|one| show(&one));
    }
    Ok(())
}

fn show(conversation: &Conversation) {
    let Conversation { client, server, ports, from_the_beginning, .. } = conversation;
    println!("{client} > {server} ports {ports:?} from the beginning: {from_the_beginning}");
    let start = conversation.steps.iter().next().map_or(Duration::ZERO, |step| step.time);
    for step in conversation.steps.iter() {
        let (at, call) = (step.time.saturating_sub(start).as_secs_f64(), step.call);
        println!("  +{at:.6} {} {} {} {step} {call:?}", step.frame, step.by, step.protocol());
    }
    for call in &conversation.calls {
        println!("  {call}");
    }
}
