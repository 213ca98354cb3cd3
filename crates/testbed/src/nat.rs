//! A NAT router between a private network and the Internet, with the faults that such routers have.

use crate::host::Host;

/// The support of the router for PPTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helper {
    /// It reads the control connection and translates Call IDs (nf_nat_pptp), as "PPTP passthrough" does.
    Pptp,
    /// None: GRE is distinguished by addresses alone.
    None,
}

/// A host that forwards and translates addresses. Give it two wires, then [`Nat::start`].
#[derive(Debug)]
pub struct Nat {
    /// The router itself.
    pub host: Host,
    outside: String,
}

impl Nat {
    /// Makes `host` translate everything that leaves through `outside` to the address of that interface.
    ///
    /// # Panics
    /// When this kernel has no NAT, or no PPTP helper where one is requested.
    #[track_caller]
    pub fn start(host: Host, outside: &str, helper: Helper) -> Nat {
        host.sysctl("net.ipv4.ip_forward", "1");
        if helper == Helper::Pptp {
            let loaded = host.try_sh(
                "nft -f - <<'END'\n\
                 table ip helper {\n\
                     ct helper pptp { type \"pptp\" protocol tcp; }\n\
                     chain prerouting { type filter hook prerouting priority 0; tcp dport 1723 ct helper set \"pptp\"; }\n\
                 }\nEND",
            );
            assert!(loaded.ok, "this test needs a kernel with nf_conntrack_pptp and nf_nat_pptp:\n{loaded}");
        }
        host.nft(&format!(
            "table ip nat {{\n\
                 chain postrouting {{ type nat hook postrouting priority 100; oifname \"{outside}\" masquerade; }}\n\
             }}\n\
             table ip firewall {{\n\
                 chain forward {{ type filter hook forward priority 0; policy accept; }}\n\
             }}"
        ));
        Nat { host, outside: outside.to_owned() }
    }

    /// Drops everything from outside that does not belong to a connection begun inside, as home routers do.
    pub fn close_outside(&self) {
        let outside = &self.outside;
        self.rule(&format!("iifname \"{outside}\" ct state established,related accept"));
        self.rule(&format!("iifname \"{outside}\" drop"));
    }

    /// Drops GRE that leaves for the outside.
    pub fn drop_gre_out(&self) {
        self.rule(&format!("oifname \"{}\" ip protocol 47 counter drop", self.outside));
    }

    /// Drops GRE that arrives from the outside.
    pub fn drop_gre_in(&self) {
        self.rule(&format!("iifname \"{}\" ip protocol 47 counter drop", self.outside));
    }

    /// Drops ICMP "fragmentation needed": the black hole of path MTU discovery.
    pub fn drop_too_large(&self) {
        self.rule("icmp type destination-unreachable icmp code frag-needed drop");
    }

    /// Adds a rule to the forward chain.
    #[track_caller]
    pub fn rule(&self, rule: &str) {
        self.host.nft(&format!("add rule ip firewall forward {rule}"));
    }

    /// Removes the rules of the forward chain.
    #[track_caller]
    pub fn clear_rules(&self) {
        self.host.nft("flush chain ip firewall forward");
    }

    /// The connection table, one entry a line (`nft` cannot list it; the kernel's file can).
    pub fn connections(&self) -> String {
        self.host.try_sh("cat /proc/net/nf_conntrack 2>/dev/null || conntrack -L").stdout
    }
}
