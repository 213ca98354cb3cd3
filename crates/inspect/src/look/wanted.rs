//! The match of a firewall rule that would let packets of a call pass.

use ipnet::Ipv4Net;

/// The packets that a new rule must accept.
pub(super) enum Wanted<'a> {
    /// TCP to this port of this host.
    ToPort(u16),
    /// TCP from this port of this host.
    FromPort(u16),
    /// GRE.
    Gre,
    /// Packets that arrive on this interface and are forwarded.
    In(&'a str),
    /// Packets that are forwarded to this interface.
    Out(&'a str),
    /// Packets that are forwarded to this network.
    To(Ipv4Net),
}

impl Wanted<'_> {
    pub(super) fn is_forwarded(&self) -> bool {
        matches!(self, Wanted::In(_) | Wanted::Out(_) | Wanted::To(_))
    }

    /// The match of a rule of nft(8).
    pub(super) fn nft(&self) -> String {
        match self {
            Wanted::ToPort(port) => format!("tcp dport {port}"),
            Wanted::FromPort(port) => format!("tcp sport {port}"),
            Wanted::Gre => "meta l4proto 47".to_owned(),
            Wanted::In(interface) => format!("iifname \"{interface}\""),
            Wanted::Out(interface) => format!("oifname \"{interface}\""),
            Wanted::To(net) => format!("ip daddr {net}"),
        }
    }

    /// The match of a rule of iptables(8).
    pub(super) fn iptables(&self) -> String {
        match self {
            Wanted::ToPort(port) => format!("-p tcp --dport {port}"),
            Wanted::FromPort(port) => format!("-p tcp --sport {port}"),
            Wanted::Gre => "-p 47".to_owned(),
            Wanted::In(interface) => format!("-i {interface}"),
            Wanted::Out(interface) => format!("-o {interface}"),
            Wanted::To(net) => format!("-d {net}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_packets_has_a_match_in_both_languages() {
        let net = "192.168.10.0/24".parse().unwrap();
        for (wanted, nft, iptables) in [
            (Wanted::ToPort(1723), "tcp dport 1723", "-p tcp --dport 1723"),
            (Wanted::FromPort(1723), "tcp sport 1723", "-p tcp --sport 1723"),
            (Wanted::Gre, "meta l4proto 47", "-p 47"),
            (Wanted::In("adit0"), "iifname \"adit0\"", "-i adit0"),
            (Wanted::Out("adit0"), "oifname \"adit0\"", "-o adit0"),
            (Wanted::To(net), "ip daddr 192.168.10.0/24", "-d 192.168.10.0/24"),
        ] {
            assert_eq!((wanted.nft().as_str(), wanted.iptables().as_str()), (nft, iptables));
        }
    }
}
