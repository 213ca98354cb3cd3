//! Whole PPP conversations: a link under test, a correct one at the other end, and changed or forged packets between
//! them.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::proof::{Secret, check};
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code, Note};
use adit_ppp::auth::{Credentials, Rejection, Verdict};
use adit_ppp::ccp::MppePolicy;
use adit_ppp::link::{AddressGrant, Answer, Command, Link, LinkConfig, LinkEvent, Question, Side};
use adit_wire::chap::MsChapError;

use crate::forge::Overheard;
use crate::input::Input;

/// More frames or events than this for one input would be a flood of our own.
const MUCH: usize = 512;
const PASSWORD: &str = "clientPass";

/// The server is under test.
pub(crate) fn link_server(data: &[u8]) {
    conversation(data, 0);
}

/// The client is under test.
pub(crate) fn link_client(data: &[u8]) {
    conversation(data, 1);
}

/// One end, and what has been seen of it.
struct End {
    link: Link,
    /// Frames it sent that have not been brought to the other end.
    sent: VecDeque<Vec<u8>>,
    overheard: Overheard,
    questions: Vec<(u32, Question)>,
    is_encrypting: bool,
    is_required: bool,
    was_up: bool,
    has_ended: bool,
}

fn conversation(data: &[u8], tested: usize) {
    let mut input = Input::new(data);
    let terms = input.u8();
    let mut now = Instant::now();
    let mut ends = [end(Side::Server, terms), end(Side::Client, terms)];
    for end in &mut ends {
        end.link.open(now);
        end.drain();
    }
    // Some conversations begin with a correct part, so that the late phases are reached too.
    for _ in 0..input.u8() & 31 {
        honest_round(&mut ends, now, 1 - tested);
        honest_round(&mut ends, now, tested);
    }
    while !input.is_empty() {
        step(&mut ends, tested, &mut now, &mut input);
    }
    finish(&mut ends[tested], now);
}

fn end(role: Side, terms: u8) -> End {
    let mut config = LinkConfig::new(role);
    let methods = [AuthMethod::MsChapV2, AuthMethod::MsChapV1, AuthMethod::ChapMd5, AuthMethod::Pap];
    let count = 1 + usize::from(terms & 3);
    config.methods = methods[..count].to_vec();
    if role == Side::Client {
        config.credentials = Some(Credentials::new("alice", Password::new(PASSWORD)));
        config.methods.reverse();
    }
    let is_required = terms & 4 == 0 && count <= 2;
    if !is_required {
        config.mppe = MppePolicy { mode: adit_ppp::ccp::Mode::Allow, ..config.mppe };
    }
    if terms & 128 == 0 {
        config.ccp_delay = Duration::ZERO;
    }
    config.ipv6 = terms & 8 != 0;
    config.change_password = terms & 16 != 0;
    (config.pfc, config.acfc) = (terms & 32 != 0, terms & 64 != 0);
    let rng = Rng::from_number(u64::from(terms) << 1 | u64::from(role == Side::Server));
    End {
        link: Link::new(config, rng),
        sent: VecDeque::new(),
        overheard: Overheard::default(),
        questions: Vec::new(),
        is_encrypting: false,
        is_required,
        was_up: false,
        has_ended: false,
    }
}

/// Brings everything that `from` sent to the other end, and answers its questions as a good shell would.
fn honest_round(ends: &mut [End; 2], now: Instant, from: usize) {
    for frame in std::mem::take(&mut ends[from].sent) {
        ends[1 - from].link.handle_input(now, &frame);
        ends[1 - from].drain();
    }
    for (id, question) in std::mem::take(&mut ends[from].questions) {
        ends[from].link.handle_answer(now, id, good_answer(question));
        ends[from].drain();
    }
}

fn good_answer(question: Question) -> Answer {
    match question {
        Question::Authenticate(request) => {
            let secret = Secret::Clear(Password::new(PASSWORD));
            Answer::Verdict(match check(&request.proof, &secret) {
                Ok(proven) => Verdict::Accept(proven),
                Err(_) => refusal(true),
            })
        }
        Question::Address { .. } => Answer::Address(Some(AddressGrant {
            local: Ipv4Addr::new(10, 99, 0, 1),
            peer: Ipv4Addr::new(10, 99, 0, 14),
            dns: vec![Ipv4Addr::new(192, 168, 10, 5)],
            wins: Vec::new(),
        })),
    }
}

fn refusal(retry: bool) -> Verdict {
    Verdict::Reject(Rejection {
        error: if retry { MsChapError::AuthenticationFailure } else { MsChapError::PasswordExpired },
        code: Code::A01,
        retry,
        message: "wrong name or password".to_owned(),
    })
}

fn step(ends: &mut [End; 2], tested: usize, now: &mut Instant, input: &mut Input<'_>) {
    let choice = input.u8();
    let end = &mut ends[tested];
    match choice & 15 {
        0..=2 => honest_round(ends, *now, 1 - tested),
        3 => honest_round(ends, *now, tested),
        4 => {
            ends[usize::from(choice >> 4 & 1)].sent.pop_front();
        }
        5 => {
            let sender = usize::from(choice >> 4 & 1);
            if let Some(mut frame) = ends[sender].sent.pop_front() {
                let at = usize::from(input.u8()) % frame.len();
                frame[at] ^= input.u8();
                ends[1 - sender].link.handle_input(*now, &frame);
                ends[1 - sender].drain();
            }
        }
        6 => {
            // Twice.
            if let Some(frame) = ends[1 - tested].sent.front().cloned() {
                ends[tested].link.handle_input(*now, &frame);
                ends[tested].drain();
            }
        }
        7 => {
            // A loop: its own frame is returned.
            if let Some(frame) = end.sent.front().cloned() {
                end.link.handle_input(*now, &frame);
            }
        }
        8 => end.link.handle_input(*now, input.chunk()),
        9 | 10 => {
            let frame = end.overheard.frame(input);
            end.link.handle_input(*now, &frame);
        }
        11 | 12 => {
            *now += Duration::from_millis(u64::from(input.u16()) * 2);
            for end in ends.iter_mut() {
                end.link.handle_timeout(*now);
                end.drain();
                let still = end.link.poll_timeout();
                assert!(still.is_none_or(|(at, _)| at > *now), "a timeout that stays due: {still:?}");
            }
        }
        13 => {
            if let Some((id, question)) = end.questions.pop() {
                let answer = match choice >> 4 & 3 {
                    0 => Answer::Verdict(refusal(true)),
                    1 => Answer::Verdict(refusal(false)),
                    2 => Answer::Address(None),
                    _ => good_answer(question),
                };
                end.link.handle_answer(*now, id, answer);
            }
        }
        14 => end.link.handle_answer(*now, input.u32(), Answer::Address(None)),
        _ => {
            let command = match choice >> 4 & 7 {
                0 => Command::Close { reason: "closed by an administrator".to_owned() },
                1 => Command::LowerDown,
                2 | 3 => Command::Rechallenge,
                _ => Command::NoteTraffic,
            };
            end.link.handle_command(*now, command);
        }
    }
    ends[tested].drain();
}

/// A link that is requested to close ends within a bounded time, in any state.
fn finish(end: &mut End, mut now: Instant) {
    end.link.handle_command(now, Command::Close { reason: "end".to_owned() });
    end.drain();
    for _ in 0..32 {
        let Some((at, _)) = end.link.poll_timeout() else { break };
        now = now.max(at);
        end.link.handle_timeout(now);
        end.drain();
    }
    assert!(end.has_ended, "not ended after Close");
}

impl End {
    fn drain(&mut self) {
        for count in 0.. {
            let Some(event) = self.link.poll_event() else { break };
            assert!(count < MUCH, "events without end");
            assert!(!self.has_ended, "{event:?} after the last event");
            match event {
                LinkEvent::Forged { .. } | LinkEvent::Unanswered { .. } | LinkEvent::CountTraffic => {}
                LinkEvent::Packet(packet) => crate::ppp::check_note(&Note::Packet(packet)),
                LinkEvent::LargeLost { lost, passes } => assert!(lost > passes),
                LinkEvent::Ask(id, question) => self.questions.push((id, question)),
                LinkEvent::Encryption(mppe) => self.is_encrypting = mppe.is_some(),
                LinkEvent::NetworkUp(_) => {
                    assert!(self.is_encrypting || !self.is_required, "the network is up in clear");
                    self.was_up = true;
                }
                LinkEvent::Ended(end) => {
                    assert!(!end.detail.contains(char::is_control), "{:?}", end.detail);
                    self.has_ended = true;
                }
                LinkEvent::LcpUp { .. } | LinkEvent::Authenticated { .. } | LinkEvent::NetworkDown => {}
            }
        }
        let mut frame = Vec::new();
        for count in 0.. {
            frame.clear();
            if !self.link.poll_transmit(&mut frame) {
                break;
            }
            assert!(count < MUCH, "frames without end");
            self.overheard.note(&frame);
            // The other end may be slow; a line does not hold more than this.
            if self.sent.len() < 64 {
                self.sent.push_back(frame.clone());
            }
        }
        self.questions.truncate(8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The correct part of a conversation reaches its end, whatever the terms: otherwise the late phases would
    /// never be fuzzed.
    #[test]
    fn correct_ends_come_up() {
        for terms in 0..128 {
            let now = Instant::now();
            let mut ends = [end(Side::Server, terms), end(Side::Client, terms)];
            for end in &mut ends {
                end.link.open(now);
                end.drain();
            }
            for _ in 0..20 {
                honest_round(&mut ends, now, 0);
                honest_round(&mut ends, now, 1);
            }
            assert!(ends.iter().all(|end| end.was_up && !end.has_ended), "terms {terms:#04x}");
        }
    }
}
