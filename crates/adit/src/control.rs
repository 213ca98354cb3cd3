//! The way to the running server: one JSON request a line, one JSON answer a line, over its control socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use adit_diag::Code;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// How long to wait for an answer, unless `--timeout` says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer line, in octets.
const LONGEST: u64 = 8 << 20;

/// A connection to the running server.
pub(crate) struct Control {
    stream: BufReader<UnixStream>,
    socket: std::path::PathBuf,
}

/// Connects to the server of these places.
pub(crate) fn connect(output: &Output, places: &Places) -> Result<Control, Failure> {
    let socket = places.socket();
    let stream = UnixStream::connect(&socket).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            let group = group_of(&socket).unwrap_or_else(|| "adit".into());
            Failure::new(Exit::Denied, format!("you may not use {}", socket.display()))
                .code(Code::S08)
                .fix(format!("run it with sudo, or join the group {group} and log in again"))
        }
        _ => Failure::new(Exit::Unreachable, format!("no server answers on {}", socket.display()))
            .fix("start it: systemctl start adit, or adit serve"),
    })?;
    let patience = Some(output.timeout.unwrap_or(PATIENCE).max(Duration::from_millis(1)));
    let failed = |error: std::io::Error| Failure::io("using", &socket, &error);
    stream.set_read_timeout(patience).and_then(|()| stream.set_write_timeout(patience)).map_err(failed)?;
    Ok(Control { stream: BufReader::new(stream), socket })
}

impl Control {
    /// One question, one answer.
    pub(crate) fn ask<Q: Serialize, A: DeserializeOwned>(&mut self, question: &Q) -> Result<A, Failure> {
        let silent = |why: &str| {
            let socket = self.socket.display();
            Failure::new(Exit::Unreachable, format!("the server behind {socket} does not answer: {why}"))
                .fix("adit log; journalctl -u adit")
        };
        let mut line = serde_json::to_vec(question).map_err(|error| silent(&error.to_string()))?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).map_err(|error| silent(&error.to_string()))?;
        let mut answer = String::new();
        let read = self.stream.by_ref().take(LONGEST).read_line(&mut answer);
        match read {
            Ok(0) => Err(silent("it closed the connection")),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Err(silent("nothing in time")),
            Err(error) => Err(silent(&error.to_string())),
            Ok(_) => serde_json::from_str(&answer)
                .map_err(|error| silent(&format!("not in our language: {error}"))),
        }
    }
}

/// The name of the group a socket, or its directory, belongs to.
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
