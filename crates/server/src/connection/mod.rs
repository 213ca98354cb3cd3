//! One client: its control connection, its call, its session from accept to the last line of its record.

use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use adit_config::Config;
use adit_dataplane::LastCounters;
use adit_diag::Code;
use adit_store::{Change, NewEvent, SessionEnd, SessionUpdate};
use adit_tunnel::events::{Answer, Command, End, Event, Input, Question, Step, Up, Who, Why};
use adit_tunnel::path::PathConfig;
use adit_tunnel::{ServerTunnel, Transmit};
use adit_wire::Protocol;
use jiff::Timestamp;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::accounts::{Clerk, REFUSAL_DELAY};
use crate::admission::{Accepted, SetupSlot};
use crate::convert;
use crate::ending;
use crate::event_writer::Entry;
use crate::finding::Finding;
use crate::message::{Answered, Learned, Message};
use crate::server::Server;
use crate::session::Session;

/// A client that does not read what we send for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Octets read at once.
const READ: usize = 2048;

/// A connection and everything it owns.
pub(crate) struct Connection {
    server: Arc<Server>,
    /// The configuration as it was when the client called.
    config: Arc<Config>,
    session: Arc<Session>,
    tunnel: ServerTunnel,
    stream: TcpStream,
    /// Among those that are being set up, until it is up.
    slot: Option<SetupSlot<Accepted>>,
    call_id: Option<u16>,
    handle: Option<u32>,
    /// Of the call that is over: packets may have passed after the last look.
    last_counters: Option<LastCounters>,
    lease: Option<(String, Ipv4Addr)>,
    /// Behind this client, by its account.
    networks: Vec<ipnet::Ipv4Net>,
    routes: Vec<ipnet::Ipv4Net>,
    /// The last refusal: what the event at the end is to say.
    refused: Option<(Code, String)>,
    /// Why we were told to end it: what counts unless the call had another end of its own.
    told: Option<End>,
    end: Option<End>,
    closed: bool,
}

/// What a turn ended with.
enum Turn {
    /// There is nothing to do until something comes.
    Rest,
    /// The client does not take this yet.
    Write(Vec<u8>),
    /// The call is up.
    Up(Box<Up>),
    /// The call is over.
    CallEnded(Box<End>),
    /// The connection is over.
    Over,
}

impl Connection {
    pub(crate) fn new(
        server: Arc<Server>,
        session: Arc<Session>,
        stream: TcpStream,
        slot: SetupSlot<Accepted>,
    ) -> Connection {
        let (config, tunnel) = server.config_for_a_call();
        let tunnel = ServerTunnel::new(tunnel, *session.from.ip(), Instant::now(), server.rng());
        Connection {
            server,
            config,
            session,
            tunnel,
            stream,
            slot: Some(slot),
            call_id: None,
            handle: None,
            last_counters: None,
            lease: None,
            networks: Vec::new(),
            routes: Vec::new(),
            refused: None,
            told: None,
            end: None,
            closed: false,
        }
    }

    /// Runs the session to its end. Thousands of these wait at the same time, so what a turn needs is on the stack, and
    /// what is rare is boxed.
    pub(crate) async fn run(mut self: Box<Self>) {
        let session = Arc::clone(&self.session);
        loop {
            match self.turn() {
                Turn::Rest => {}
                Turn::Write(octets) => {
                    Box::pin(self.write(octets)).await;
                    continue;
                }
                Turn::Up(up) => {
                    Box::pin(self.up(*up)).await;
                    continue;
                }
                Turn::CallEnded(end) => {
                    Box::pin(self.call_ended(*end)).await;
                    continue;
                }
                Turn::Over => break,
            }
            let wake = self.tunnel.poll_timeout().map(|(at, _)| at);
            tokio::select! {
                ready = self.stream.readable() => self.read(ready.is_ok()),
                message = session.queue.next() => self.handle_message(message),
                () = sleep_until(wake) => {
                    self.look_for_strays();
                    self.tunnel.handle_timeout(Instant::now());
                    self.suspect();
                }
            }
        }
        Box::pin(self.finish()).await;
    }

    /// GRE that belongs to no call tells where that of this call is, while it is being set up.
    fn look_for_strays(&mut self) {
        if let (Some(call_id), Some(call), true) = (self.call_id, self.handle, self.slot.is_some())
            && let Some(stray) =
                self.server.dataplane.stray(call_id, *self.session.from.ip(), self.session.started_at)
        {
            self.tunnel.handle_input(Instant::now(), Input::Stray { call, stray });
        }
    }

    /// Notes what looks broken, for those who look at the session before it ends.
    fn suspect(&mut self) {
        if self.slot.is_some() {
            let suspects = self.tunnel.suspects(Instant::now());
            let mut known = self.session.known();
            (known.code, known.suspicion) = match suspects {
                Some((code, detail)) => (Some(code), detail),
                None => (None, String::new()),
            };
        }
    }

    fn read(&mut self, alive: bool) {
        self.look_for_strays();
        let mut input = [0u8; READ];
        let read = if alive { self.stream.try_read(&mut input) } else { Ok(0) };
        let now = Instant::now();
        match read {
            Ok(len @ 1..) => {
                self.tunnel.handle_input(now, Input::Control(input.get(..len).unwrap_or_default()));
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => self.tunnel.handle_input(now, Input::ControlClosed),
        }
    }

    /// Tells what there is to tell, then sends what there is to send, until it would have to wait.
    fn turn(&mut self) -> Turn {
        let mut output = Vec::new();
        loop {
            while let Some(event) = self.tunnel.poll_event() {
                match event {
                    Event::Up { up, .. } => return Turn::Up(Box::new(up)),
                    Event::CallEnded { end, .. } => return Turn::CallEnded(Box::new(end)),
                    event => self.event(event),
                }
            }
            match self.tunnel.poll_transmit(&mut output) {
                Some(Transmit::Control) => match self.stream.try_write(&output) {
                    Ok(len) if len == output.len() => {}
                    Ok(len) => return Turn::Write(output.split_off(len)),
                    Err(_) => return Turn::Write(output),
                },
                Some(Transmit::Frame { .. }) => {
                    if let Some(call_id) = self.call_id {
                        self.server.dataplane.send_frame(call_id, output.clone());
                    }
                }
                None if self.closed => return Turn::Over,
                None => return Turn::Rest,
            }
        }
    }

    /// Waits until the client has taken this.
    async fn write(&mut self, octets: Vec<u8>) {
        let written = timeout(WRITE_TIMEOUT, self.stream.write_all(&octets)).await;
        if !matches!(written, Ok(Ok(()))) && !self.closed {
            self.tunnel.handle_input(Instant::now(), Input::ControlClosed);
        }
    }

    fn handle_message(&mut self, message: Message) {
        let now = Instant::now();
        let call = self.handle.unwrap_or_default();
        match message {
            Message::Frame(frame) => self.tunnel.handle_input(now, Input::Frame { call, frame: &frame }),
            Message::Acknowledged => self.tunnel.handle_input(now, Input::Acknowledged { call }),
            Message::Unreachable { from, code } => {
                self.tunnel.handle_input(now, Input::Unreachable { call, from, code });
            }
            Message::EncryptionBroken => {
                let detail = "the client keeps sending data that is not encrypted as agreed".to_owned();
                self.refused = Some((Code::E05, detail));
                self.tunnel.handle_command(now, Command::Stop { why: Why::Failed });
            }
            Message::Dhcp(packet) => self.answer_dhcp(&packet),
            Message::Traffic(packets) => self.tunnel.handle_input(now, Input::Traffic { call, packets }),
            Message::Answer(answered) => {
                let Answered { id, answer, learned } = *answered;
                self.learn(learned);
                self.tunnel.handle_answer(now, id, answer);
            }
            Message::End { why, code, reason } => {
                self.note(Protocol::Pptp, format!("{}: {reason}", why.word()));
                self.told.get_or_insert(End { why, by: Who::Us, code, detail: reason });
                self.tunnel.handle_command(now, Command::Stop { why });
            }
            Message::Cut => self.closed = true,
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Ask { id, call, question } => self.ask(id, call, question),
            Event::OpenPath { call, local_call_id, peer_call_id, window } => {
                self.handle = Some(call);
                self.session.known().call_ids = Some((local_call_id, peer_call_id));
                self.server.registry.bind_call(local_call_id, Arc::clone(&self.session));
                let window = if self.config.link.windowing { window } else { 0 };
                let config = PathConfig { window, ..self.path_config(local_call_id, peer_call_id) };
                let (local, peer) = (self.session.to, *self.session.from.ip());
                self.server.dataplane.open(local_call_id, local, peer, config);
            }
            Event::Path { command, .. } => {
                if let Some(call_id) = self.call_id {
                    self.server.dataplane.command(call_id, command);
                }
            }
            Event::Step { step, .. } => {
                // Questions whether the other lives would fill the record of a session that does nothing else.
                if !(self.slot.is_none() && step.text.starts_with("Echo-")) {
                    self.session.record(step);
                }
            }
            Event::Established { host, vendor } => {
                let mut known = self.session.known();
                known.host.clone_from(&host);
                known.vendor.clone_from(&vendor);
                drop(known);
                self.update(SessionUpdate {
                    host: Some(host),
                    vendor: Some(vendor),
                    ..SessionUpdate::default()
                });
            }
            Event::Layer { layer, text, .. } => {
                self.session.known().layer = Some(layer);
                self.note(Protocol::Ppp, format!("{} ok: {text}", layer.word()));
            }
            Event::Finding { code, text, .. } => {
                self.session.known().noticed.push(Finding { code, text });
            }
            // These take time: the turn ends with them.
            Event::Up { .. } | Event::CallEnded { .. } => {}
            Event::Closed { end } => {
                let ours = self.told.take().filter(|_| end.by == Who::Us);
                self.end.get_or_insert(ours.unwrap_or(end));
                self.closed = true;
            }
        }
    }

    fn path_config(&self, local_call_id: u16, peer_call_id: u16) -> PathConfig {
        let link = &self.config.link;
        PathConfig {
            reorder_packets: link.reorder.packets,
            reorder_wait: link.reorder.wait,
            encryption_required: self.config.access.encryption == adit_policy::Encryption::Require,
            mtu: link.mtu,
            clamp_mss: link.mss != adit_config::Mss::Off,
            ..PathConfig::new(local_call_id, peer_call_id)
        }
    }

    fn ask(&mut self, id: u32, call: u32, question: Question) {
        match question {
            Question::Call(request) => {
                let answer = self.take_call(call, &request.text);
                self.tunnel.handle_answer(Instant::now(), id, answer);
            }
            Question::Authenticate(request) => {
                let clerk = Clerk {
                    store: self.server.store.clone(),
                    registry: Arc::clone(&self.server.registry),
                    event_writer: self.server.event_writer.clone(),
                    config: Arc::clone(&self.config),
                    from: self.session.from,
                };
                self.decide_apart(id, move || clerk.decide(&request));
            }
            Question::Address { name, .. } => {
                let server = Arc::clone(&self.server);
                let config = Arc::clone(&self.config);
                let session = self.session.id;
                let known = self.session.known().user.clone();
                let user = known.unwrap_or_else(|| adit_wire::text::escape(&name).to_string());
                self.decide_apart(id, move || server.addresses.lend(&config, session, &user));
            }
        }
    }

    /// Asks the store on a thread that may block; the answer comes by message, a refusal after a second.
    fn decide_apart(&self, id: u32, decide: impl FnOnce() -> (Answer, Learned) + Send + 'static) {
        let session = Arc::clone(&self.session);
        tokio::spawn(async move {
            let Ok((answer, learned)) = tokio::task::spawn_blocking(decide).await else { return };
            if matches!(answer, Answer::Reject(_)) {
                tokio::time::sleep(REFUSAL_DELAY).await;
            }
            session.queue.push(Message::Answer(Box::new(Answered { id, answer, learned })));
        });
    }

    fn take_call(&mut self, call: u32, text: &str) -> Answer {
        let refuse = |detail: String| Answer::RefuseCall { code: Code::C05, detail };
        self.handle = Some(call);
        if self.server.registry.draining.load(Ordering::Relaxed) {
            return refuse("this server takes no new calls: it is being drained".to_owned());
        }
        if let Some(full) = self.server.full(&self.config, &self.session) {
            return refuse(full);
        }
        let Some(call_id) = self.server.dataplane.reserve_call_id(*self.session.from.ip()) else {
            return refuse("no Call ID is free".to_owned());
        };
        self.call_id = Some(call_id);
        if let Some(slot) = &self.slot {
            slot.call_requested();
        }
        self.note(Protocol::Pptp, format!("call accepted as {call_id}: {text}"));
        Answer::AcceptCall { call_id }
    }

    fn learn(&mut self, learned: Learned) {
        if !learned.networks.is_empty() {
            self.networks.clone_from(&learned.networks);
        }
        if let Some((pool, address)) = &learned.lease {
            self.lease = Some((pool.clone(), *address));
            let (pool, address) = (Some(pool.clone()), Some(*address));
            self.update(SessionUpdate { pool, address, ..SessionUpdate::default() });
        }
        if learned.user.is_some() {
            let mut known = self.session.known();
            known.user.clone_from(&learned.user);
            known.group.clone_from(&learned.group);
            if learned.refused.is_none() {
                // An expired password that was changed, for one.
                self.refused = None;
                known.reach = convert::reach(&self.config, self.config.access_for(learned.group.as_deref()));
                known.routes_key = convert::routes_key(&self.config, learned.group.as_deref());
            }
            drop(known);
            self.update(SessionUpdate {
                user: learned.user.clone(),
                group: learned.group.clone(),
                ..SessionUpdate::default()
            });
        }
        if let Some((code, detail)) = learned.refused {
            self.note(Protocol::Ppp, format!("{code} {detail}"));
            // The line of the log comes at the end, once for each call.
            self.refused = Some((code, detail));
        }
    }

    async fn up(&mut self, up: Up) {
        let first = {
            let mut known = self.session.known();
            let first = known.up_at.is_none();
            known.up_at.get_or_insert_with(Instant::now);
            known.up = Some(up.clone());
            first
        };
        let mppe = up.encryption.map_or("none".to_owned(), |(strength, stateless)| {
            format!("{} {}", strength.bits(), if stateless { "stateless" } else { "stateful" })
        });
        self.update(SessionUpdate {
            up: Some(Timestamp::now()),
            address: Some(up.peer),
            server_address: Some(up.local),
            method: up.method.map(|method| method.to_string()),
            mppe: Some(mppe.clone()),
            ..SessionUpdate::default()
        });
        if first {
            if let Some(slot) = self.slot.take() {
                slot.call_up();
            }
            self.server.registry.came_up(Arc::clone(&self.session));
            self.server.registry.calls_ok.fetch_add(1, Ordering::Relaxed);
            self.add_routes().await;
            let mut event = self.new_event("session.up");
            let took = format!("{:.3}", self.session.started_at.elapsed().as_secs_f64());
            event.fields.extend([
                ("address".to_owned(), up.peer.to_string()),
                ("method".to_owned(), up.method.map(|method| method.to_string()).unwrap_or_default()),
                ("mppe".to_owned(), mppe),
                ("took_s".to_owned(), took),
            ]);
            self.server.event_writer.enqueue_event(event);
            self.session.known().record.shrink();
        }
    }

    /// Routes to the networks behind this client.
    async fn add_routes(&mut self) {
        for net in std::mem::take(&mut self.networks) {
            match self.server.host.add_route(net).await {
                Ok(()) => self.routes.push(net),
                Err(error) => {
                    self.note(Protocol::Ipv4, format!("no route to {net} behind this client: {error}"))
                }
            }
        }
    }

    fn look_at_counters(&mut self) {
        let (Some(call_id), Some(handle)) = (self.call_id, self.handle) else { return };
        let Some(counters) = self.server.dataplane.counters(call_id) else { return };
        let counters = convert::counters(&counters);
        self.session.known().counters = counters;
        let packets = counters.rx_packets + counters.tx_packets;
        self.tunnel.handle_input(Instant::now(), Input::Traffic { call: handle, packets });
    }

    async fn call_ended(&mut self, end: End) {
        self.look_at_counters();
        if let Some(call_id) = self.call_id.take() {
            self.server.registry.unbind_call(call_id);
            self.last_counters = self.server.dataplane.close(call_id);
        }
        for net in std::mem::take(&mut self.routes) {
            self.server.host.remove_route(net).await;
        }
        if let Some((pool, address)) = self.lease.take() {
            self.server.addresses.release(self.session.id);
            self.server.event_writer.enqueue(Entry::Change(Change::Release(self.session.id, pool, address)));
        }
        // What the client was told about a refused login is the cause; that it then hung up is the consequence.
        let end = match self.refused.take() {
            Some((code, detail)) => End { why: Why::Failed, code: Some(code), detail, ..end },
            None => end,
        };
        self.end = Some(ending::behind_one_address(&self.session, &self.server.registry, end));
        // One call a connection: with the call gone, the connection has nothing left to do.
        self.tunnel.handle_command(Instant::now(), Command::Stop { why: Why::UserRequest });
    }

    /// The last lines: event, record, row.
    async fn finish(mut self) {
        let _ = self.stream.shutdown().await;
        if self.call_id.is_some() {
            let lost = End { why: Why::LostCarrier, by: Who::Note, code: None, detail: String::new() };
            let end = self.told.take().unwrap_or(lost);
            self.call_ended(end).await;
        }
        let end = self.end.take().or(self.told.take()).unwrap_or(End {
            why: Why::UserRequest,
            by: Who::Peer,
            code: None,
            detail: "closed before a call was made".to_owned(),
        });
        let now = Timestamp::now();
        let (counters, was_up) = {
            let mut known = self.session.known();
            if let Some(last) = &self.last_counters {
                known.counters = convert::counters(&last.read());
            }
            known.end = Some(end_text(&end));
            known.code = end.code;
            (known.counters, known.up_at)
        };
        if let Some(code) = end.code
            && was_up.is_none()
        {
            self.server.registry.count_failed(code);
        }
        let found = self.session.known().findings();
        for Finding { code, text } in &found {
            self.note(Protocol::Pptp, format!("finding {code}: {text}"));
        }
        let event = ending::event(self.new_event("session.end"), &end, was_up, &self.session, &found);
        self.server.event_writer.enqueue_event(event);
        let (steps, omitted) = {
            let known = self.session.known();
            let steps = known
                .record
                .steps()
                .map(|(at, step)| adit_store::Step {
                    at,
                    who: step.who.word().to_owned(),
                    layer: step.protocol.name().to_owned(),
                    text: step.text,
                })
                .collect();
            (steps, known.record.omitted())
        };
        let end = SessionEnd {
            at: now,
            why: end.why.word().to_owned(),
            by: end.by.word().to_owned(),
            code: end.code.map(|code| code.to_string()),
            detail: end.detail,
        };
        let counters = Some(convert::store_counters(&counters));
        let ended = Change::End(self.session.id, Box::new(end), counters, steps, omitted);
        self.server.event_writer.enqueue(Entry::Change(ended));
        self.server.registry.remove(self.session.id);
    }

    fn new_event(&self, kind: &str) -> NewEvent {
        let mut event = NewEvent::new(Timestamp::now(), kind);
        event.user = self.session.known().user.clone();
        event.from = Some((*self.session.from.ip()).into());
        event.session = Some(self.session.id);
        event
    }

    fn update(&self, update: SessionUpdate) {
        self.server.event_writer.enqueue(Entry::Change(Change::Update(self.session.id, Box::new(update))));
    }

    fn note(&self, protocol: Protocol, text: String) {
        self.session.record(Step { who: Who::Note, protocol, text });
    }

    fn answer_dhcp(&mut self, packet: &[u8]) {
        let known = self.session.known();
        let Some(up) = known.up.as_ref() else { return };
        let access = self.config.access_for(known.group.as_deref());
        let Some(pool) = convert::pool(&self.config, access) else { return };
        let answer = crate::dhcp::answer(packet, up, pool, access);
        drop(known);
        match (answer, self.call_id) {
            (Ok(reply), Some(call_id)) => {
                self.server.dataplane.send_ip(call_id, reply);
                self.note(Protocol::Dhcp, "DHCPINFORM answered with DNS, domain and routes".to_owned());
            }
            (Ok(_), None) => {}
            (Err(error), _) => self.note(Protocol::Dhcp, format!("DHCP packet not answered: {error}")),
        }
    }
}

/// How a session ended, in one line.
pub(crate) fn end_text(end: &End) -> String {
    let code = end.code.map(|code| format!(" {code}")).unwrap_or_default();
    let detail = if end.detail.is_empty() { String::new() } else { format!(": {}", end.detail) };
    format!("{}{code}{detail}", end.why.word())
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}
