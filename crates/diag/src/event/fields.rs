//! How the facts of an event are shown: `key=value`.

use core::fmt;
use core::time::Duration;

use super::{Ended, EventFacts, Failed};
use crate::note::{Finding, Why};
use crate::{AuthMethod, Code};

impl EventFacts {
    /// What they are for people, in the order in which they are shown. The code of the event is first where it is
    /// named by the word of its layer, for those who do not know the letters.
    pub fn fields(&self, code: Option<Code>) -> Vec<(String, String)> {
        let mut fields = Fields(Vec::new());
        fields.put("layer", code.map(|code| code.layer().word()));
        match self {
            EventFacts::ServerStart
            | EventFacts::ServerStop
            | EventFacts::ServerDrain
            | EventFacts::ServerUndrain
            | EventFacts::ConfigReload => {}
            EventFacts::ConfigFail(failed) => {
                fields.put("detail", Some(&failed.detail));
                let sessions: Vec<String> = failed.sessions.iter().map(ToString::to_string).collect();
                fields.put("sessions", (!sessions.is_empty()).then(|| sessions.join(", ")));
                fields.put("more", (failed.omitted > 0).then_some(failed.omitted));
            }
            EventFacts::ServerFault(fault) | EventFacts::ServerRepair(fault) => {
                fields.put("what", Some(fault.part.word()));
                fields.put("detail", Some(&fault.detail));
                fields.put("after_s", fault.lasted_s);
            }
            EventFacts::CallFlood { refused } => fields.put("refused", Some(refused)),
            EventFacts::CallFail(failed) | EventFacts::CallEnd(failed) | EventFacts::AuthFail(failed) => {
                failed.show(&mut fields);
            }
            EventFacts::SessionUp(up) => {
                fields.put("address", Some(up.address));
                fields.put("method", Some(up.method.map(AuthMethod::word).unwrap_or_default()));
                fields.put("mppe", Some(up.mppe));
                let took = Duration::from_millis(up.took_ms);
                fields.put("took_s", Some(format_args!("{:.3}", took.as_secs_f64())));
            }
            EventFacts::SessionEnd(ended) => ended.show(&mut fields),
            EventFacts::SessionForged { frames } => fields.put("frames", Some(frames)),
            EventFacts::SessionUnanswered { sent, seconds } => {
                fields.put("sent", Some(sent));
                fields.put("seconds", Some(seconds));
            }
            EventFacts::GreFlood { per_second } => fields.put("per_second", Some(per_second)),
            EventFacts::AclDeny(matched) | EventFacts::AclAllow(matched) => {
                fields.put("key", Some(&matched.key));
                fields.put("rule", Some(&matched.rule));
                fields.put("packets", Some(matched.packets));
                fields.put("last", matched.last);
            }
            EventFacts::UserAdd(changed)
            | EventFacts::UserSet(changed)
            | EventFacts::UserRemove(changed)
            | EventFacts::UserPasswd(changed)
            | EventFacts::UserEnable(changed)
            | EventFacts::UserDisable(changed)
            | EventFacts::UserUnlock(changed) => {
                fields.0.extend(changed.changes.iter().cloned());
                fields.put("by", Some(&changed.by));
            }
            EventFacts::AccountLocked { lasts_s } => fields.put("lasts_s", Some(lasts_s)),
            EventFacts::AddressBanned(banned) => {
                fields.put("network", Some(banned.network));
                fields.put("lasts_s", Some(banned.lasts_s));
                fields.put("by", banned.by.as_ref());
                fields.put("reason", Some(&banned.reason).filter(|reason| !reason.is_empty()));
            }
            EventFacts::AddressUnbanned(unbanned) => {
                fields.put("network", Some(unbanned.network));
                fields.put("by", Some(&unbanned.by));
            }
            EventFacts::AddressReleased { address, pool, by } => {
                fields.put("address", Some(address));
                fields.put("pool", Some(pool));
                fields.put("by", Some(by));
            }
        }
        fields.0
    }
}

/// Keys and values for people.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn put(&mut self, key: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.0.push((key.to_owned(), value.to_string()));
        }
    }

    fn put_findings(&mut self, findings: &[Finding]) {
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code().as_str()).collect();
        self.put("findings", (!codes.is_empty()).then(|| codes.join(",")));
    }
}

impl Failed {
    fn show(&self, fields: &mut Fields) {
        fields.put("why", self.why.map(Why::word));
        if let Some(after) = self.after_ms.map(Duration::from_millis) {
            fields.put("after_s", Some(format_args!("{:.1}", after.as_secs_f64())));
        }
        fields.put("detail", Some(&self.cause).filter(|cause| !cause.is_empty()));
        fields.put("vendor", Some(&self.vendor).filter(|vendor| !vendor.is_empty()));
        fields.put_findings(&self.findings);
    }
}

impl Ended {
    fn show(&self, fields: &mut Fields) {
        fields.put("why", Some(self.why.word()));
        fields.put("up_s", Some(self.up_s));
        fields.put("rx", Some(self.rx_bytes));
        fields.put("tx", Some(self.tx_bytes));
        fields.put("detail", Some(&self.cause).filter(|cause| !cause.is_empty()));
        fields.put_findings(&self.findings);
    }
}
