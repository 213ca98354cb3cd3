//! Tests of the I/O loop around the machine, over a real TCP connection.

use adit_tunnel::path::Origin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_tunnel::events::{Command, Event, Input, Why};
use adit_tunnel::{ClientTunnel, Transmit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::super::{Connection, Now};
use super::fakes::{CALL_ID, Fake, PASSWORD};
use super::world;
use crate::message::Message;
use crate::registry::Registry;

struct Client {
    tunnel: ClientTunnel,
    stream: TcpStream,
    fake: Arc<Fake>,
    registry: Arc<Registry>,
    call: u32,
    is_up: bool,
    is_over: bool,
}

impl Client {
    /// Runs the client for at most ten seconds, until `done`.
    async fn talk(&mut self, done: impl Fn(&Client) -> bool) {
        let until = Instant::now() + Duration::from_secs(10);
        let (mut input, mut output) = ([0u8; 4096], Vec::new());
        while !done(self) {
            assert!(Instant::now() < until, "{:#?}", self.fake.log());
            let frames: Vec<_> = self.fake.frames.lock().unwrap().drain(..).collect();
            for frame in frames {
                self.tunnel.handle_input(
                    Instant::now(),
                    Input::Frame { call: self.call, frame: &frame, origin: Origin::Clear },
                );
            }
            while let Some(event) = self.tunnel.poll_event() {
                match event {
                    Event::OpenPath { call, .. } => self.call = call,
                    Event::Up { .. } => self.is_up = true,
                    Event::Closed { .. } => self.is_over = true,
                    _ => {}
                }
            }
            while let Some(to) = self.tunnel.poll_transmit(&mut output) {
                match to {
                    Transmit::Control => self.stream.write_all(&output).await.unwrap(),
                    Transmit::Frame { .. } => {
                        self.registry.deliver(CALL_ID, Message::Frame(output.clone(), Origin::Clear))
                    }
                }
            }
            self.tunnel.handle_timeout(Instant::now());
            let read = tokio::time::timeout(Duration::from_millis(5), self.stream.read(&mut input)).await;
            match read {
                Ok(Ok(0) | Err(_)) => self.tunnel.handle_input(Instant::now(), Input::ControlClosed),
                Ok(Ok(len)) => self.tunnel.handle_input(Instant::now(), Input::Control(&input[..len])),
                Err(_) => {}
            }
        }
    }
}

async fn connect(password: &str) -> (Client, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let fake = Arc::new(Fake::default());
    let handles = fake.handles();
    let start = world::start(&fake, &handles, world::config(""));
    let registry = Arc::clone(&handles.registry);
    let connection = Box::new(Connection::new(handles, start, accepted, Vec::new()));
    let session = tokio::spawn(connection.run());
    let tunnel = world::client(password, Now::read());
    (Client { tunnel, stream, fake, registry, call: 0, is_up: false, is_over: false }, session)
}

#[tokio::test]
async fn a_session_runs_from_its_first_message_to_its_record() {
    let (mut client, session) = connect(PASSWORD).await;
    client.talk(|client| client.is_up).await;
    client.tunnel.handle_command(Instant::now(), Command::Stop { why: Why::UserRequest });
    client.talk(|client| client.is_over && client.registry.len() == 0).await;
    session.await.unwrap();
    let fake = &client.fake;
    fake.position("lend to alice");
    assert!(fake.position("route add 192.168.77.0/24") < fake.position("event session.up"));
    assert!(fake.position("route remove 192.168.77.0/24") < fake.position("release s41"));
    fake.position("row ended");
}

#[tokio::test]
async fn a_refused_login_takes_a_second() {
    let (mut client, session) = connect("wrong").await;
    let began = Instant::now();
    client.talk(|client| client.is_over && client.registry.len() == 0).await;
    session.await.unwrap();
    assert!(began.elapsed() >= crate::login::REFUSAL_DELAY, "{:?}", began.elapsed());
    client.fake.position("event auth.fail");
}
