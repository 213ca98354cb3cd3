//! Prints a capture file as adit reads it: `cargo run -p adit-capture --example packets -- FILE...`

use std::fs::File;
use std::io::Read as _;

use adit_capture::{Item, Reader};

fn main() -> std::io::Result<()> {
    for name in std::env::args().skip(1) {
        let mut file = File::open(&name)?;
        let mut reader = Reader::default();
        let mut first = None;
        let mut show = |item| match item {
            Item::Packet(packet) => {
                let first = *first.get_or_insert(packet.time);
                println!("+{:.6} {packet}", packet.time.saturating_sub(first).as_secs_f64());
            }
            Item::Note(note) => println!("note {note}"),
        };
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let len = file.read(&mut buffer)?;
            if len == 0 {
                break;
            }
            reader.feed(&buffer[..len], &mut show);
        }
        reader.finish();
        std::iter::from_fn(|| reader.poll()).for_each(show);
        println!("{:#?}", reader.summary());
    }
    Ok(())
}
