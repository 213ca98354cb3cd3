//! A DNS query for an A record (RFC 1035), by its octets.

/// The port of DNS servers.
pub(crate) const PORT: u16 = 53;
const RECURSION_DESIRED: u16 = 0x0100;
const A: u16 = 1;
const IN: u16 = 1;
const LABEL_MAX: usize = 63;
const NAME_MAX: usize = 253;

/// The query for the IPv4 addresses of `name`; `None` when that is no valid name.
pub fn query(id: u16, name: &str) -> Option<Vec<u8>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > NAME_MAX || !name.is_ascii() {
        return None;
    }
    let mut octets = Vec::with_capacity(name.len() + 18);
    for half in [id, RECURSION_DESIRED, 1, 0, 0, 0] {
        octets.extend_from_slice(&half.to_be_bytes());
    }
    for label in name.split('.') {
        if label.is_empty() || label.len() > LABEL_MAX {
            return None;
        }
        octets.push(label.len() as u8);
        octets.extend_from_slice(label.as_bytes());
    }
    octets.push(0);
    octets.extend_from_slice(&A.to_be_bytes());
    octets.extend_from_slice(&IN.to_be_bytes());
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_can_be_parsed() {
        let octets = query(0x1234, "intranet.corp.example.org.").unwrap();
        let read = adit_capture::Dns::read(&octets).unwrap();
        assert_eq!((read.id, read.kind, read.is_response), (0x1234, 1, false));
        assert_eq!(read.name, "intranet.corp.example.org");
    }

    #[test]
    fn an_invalid_name_is_refused() {
        for name in ["", ".", "a..b", &"x".repeat(64), &"x.".repeat(130), "ü.example"] {
            assert_eq!(query(1, name), None, "{name}");
        }
    }
}
