//! RADIUS as an account source, against a server on loopback that does what the user name says.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use adit_auth::{Caller, LoginOutcome, Pending, RadiusServers, Sources};
use adit_config::{Checked, Config, Source};
use adit_crypto::proof::{self, Proof, Secret};
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, LoginRefusal, SourceFault};
use adit_ppp::auth::AuthRequest;
use adit_radius::number::{microsoft, standard, vendor};
use adit_radius::{Builder, Code, Packet, SharedSecret, Signing};
use adit_store::{NewAccount, Store, StoreConfig};

const SECRET: &str = "a secret of 24 characters";
const PASSWORD: &str = "violet lamp 44 harbour";

/// The value of an attribute.
fn value<'a>(packet: &Packet<'a>, number: u8) -> Option<&'a [u8]> {
    packet.flattened().find(|item| item.vendor.is_none() && item.number == number).map(|item| item.value)
}

/// A server in a thread; it ends when dropped.
struct Server {
    address: SocketAddr,
    /// NAS-Identifier, Calling-Station-Id and User-Name of each request.
    requests: Arc<Mutex<Vec<[String; 3]>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Server {
    fn start() -> Server {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let address = socket.local_addr().unwrap();
        let (requests, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let thread = {
            let (requests, stop) = (Arc::clone(&requests), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while !stop.load(Ordering::Relaxed) {
                    let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                    let packet = Packet::new_checked(&buffer[..length]).unwrap();
                    if packet.code() != Code::AccessRequest {
                        continue;
                    }
                    let text = |number| {
                        String::from_utf8_lossy(value(&packet, number).unwrap_or_default()).into_owned()
                    };
                    let name = text(standard::USER_NAME);
                    let seen =
                        [text(standard::NAS_IDENTIFIER), text(standard::CALLING_STATION_ID), name.clone()];
                    requests.lock().unwrap().push(seen);
                    if let Some(reply) = reply(&packet, &name) {
                        socket.send_to(&reply, from).unwrap();
                    }
                }
            })
        };
        Server { address, requests, stop, thread: Some(thread) }
    }
}

fn reply(packet: &Packet<'_>, name: &str) -> Option<Vec<u8>> {
    let state = value(packet, standard::STATE);
    let code = match name {
        "silent" => return None,
        "round" if state.is_none() => Code::AccessChallenge,
        name if name.starts_with("no") => Code::AccessReject,
        _ => Code::AccessAccept,
    };
    let mut builder = Builder::new(code, packet.id(), [0; 16]);
    if name != "unsigned" {
        builder.message_authenticator();
    }
    let error = |text: &str| [&[1], text.as_bytes()].concat();
    match name {
        "round" if state.is_none() => {
            builder.octets(standard::STATE, b"the state").text(standard::REPLY_MESSAGE, "the code?");
        }
        "full" => {
            builder
                .ipv4(standard::FRAMED_IP_ADDRESS, [10, 99, 0, 77].into())
                .text(standard::FRAMED_POOL, "lab")
                .text(standard::FRAMED_ROUTE, "192.168.77.0/24 0.0.0.0 1")
                .text(standard::FILTER_ID, "1000/2000")
                .text(standard::FILTER_ID, "STAFF")
                .number(standard::SESSION_TIMEOUT, 3_600)
                .number(standard::IDLE_TIMEOUT, 0)
                .octets(standard::CLASS, b"one")
                .octets(standard::CLASS, b"two");
        }
        "keyless" => {
            let success = [&[1][..], b"S=0123456789ABCDEF0123456789ABCDEF01234567"].concat();
            builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP2_SUCCESS, &success);
        }
        "no-hours" => {
            builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP_ERROR, &error("E=646 R=0 V=3 M=not now"));
        }
        "no-more" => {
            builder
                .vendor(vendor::MICROSOFT, microsoft::MS_CHAP_ERROR, &error("E=647 R=0 V=3 M=gone"))
                // A Reject grants nothing.
                .ipv4(standard::FRAMED_IP_ADDRESS, [10, 99, 0, 78].into());
        }
        "no-change" => {
            builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP_ERROR, &error("E=648 R=0 V=3 M=old"));
        }
        "no-permission" => {
            builder.vendor(vendor::MICROSOFT, microsoft::MS_CHAP_ERROR, &error("E=649 R=0 V=3 M=no"));
        }
        "no-such-user" => {
            builder.text(standard::REPLY_MESSAGE, "never\nheard of \u{1b}[2J");
        }
        _ => {}
    }
    let secret = SharedSecret::new(SECRET.as_bytes()).unwrap();
    Some(builder.finish(Signing::Reply(*packet.authenticator()), &secret).unwrap())
}

/// A configuration with these lines in `[auth.radius]`.
fn config(dir: &tempfile::TempDir, secret: &str, sources: &str, lines: &str) -> Config {
    let file = dir.path().join("secret");
    std::fs::write(&file, secret).unwrap();
    let text = format!(
        "[server]\nname = \"vpn.example.org\"\nlisten = \"203.0.113.10\"\n[pool]\nnet = \"10.99.0.0/24\"\n[access]\n\
         routes = [\"192.168.10.0/24\"]\n[groups.staff]\nroutes = [\"192.168.20.0/24\"]\n[auth]\nsources = {sources}\n\
         [auth.radius]\nsecret = {{ file = \"{}\" }}\ntimeout = \"2s\"\n{lines}\n",
        file.display()
    );
    let checked = Checked::parse(vec![Source::new("adit.toml", text)]);
    let shown = checked.render();
    checked.into_config().unwrap_or_else(|_| panic!("{shown}"))
}

/// Servers, and local accounts of `dora`.
struct World {
    sources: Sources,
    caller: Caller,
    _dir: tempfile::TempDir,
}

impl World {
    fn of(secret: &str, sources: &str, lines: &str) -> World {
        let dir = tempfile::tempdir().unwrap();
        let config = config(&dir, secret, sources, lines);
        let store: Store = adit_store::open(&StoreConfig::memory()).unwrap();
        let password = Secret::Clear(Password::new(PASSWORD));
        store.add_account(&NewAccount::named("dora"), Some(&password), true, jiff::Timestamp::now()).unwrap();
        let sources = Sources::from_config(&config, &store).unwrap();
        World {
            sources,
            caller: Caller { from: [198, 51, 100, 7].into(), config: Arc::new(config) },
            _dir: dir,
        }
    }

    fn with(server: &Server, lines: &str) -> World {
        let lines = format!("servers = [\"{}\"]\n{lines}", server.address);
        World::of(&format!("{SECRET}\r\n"), "[\"radius\"]", &lines)
    }

    async fn ask(&self, proof: Proof, name: &str, pending: Option<Box<Pending>>) -> LoginOutcome {
        let method = match proof {
            Proof::MsChapV2 { .. } => AuthMethod::MsChapV2,
            _ => AuthMethod::Pap,
        };
        let continues = pending.is_some();
        let request = AuthRequest { name: name.as_bytes().to_vec(), method, proof, continues };
        self.sources.authenticate(&request, &self.caller, pending).await
    }

    async fn log_in(&self, name: &str) -> LoginOutcome {
        self.ask(pap(), name, None).await
    }

    async fn refusal(&self, name: &str) -> LoginRefusal {
        match self.log_in(name).await {
            LoginOutcome::Reject(rejection) => {
                assert_eq!(rejection.account.as_deref(), Some(name), "it counts as a guess at this account");
                rejection.reason
            }
            other => panic!("{other:?}"),
        }
    }

    async fn fault(&self, name: &str) -> String {
        match self.log_in(name).await {
            LoginOutcome::Unavailable { why, .. } => why.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

fn pap() -> Proof {
    Proof::Pap { password: Password::new(PASSWORD) }
}

#[tokio::test]
async fn an_accept_is_a_grant_with_everything_in_it() {
    let server = Server::start();
    let world = World::with(&server, "nas_identifier = \"vpn7\"");
    let LoginOutcome::Grant(grant) = world.log_in("full").await else { panic!("no grant") };
    assert_eq!((grant.account.as_str(), grant.group.as_deref()), ("full", Some("staff")));
    assert_eq!(grant.address.pool.as_deref(), Some("lab"));
    assert_eq!(grant.address.address, Some([10, 99, 0, 77].into()));
    assert_eq!(grant.networks, ["192.168.77.0/24".parse().unwrap()]);
    assert_eq!((grant.limits.idle, grant.limits.session), (None, Some(Duration::from_secs(3_600))));
    assert_eq!(grant.class, [b"one", b"two"]);
    // The name goes out as it came in; the account is found without the domain.
    let LoginOutcome::Grant(grant) = world.log_in("CORP\\Plain").await else { panic!("no grant") };
    assert_eq!((grant.account.as_str(), grant.group), ("plain", None));
    let requests = server.requests.lock().unwrap();
    let expected = |name: &str| ["vpn7", "198.51.100.7", name].map(str::to_owned);
    assert_eq!(*requests, [expected("full"), expected("CORP\\Plain")]);
}

#[tokio::test]
async fn the_name_of_the_server_is_the_identifier_unless_another_is_set() {
    let server = Server::start();
    assert!(matches!(World::with(&server, "").log_in("plain").await, LoginOutcome::Grant(_)));
    assert_eq!(server.requests.lock().unwrap()[0][0], "vpn.example.org");
}

#[tokio::test]
async fn a_reject_is_final_and_has_its_reason() {
    let server = Server::start();
    let world = World::with(&server, "");
    let user = |name: &str| name.to_owned();
    assert_eq!(world.refusal("no-hours").await, LoginRefusal::LogonHours { user: user("no-hours") });
    assert_eq!(
        world.refusal("no-more").await,
        LoginRefusal::Disabled { user: user("no-more"), because: user("gone") }
    );
    assert_eq!(
        world.refusal("no-change").await,
        LoginRefusal::MustChangePassword { user: user("no-change") }
    );
    assert_eq!(
        world.refusal("no-permission").await,
        LoginRefusal::NoVpnPermission { user: user("no-permission") }
    );
    let message = "never heard of \\x1b[2J".to_owned();
    let rejected = LoginRefusal::RejectedByServer { server: server.address.to_string(), message };
    assert_eq!(world.refusal("no-such-user").await, rejected);
    // A later source that knows the name is not asked.
    let both = format!("servers = [\"{}\"]", server.address);
    let both = World::of(SECRET, "[\"radius\", \"local\"]", &both);
    assert!(matches!(both.refusal("nodora").await, LoginRefusal::RejectedByServer { .. }));
    // And one before it decides alone.
    let first = format!("servers = [\"{}\"]", server.address);
    let first = World::of(SECRET, "[\"local\", \"radius\"]", &first);
    let before = server.requests.lock().unwrap().len();
    assert!(matches!(first.log_in("dora").await, LoginOutcome::Grant(_)));
    assert_eq!(server.requests.lock().unwrap().len(), before);
}

#[tokio::test]
async fn what_is_wrong_with_the_answers_is_reported_and_is_no_rejection() {
    let server = Server::start();
    let world = World::with(&server, "");
    assert!(world.fault("silent").await.contains("gave no answer to 3 packets"));
    assert!(world.fault("unsigned").await.contains("without Message-Authenticator"));
    let other = World::of("another", "[\"radius\"]", &format!("servers = [\"{}\"]", server.address));
    assert!(other.fault("plain").await.contains("compare the shared secret"));
    let lenient = World::with(&server, &format!("accept_unsigned = [\"{}\"]", server.address));
    assert!(matches!(lenient.log_in("unsigned").await, LoginOutcome::Grant(_)));
    let once = World::with(&server, "retries = 0");
    assert!(once.fault("silent").await.contains("gave no answer to 1 packets"));
}

#[tokio::test]
async fn an_accept_without_keys_is_no_login_where_encryption_is_required() {
    let server = Server::start();
    let world = World::with(&server, "");
    let password = Password::new(PASSWORD);
    let response = adit_crypto::mschap::nt_response_v2(&[1; 16], &[2; 16], b"keyless", &password.nt_hash());
    let proof = Proof::MsChapV2 {
        authenticator_challenge: [1; 16],
        peer_challenge: [2; 16],
        nt_response: response,
        name: b"keyless".to_vec(),
    };
    assert!(proof::check(&proof, &Secret::Clear(password)).is_ok(), "the test is sound");
    match world.ask(proof, "keyless", None).await {
        LoginOutcome::Unavailable { why, .. } => {
            let SourceFault::Failed { .. } = &why.fault else { panic!("{why}") };
            assert!(why.to_string().contains("without keys for MPPE"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_silent_server_ends_the_login_unless_the_next_source_may_decide() {
    // Nothing listens there.
    let silent = |more: &str| {
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        World::of(SECRET, "[\"radius\", \"local\"]", &format!("servers = [\"{closed}\"]\n{more}"))
    };
    assert!(silent("").fault("dora").await.contains("cannot be reached (ICMP)"));
    let next = silent("on_unavailable = \"next\"");
    assert!(matches!(next.log_in("dora").await, LoginOutcome::Grant(_)));
    // A wrong password there is not reported as wrong, and counts as a guess.
    match next.ask(Proof::Pap { password: Password::new("wrong") }, "dora", None).await {
        LoginOutcome::Unavailable { withheld: Some(rejection), .. } => {
            assert_eq!(rejection.account.as_deref(), Some("dora"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_round_goes_to_the_same_server_with_its_state() {
    let server = Server::start();
    let world = World::with(&server, "");
    let LoginOutcome::Challenge { pending, message } = world.log_in("round").await else {
        panic!("no round")
    };
    assert_eq!(message, "the code?");
    assert!(matches!(world.ask(pap(), "round", Some(pending)).await, LoginOutcome::Grant(_)));
}

#[test]
fn a_secret_that_cannot_be_used_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let empty = config(&dir, "\n", "[\"radius\"]", "servers = [\"10.0.0.7\"]");
    let error = RadiusServers::open(&empty).unwrap_err().to_string();
    assert!(error.contains("auth.radius.secret") && error.contains("it is empty"), "{error}");
    std::fs::remove_file(dir.path().join("secret")).unwrap();
    let error = RadiusServers::open(&empty).unwrap_err().to_string();
    assert!(error.contains("secret: No such file"), "{error}");
}
