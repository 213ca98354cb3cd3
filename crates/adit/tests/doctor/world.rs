//! Running the doctor at a client.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use adit_testbed::{Host, Output};
use serde_json::Value;

use crate::common::{PASSWORD, adit};

/// What the doctor said.
pub(crate) struct Said {
    pub(crate) output: Output,
    pub(crate) json: Value,
}

/// Runs it on a host.
pub(crate) fn doctor(host: &Host, arguments: &[&str]) -> Said {
    let dir = tempfile::TempDir::new().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let mut all = vec!["doctor", "--json"];
    all.extend(arguments);
    if arguments.contains(&"-u") && !arguments.contains(&"--password-file") {
        all.extend(["--password-file", password.to_str().unwrap()]);
    }
    let output = host.command(&mut adit(dir.path(), &all));
    let json = serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output}"));
    Said { output, json }
}

impl Said {
    /// The first failure's code; empty when there is none.
    pub(crate) fn code(&self) -> &str {
        self.json["first_failure"].as_str().unwrap_or_default()
    }

    /// A layer's state.
    pub(crate) fn state(&self, layer: &str) -> &str {
        let layers = self.json["layers"].as_array().unwrap();
        let found = layers.iter().find(|found| found["name"] == layer);
        found.and_then(|found| found["state"].as_str()).unwrap_or_default()
    }

    /// Fails with all that was said unless it found nothing wrong.
    #[track_caller]
    pub(crate) fn is_healthy(&self) {
        assert_eq!((self.output.code, self.code()), (Some(0), ""), "{}", self.output);
        assert_eq!(self.json["findings"], serde_json::json!([]), "{}", self.output);
    }
}

/// A name server that knows one name; gone with this value.
pub(crate) struct Names {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Names {
    /// Starts it on a host: `intranet.corp.example.org` is 192.168.10.20, and nothing else is.
    pub(crate) fn start(host: &Host, address: &str) -> Names {
        let socket = host.run(|| UdpSocket::bind((address, 53)).unwrap());
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let serve = move || {
            let mut buffer = [0; 512];
            while !stop.load(Ordering::Relaxed) {
                let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
                let mut answer = buffer[..len].to_vec();
                let known = answer.windows(8).any(|window| window == b"intranet");
                answer[2] |= 0x80;
                answer[3] = if known { 0 } else { 3 };
                if known {
                    answer[7] = 1;
                    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 168, 10, 20]);
                }
                socket.send_to(&answer, from).unwrap();
            }
        };
        Names { over, thread: Some(std::thread::spawn(serve)) }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
