//! Logs in at RADIUS servers, and compares what they prove and derive with what follows from the password:
//!
//! `cargo run -p adit-radius --example login -- METHOD USER PASSWORD SECRET REQUIRE SECONDS SERVER:PORT...`
//!
//! METHOD is `pap`, `chap-md5`, `mschap-v1`, `mschap-v2`, or `change` with `OLD/NEW` as PASSWORD; REQUIRE is the setting of Message-Authenticator: `yes`, `no` or
//! `auto`. With SECONDS above 0, a login begins each second for so long. `.ci/radius` runs it against FreeRADIUS.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an example")]

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_crypto::proof::{Proof, Proven, Secret, check};
use adit_crypto::secret::Password;
use adit_crypto::{change_password, chap, mschap};
use adit_radius::client::{
    Client, ClientConfig, Command, Event, RequestId, ServerConfig, ServerId, SocketId,
};
use adit_radius::{
    Accept, AccessRequest, Call, Credentials, Nas, Reply, RequireMessageAuthenticator, SharedSecret,
};

/// What a client sends for this password.
fn proof(method: &str, user: &str, password: &Password, rng: &mut Rng) -> Option<Proof> {
    let (challenge, peer_challenge) = (rng.challenge(), rng.challenge());
    let hash = password.nt_hash();
    Some(match method {
        "pap" => Proof::Pap { password: password.clone() },
        "chap-md5" => {
            let response = chap::response(5, password, &challenge);
            Proof::ChapMd5 { id: 5, challenge: challenge.to_vec(), response }
        }
        "mschap-v1" => {
            let challenge = *challenge.first_chunk()?;
            Proof::MsChapV1 { challenge, nt_response: mschap::nt_response(&challenge, &hash) }
        }
        "mschap-v2" => {
            let name = user.as_bytes().to_vec();
            let nt_response = mschap::nt_response_v2(&challenge, &peer_challenge, &name, &hash);
            Proof::MsChapV2 { authenticator_challenge: challenge, peer_challenge, nt_response, name }
        }
        "change" => {
            let (old, new) = password.expose().split_once('/')?;
            let (old, new) = (Password::new(old), Password::new(new));
            Proof::ChangePassword(change_password::make(rng, user.as_bytes(), &challenge, &old, &new)?)
        }
        _ => return None,
    })
}

/// Compares the server's proof and keys with those that follow from the password.
fn compare(proof: &Proof, password: &Password, accept: &Accept) -> String {
    let old = password.expose().split('/').next().unwrap_or_default();
    let Ok(Proven { mschap, keys, .. }) = check(proof, &Secret::Clear(Password::new(old))) else {
        return "the proof is wrong itself".to_owned();
    };
    let sent = match (proof, &accept.mppe.chap) {
        (Proof::MsChapV1 { challenge, .. }, Some(keys)) => Some(keys.start_keys(challenge)),
        _ => accept.mppe.start_keys(),
    };
    let word = |is_right, is_there| match (is_right, is_there) {
        (_, false) => "absent",
        (true, _) => "right",
        (false, _) => "WRONG",
    };
    format!(
        "proof {}, keys {}",
        word(mschap == accept.mschap2_success, accept.mschap2_success.is_some()),
        word(sent == keys, sent.is_some()),
    )
}

/// The sockets of the client; each is opened when it is first used.
#[derive(Default)]
struct Sockets(BTreeMap<SocketId, UdpSocket>);

impl Sockets {
    fn send(&mut self, id: SocketId, to: SocketAddr, octets: &[u8]) {
        let socket = self.0.entry(id).or_insert_with(|| {
            let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
            socket.connect(to).unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            socket
        });
        // A refusal is also reported when something is received, where it counts.
        let _ = socket.send(octets);
    }

    fn receive(&self, client: &mut Client) {
        let mut buffer = [0; 4096];
        for (id, socket) in &self.0 {
            match socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    client.handle_input(Instant::now(), *id, from, buffer.get(..length).unwrap_or_default());
                }
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    client.handle_unreachable(Instant::now(), *id);
                }
                Err(_) => {}
            }
        }
    }
}

struct Logins {
    client: Client,
    addresses: Vec<SocketAddr>,
    proofs: BTreeMap<RequestId, Proof>,
    password: Password,
    accepted: u64,
    refused: u64,
}

impl Logins {
    fn address(&self, server: ServerId) -> String {
        self.addresses.get(usize::from(server.0)).map(ToString::to_string).unwrap_or_default()
    }

    fn report(&mut self, event: Event) {
        match event {
            Event::Reply { id, server, reply: Reply::Accept(accept) } => {
                self.accepted += 1;
                let proof = self.proofs.remove(&id).unwrap();
                println!("{} accept: {}", self.address(server), compare(&proof, &self.password, &accept));
                let Accept { address, session_timeout, idle_timeout, filters, class, reply_message, .. } =
                    *accept;
                println!(
                    "  {address:?} session {session_timeout:?} idle {idle_timeout:?} filters {filters:?}"
                );
                println!("  class {class:?} message {reply_message:?}");
            }
            Event::Reply { server, reply: Reply::Reject(reject), .. } => {
                self.refused += 1;
                let error = reject.chap_error.map(|error| error.error);
                println!("{} reject: E={error:?} message {:?}", self.address(server), reject.reply_message);
            }
            Event::Reply { server, reply: Reply::Challenge(_), .. } => {
                self.refused += 1;
                println!("{} challenge", self.address(server));
            }
            Event::Failed { why, .. } => {
                self.refused += 1;
                println!("no verdict: {why}");
            }
            Event::Dropped { server, why } => println!("{} dropped: {why}", self.address(server)),
            Event::ServerDown(server) => println!("{} down", self.address(server)),
            Event::ServerUp(server) => println!("{} up", self.address(server)),
            Event::CloseSocket(_) => {}
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [method, user, password, secret, require, seconds, servers @ ..] = arguments.as_slice() else {
        eprintln!("login METHOD USER PASSWORD SECRET yes|no|auto SECONDS SERVER:PORT...");
        return ExitCode::from(2);
    };
    let require = match require.as_str() {
        "yes" => RequireMessageAuthenticator::Yes,
        "no" => RequireMessageAuthenticator::No,
        _ => RequireMessageAuthenticator::Auto,
    };
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.parse().unwrap()).collect();
    let secret = SharedSecret::new(secret.as_bytes()).unwrap();
    let server = |address: &SocketAddr| ServerConfig { address: *address, secret: secret.clone(), require };
    let nas = Nas { address: None, identifier: "example".to_owned() };
    let config = ClientConfig::new(addresses.iter().map(server).collect(), nas.clone());
    // Challenges of an example need not be unpredictable.
    let mut rng = Rng::from_number(u64::from(std::process::id()));
    let mut logins = Logins {
        client: Client::new(config, rng.fork()),
        addresses,
        proofs: BTreeMap::new(),
        password: Password::new(password.as_str()),
        accepted: 0,
        refused: 0,
    };
    let mut sockets = Sockets::default();
    let end = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
    let (mut next, mut number) = (Instant::now(), 0);
    loop {
        let now = Instant::now();
        if number == 0 || (now >= next && now < end) {
            let id = RequestId(number);
            (number, next) = (number + 1, now + Duration::from_secs(1));
            let proof = proof(method, user, &logins.password, &mut rng).unwrap();
            logins.proofs.insert(id, proof.clone());
            let request = Box::new(AccessRequest {
                user_name: user.as_bytes().to_vec(),
                credentials: Credentials::Proof(proof),
                nas: Arc::new(nas.clone()),
                call: Call { port: Some(1), session_id: format!("example-{number}"), ..Call::default() },
                state: None,
            });
            logins.client.handle_command(now, Command::Send { id, request, server: None });
        }
        logins.client.handle_timeout(now);
        sockets.receive(&mut logins.client);
        while let Some(event) = logins.client.poll_event() {
            logins.report(event);
        }
        let mut octets = Vec::new();
        while let Some(transmit) = logins.client.poll_transmit(&mut octets) {
            sockets.send(transmit.socket, transmit.to, &std::mem::take(&mut octets));
        }
        if now >= end && logins.client.open_requests() == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    println!("{} accepted, {} not", logins.accepted, logins.refused);
    ExitCode::from(u8::from(logins.refused > 0))
}
