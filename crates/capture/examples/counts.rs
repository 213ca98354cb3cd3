//! Counts what is in a capture file, or in what is piped in: `... | cargo run --release -p adit-capture --example counts`

use std::io::Read as _;

use adit_capture::Reader;

fn main() -> std::io::Result<()> {
    let mut reader = Reader::default();
    let mut buffer = vec![0; 256 * 1024];
    let mut most = 0;
    loop {
        let len = std::io::stdin().read(&mut buffer)?;
        let mut rest = &buffer[..len];
        while !rest.is_empty() {
            rest = &rest[reader.push(rest)..];
            while reader.poll().is_some() {}
            most = most.max(reader.kept());
        }
        if len == 0 {
            break;
        }
    }
    reader.finish();
    while reader.poll().is_some() {}
    println!("{:#?}\nkept at most: {most} octets", reader.summary());
    Ok(())
}
