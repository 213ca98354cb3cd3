//! Texts of records in short: what they often say is one octet.

/// What stands for phrase `n` is the octet `128 + n`. Longer ones first: the first that fits is taken.
const PHRASES: &[&str] = &[
    " version 1.0 framing either bearer either channels 0 firmware ",
    " bps 300 to 100000000 bearer either framing either window ",
    "Start-Control-Connection-Request",
    "Start-Control-Connection-Reply",
    "Stop-Control-Connection-Request",
    "Stop-Control-Connection-Reply",
    " (held until there is an address)",
    " cause 0 speed 100000000 window ",
    "Call-Disconnect-Notify",
    "Outgoing-Call-Request",
    "gre ok: the peer's GRE arrives",
    "with proof, \"Access granted\"",
    "Outgoing-Call-Reply",
    "Configure-Request id ",
    "Configure-Reject id ",
    "Terminate-Request id ",
    "Call-Clear-Request",
    ", auth mschap-v2",
    "Configure-Ack id ",
    "Configure-Nak id ",
    "Terminate-Ack id ",
    "Protocol-Reject id ",
    ": mppe 128 stateless",
    "mppe 128 stateless",
    " result connected call ",
    "call accepted as ",
    ", dns1 0.0.0.0",
    ", dns2 0.0.0.0",
    ": address 0.0.0.0",
    "address ok: local ",
    "control ok: call ",
    "auth ok: mschap-v2 as ",
    "encrypt ok: ",
    " result success",
    " peer's call ",
    " octets, name ",
    " octets from ",
    "Set-Link-Info",
    "Challenge id ",
    "Response id ",
    "Success id ",
    ": address ",
    ": mru 1400",
    ", magic ",
    " serial ",
    " vendor ",
    " delay 0",
    " window ",
    "lcp ok: ",
    " peer ",
    " host ",
    " call ",
    " here, ",
    " there",
    ", dns1 ",
    ", dns2 ",
    "mru ",
    "10.",
    "192.168.",
    ".0.",
    "id ",
    ": ",
    ", ",
];
/// In front of an octet that would else stand for a phrase, or be this one.
const LITERAL: u8 = 1;

/// The text in short.
pub(crate) fn shorten(text: &str) -> Vec<u8> {
    let mut short = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    'text: while let Some((first, behind)) = rest.split_first() {
        for (phrase, code) in PHRASES.iter().zip(128u8..) {
            if phrase.as_bytes().first() == Some(first)
                && let Some(behind) = rest.strip_prefix(phrase.as_bytes())
            {
                short.push(code);
                rest = behind;
                continue 'text;
            }
        }
        if *first == LITERAL || *first >= 128 {
            short.push(LITERAL);
        }
        short.push(*first);
        rest = behind;
    }
    short
}

/// The text again.
pub(crate) fn lengthen(short: &[u8]) -> String {
    let mut text = Vec::with_capacity(short.len() * 3);
    let mut octets = short.iter();
    while let Some(octet) = octets.next() {
        match octet.checked_sub(128) {
            Some(code) => {
                text.extend_from_slice(
                    PHRASES.get(usize::from(code)).copied().unwrap_or_default().as_bytes(),
                );
            }
            None if *octet == LITERAL => text.extend(octets.next()),
            None => text.push(*octet),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        assert!(PHRASES.len() <= 128);
        let all = PHRASES.concat();
        let texts = [
            "",
            "Configure-Request id 1: mru 1400, auth mschap-v2, magic 29cf4950",
            "Outgoing-Call-Reply result connected call 7852 peer's call 2483 cause 0 speed 100000000 window 64 delay 0",
            "nothing of this \u{1}\u{0}\u{80}\u{e4}\u{20ac}\u{10ffff} Configur",
            all.as_str(),
        ];
        for text in texts {
            assert_eq!(lengthen(&shorten(text)), text);
        }
        assert!(shorten(texts[1]).len() * 3 < texts[1].len());
    }

    #[test]
    fn any_octets_can_be_read() {
        for high in 0..=255u8 {
            for low in 0..=255u8 {
                let _ = lengthen(&[high, low]);
            }
        }
    }
}
