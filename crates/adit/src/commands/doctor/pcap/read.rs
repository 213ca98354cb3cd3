//! Reads conversations from a file, with progress output.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use adit_capture::conversation::{Conversations, Secret};
use adit_capture::{Item, Reader};

use super::hashes::Hashes;
use super::judged::{CONVERSATIONS_MAX, NOTES_MAX, Read};
use crate::failure::Failure;
use crate::output::Output;

const PIECE: usize = 1 << 20;
/// Progress is shown from this size on, or if the size is unknown.
const LARGE: u64 = 32 << 20;
/// Interval of progress output, on a terminal and otherwise.
const OFTEN: Duration = Duration::from_millis(250);
const SELDOM: Duration = Duration::from_secs(5);
const MB: u64 = 1_000_000;

/// Parses capture data, and keeps what the verdict needs.
pub(super) struct Reading {
    reader: Reader,
    conversations: Conversations,
    hashes: Option<Hashes>,
    read: Read,
}

impl Reading {
    pub(super) fn new(secret: Option<Secret>, with_hashes: bool) -> Reading {
        let conversations = secret.map_or_else(Conversations::default, Conversations::with_secret);
        let hashes = with_hashes.then(Hashes::default);
        Reading { reader: Reader::default(), conversations, hashes, read: Read::default() }
    }

    pub(super) fn feed(&mut self, octets: &[u8]) {
        let Reading { reader, conversations, hashes, read } = self;
        reader.feed(octets, |item| take(conversations, hashes.as_mut(), read, item));
    }

    /// Number of control connections and calls so far.
    pub(super) fn seen(&self) -> (usize, u64) {
        (self.conversations.len() + self.read.conversations.len(), self.reader.summary().frames)
    }

    pub(super) fn finish(mut self) -> Read {
        self.reader.finish();
        while let Some(item) = self.reader.poll() {
            take(&mut self.conversations, self.hashes.as_mut(), &mut self.read, item);
        }
        self.conversations.finish();
        drain(&mut self.conversations, &mut self.read);
        self.read.summary = self.reader.summary().clone();
        self.read.lookups = self.conversations.lookups().clone();
        self.read.hashes = self.hashes.map(Hashes::lines).unwrap_or_default();
        self.read
    }
}

fn take(conversations: &mut Conversations, hashes: Option<&mut Hashes>, read: &mut Read, item: Item) {
    match item {
        Item::Packet(packet) => {
            if let Some(hashes) = hashes {
                hashes.take(&packet);
            }
            conversations.take(&packet);
        }
        Item::Note(note) => {
            conversations.take_note(&note);
            if read.notes.len() < NOTES_MAX {
                read.notes.push(note);
            } else {
                read.notes_left_out += 1;
            }
        }
    }
    drain(conversations, read);
}

fn drain(conversations: &mut Conversations, read: &mut Read) {
    while let Some(conversation) = conversations.poll() {
        if read.conversations.len() < CONVERSATIONS_MAX {
            read.conversations.push(conversation);
            continue;
        }
        read.left_out += 1;
        // A port scan must not displace a call; of many calls the first and the last are kept.
        let idle = read.conversations.iter().rposition(|kept| !kept.has_substance());
        if conversation.has_substance() {
            read.conversations.remove(idle.unwrap_or(CONVERSATIONS_MAX / 2));
            read.conversations.push(conversation);
        }
    }
}

/// Reads a file, or stdin for `-`.
pub(super) fn file(path: &Path, reading: &mut Reading, output: &Output) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::io("reading", path, &error);
    let (mut source, size): (Box<dyn std::io::Read>, Option<u64>) = if path.as_os_str() == "-" {
        (Box::new(std::io::stdin().lock()), None)
    } else {
        let file = File::open(path).map_err(failed)?;
        let size = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|data| data.len());
        (Box::new(file), size)
    };
    let mut progress = Progress::new(size, output.quiet || !output.is_text());
    let mut buffer = vec![0; PIECE];
    loop {
        let len = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => len,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        reading.feed(buffer.get(..len).unwrap_or_default());
        progress.step(len as u64, reading);
    }
    progress.end();
    Ok(())
}

/// Progress output on stderr.
struct Progress {
    size: Option<u64>,
    done: u64,
    is_quiet: bool,
    is_terminal: bool,
    next: Instant,
    has_line: bool,
}

impl Progress {
    fn new(size: Option<u64>, is_quiet: bool) -> Progress {
        let is_terminal = std::io::stderr().is_terminal();
        let is_small = size.is_some_and(|size| size < LARGE);
        let next = Instant::now() + if is_terminal { OFTEN } else { Duration::from_secs(1) };
        Progress { size, done: 0, is_quiet: is_quiet || is_small, is_terminal, next, has_line: false }
    }

    fn step(&mut self, len: u64, reading: &Reading) {
        self.done += len;
        if self.is_quiet || Instant::now() < self.next {
            return;
        }
        let (conversations, frames) = reading.seen();
        let part = match self.size {
            Some(size) if size > 0 => {
                format!("{} of {} MB, {} %", self.done / MB, size / MB, self.done * 100 / size)
            }
            _ => format!("{} MB", self.done / MB),
        };
        let plural = if conversations == 1 { "" } else { "s" };
        let text = format!("reading  {part}; {frames} packets, {conversations} control connection{plural}");
        let mut stderr = std::io::stderr();
        // If stderr is closed, progress is not wanted.
        let _ = if self.is_terminal { write!(stderr, "\r{text:<78}") } else { writeln!(stderr, "{text}") };
        self.has_line = self.is_terminal;
        self.next = Instant::now() + if self.is_terminal { OFTEN } else { SELDOM };
    }

    fn end(self) {
        if self.has_line {
            let _ = write!(std::io::stderr(), "\r{:<78}\r", "");
        }
    }
}
