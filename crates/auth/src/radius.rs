//! The RADIUS servers of `[auth.radius]`.

mod verdict;

use core::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use adit_config::{Config, Listen, Radius, SecretSource};
use adit_crypto::Rng;
use adit_crypto::proof::Proof;
use adit_diag::{LoginRefusal, SourceFault};
use adit_nas::{RadiusClient, ServerStatus};
use adit_policy::name;
use adit_ppp::auth::AuthRequest;
use adit_radius::client::{ClientConfig, Failure, Retransmission, ServerConfig, ServerId};
use adit_radius::{AccessRequest, Call, Credentials, Nas, Reply, RequireMessageAuthenticator, SharedSecret};

use crate::{AccountSource, BoxFuture, Caller, ChallengeState, Outcome};
use verdict::{Login, accepted, rejected};

/// The longest message of a server that is shown, in characters.
const MESSAGE: usize = 256;

/// The RADIUS servers of the configuration, asked in order. A server decides about every name that it is asked about.
#[derive(Debug)]
pub struct RadiusServers {
    nas: Arc<Nas>,
    servers: ClientConfig,
    is_optional: bool,
    /// Started with the first login: its task needs the runtime of the server.
    client: OnceLock<RadiusClient>,
}

/// The secret shared with the RADIUS servers cannot be used.
#[derive(Debug)]
pub struct RadiusError {
    source: SecretSource,
    error: io::Error,
}

impl fmt::Display for RadiusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RadiusError { source, error } = self;
        write!(f, "auth.radius.secret cannot be read: {source}: {error}")
    }
}

impl core::error::Error for RadiusError {}

/// The state of a login between two rounds.
struct Round {
    /// The server that has sent the Access-Challenge.
    server: ServerId,
    /// Its State.
    state: Option<Vec<u8>>,
}

impl RadiusServers {
    /// Reads the secret; the servers are asked first for the first login.
    ///
    /// # Errors
    /// The secret cannot be read, is empty, or `[auth.radius]` is missing.
    pub fn open(config: &Config) -> Result<RadiusServers, RadiusError> {
        let Some(radius) = &config.auth.radius else {
            let error = io::Error::new(io::ErrorKind::NotFound, "[auth.radius] is missing");
            return Err(RadiusError { source: SecretSource::Credential("radius".to_owned()), error });
        };
        let nas = Nas { address: own_address(config), identifier: identifier(config, radius) };
        let secret = secret(radius)?;
        let server = |address: &std::net::SocketAddrV4| ServerConfig {
            address: (*address).into(),
            secret: secret.clone(),
            require: match radius.accept_unsigned.contains(address) {
                true => RequireMessageAuthenticator::No,
                false => RequireMessageAuthenticator::Yes,
            },
        };
        let servers = ClientConfig {
            retransmission: Retransmission::within(radius.timeout, radius.retries),
            ..ClientConfig::new(radius.servers.iter().map(server).collect(), nas.clone())
        };
        Ok(RadiusServers {
            nas: Arc::new(nas),
            servers,
            is_optional: radius.is_optional,
            client: OnceLock::new(),
        })
    }

    fn client(&self) -> Result<&RadiusClient, SourceFault> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| failed(&format!("no random numbers: {error}")))?;
        let start = || RadiusClient::start(self.servers.clone(), Rng::from_seed(seed), |_| {});
        Ok(self.client.get_or_init(start))
    }

    async fn log_in(
        &self,
        request: &AuthRequest,
        caller: &Caller,
        state: Option<ChallengeState>,
    ) -> Result<Outcome, SourceFault> {
        // A name that no account can have is in no directory either.
        let account = match name::login_name(&request.name, &caller.config.auth.domain) {
            Ok(name) => name.key,
            Err(why) => return Ok(Outcome::NotMine(LoginRefusal::BadName { fault: why.message })),
        };
        if matches!(request.proof, Proof::ChangePassword(_))
            && let Err(reason) = caller.may_log_in(&account, None)
        {
            return Ok(rejected(&account, reason));
        }
        let round: Option<Round> = state.and_then(ChallengeState::into_value);
        let (server, state) = round.map(|round| (round.server, round.state)).unzip();
        let ask = AccessRequest {
            // As sent: the proof of MS-CHAPv2 includes it.
            user_name: request.name.clone(),
            credentials: Credentials::Proof(request.proof.clone()),
            nas: Arc::clone(&self.nas),
            call: Call {
                client: Some(caller.from),
                server: match self.nas.address {
                    Some(IpAddr::V4(address)) => Some(address),
                    _ => None,
                },
                ..Call::default()
            },
            state: state.flatten(),
        };
        let answer = self.client()?.ask(ask, server).await.map_err(fault)?;
        let address = self.servers.servers.get(usize::from(answer.server.0)).map(|server| server.address);
        let server = address.map(|address| address.to_string()).unwrap_or_default();
        let login = Login { account, server, request, caller };
        match answer.reply {
            Reply::Accept(accept) => accepted(login, *accept),
            Reply::Reject(reject) => Ok(login.reject(reject)),
            Reply::Challenge(challenge) => Ok(Outcome::Challenge {
                state: ChallengeState::new(Round { server: answer.server, state: challenge.state }),
                message: shown(&challenge.reply_message),
            }),
        }
    }
}

impl AccountSource for RadiusServers {
    fn name(&self) -> &str {
        "radius"
    }

    fn is_optional(&self) -> bool {
        self.is_optional
    }

    fn servers(&self) -> Vec<ServerStatus> {
        match self.client.get() {
            Some(client) => client.servers(),
            None => self.servers.servers.iter().map(|server| ServerStatus::new(server.address)).collect(),
        }
    }

    fn authenticate<'a>(
        &'a self,
        request: &'a AuthRequest,
        caller: &'a Caller,
        state: Option<ChallengeState>,
    ) -> BoxFuture<'a, Result<Outcome, SourceFault>> {
        Box::pin(self.log_in(request, caller, state))
    }
}

fn secret(radius: &Radius) -> Result<SharedSecret, RadiusError> {
    let failed = |error| RadiusError { source: radius.secret.clone(), error };
    let octets = zeroize::Zeroizing::new(radius.secret.read().map_err(failed)?);
    // An editor ends a file with a line end, which is not part of the secret.
    let trimmed = octets.strip_suffix(b"\n").unwrap_or(&octets);
    let trimmed = trimmed.strip_suffix(b"\r").unwrap_or(trimmed);
    SharedSecret::new(trimmed).ok_or_else(|| {
        failed(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is empty: RADIUS needs a secret (RFC 2865 section 3)",
        ))
    })
}

/// NAS-IP-Address: the first address that the server listens on.
fn own_address(config: &Config) -> Option<IpAddr> {
    config.server.listen.iter().find_map(|listen| match listen {
        Listen::Address { address, .. } if !address.is_unspecified() => Some(IpAddr::V4(*address)),
        Listen::Address { .. } | Listen::Interface { .. } => None,
    })
}

/// NAS-Identifier.
fn identifier(config: &Config, radius: &Radius) -> String {
    let name = radius.nas_identifier.as_ref().or(config.server.name.as_ref());
    name.unwrap_or(&config.server.hostname).clone()
}

fn failed(error: &str) -> SourceFault {
    SourceFault::Failed { error: error.into() }
}

fn fault(failure: Failure) -> SourceFault {
    match failure {
        Failure::TooManyRequests(limit) => SourceFault::TooManyLogins { limit },
        other => failed(&other.to_string()),
    }
}

/// A message of a server for the record: one line, and not too long.
fn shown(message: &str) -> String {
    let short: String = message.chars().take(MESSAGE).collect();
    adit_wire::text::escape(short.replace('\n', " ").as_bytes()).to_string()
}
