//! One row at work: the vantages are asked, and what they say is held against the matrix.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use adit_testbed::{Output, wait_until};

use crate::common::PASSWORD;
use crate::common::documents::{self, Doctor, Document, Judgement, Log, PastSessionDocument, PastSessions};
use crate::matrix::{self, Row};
use crate::table;
use crate::world::{NAME, Plan, World, settle, text};

/// No command takes longer, on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// A vantage point.
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
    record: String,
    took: Duration,
    /// The command did not answer: it was used wrongly, or what it printed is no document. Fulfils nothing.
    error: Option<String>,
    /// The conversation reached "up".
    up: bool,
}

impl Got {
    fn shown(&self) -> String {
        if let Some(error) = &self.error {
            return error.clone();
        }
        let mut shown = self.failure.clone().unwrap_or_else(|| "-".to_owned());
        for finding in &self.findings {
            let _ = write!(shown, " +{finding}");
        }
        shown
    }

    fn fulfils(&self, want: &str) -> bool {
        let (want, words) = want.split_once('~').unwrap_or((want, ""));
        if self.error.is_some() || !self.record.to_lowercase().contains(&words.to_lowercase()) {
            return false;
        }
        match want {
            "-" => self.failure.is_none() && self.next,
            "healthy" => self.failure.is_none() && self.findings.is_empty(),
            "up" => self.failure.is_none() && self.up,
            _ => match want.strip_prefix('+') {
                Some(code) => self.failure.is_none() && self.findings.iter().any(|found| found == code),
                None => self.failure.as_deref() == Some(want),
            },
        }
    }

    fn of_judgement(judgement: &Judgement) -> Got {
        let layers = || judgement.layers.iter();
        let mut findings: Vec<String> =
            judgement.findings.iter().map(|finding| finding.code.clone()).collect();
        findings
            .extend(layers().filter(|layer| layer.state == "warn").filter_map(|layer| layer.code.clone()));
        findings.sort();
        findings.dedup();
        let works = !layers().any(|layer| ["fail", "not-reached"].contains(&layer.state.as_str()));
        Got {
            failure: judgement.first_failure.clone(),
            findings,
            next: works || !judgement.next.is_empty(),
            record: show(judgement),
            ..Got::default()
        }
    }

    /// From one of `adit doctor`: of the first call of a capture that failed, else of the last.
    fn of_doctor(document: &Doctor) -> Got {
        let calls = document.calls.as_deref();
        let mut all: Vec<Got> =
            calls.unwrap_or_default().iter().map(|call| Got::of_judgement(&call.judgement)).collect();
        let failed = all.iter().position(|got| got.failure.is_some());
        let at = failed.or(all.len().checked_sub(1));
        let Some(at) = at else {
            let got = Got::of_judgement(&document.judgement);
            // A capture in which there is nothing to diagnose is an answer too.
            return Got { next: got.next || calls.is_some(), ..got };
        };
        let record = all.iter().map(|got| got.record.as_str()).collect();
        Got { record, ..all.swap_remove(at) }
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

    /// Reads what a command printed, and keeps what it says.
    fn put<T: Document>(
        &mut self,
        vantage: Vantage,
        began: Instant,
        output: &Output,
        of: impl FnOnce(&Case, &T) -> Got,
    ) {
        let took = began.elapsed();
        let read = match output.code {
            Some(2) => Err("it was used wrongly (exit status 2)".to_owned()),
            Some(_) => documents::parse::<T>(&output.stdout),
            None => Err("it was ended by a signal".to_owned()),
        };
        let mut got = match read {
            Ok(document) => of(self, &document),
            Err(error) => {
                Got { error: Some(format!("ERROR: {error}")), record: output.to_string(), ..Got::default() }
            }
        };
        let _ = writeln!(got.record, "exit {:?}\n{}", output.code, output.stderr);
        got.took = took;
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
        let log = running.log();
        // Both streams are in one log: the document is the last thing in it.
        let document =
            log.split_inclusive('\n').skip_while(|line| !line.starts_with('{')).collect::<String>();
        let output = Output { ok: status.success(), code: status.code(), stdout: document, stderr: log };
        self.put(Vantage::Doctor, begin, &output, |_, document: &Doctor| Got::of_doctor(document));
    }

    /// Failures that the server has written down.
    pub(crate) fn failures(&self) -> usize {
        self.world.document::<Log>(&["log", "--failed"]).events.len()
    }

    /// Waits until it has written down more than `known`.
    pub(crate) fn wait_for_a_failure(&self, known: usize) {
        wait_until("a failure in the server's log", LONGEST, || self.failures() > known);
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
        self.put(Vantage::Doctor, begin, &output, |_, document: &Doctor| Got::of_doctor(document));
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
        self.put(vantage, begin, &output, |_, document: &Doctor| Got::of_doctor(document));
    }

    /// `adit doctor --server`.
    pub(crate) fn server(mut self) -> Case {
        if [".", "later"].contains(&self.wants(Vantage::Server)) {
            return self;
        }
        let begin = Instant::now();
        let output = self.world.at_server(&["doctor", "--server", "--json"]);
        self.put(Vantage::Server, begin, &output, |_, document: &Doctor| {
            // There is always more to test from outside.
            Got { next: true, ..Got::of_doctor(document) }
        });
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
        self.put(Vantage::Record, begin, &output, |case, log: &Log| {
            let newest = log.events.iter().rev().find(|event| event.code.is_some());
            let mut got = Got { next: true, ..Got::default() };
            if let Some(event) = newest {
                got.failure.clone_from(&event.code);
                got.record = format!("  {} {:?}\n", event.kind, event.fields);
            }
            case.newest_session(&mut got);
            got
        });
        self
    }

    /// What the server printed, where it can write nothing down.
    pub(crate) fn printed(mut self) -> Case {
        let record = self.world.serving.as_ref().unwrap().log();
        let mut codes = record.split_whitespace().filter_map(|word| word.strip_prefix("code="));
        let got = Got {
            failure: codes.next_back().map(str::to_owned),
            next: true,
            record: record.clone(),
            ..Got::default()
        };
        self.got.push((Vantage::Record, got));
        self
    }

    /// The record of the newest call that is over; it must agree with the log.
    fn newest_session(&self, got: &mut Got) {
        let past = self.world.document::<PastSessions>(&["sessions", "--past"]).sessions;
        let number = |id: &str| id.strip_prefix('s').and_then(|id| id.parse::<u32>().ok());
        let Some(newest) = past.iter().max_by_key(|session| number(&session.id)) else { return };
        let document = self.world.document::<PastSessionDocument>(&["session", &newest.id]);
        let record = Got::of_judgement(&document.verdict);
        got.up = past.iter().all(|session| session.code.is_none());
        match (&got.failure, record.failure) {
            (Some(log), reported) if reported.as_ref() != Some(log) => {
                let reported = reported.unwrap_or_else(|| "-".to_owned());
                got.failure = Some(format!("{reported} (in the log {log})"));
            }
            (_, reported) => got.failure = reported,
        }
        got.findings = record.findings;
        got.record.push_str(&record.record);
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
                (_, Some(got)) if got.error.is_some() => "ERROR",
                (want, Some(got)) if got.fulfils(want) => "ok",
                _ => "WRONG",
            };
            table::line(&mut lines, self.row, vantage.word(), want, &shown, state, took);
            if ["ERROR", "WRONG"].contains(&state) {
                let record = got.map_or("it was not asked", |got| got.record.as_str());
                let Row { number, fault, .. } = self.row;
                let _ = writeln!(
                    wrong,
                    "=== row {number} ({fault}), {}: wanted {want}, got {shown}\n{record}",
                    vantage.word()
                );
            }
        }
        table::write(self.row, &lines);
        println!("{lines}");
        assert!(wrong.is_empty(), "{wrong}");
    }
}

/// A row whose fault cannot be made yet.
pub(crate) fn later(number: &str) {
    let row = matrix::find(number);
    let mut lines = String::new();
    for vantage in Vantage::ALL {
        table::line(&mut lines, row, vantage.word(), "later", "", "later", Duration::ZERO);
    }
    table::write(row, &lines);
}

/// A judgement in few lines: what every layer says, and all else in its own words.
fn show(judgement: &Judgement) -> String {
    let mut out = String::new();
    for layer in &judgement.layers {
        let evidence: Vec<&str> = layer.evidence.iter().map(|one| one.text.as_str()).collect();
        let code = layer.code.as_deref().unwrap_or_default();
        let _ = writeln!(
            out,
            "  {:8} {:11} {code:3} {} {}",
            layer.name,
            layer.state,
            layer.summary,
            evidence.join("; ")
        );
    }
    for cause in &judgement.causes {
        let _ = writeln!(out, "  cause: {} {} % ({}): {}", cause.code, cause.weight, cause.owner, cause.text);
    }
    for finding in &judgement.findings {
        let evidence: Vec<&str> = finding.evidence.iter().map(|one| one.text.as_str()).collect();
        let _ = writeln!(out, "  finding: {} {} {}", finding.code, finding.text, evidence.join("; "));
    }
    let texts = [("fix", &judgement.fixes), ("next", &judgement.next), ("innocent", &judgement.innocent)];
    for (name, texts) in texts {
        for text in texts {
            let _ = writeln!(out, "  {name}: {text}");
        }
    }
    for rule in &judgement.rules {
        let _ = writeln!(out, "  rule: {} {} %: {}", rule.id, rule.weight, rule.because);
    }
    out
}

/// The whole way with the usual account, to the office's web server.
pub(crate) const LOGIN: &[&str] = &["-u", "alice", "--reach", "192.168.10.20:443"];

/// A row with nothing special about it: the fault is made in a sound network, and every vantage point is asked.
pub(crate) fn row(number: &str, plan: &Plan, more: &[&str], inject: impl FnOnce(&mut World)) {
    let mut case = Case::new(number, plan);
    inject(&mut case.world);
    case.all(more).judge();
}
