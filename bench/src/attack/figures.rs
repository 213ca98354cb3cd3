//! The figures of a run, and all of them: what report.json contains.

use adit_bench::machine::Machine;
use adit_bench::stats::Spread;
use serde::{Deserialize, Serialize};

/// The schema of report.json. Fields may be added without a new number.
pub(crate) const SCHEMA: &str = "adit.attack/1";

/// The figures of one row in one run, by name. The name contains the unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) values: Vec<Figure>,
    /// Codes, and other things that are no numbers.
    pub(crate) notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
}

impl Figures {
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        self.values.push(Figure { name: name.to_owned(), value });
    }

    /// Adds a note, once.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}

/// One run of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Measured(Figures),
    /// Why there are no figures.
    Failed(String),
}

/// All runs of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RowResult {
    pub(crate) group: String,
    pub(crate) row: String,
    pub(crate) runs: Vec<Outcome>,
}

impl RowResult {
    /// Whether this is that row.
    pub(crate) fn is(&self, group: &str, row: &str) -> bool {
        self.group == group && self.row == row
    }

    /// The spread of a figure over the runs that have it.
    pub(crate) fn spread(&self, name: &str) -> Option<Spread> {
        let values = self.measured().flat_map(|figures| &figures.values);
        Spread::of(values.filter(|figure| figure.name == name).map(|figure| figure.value))
    }

    /// The names of its figures, in the order of their first use.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.measured().flat_map(|figures| &figures.values).map(|figure| figure.name.as_str())
    }

    /// The notes of all runs, each once.
    pub(crate) fn notes(&self) -> Vec<&str> {
        distinct(self.measured().flat_map(|figures| &figures.notes).map(String::as_str))
    }

    /// Why runs failed.
    pub(crate) fn failures(&self) -> impl Iterator<Item = &str> {
        self.runs.iter().filter_map(|run| match run {
            Outcome::Measured(_) => None,
            Outcome::Failed(why) => Some(why.as_str()),
        })
    }

    fn measured(&self) -> impl Iterator<Item = &Figures> {
        self.runs.iter().filter_map(|run| match run {
            Outcome::Measured(figures) => Some(figures),
            Outcome::Failed(_) => None,
        })
    }
}

/// Everything of one run of the program: the JSON document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) schema: String,
    pub(crate) machine: Machine,
    /// Share of all cores at work before the first row, from 0 to 1.
    pub(crate) idle_load: f64,
    /// `adit --version` of the program that was attacked.
    pub(crate) adit: String,
    /// Whether the short form was run, whose figures are not comparable with those of the long one.
    pub(crate) quick: bool,
    pub(crate) rows: Vec<RowResult>,
}

impl Results {
    /// The groups, in the order of their first row.
    pub(crate) fn groups(&self) -> Vec<&str> {
        distinct(self.rows.iter().map(|row| row.group.as_str()))
    }

    pub(crate) fn row(&self, group: &str, row: &str) -> Option<&RowResult> {
        self.rows.iter().find(|result| result.is(group, row))
    }
}

/// Each text once, in the order of its first use.
pub(crate) fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A row with one figure in each run.
    pub(crate) fn row(group: &str, name: &str, figure: &str, values: &[f64]) -> RowResult {
        let run = |value: &f64| {
            let mut figures = Figures::default();
            figures.set(figure, *value);
            figures.note(format!("note {}", values.len()));
            Outcome::Measured(figures)
        };
        RowResult { group: group.to_owned(), row: name.to_owned(), runs: values.iter().map(run).collect() }
    }

    /// Results with these rows.
    pub(crate) fn results(rows: Vec<RowResult>) -> Results {
        let machine = r#"{"cpu": "X", "cores": 2, "kernel": "6.1", "hypervisor": true, "mitigations": []}"#;
        Results {
            schema: SCHEMA.to_owned(),
            machine: serde_json::from_str(machine).unwrap(),
            idle_load: 0.01,
            adit: "adit 0.1.0".to_owned(),
            quick: false,
            rows,
        }
    }

    #[test]
    fn a_spread_is_that_of_the_runs_that_have_the_figure() {
        let mut row = row("A1", "pair", "answered %", &[3.0, 1.0, 2.0]);
        row.runs.push(Outcome::Failed("no server".to_owned()));
        let spread = row.spread("answered %").unwrap();
        assert_eq!((spread.median, spread.min, spread.max, spread.rounds), (2.0, 1.0, 3.0, 3));
        assert_eq!(row.spread("silent s"), None);
        assert_eq!(row.notes(), ["note 3"]);
        assert_eq!(row.failures().collect::<Vec<_>>(), ["no server"]);
    }

    #[test]
    fn a_document_is_read_back() {
        let mut all = results(vec![row("A1", "pair", "answered %", &[99.5])]);
        all.rows[0].runs.push(Outcome::Failed("why".to_owned()));
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), all);
    }
}
