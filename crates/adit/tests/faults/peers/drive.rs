//! A tunnel machine on real sockets: TCP, raw GRE, and the data path between.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use adit_sys::gre::{GreSocket, RecvBatch, SendBatch};
use adit_tunnel::events::{Answer, Command, Event, Input, Question, Why};
use adit_tunnel::path::{Collected, HEADROOM, Path, PathCommand, PathConfig};
use adit_tunnel::{ClientTunnel, ServerTunnel, Transmit};
use adit_wire::{gre, ppp};

use super::frames;

type Answering = dyn Fn(&[u8]) -> Came + Send + Sync;
type Leaving = dyn Fn(Vec<u8>) -> Option<Vec<u8>> + Send + Sync;
type Commanding = dyn Fn(PathCommand) -> PathCommand + Send + Sync;

/// What a peer does otherwise than the machine behind it. The default changes nothing.
pub(crate) struct Manners {
    /// What becomes of a PPP frame that came.
    pub(crate) came: Box<Answering>,
    /// What becomes of an encrypted PPP frame that came.
    pub(crate) data_came: Box<Answering>,
    /// What becomes of a PPP frame that would leave.
    pub(crate) leaves: Box<Leaving>,
    /// What the data path is told.
    pub(crate) path: Box<Commanding>,
    /// Closes TCP so long after the call began.
    pub(crate) dies_after: Option<Duration>,
    /// Sends an IP packet through the tunnel again and again.
    pub(crate) talks: bool,
    /// Opens no GRE socket: the kernel answers for it.
    pub(crate) no_gre: bool,
    /// The source address of its GRE.
    pub(crate) source: Option<Ipv4Addr>,
}

/// What becomes of a frame that came.
pub(crate) enum Came {
    Pass,
    Drop,
    /// It is answered with this, and the machine never knows.
    Answer(Vec<u8>),
}

impl Default for Manners {
    fn default() -> Manners {
        Manners {
            came: Box::new(|_| Came::Pass),
            data_came: Box::new(|_| Came::Pass),
            leaves: Box::new(Some),
            path: Box::new(|command| command),
            dies_after: None,
            talks: false,
            no_gre: false,
            source: None,
        }
    }
}

/// What both machines have.
pub(crate) trait Machine {
    fn input(&mut self, now: Instant, input: Input<'_>);
    fn command(&mut self, now: Instant, command: Command);
    fn timeout(&mut self, now: Instant);
    fn transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit>;
    fn event(&mut self) -> Option<Event>;
    fn due(&self) -> Option<Instant>;
    fn answer(&mut self, now: Instant, id: u32, answer: Answer);
}

macro_rules! machine {
    ($tunnel:ident, $answer:expr) => {
        impl Machine for $tunnel {
            fn input(&mut self, now: Instant, input: Input<'_>) {
                self.handle_input(now, input);
            }
            fn command(&mut self, now: Instant, command: Command) {
                self.handle_command(now, command);
            }
            fn timeout(&mut self, now: Instant) {
                self.handle_timeout(now);
            }
            fn transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
                self.poll_transmit(buf)
            }
            fn event(&mut self) -> Option<Event> {
                self.poll_event()
            }
            fn due(&self) -> Option<Instant> {
                self.poll_timeout().map(|(at, _)| at)
            }
            fn answer(&mut self, now: Instant, id: u32, answer: Answer) {
                $answer(self, now, id, answer);
            }
        }
    };
}

machine!(ServerTunnel, ServerTunnel::handle_answer);
machine!(ClientTunnel, |_: &mut ClientTunnel, _, _, _| ());

/// One connection at work.
pub(crate) struct Drive<'a, M> {
    pub(crate) machine: M,
    pub(crate) stream: TcpStream,
    pub(crate) gre: Option<GreSocket>,
    pub(crate) peer: Ipv4Addr,
    pub(crate) manners: &'a Manners,
    pub(crate) answers: &'a dyn Fn(&Question) -> Answer,
}

struct Call {
    handle: u32,
    path: Path,
    began: Instant,
    /// Our address and the peer's, once the call is up.
    up: Option<(Ipv4Addr, Ipv4Addr)>,
    reply: Instant,
}

impl<M: Machine> Drive<'_, M> {
    /// Goes on until the connection is over or `stop` is true; then it hangs up.
    pub(crate) fn run(mut self, stop: &AtomicBool) {
        self.stream.set_nonblocking(true).unwrap();
        let mut call: Option<Call> = None;
        let mut batch = RecvBatch::new(16, 2048);
        let mut stopping = None;
        loop {
            let now = Instant::now();
            if stop.load(Ordering::Relaxed) && stopping.is_none() {
                stopping = Some(now);
                self.machine.command(now, Command::Stop { why: Why::UserRequest });
            }
            if stopping.is_some_and(|since: Instant| since.elapsed() > Duration::from_secs(1)) {
                return;
            }
            if self.read(now).is_err() {
                self.machine.input(now, Input::ControlClosed);
                self.turn(now, &mut call);
                return;
            }
            self.hear(now, &mut call, &mut batch);
            if self.machine.due().is_some_and(|at| now >= at) {
                self.machine.timeout(now);
            }
            if let Some(call) = &mut call {
                let mut sink = Collected::default();
                if call.path.poll_timeout().is_some_and(|(at, _)| now >= at) {
                    call.path.handle_timeout(now, &mut sink);
                }
                self.talk(now, call, &mut sink);
                self.collected(now, call, sink);
                if self.manners.dies_after.is_some_and(|after| call.began.elapsed() > after) {
                    return;
                }
            }
            if self.turn(now, &mut call) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn read(&mut self, now: Instant) -> std::io::Result<()> {
        let mut buffer = [0; 2048];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => self.machine.input(now, Input::Control(&buffer[..len])),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn hear(&mut self, now: Instant, call: &mut Option<Call>, batch: &mut RecvBatch) {
        let Some(gre) = &self.gre else { return };
        gre.receive(batch).unwrap();
        let Some(call) = call else { return };
        let packets: Vec<Vec<u8>> = batch
            .packets()
            .filter(|packet| packet.source == self.peer)
            .map(|packet| packet.gre.to_vec())
            .collect();
        for mut packet in packets {
            let header = gre::Repr::parse(&packet);
            let Some(header) = header.ok().filter(|header| header.call_id == call.path.local_call_id().get())
            else {
                continue;
            };
            let frame = &packet[header.payload_range()];
            let is_data = matches!(ppp::frame(frame), Ok((ppp::COMPRESSED, _)));
            let came = if is_data { (self.manners.data_came)(frame) } else { Came::Pass };
            let mut sink = Collected::default();
            match came {
                Came::Pass => call.path.handle_gre(now, &mut packet, &mut sink),
                Came::Drop => {}
                Came::Answer(answer) => call.path.send_frame(now, &answer, &mut sink),
            }
            self.collected(now, call, sink);
        }
    }

    fn talk(&mut self, now: Instant, call: &mut Call, sink: &mut Collected) {
        let Some((local, peer)) = call.up.filter(|_| self.manners.talks) else { return };
        if call.reply.elapsed() > Duration::from_millis(300) {
            call.reply = now;
            let mut packet = vec![0; HEADROOM];
            packet.extend(frames::ping(local, peer));
            call.path.handle_ip(now, &mut packet, sink);
        }
    }

    fn collected(&mut self, now: Instant, call: &mut Call, sink: Collected) {
        for packet in sink.gre {
            self.send(&packet);
        }
        for mut packet in sink.ip {
            if frames::answer_ping(&mut packet) {
                let mut sink = Collected::default();
                let mut buffer = vec![0; HEADROOM];
                buffer.extend(packet);
                call.path.handle_ip(now, &mut buffer, &mut sink);
                for packet in sink.gre {
                    self.send(&packet);
                }
            }
        }
        for (frame, origin) in sink.frames {
            match (self.manners.came)(&frame) {
                Came::Pass => {
                    self.machine.input(now, Input::Frame { call: call.handle, frame: &frame, origin });
                }
                Came::Drop => {}
                Came::Answer(answer) => {
                    let mut sink = Collected::default();
                    call.path.send_frame(now, &answer, &mut sink);
                    for packet in sink.gre {
                        self.send(&packet);
                    }
                }
            }
        }
    }

    fn send(&self, packet: &[u8]) {
        let Some(gre) = &self.gre else { return };
        let mut batch = SendBatch::new(1, 2048);
        if batch.push(self.peer, self.manners.source, packet) {
            gre.send(&mut batch);
        }
    }

    /// Does what the machine says; true when the connection is over.
    fn turn(&mut self, now: Instant, call: &mut Option<Call>) -> bool {
        let mut over = false;
        let mut buf = Vec::new();
        loop {
            if let Some(event) = self.machine.event() {
                over |= self.event(now, event, call);
                continue;
            }
            match self.machine.transmit(&mut buf) {
                None => return over,
                Some(Transmit::Control) => {
                    let _ = self.stream.write_all(&buf);
                }
                Some(Transmit::Frame { .. }) => {
                    if let (Some(call), Some(frame)) = (call.as_mut(), (self.manners.leaves)(buf.clone())) {
                        let mut sink = Collected::default();
                        call.path.send_frame(now, &frame, &mut sink);
                        for packet in sink.gre {
                            self.send(&packet);
                        }
                    }
                }
            }
        }
    }

    fn event(&mut self, now: Instant, event: Event, call: &mut Option<Call>) -> bool {
        match event {
            Event::Ask { id, question, .. } => {
                let answer = (self.answers)(&question);
                self.machine.answer(now, id, answer);
            }
            Event::OpenPath { call: handle, local_call_id, peer_call_id, .. } => {
                let mut config = PathConfig::new(local_call_id, peer_call_id);
                config.encryption_required = false;
                let path = Path::new(config, now);
                *call = Some(Call { handle, path, began: now, up: None, reply: now });
            }
            Event::Path { command, .. } => {
                if let Some(call) = call {
                    call.path.command(now, (self.manners.path)(command));
                }
            }
            Event::Up { up, .. } => {
                if let Some(call) = call {
                    call.up = Some((up.local, up.peer));
                }
            }
            Event::CallEnded { .. } => *call = None,
            Event::Closed { .. } => return true,
            Event::Note { .. } | Event::Established { .. } | Event::CountTraffic { .. } => {}
        }
        false
    }
}
