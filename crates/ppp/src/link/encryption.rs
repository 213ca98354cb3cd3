//! The CCP part of a link: starting and stopping MPPE, and handling its absence.

use std::time::Instant;

use adit_diag::Code;
use adit_wire::ppp;

use super::network::drain;
use super::state::{Phase, later};
use super::{Link, LinkEvent, Mppe, Side, Who};
use crate::fsm::{Event, Failure, Finish};

impl Link {
    pub(super) fn pump_encryption(&mut self, now: Instant) -> bool {
        let Phase::Network(network) = &mut self.phase else { return false };
        let mut packets = Vec::new();
        let events = drain(&mut network.ccp, ppp::CCP, &mut packets);
        let busy = !packets.is_empty() || !events.is_empty();
        for (protocol, packet) in packets {
            self.output.send(protocol, &packet);
        }
        for event in events {
            match event {
                Event::Up => self.ccp_up(now),
                Event::Down => self.ccp_down(now),
                Event::TerminateRequest(_) => {}
                Event::Finished(finish) => self.ccp_finished(now, &finish),
            }
        }
        self.ccp_failed(now);
        busy
    }

    /// Ends the link at once if the failure of CCP is the end of the link anyway.
    fn ccp_failed(&mut self, now: Instant) {
        let Phase::Network(network) = &self.phase else { return };
        if let Some(failure) = network.ccp.failure()
            && network.ccp.protocol().is_required()
        {
            let Failure { code, detail } = failure.clone();
            self.end(now, Who::Us, Some(code), detail);
        }
    }

    fn ccp_up(&mut self, now: Instant) {
        let Phase::Network(network) = &mut self.phase else { return };
        network.kept.ccp = None;
        match (network.ccp.protocol().agreed(), &network.keys) {
            (Some(agreed), Some(keys)) => {
                network.encrypting = true;
                if !core::mem::replace(&mut network.was_encrypting, true) && network.deadline.is_some() {
                    // The deadline starts now because network protocols could not begin before.
                    network.deadline = Some(later(now, self.config.network_timeout));
                }
                network.encryption_deadline = None;
                network.noise = None;
                let mppe =
                    Mppe { strength: agreed.strength, stateless: agreed.stateless, keys: keys.clone() };
                self.output.push_event(LinkEvent::Encryption(Some(mppe)));
            }
            _ if network.ccp.protocol().is_required() => {
                let code = match self.config.role {
                    Side::Server => Code::E01,
                    Side::Client => Code::E02,
                };
                let detail = "CCP came up without encryption, which is required".to_owned();
                self.end(now, Who::Us, Some(code), detail);
            }
            _ => {}
        }
    }

    /// Stops data at once, unless the agreement is [kept](super::kept); if encryption is required, data resumes only when
    /// CCP is up again.
    fn ccp_down(&mut self, now: Instant) {
        let Phase::Network(network) = &mut self.phase else { return };
        if network.kept.ccp.is_none() && core::mem::replace(&mut network.encrypting, false) {
            self.output.push_event(LinkEvent::Encryption(None));
            if network.ccp.protocol().is_required() {
                network.encryption_deadline = Some(later(now, self.config.encryption_timeout));
            }
        }
    }

    fn ccp_finished(&mut self, now: Instant, finish: &Finish) {
        let Phase::Network(network) = &mut self.phase else { return };
        let why = network.ccp.protocol().why(finish, network.was_encrypting);
        let may_come_back = matches!(finish, Finish::Terminated(_)) && network.encryption_deadline.is_some();
        if let (Some(Failure { code, detail }), false) = (why, may_come_back) {
            self.end(now, Who::Us, Some(code), detail);
        }
    }

    pub(super) fn encryption_deadline(&mut self, now: Instant) {
        let Phase::Network(network) = &mut self.phase else { return };
        if network.encryption_deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        network.encryption_deadline = None;
        let peer = self.config.role.other();
        let seconds = self.config.encryption_timeout.as_secs();
        let detail = format!("the {peer} switched encryption off, and it was not back after {seconds} s");
        self.end(now, Who::Us, Some(Code::E08), detail);
    }

    /// Handles a Protocol-Reject of CCP.
    pub(super) fn ccp_rejected(&mut self, now: Instant) {
        let Phase::Network(network) = &mut self.phase else { return };
        match network.ccp.protocol().why(&Finish::Rejected, network.was_encrypting) {
            Some(Failure { code, detail }) => self.end(now, Who::Us, Some(code), detail),
            None => network.ccp.protocol_rejected(now),
        }
    }
}
