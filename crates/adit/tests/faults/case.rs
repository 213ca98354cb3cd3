//! One row at work: the vantages are asked, and what they say is held against the matrix.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use adit_testbed::Output;
use serde_json::Value;

use crate::common::PASSWORD;
use crate::matrix::{self, Row};
use crate::world::{NAME, Plan, World, settle, text};

/// No command takes longer, on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// Where somebody looks from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vantage {
    Doctor,
    NearClient,
    NearServer,
    Server,
    Record,
}

impl Vantage {
    const ALL: [Vantage; 5] =
        [Vantage::Doctor, Vantage::NearClient, Vantage::NearServer, Vantage::Server, Vantage::Record];

    fn word(self) -> &'static str {
        match self {
            Vantage::Doctor => "doctor",
            Vantage::NearClient => "near-client",
            Vantage::NearServer => "near-server",
            Vantage::Server => "server",
            Vantage::Record => "record",
        }
    }
}

/// What a vantage said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Got {
    failure: Option<String>,
    findings: Vec<String>,
    /// It names a next test, or nothing that it sees is broken.
    next: bool,
    /// Everything it said.
    story: String,
    took: Duration,
    /// The command does not exist.
    absent: bool,
    /// The conversation reached "up".
    up: bool,
}

impl Got {
    fn shown(&self) -> String {
        if self.absent {
            return "absent".to_owned();
        }
        let mut shown = self.failure.clone().unwrap_or_else(|| "-".to_owned());
        for finding in &self.findings {
            let _ = write!(shown, " +{finding}");
        }
        shown
    }

    fn fulfils(&self, want: &str) -> bool {
        let (want, words) = want.split_once('~').unwrap_or((want, ""));
        if !self.story.to_lowercase().contains(&words.to_lowercase()) {
            return false;
        }
        if want.contains('/') {
            return want.split('/').any(|one| self.fulfils(one));
        }
        match want {
            "-" => self.failure.is_none() && self.next,
            "named" => self.failure.is_some() || !self.findings.is_empty(),
            "healthy" => self.failure.is_none() && self.findings.is_empty(),
            "up" => self.failure.is_none() && self.up,
            "+" => self.failure.is_none() && !self.findings.is_empty(),
            _ => match want.strip_prefix('+') {
                Some(code) => self.failure.is_none() && self.findings.iter().any(|found| found == code),
                None => self.failure.as_deref() == Some(want),
            },
        }
    }

    /// From one verdict of the JSON contract.
    fn of_verdict(verdict: &Value) -> Got {
        let codes = |list: &Value| -> Vec<String> {
            let list = list.as_array().into_iter().flatten();
            list.filter_map(|one| one["code"].as_str().map(str::to_owned)).collect()
        };
        let warned = verdict["layers"].as_array().into_iter().flatten();
        let warned = warned.filter(|layer| layer["state"] == "warn");
        let mut findings = codes(&verdict["findings"]);
        findings.extend(warned.filter_map(|layer| layer["code"].as_str().map(str::to_owned)));
        findings.sort();
        findings.dedup();
        let broken = |layer: &&Value| ["fail", "not-reached"].iter().any(|state| layer["state"] == **state);
        let works = !verdict["layers"].as_array().into_iter().flatten().any(|layer| broken(&layer));
        let next = verdict["next"].as_array().is_some_and(|next| !next.is_empty());
        Got {
            failure: verdict["first_failure"].as_str().map(str::to_owned),
            findings,
            next: next || works,
            ..Got::default()
        }
    }
}

/// A row and what was seen of it.
pub(crate) struct Case {
    row: &'static Row,
    pub(crate) world: World,
    got: Vec<(Vantage, Got)>,
    /// What is recorded was dialled by [`NAME`].
    pub(crate) by_name: bool,
}

impl Case {
    pub(crate) fn new(number: &str, plan: &Plan) -> Case {
        Case { row: matrix::find(number), world: World::build(plan), got: Vec::new(), by_name: true }
    }

    fn wants(&self, vantage: Vantage) -> &'static str {
        match vantage {
            Vantage::Doctor => self.row.doctor,
            Vantage::NearClient => self.row.near_client,
            Vantage::NearServer => self.row.near_server,
            Vantage::Server => self.row.server,
            Vantage::Record => self.row.record,
        }
    }

    fn put(&mut self, vantage: Vantage, mut got: Got, output: &Output) {
        got.absent = output.code == Some(2);
        let _ = writeln!(got.story, "exit {:?}\n{}", output.code, output.stderr);
        self.got.retain(|(of, _)| *of != vantage);
        self.got.push((vantage, got));
    }

    /// `adit doctor` at the client, recorded at both ends: all vantages at once.
    pub(crate) fn all(mut self, more: &[&str]) -> Case {
        self.examine(more);
        self.server().record()
    }

    /// The same without the server's own view.
    pub(crate) fn examine(&mut self, more: &[&str]) {
        let captures = self.world.record();
        self.doctor(more);
        self.judge_captures(captures);
    }

    /// `adit doctor` at the client, while something happens.
    pub(crate) fn doctor_while(&mut self, more: &[&str], act: impl FnOnce(&World) + Send) {
        let arguments = self.arguments(more);
        let begin = Instant::now();
        let mut running =
            self.world.start_at_client(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        act(&self.world);
        let status = running.wait(LONGEST);
        // Its last words may still be on their way.
        settle();
        let log = running.log();
        // Both streams are in one log: the document is the last thing in it.
        let document =
            log.split_inclusive('\n').skip_while(|line| !line.starts_with('{')).collect::<String>();
        let output =
            Output { ok: status.success(), code: status.code(), stdout: document, stderr: String::new() };
        let mut got = read(&output, Got::of_verdict);
        got.took = begin.elapsed();
        self.put(Vantage::Doctor, got, &output);
    }

    /// Failures that the server has written down.
    pub(crate) fn failures(&self) -> usize {
        self.world.at_server(&["log", "--failed", "--json"]).stdout.matches("\"code\"").count()
    }

    /// Waits until it has written down more than `known`.
    pub(crate) fn wait_for_a_failure(&self, known: usize) {
        let begin = Instant::now();
        while begin.elapsed() < LONGEST && self.failures() <= known {
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let mut arguments = vec!["doctor", NAME, "--json"];
        let file = self.world.password_file(PASSWORD);
        if more.contains(&"-u") && !more.contains(&"--password-file") {
            arguments.extend(["--password-file", &file]);
        }
        arguments.extend(more);
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// `adit doctor` at the client alone.
    pub(crate) fn doctor(&mut self, more: &[&str]) {
        let arguments = self.arguments(more);
        let begin = Instant::now();
        let output = self.world.at_client(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let mut got = read(&output, Got::of_verdict);
        got.took = begin.elapsed();
        self.put(Vantage::Doctor, got, &output);
    }

    /// What two captures say.
    pub(crate) fn judge_captures(&mut self, captures: [adit_testbed::Capture; 2]) {
        for (vantage, mut capture) in [Vantage::NearClient, Vantage::NearServer].into_iter().zip(captures) {
            capture.stop();
            if let Some(kept) = std::env::var_os("ADIT_FAULTS_KEEP") {
                let name = format!("row-{}-{}.pcap", self.row.number, vantage.word());
                std::fs::copy(capture.file(), Path::new(&kept).join(name)).unwrap();
            }
            self.capture(vantage, &capture.file());
        }
    }

    fn capture(&mut self, vantage: Vantage, file: &Path) {
        let password = self.world.password_file(PASSWORD);
        let mut arguments =
            vec!["doctor", "--pcap", text(file), "--json", "-u", "alice", "--password-file", &password];
        if vantage == Vantage::NearClient && self.by_name {
            // What was dialled: the name was looked up in this capture.
            arguments.insert(1, NAME);
        }
        let begin = Instant::now();
        let output = self.world.at_server(&arguments);
        let mut got = read(&output, |document| {
            let calls = document["calls"].as_array().cloned().unwrap_or_default();
            let mut all: Vec<Got> = calls.iter().map(Got::of_verdict).collect();
            let first = all.iter().position(|got| got.failure.is_some());
            let mut got = match first {
                Some(at) => all.swap_remove(at),
                None => all.pop().unwrap_or_else(|| Got::of_verdict(document)),
            };
            // Nothing to diagnose is an answer too.
            got.next |= calls.is_empty();
            got
        });
        got.took = begin.elapsed();
        self.put(vantage, got, &output);
    }

    /// `adit doctor --server`.
    pub(crate) fn server(mut self) -> Case {
        if [".", "later"].contains(&self.wants(Vantage::Server)) {
            return self;
        }
        let begin = Instant::now();
        let output = self.world.at_server(&["doctor", "--server", "--json"]);
        let mut got = read(&output, |document| {
            let mut got = Got::of_verdict(document);
            // There is always more to find out from outside.
            got.next = true;
            got
        });
        got.took = begin.elapsed();
        self.put(Vantage::Server, got, &output);
        self
    }

    /// What the server wrote down, of the newest failure.
    pub(crate) fn record(mut self) -> Case {
        if [".", "later"].contains(&self.wants(Vantage::Record)) {
            return self;
        }
        settle();
        let begin = Instant::now();
        let output = self.world.at_server(&["log", "--failed", "--json"]);
        let mut got = read(&output, |document| {
            let events = document["events"].as_array().cloned().unwrap_or_default();
            let last = events.iter().rev().find_map(|event| event["code"].as_str());
            Got { failure: last.map(str::to_owned), next: true, ..Got::default() }
        });
        self.newest_session(&mut got);
        got.took = begin.elapsed();
        self.put(Vantage::Record, got, &output);
        self
    }

    /// What the server printed, where it can write nothing down.
    pub(crate) fn printed(mut self) -> Case {
        let story = self.world.serving.as_ref().unwrap().log();
        let mut codes = story.split_whitespace().filter_map(|word| word.strip_prefix("code="));
        let got = Got {
            failure: codes.next_back().map(str::to_owned),
            next: true,
            story: story.clone(),
            ..Got::default()
        };
        self.got.push((Vantage::Record, got));
        self
    }

    /// What the story of the newest call that is over adds; it must tell the same as the log.
    fn newest_session(&self, got: &mut Got) {
        let past = self.world.at_server(&["sessions", "--past", "--json"]).stdout;
        let past: Value = serde_json::from_str(&past).unwrap_or_default();
        let ids = past["sessions"].as_array().into_iter().flatten().filter_map(|one| one["id"].as_str());
        let Some(id) = ids.max_by_key(|id| id[1..].parse::<u32>().unwrap_or_default()) else { return };
        let output = self.world.at_server(&["session", id, "--json"]);
        let story = read(&output, |document| Got::of_verdict(&document["verdict"]));
        got.up = !past["sessions"].to_string().contains("\"code\":\"");
        match (&got.failure, story.failure) {
            (Some(log), told) if told.as_ref() != Some(log) => {
                let told = told.unwrap_or_else(|| "-".to_owned());
                got.failure = Some(format!("{told} (in the log {log})"));
            }
            (_, told) => got.failure = told,
        }
        got.findings = story.findings;
        got.story.push_str(&story.story);
    }

    /// Writes the row's lines of the table and fails when one is wrong.
    pub(crate) fn judge(self) {
        let (mut lines, mut wrong) = (String::new(), String::new());
        for vantage in Vantage::ALL {
            let want = self.wants(vantage);
            let got = self.got.iter().find(|(of, _)| *of == vantage).map(|(_, got)| got);
            let (shown, took) = got.map_or((String::new(), Duration::ZERO), |got| (got.shown(), got.took));
            let state = match (want, got) {
                (".", _) => "not asked",
                ("later", _) => "later",
                (_, Some(got)) if got.absent => "absent",
                (want, Some(got)) if got.fulfils(want) => "ok",
                _ => "WRONG",
            };
            let Row { number, fault, .. } = self.row;
            let _ = writeln!(
                lines,
                "{number}\t{fault}\t{}\t{want}\t{shown}\t{state}\t{}",
                vantage.word(),
                took.as_millis()
            );
            if state == "WRONG" {
                let story = got.map_or("it was not asked", |got| got.story.as_str());
                let _ = writeln!(
                    wrong,
                    "=== row {number} ({fault}), {}: wanted {want}, got {shown}\n{story}",
                    vantage.word()
                );
            }
        }
        std::fs::create_dir_all(table()).unwrap();
        std::fs::write(table().join(format!("row-{}.tsv", self.row.number)), &lines).unwrap();
        println!("{lines}");
        assert!(wrong.is_empty(), "{wrong}");
    }
}

/// A row whose fault cannot be made yet.
pub(crate) fn later(number: &str) {
    let row = matrix::find(number);
    let mut lines = String::new();
    for vantage in Vantage::ALL {
        let _ = writeln!(lines, "{number}\t{}\t{}\tlater\t\tlater\t0", row.fault, vantage.word());
    }
    std::fs::create_dir_all(table()).unwrap();
    std::fs::write(table().join(format!("row-{number}.tsv")), lines).unwrap();
}

/// Where the rows put their lines; `cargo xtask faults` makes a table of them.
fn table() -> PathBuf {
    let named = std::env::var_os("ADIT_FAULTS").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults"))
}

fn read(output: &Output, of: impl FnOnce(&Value) -> Got) -> Got {
    match serde_json::from_str::<Value>(&output.stdout) {
        Ok(document) => {
            let mut got = of(&document);
            got.story = tell(&document);
            got
        }
        Err(error) => Got { failure: Some(format!("no JSON: {error}")), ..Got::default() },
    }
}

/// What is told elsewhere, or tells nothing.
const UNTOLD: &[&str] = &["layers", "calls", "schema", "generated", "verdict", "timeline", "steps"];

/// A document in few lines: what every layer says, and all the words of the verdict.
fn tell(document: &Value) -> String {
    let mut out = String::new();
    let calls = document["calls"].as_array().map_or(&[][..], Vec::as_slice);
    let whole = Some(document).filter(|_| calls.is_empty());
    for verdict in whole.into_iter().chain([&document["verdict"]]).chain(calls) {
        for layer in verdict["layers"].as_array().into_iter().flatten() {
            let [name, state, code, summary] =
                ["name", "state", "code", "summary"].map(|key| layer[key].as_str().unwrap_or_default());
            let evidence = layer["evidence"].as_array().into_iter().flatten();
            let evidence: Vec<&str> = evidence.filter_map(|one| one["text"].as_str()).collect();
            let _ = writeln!(out, "  {name:8} {state:11} {code:3} {summary} {}", evidence.join("; "));
        }
        for (key, value) in verdict.as_object().into_iter().flatten() {
            let told = !UNTOLD.contains(&key.as_str())
                && *value != Value::Null
                && *value != Value::Array(Vec::new());
            if told {
                let _ = writeln!(out, "  {key}: {value}");
            }
        }
    }
    out
}

/// The whole way with the usual account, to the office's web server.
pub(crate) const LOGIN: &[&str] = &["-u", "alice", "--reach", "192.168.10.20:443"];

/// A row with nothing special about it: the fault is made in a world that was sound, and everybody is asked.
pub(crate) fn row(number: &str, plan: &Plan, more: &[&str], inject: impl FnOnce(&mut World)) {
    let mut case = Case::new(number, plan);
    inject(&mut case.world);
    case.all(more).judge();
}
