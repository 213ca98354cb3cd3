//! Client of the control socket: one JSON request per line, one JSON response per line.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use adit_api::log::{Filter, Followed};
use adit_api::{Request, Response};
use adit_diag::Code;
use zeroize::Zeroizing;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// Response timeout, unless `--timeout` is given.
const PATIENCE: Duration = Duration::from_secs(10);
/// Response timeout of an import, whose passwords are all checked.
const LONG: Duration = Duration::from_secs(120);
/// Timeout of a subscription: the server sends a keep-alive at least every five seconds.
const FOLLOWING: Duration = Duration::from_secs(15);
/// The longest response line, in bytes.
const LONGEST: usize = 8 << 20;
/// A response with a password is shorter than this: its buffer does not grow, so no copy of it stays behind.
const SHORT: usize = 64 << 10;

/// A connection to the running server.
pub(crate) struct Control {
    stream: UnixStream,
    socket: PathBuf,
    /// The longest wait for one line.
    patience: Duration,
    /// Data that is received but not consumed yet.
    buffer: Zeroizing<Vec<u8>>,
}

/// Connects to the server of this invocation.
pub(crate) fn connect(output: &Output, places: &Places) -> Result<Control, Failure> {
    find(output, places)?.ok_or_else(|| unreachable(&places.socket()))
}

/// Connects to the server; `None` if no server runs: the socket does not exist, or no process listens on it.
pub(crate) fn find(output: &Output, places: &Places) -> Result<Option<Control>, Failure> {
    let socket = places.socket();
    let stream = match UnixStream::connect(&socket) {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => Ok(None),
                ErrorKind::PermissionDenied => Err(denied(&socket)),
                _ => Err(unreachable(&socket)),
            };
        }
    };
    let buffer = Zeroizing::new(Vec::with_capacity(SHORT));
    let mut control = Control { stream, socket, patience: PATIENCE, buffer };
    control.set_patience(output.timeout.unwrap_or(PATIENCE))?;
    Ok(Some(control))
}

fn unreachable(socket: &Path) -> Failure {
    Failure::new(Exit::Unreachable, format!("no server answers on {}", socket.display()))
        .fix("start it: systemctl start adit, or adit serve")
}

fn denied(socket: &Path) -> Failure {
    // The group of the superuser gives far more than the use of this socket.
    let fix = match group_of(socket) {
        Some(group) if group != "root" => {
            format!("run it with sudo, or join the group {group} and log in again")
        }
        _ => "run it with sudo".to_owned(),
    };
    Failure::new(Exit::Denied, format!("you may not use {}", socket.display())).code(Code::S08).fix(fix)
}

/// The response of a server of another version cannot be parsed.
pub(crate) fn other_version() -> Failure {
    Failure::new(Exit::Unreachable, "the running server is of another version").fix("restart it")
}

impl Control {
    /// Sends a request and returns the response; an error response becomes a [`Failure`].
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Response, Failure> {
        let sent = self.send(request);
        // A server that refuses early closes its end before it has read everything, but its response can still be read.
        let answer = match self.line() {
            Ok(Some(line)) => self.understand(&line)?,
            Ok(None) => return Err(self.unanswered(request, "it closed the connection")),
            Err(error) => return Err(self.unanswered(request, &sent.err().unwrap_or(error))),
        };
        match answer {
            Response::Error(error) => Err(error.into()),
            answer => Ok(answer),
        }
    }

    /// The same for a request that may take long, unless `--timeout` allows even more.
    pub(crate) fn ask_patiently(&mut self, request: &Request) -> Result<Response, Failure> {
        self.set_patience(self.patience.max(LONG))?;
        self.ask(request)
    }

    /// The failure of a request without a response.
    fn unanswered(&self, request: &Request, why: &str) -> Failure {
        let failure = self.silent(why);
        if !request.changes_store() {
            return failure;
        }
        let (what, fix) = match request {
            Request::Bans(_) => ("the bans are", "adit ban list, then try again"),
            Request::Pools(_) => ("the leases are", "adit pool show POOL, then try again"),
            _ => ("the account is", "adit user show NAME, then try again"),
        };
        let message = format!("{}; {what} changed in full or not at all", failure.message);
        Failure { message, ..failure }.fix(fix)
    }

    /// Subscribes to events. After this returns, no later event is lost without notice.
    pub(crate) fn follow(mut self, filter: Filter) -> Result<Follower, Failure> {
        match self.ask(&Request::Follow(filter))? {
            Response::Followed(Followed::Begun) => {}
            _ => return Err(other_version()),
        }
        self.set_patience(FOLLOWING)?;
        Ok(Follower { control: self })
    }

    fn set_patience(&mut self, patience: Duration) -> Result<(), Failure> {
        self.patience = patience.max(Duration::from_millis(1));
        let set = self.stream.set_write_timeout(Some(self.patience));
        set.map_err(|error| Failure::io("using", &self.socket, &error))
    }

    /// Sends a request; the error is a text.
    fn send(&mut self, request: &Request) -> Result<(), String> {
        let mut line = Zeroizing::new(Vec::with_capacity(SHORT));
        serde_json::to_writer(&mut *line, request).map_err(|error| error.to_string())?;
        line.push(b'\n');
        self.stream.write_all(&line).map_err(|error| words(&error))
    }

    /// The next line, without its end; `None` if the server closed the connection. The error is a text.
    fn line(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let mut chunk = Zeroizing::new([0; 16 << 10]);
        let mut searched = 0;
        // For the whole line: a peer that sends an octet now and then does not extend it.
        let deadline = Instant::now() + self.patience;
        loop {
            let end = self.buffer.iter().skip(searched).position(|octet| *octet == b'\n');
            if let Some(end) = end.map(|end| end + searched) {
                let rest = Zeroizing::new(self.buffer.split_off(end + 1));
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.truncate(end);
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            if searched > LONGEST {
                return Err(format!("an answer of more than {LONGEST} octets"));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(words(&ErrorKind::TimedOut.into()));
            }
            self.stream.set_read_timeout(Some(left)).map_err(|error| words(&error))?;
            match self.stream.read(&mut *chunk) {
                Ok(0) => return Ok(None),
                Ok(read) => self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default()),
                // A signal that stops and continues this process.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(words(&error)),
            }
        }
    }

    fn understand(&self, line: &[u8]) -> Result<Response, Failure> {
        serde_json::from_slice(line).map_err(|error| match serde_json::from_slice(line) {
            Ok(serde_json::Value::Object(_)) => other_version(),
            _ => self.silent(&format!("not in our language: {error}")),
        })
    }

    fn silent(&self, why: &str) -> Failure {
        let socket = self.socket.display();
        Failure::new(Exit::Unreachable, format!("the server behind {socket} does not answer: {why}"))
            .fix("adit log; journalctl -u adit")
    }
}

/// A subscription to events.
pub(crate) struct Follower {
    control: Control,
}

impl Follower {
    /// The next item; `None` when the server has stopped.
    pub(crate) fn next(&mut self) -> Result<Option<Followed>, Failure> {
        let line = self.control.line().map_err(|why| self.control.silent(&why))?;
        let Some(line) = line else { return Ok(None) };
        match self.control.understand(&line)? {
            Response::Followed(followed) => Ok(Some(followed)),
            Response::Error(error) => Err(error.into()),
            _ => Err(other_version()),
        }
    }
}

fn words(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "nothing in time".to_owned(),
        _ => error.to_string(),
    }
}

/// The group of a socket, or of its directory.
fn group_of(socket: &Path) -> Option<String> {
    let of = |path: &Path| std::fs::metadata(path).ok();
    let gid = of(socket).or_else(|| of(socket.parent()?))?.gid();
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
    })
}
