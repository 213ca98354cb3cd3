//! CCP, IPCP and IPV6CP as they were agreed, while they are negotiated again because of requests that may be forged.
//!
//! On an idle link nothing tells a peer that has restarted one of them from an attacker who repeats a request for
//! seconds. So this end negotiates, and meanwhile data goes on as agreed before. A frame that decrypts then shows that the
//! peer has restarted nothing, and the agreement stays, as it does if the negotiation fails. Otherwise the new one takes
//! its place when it is complete.

use adit_wire::ppp;

use super::state::{Kept, NetworkPhase};
use crate::fsm::{ControlProtocol, Fsm};

impl Kept {
    pub(super) fn is_empty(&self) -> bool {
        self.ccp.is_none() && self.ipcp.is_none() && self.ipv6cp.is_none()
    }
}

impl NetworkPhase {
    /// Keeps a protocol as it is, if it is Opened.
    pub(super) fn keep(&mut self, protocol: u16) {
        match protocol {
            ppp::CCP => self.kept.ccp = copy(Some(&self.ccp)),
            ppp::IPCP => self.kept.ipcp = copy(self.ipcp.as_ref()),
            _ => self.kept.ipv6cp = copy(self.ipv6cp.as_deref()),
        }
        self.kept.baseline = None;
    }

    /// Handles the number of packets from the peer that were decrypted so far: one since the negotiation has begun restores
    /// what was agreed.
    pub(super) fn note_decrypted(&mut self, packets: u64) {
        let kept = &mut self.kept;
        if !kept.is_empty() && packets > *kept.baseline.get_or_insert(packets) {
            restore(&mut kept.ccp, Some(&mut self.ccp));
            restore(&mut kept.ipcp, self.ipcp.as_mut());
            restore(&mut kept.ipv6cp, self.ipv6cp.as_deref_mut());
        }
    }

    /// Restores the protocols whose negotiation has failed, before they send a Terminate-Request: what could not be
    /// agreed may be forged.
    pub(super) fn recover(&mut self) {
        recover(&mut self.kept.ccp, Some(&mut self.ccp));
        recover(&mut self.kept.ipcp, self.ipcp.as_mut());
        recover(&mut self.kept.ipv6cp, self.ipv6cp.as_deref_mut());
    }
}

fn copy<P: ControlProtocol + Clone>(fsm: Option<&Fsm<P>>) -> Option<Box<Fsm<P>>> {
    fsm.filter(|fsm| fsm.is_opened()).map(|fsm| Box::new(fsm.copy()))
}

fn restore<P: Clone>(kept: &mut Option<Box<Fsm<P>>>, fsm: Option<&mut Fsm<P>>) {
    if let (Some(kept), Some(fsm)) = (kept.take(), fsm) {
        fsm.restore(*kept);
    }
}

fn recover<P: ControlProtocol + Clone>(kept: &mut Option<Box<Fsm<P>>>, fsm: Option<&mut Fsm<P>>) {
    let failed =
        |fsm: &&mut Fsm<P>| !fsm.is_opened() && (fsm.failure().is_some() || !fsm.state().is_negotiating());
    if let Some(fsm) = fsm.filter(failed) {
        restore(kept, Some(fsm));
    }
}
