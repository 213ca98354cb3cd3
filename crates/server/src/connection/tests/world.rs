//! A machine and a real client, connected to each other on a virtual clock.

use adit_tunnel::path::Origin;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use adit_config::{Checked, Config, Source};
use adit_crypto::Rng;
use adit_crypto::secret::Password;
use adit_ppp::auth::Credentials;
use adit_ppp::link::{LinkConfig, Side};
use adit_pptp::control::ControlConfig;
use adit_store::{Change, SessionEnd, SessionId};
use adit_tunnel::events::{self, Event};
use adit_tunnel::{ClientConfig, ClientTunnel, Transmit};
use adit_wire::LocalCallId;
use adit_wire::note::Shown;

use super::super::handles::{Handles, Now};
use super::super::machine::{Effect, Input, Machine, Start};
use super::super::state::State;
use super::fakes::{self, Fake};
use crate::convert;
use crate::event_writer::Entry;
use crate::message::{Answered, Learned, Message};
use crate::session::Session;

pub(super) const CLIENT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 7), 40_000);
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

pub(super) fn config(text: &str) -> Arc<Config> {
    Arc::new(Checked::built_in_with(Source::new("adit.toml", text)).into_config().unwrap())
}

pub(super) fn client(password: &str, now: Now) -> ClientTunnel {
    let mut link = LinkConfig::new(Side::Client);
    // The tests that are about time say so; a call is up at once.
    link.ccp_delay = Duration::ZERO;
    link.credentials = Some(Credentials::new("alice", Password::new(password)));
    let config = ClientConfig {
        control: ControlConfig::client().into(),
        link: link.into(),
        setup: Duration::from_secs(30),
        mtu: 1400,
        call_id: LocalCallId::new(7),
    };
    ClientTunnel::new(config, SERVER, now.instant, Rng::from_number(2))
}

pub(super) fn start(fake: &Arc<Fake>, handles: &Handles, config: Arc<Config>) -> Start {
    let session = Arc::new(Session::new(SessionId(41), CLIENT, SERVER, jiff::Timestamp::UNIX_EPOCH));
    handles.registry.add(Arc::clone(&session));
    let tunnel = convert::tunnel(&config);
    Start { config, tunnel, rng: Rng::from_number(1), session, slot: fake.slot() }
}

pub(super) struct World {
    pub(super) fake: Arc<Fake>,
    pub(super) handles: Arc<Handles>,
    pub(super) session: Arc<Session>,
    pub(super) machine: Machine,
    pub(super) client: ClientTunnel,
    pub(super) now: Now,
    call_at_client: u32,
    /// Whether frames of the client arrive.
    pub(super) has_gre: bool,
    /// Whether requests for an address are answered.
    pub(super) answers_address: bool,
    /// Whether logins are answered.
    pub(super) answers_login: bool,
    /// The last question that has no answer.
    pub(super) open_question: Option<u32>,
    pub(super) is_finished: bool,
}

impl World {
    pub(super) fn new(password: &str) -> World {
        World::with(password, "")
    }

    pub(super) fn with(password: &str, text: &str) -> World {
        let fake = Arc::new(Fake::default());
        let handles = fake.handles();
        let start = start(&fake, &handles, config(text));
        let session = Arc::clone(&start.session);
        let now = Now { instant: session.started_at, timestamp: session.started };
        let machine = Machine::new(Arc::clone(&handles), start, now);
        World {
            fake,
            handles,
            session,
            machine,
            client: client(password, now),
            now,
            call_at_client: 0,
            has_gre: true,
            answers_address: true,
            answers_login: true,
            open_question: None,
            is_finished: false,
        }
    }

    pub(super) fn message(&mut self, message: Message) {
        self.machine.handle_input(self.now, Input::Message(message));
    }

    pub(super) fn answer(&mut self, id: u32, (answer, learned): (events::Answer, Learned)) {
        self.message(Message::Answer(Box::new(Answered { id, answer, learned })));
    }

    /// Carries out one effect of the machine; `false` if there is none.
    fn machine_turn(&mut self, output: &mut Vec<u8>) -> bool {
        let Some(effect) = self.machine.poll_effect(self.now, output) else { return false };
        match effect {
            Effect::Send => self.client.handle_input(self.now.instant, events::Input::Control(output)),
            Effect::Authenticate { id, request, .. } if self.answers_login => {
                self.answer(id, fakes::authenticate(&request));
            }
            Effect::Authenticate { id, .. } => self.open_question = Some(id),
            Effect::LendAddress { id, .. } if self.answers_address => self.answer(id, fakes::lend()),
            Effect::LendAddress { id, .. } => self.open_question = Some(id),
            Effect::AddRoutes(networks) => {
                let mut added = Vec::new();
                let mut failed = Vec::new();
                for net in networks {
                    match futures_now(self.handles.routes.add(net, Ipv4Addr::LOCALHOST)) {
                        Ok(()) => added.push(net),
                        Err(error) => failed.push((net, error)),
                    }
                }
                self.machine.handle_input(self.now, Input::RoutesAdded { added, failed });
            }
            Effect::RemoveRoutes(routes) => self.remove_routes(routes),
            Effect::Close => {
                self.client.handle_input(self.now.instant, events::Input::ControlClosed);
                if let Some(routes) = self.machine.handle_disconnected(self.now) {
                    self.remove_routes(routes);
                }
                self.machine.finish(self.now);
                self.is_finished = true;
            }
        }
        true
    }

    fn remove_routes(&mut self, routes: Vec<ipnet::Ipv4Net>) {
        for net in routes {
            futures_now(self.handles.routes.remove(net));
        }
        self.machine.handle_input(self.now, Input::RoutesRemoved);
    }

    /// Moves data between client and machine until neither has output.
    pub(super) fn settle(&mut self) {
        let mut buf = Vec::new();
        for _ in 0..1000 {
            let mut moved = false;
            while !self.is_finished && self.machine_turn(&mut buf) {
                moved = true;
            }
            let frames: Vec<_> = self.fake.frames.lock().unwrap().drain(..).collect();
            for frame in frames {
                let input =
                    events::Input::Frame { call: self.call_at_client, frame: &frame, origin: Origin::Clear };
                self.client.handle_input(self.now.instant, input);
            }
            while let Some(event) = self.client.poll_event() {
                if let Event::OpenPath { call, .. } = event {
                    self.call_at_client = call;
                }
            }
            while let Some(to) = self.client.poll_transmit(&mut buf) {
                moved = true;
                match to {
                    Transmit::Control => self.machine.handle_input(self.now, Input::Control(&buf)),
                    Transmit::Frame { .. } if self.has_gre => {
                        self.message(Message::Frame(buf.clone(), Origin::Clear))
                    }
                    Transmit::Frame { .. } => {}
                }
            }
            if !moved {
                return;
            }
        }
        panic!("the two never stop talking");
    }

    /// Advances the clock by at most `most`, until the session has ended.
    pub(super) fn run(&mut self, most: Duration) {
        let end = self.now.instant + most;
        self.settle();
        while !self.is_finished {
            let next =
                self.client.poll_timeout().map(|(at, _)| at).into_iter().chain(self.machine.poll_timeout());
            let Some(at) = next.min().filter(|at| *at <= end) else { break };
            self.advance(at.saturating_duration_since(self.now.instant));
        }
    }

    /// Advances the clock.
    pub(super) fn advance(&mut self, by: Duration) {
        self.now.instant += by;
        self.now.timestamp += by;
        self.machine.handle_timeout(self.now);
        self.client.handle_timeout(self.now.instant);
        self.settle();
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.machine.state, State::Up(_))
    }

    /// The end in the row of the session, which must be written once.
    pub(super) fn end(&self) -> SessionEnd {
        self.fake.position("row ended");
        let entries = self.fake.entries.lock().unwrap();
        let end = entries.iter().find_map(|entry| match entry {
            Entry::Change(Change::End(_, end, ..)) => Some((**end).clone()),
            _ => None,
        });
        end.unwrap()
    }

    /// The texts of the record.
    pub(super) fn record(&self) -> Vec<String> {
        self.session.known().record.notes().map(|(_, note)| Shown(&note).to_string()).collect()
    }
}

/// The result of a future that does not wait.
fn futures_now<T>(mut future: super::super::handles::BoxFuture<'_, T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a fake waits"),
    }
}
