//! Prints a capture file as adit reads it: `cargo run -p adit-capture --example packets -- FILE...`

use std::fs::File;
use std::io::Read as _;

use adit_capture::{Item, Reader};

fn main() -> std::io::Result<()> {
    for name in std::env::args().skip(1) {
        let mut file = File::open(&name)?;
        let mut reader = Reader::default();
        let mut buffer = vec![0; 64 * 1024];
        let mut first = None;
        loop {
            let len = file.read(&mut buffer)?;
            if len == 0 {
                reader.finish();
            }
            let mut rest = &buffer[..len];
            loop {
                let taken = reader.push(rest);
                rest = &rest[taken..];
                while let Some(item) = reader.poll() {
                    match item {
                        Item::Packet(packet) => {
                            let first = *first.get_or_insert(packet.time);
                            println!("+{:.6} {packet}", packet.time.saturating_sub(first).as_secs_f64());
                        }
                        Item::Note(note) => println!("note {note}"),
                    }
                }
                if rest.is_empty() {
                    break;
                }
            }
            if len == 0 {
                break;
            }
        }
        println!("{:#?}", reader.summary());
    }
    Ok(())
}
