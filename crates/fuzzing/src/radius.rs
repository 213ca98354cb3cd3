//! RADIUS packets from a server that may be hostile, with and without a right signature.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::proof::Proof;
use adit_crypto::secret::Password;
use adit_radius::client::{
    Client, ClientConfig, Command, Event, RequestId, ServerConfig, ServerId, SocketId, Transmit,
};
use adit_radius::{
    AccessRequest, Builder, Call, Code, Credentials, Nas, OpenRequest, Packet, Reply,
    RequireMessageAuthenticator, SharedSecret, Signing, check_reply,
};

use crate::input::Input;

const AUTHENTICATOR: [u8; 16] = [0x42; 16];

pub(crate) fn radius_packet(data: &[u8]) {
    let Some(secret) = SharedSecret::new(b"a secret for fuzzing") else { return };
    let Ok(packet) = Packet::new_checked(data) else { return };
    let _ = packet.to_string();
    assert!(packet.as_bytes().len() <= data.len());
    let request = |is_signature_required| OpenRequest {
        code: Code::AccessRequest,
        authenticator: &AUTHENTICATOR,
        secret: &secret,
        is_signature_required,
    };
    // The odds that an input fits the secret are those of a collision of MD5.
    assert!(check_reply(&packet, &request(false)).is_err(), "a forged packet counts as a reply");

    // The same attributes from the server itself: any value may still be wrong.
    let mut builder = Builder::new(packet.code(), packet.id(), [0; 16]);
    builder.message_authenticator();
    for attribute in packet.attributes().flatten() {
        builder.octets(attribute.number, attribute.value);
    }
    let Ok(octets) = builder.finish(Signing::Reply(AUTHENTICATOR), &secret) else { return };
    match Packet::new_checked(&octets) {
        Ok(again) => {
            assert_eq!(again.flattened().count(), packet.flattened().count() + 1);
            let _ = check_reply(&again, &request(true));
            let _ = Reply::read(&again, &AUTHENTICATOR, &secret);
        }
        Err(error) => unreachable!("written and not read again: {error}"),
    }
}

/// Logins, time, and packets of servers and forgers in any order.
pub(crate) fn radius_client(data: &[u8]) {
    let mut input = Input::new(data);
    let Some(secret) = SharedSecret::new(b"a secret for fuzzing") else { return };
    let begun = Instant::now();
    let mut world = World {
        now: begun,
        client: client(&mut input, &secret),
        secret,
        sent: Vec::new(),
        ended: BTreeSet::new(),
        next: 0,
    };
    while !input.is_empty() {
        match input.u8() % 8 {
            0 | 1 => world.send(&mut input),
            2 => world.client.handle_command(world.now, Command::Cancel(RequestId(u64::from(input.u8())))),
            3 => {
                world.now += Duration::from_millis(50 * u64::from(input.u8()));
                world.client.handle_timeout(world.now);
                let due = world.client.poll_timeout().map(|(at, _)| at);
                assert!(due.is_none_or(|due| due > world.now), "a deadline that stays due");
            }
            4 => {
                let socket = SocketId { server: ServerId(u16::from(input.u8() % 4)), number: 0 };
                world.client.handle_unreachable(world.now, socket);
            }
            5 => world.forge(&mut input),
            _ => world.answer(&mut input),
        }
        world.drain();
    }
}

fn client(input: &mut Input<'_>, secret: &SharedSecret) -> Client {
    let require = [
        RequireMessageAuthenticator::Yes,
        RequireMessageAuthenticator::No,
        RequireMessageAuthenticator::Auto,
    ];
    let server = |number: u8| ServerConfig {
        address: SocketAddr::from(([10, 0, 0, number], 1812)),
        secret: secret.clone(),
        require: require[usize::from(number % 3)],
    };
    let servers = (0..input.u8() % 4).map(server).collect();
    let config = ClientConfig { requests: 40, sockets: 1, ..ClientConfig::new(servers, Nas::default()) };
    Client::new(config, Rng::from_number(u64::from(input.u8())))
}

struct World {
    now: Instant,
    client: Client,
    secret: SharedSecret,
    sent: Vec<(Transmit, Vec<u8>)>,
    ended: BTreeSet<RequestId>,
    next: u64,
}

impl World {
    fn send(&mut self, input: &mut Input<'_>) {
        let request = AccessRequest {
            user_name: vec![b'x'; usize::from(input.u8())],
            credentials: Credentials::Proof(Proof::Pap { password: Password::new("x") }),
            nas: Arc::new(Nas::default()),
            call: Call::default(),
            state: None,
        };
        let server = input.u8();
        let server = (server < 64).then_some(ServerId(u16::from(server % 5)));
        let id = RequestId(self.next);
        self.next += 1;
        self.client.handle_command(self.now, Command::Send { id, request: Box::new(request), server });
    }

    /// One of the packets that were sent, and the socket from which.
    fn chosen(&self, input: &mut Input<'_>) -> Option<(Transmit, Vec<u8>)> {
        let at = usize::from(input.u8()).checked_rem(self.sent.len())?;
        self.sent.get(at).cloned()
    }

    /// A datagram that is not from the server, with the Identifier of a request.
    fn forge(&mut self, input: &mut Input<'_>) {
        let Some((transmit, request)) = self.chosen(input) else { return };
        let open = self.client.open_requests();
        let mut datagram: Vec<u8> = (0..input.u8() % 64).map(|_| input.u8()).collect();
        if let (Some(id), Some(sent)) = (datagram.get_mut(1), request.get(1)) {
            *id = *sent;
        }
        self.client.handle_input(self.now, transmit.socket, transmit.to, &datagram);
        assert_eq!(self.client.open_requests(), open, "a forged packet has ended a login");
    }

    /// An answer of the server itself, with any attributes.
    fn answer(&mut self, input: &mut Input<'_>) {
        let Some((transmit, request)) = self.chosen(input) else { return };
        let Ok(request) = Packet::new_checked(&request) else { return };
        let code = Code::ALL.get(usize::from(input.u8()) % Code::ALL.len()).copied();
        let mut builder = Builder::new(code.unwrap_or(Code::AccessAccept), request.id(), [0; 16]);
        if input.u8() < 128 {
            builder.message_authenticator();
        }
        for _ in 0..input.u8() % 4 {
            let (number, length) = (input.u8(), input.u8() % 8);
            let value: Vec<u8> = (0..length).map(|_| input.u8()).collect();
            builder.octets(number, &value);
        }
        let Ok(reply) = builder.finish(Signing::Reply(*request.authenticator()), &self.secret) else {
            return;
        };
        self.client.handle_input(self.now, transmit.socket, transmit.to, &reply);
    }

    fn drain(&mut self) {
        while let Some(event) = self.client.poll_event() {
            let id = match event {
                Event::Reply { id, .. } => id,
                Event::Failed { id, ref why } => {
                    let _ = why.to_string();
                    id
                }
                _ => continue,
            };
            assert!(self.ended.insert(id), "a login has two ends");
        }
        let mut octets = Vec::new();
        while let Some(transmit) = self.client.poll_transmit(&mut octets) {
            assert!(Packet::new_checked(&octets).is_ok(), "the client sends what it could not read");
            self.sent.push((transmit, std::mem::take(&mut octets)));
        }
        // The last ones are enough for replays.
        self.sent.drain(..self.sent.len().saturating_sub(64));
    }
}
