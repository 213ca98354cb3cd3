//! A stored run: the part of its report.json that is compared.

use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};

use adit_bench::machine::Machine;
use serde::Deserialize;
use serde_json::Value;

/// The schema of report.json that this program reads, which is the one that `adit-compare` writes.
const SCHEMA: &str = adit_bench::REPORT_SCHEMA;
const FILE: &str = "report.json";

/// One run. Names of configurations and measures are text: another version may have others.
#[derive(Debug, Deserialize)]
pub(crate) struct Run {
    /// The file that it was read from.
    #[serde(skip)]
    pub(crate) file: PathBuf,
    pub(crate) machine: Machine,
    /// Seconds of each load.
    pub(crate) seconds: u32,
    /// Share of all cores at work before each round, from 0 to 1.
    pub(crate) idle_load: Vec<f64>,
    pub(crate) missing: Vec<Missing>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) failures: Vec<Failure>,
    summary: Vec<Row>,
}

/// A configuration that could not be started.
#[derive(Debug, Deserialize)]
pub(crate) struct Missing {
    pub(crate) peer: String,
    pub(crate) reason: String,
}

/// One measurement.
#[derive(Debug, Deserialize)]
pub(crate) struct Sample {
    pub(crate) round: u32,
    pub(crate) peer: String,
    pub(crate) measure: String,
    /// In the unit of the measure.
    pub(crate) value: f64,
}

/// A measurement that failed.
#[derive(Debug, Deserialize)]
pub(crate) struct Failure {
    pub(crate) round: u32,
    pub(crate) peer: String,
    pub(crate) measure: String,
}

/// What names the unit of a measure.
#[derive(Debug, Deserialize)]
struct Row {
    measure: String,
    unit: String,
}

impl Run {
    /// Reads a run: a directory with a report.json, or that file.
    ///
    /// # Errors
    /// If it cannot be read, is no report, or contains no measurement.
    pub(crate) fn read(path: &Path) -> Result<Run, Invalid> {
        let file = if path.is_dir() { path.join(FILE) } else { path.to_path_buf() };
        let invalid = |fault| Invalid { file: file.clone(), fault };
        let text = fs::read(&file).map_err(|error| invalid(Fault::Unreadable(error.to_string())))?;
        let run = Run::parse(&text).map_err(invalid)?;
        Ok(Run { file, ..run })
    }

    fn parse(text: &[u8]) -> Result<Run, Fault> {
        let document: Value = serde_json::from_slice(text).map_err(|error| {
            if error.is_eof() {
                Fault::Truncated(error.to_string())
            } else {
                Fault::NotJson(error.to_string())
            }
        })?;
        match document.get("schema").and_then(Value::as_str) {
            None => return Err(Fault::NoReport),
            Some(schema) if schema != SCHEMA => return Err(Fault::Schema(schema.to_owned())),
            Some(_) => {}
        }
        // From the text, not from the document: the error then has its line.
        let run: Run = serde_json::from_slice(text).map_err(|error| Fault::Field(error.to_string()))?;
        if run.samples.is_empty() { Err(Fault::Empty) } else { Ok(run) }
    }

    /// The measures, in the order in which they were taken.
    pub(crate) fn measures(&self) -> impl Iterator<Item = &str> {
        self.samples.iter().map(|sample| sample.measure.as_str())
    }

    /// The unit of a measure.
    pub(crate) fn unit(&self, measure: &str) -> Option<&str> {
        self.summary.iter().find(|row| row.measure == measure).map(|row| row.unit.as_str())
    }

    /// The number of rounds.
    pub(crate) fn rounds(&self) -> usize {
        self.idle_load.len()
    }

    /// Values of one configuration and measure, with their rounds.
    pub(crate) fn values(&self, peer: &str, measure: &str) -> Vec<(u32, f64)> {
        let samples = self.samples.iter().filter(|sample| sample.peer == peer && sample.measure == measure);
        samples.map(|sample| (sample.round, sample.value)).collect()
    }
}

/// Why a run cannot be compared.
#[derive(Debug, PartialEq)]
enum Fault {
    Unreadable(String),
    Truncated(String),
    NotJson(String),
    NoReport,
    Schema(String),
    Field(String),
    Empty,
}

/// A file that is no run: what was found, what was expected, and what to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Invalid {
    file: PathBuf,
    fault: Fault,
}

impl Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = "restore the file, or make the run again: sudo bench/run --out DIRECTORY";
        let (found, fix) = match &self.fault {
            Fault::Unreadable(why) => {
                (format!("cannot be read: {why}"), "give a directory that bench/run has written")
            }
            Fault::Truncated(why) => (format!("the JSON document is truncated: {why}"), store),
            Fault::NotJson(why) => (
                format!("is not a JSON document: {why}"),
                "give the report.json of the run, not another file",
            ),
            Fault::NoReport => (
                "is JSON without a \"schema\"".to_owned(),
                "give the report.json of the run, not another file",
            ),
            Fault::Schema(schema) => (
                format!("the schema is {schema:?}"),
                "use bench/compare-runs of the version that wrote it, or make the run again with this one",
            ),
            Fault::Field(why) => (format!("the report is damaged: {why}"), store),
            Fault::Empty => ("the report contains no measurement".to_owned(), store),
        };
        writeln!(f, "{}: {found}", self.file.display())?;
        writeln!(f, "  expected  a {FILE} of bench/run, schema {SCHEMA:?}")?;
        write!(f, "  fix       {fix}")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// A report with values in rounds 0, 1, … of each configuration and measure.
    pub(crate) fn report(values: &[(&str, &str, &[f64])]) -> Value {
        let mut samples = Vec::new();
        let mut summary = Vec::new();
        for (measure, peer, values) in values {
            summary.push(json!({"measure": measure, "unit": "Gbit/s", "peer": peer}));
            for (round, value) in values.iter().enumerate() {
                samples.push(
                    json!({"round": round, "peer": peer, "measure": measure, "value": value, "lost": null}),
                );
            }
        }
        json!({
            "schema": SCHEMA,
            "machine": {"cpu": "X", "vendor": "V", "microcode": "0x2b", "cores": 2, "kernel": "6.1", "hypervisor": true,
                        "mitigations": ["a: Vulnerable"], "iperf3": "iperf 3"},
            "seconds": 2, "idle_load": [0.0, 0.01, 0.0], "peers": [], "missing": [], "samples": samples,
            "failures": [], "summary": summary, "ratios": [], "crowds": [], "stages": [],
        })
    }

    pub(crate) fn run(values: &[(&str, &str, &[f64])]) -> Run {
        Run::parse(report(values).to_string().as_bytes()).unwrap()
    }

    fn read(content: &str) -> Result<Run, Invalid> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), content).unwrap();
        Run::read(dir.path())
    }

    #[track_caller]
    fn error(content: &str) -> String {
        read(content).unwrap_err().to_string()
    }

    #[test]
    fn a_directory_and_its_file_are_the_same_run() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        fs::write(&file, report(&[("tcp1", "veth", &[1.0, 2.0])]).to_string()).unwrap();
        for path in [dir.path(), &file] {
            let run = Run::read(path).unwrap();
            assert_eq!(run.file, file);
            assert_eq!(run.values("veth", "tcp1"), [(0, 1.0), (1, 2.0)]);
            assert_eq!((run.unit("tcp1"), run.unit("ping"), run.rounds()), (Some("Gbit/s"), None, 3));
        }
    }

    #[test]
    fn reports_without_vendor_and_microcode_can_be_read() {
        let mut old = report(&[("tcp1", "veth", &[1.0])]);
        let machine = old.get_mut("machine").and_then(Value::as_object_mut).unwrap();
        machine.remove("vendor").unwrap();
        machine.remove("microcode").unwrap();
        let run = read(&old.to_string()).unwrap();
        assert!(run.machine.processor().contains("vendor not recorded, microcode not recorded"));
    }

    /// They were made by an earlier version.
    #[test]
    fn the_reference_runs_can_be_read() {
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/reference");
        let mut found = 0;
        for entry in fs::read_dir(&reference).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = fs::read_to_string(path.join(FILE)) else { continue };
            // Those of bench/faults are no measurements of speed.
            if !text.contains("\"adit.faults/") {
                let run = Run::read(&path).unwrap_or_else(|invalid| panic!("{invalid}"));
                assert!(run.measures().any(|measure| measure == "tcp1"));
                found += 1;
            }
        }
        assert!(found > 0, "no run in {}", reference.display());
    }

    #[test]
    fn an_error_has_the_file_what_was_expected_and_a_fix() {
        let whole = report(&[("tcp1", "veth", &[1.0])]).to_string();
        let cut = &whole[..whole.len() / 2];
        let other = whole.replace(SCHEMA, "adit.bench/9");
        let damaged = whole.replace("\"seconds\":2", "\"seconds\":\"two\"");
        for (content, found) in [
            (cut, "the JSON document is truncated: EOF while parsing"),
            ("", "the JSON document is truncated"),
            ("machine   X, 2 cores", "is not a JSON document: expected value at line 1"),
            ("{\"calls\": 3}", "is JSON without a \"schema\""),
            (&other, "the schema is \"adit.bench/9\""),
            (&damaged, "the report is damaged: invalid type: string \"two\""),
            (&report(&[]).to_string(), "the report contains no measurement"),
        ] {
            let text = error(content);
            assert!(text.contains(found), "{found} in {text}");
            assert!(text.contains("/report.json: "), "{text}");
            assert!(
                text.contains("\n  expected  a report.json of bench/run, schema \"adit.bench/1\"\n  fix  "),
                "{text}"
            );
        }
    }

    #[test]
    fn a_missing_file_and_a_directory_without_report_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let nothing = Run::read(&dir.path().join("nothing")).unwrap_err().to_string();
        assert!(nothing.contains("/nothing: cannot be read: No such file"), "{nothing}");
        let empty = Run::read(dir.path()).unwrap_err().to_string();
        assert!(empty.contains("/report.json: cannot be read: No such file"), "{empty}");
    }
}
