//! The octet stream of a control connection, however it is cut into segments.

use adit_wire::pptp::{BUFFER_MAX, Frame, Framer, Message};

use crate::input::Input;

/// The first octet decides how the rest is cut. Cutting never changes what is read.
pub(crate) fn control_stream(data: &[u8]) {
    let mut input = Input::new(data);
    let segment = usize::from(input.u8()).max(1);
    let stream = input.rest();
    let whole = frames(stream, stream.len().max(1));
    let cut = frames(stream, segment);
    assert_eq!(whole, cut, "segments of {segment} octets read differently");
}

fn frames(stream: &[u8], segment: usize) -> Vec<Result<Frame, adit_wire::Error>> {
    let mut framer = Framer::default();
    let mut found = Vec::new();
    for mut piece in stream.chunks(segment) {
        while !piece.is_empty() {
            let taken = framer.push(piece);
            assert!(taken > 0, "the framer takes nothing: {} pending", framer.pending().len());
            assert!(framer.pending().len() <= BUFFER_MAX);
            piece = &piece[taken..];
            while let Some(frame) = framer.next_frame() {
                if let Ok(Frame::Message(message)) = &frame {
                    same_again(message);
                }
                if let Err(error) = &frame {
                    let _ = error.to_string();
                }
                found.push(frame);
            }
        }
    }
    found
}

fn same_again(message: &Message) {
    let octets = message.to_octets();
    assert_eq!(octets.len(), message.message_type().size());
    assert_eq!(Message::parse(&octets).as_ref(), Ok(message), "read, written, read again");
    let line = message.to_string();
    assert!(
        line.len() < 2048 && !line.contains(char::is_control),
        "a control character or too long: {line:?}"
    );
}
