//! Lists: the same columns for text, JSON, `--columns`, `--sort` and `--filter`.

use core::cmp::Ordering;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::document::{self, Document};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{self, Field, Head};
use crate::when;

/// The rank of a column that is shown only on request.
pub(crate) const EXTRA: u8 = u8::MAX;

/// One column of a list.
pub(crate) struct Column<T> {
    /// The JSON field, such as `counters.rx_bytes` if nested; also its name in `--columns`, `--sort`, `--filter`.
    pub(crate) name: &'static str,
    /// Heading and alignment in text output.
    pub(crate) head: Head,
    /// Returns the content of a row's field.
    pub(crate) show: fn(&T, &Output) -> Field,
}

impl<T> Column<T> {
    /// A left-aligned column.
    pub(crate) const fn left(
        name: &'static str,
        title: &'static str,
        drop: u8,
        show: fn(&T, &Output) -> Field,
    ) -> Column<T> {
        Column { name, head: Head { title, right: false, drop }, show }
    }

    /// A right-aligned column.
    pub(crate) const fn right(
        name: &'static str,
        title: &'static str,
        drop: u8,
        show: fn(&T, &Output) -> Field,
    ) -> Column<T> {
        Column { name, head: Head { title, right: true, drop }, show }
    }
}

/// Flags common to all lists.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct ListFlags {
    /// Show only these columns, in this order
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "List")]
    columns: Vec<String>,
    /// Sort by these columns; -NAME for descending order
    #[arg(
        long,
        value_name = "A,-B",
        value_delimiter = ',',
        allow_hyphen_values = true,
        help_heading = "List"
    )]
    sort: Vec<String>,
    /// Show only rows that match all conditions: 'user=al* group!=staff age>1h'
    #[arg(long, value_name = "CONDITIONS", help_heading = "List")]
    filter: Option<String>,
    /// Show every column, regardless of the terminal width
    #[arg(long, help_heading = "List")]
    wide: bool,
}

/// The selected and sorted rows, ready for output.
pub(crate) struct Chosen<'a, T> {
    rows: Vec<(T, Map<String, Value>)>,
    columns: Vec<&'a Column<T>>,
    wide: bool,
    narrowed: bool,
}

impl ListFlags {
    /// Applies the flags to the rows of a list.
    pub(crate) fn choose<'a, T: Serialize>(
        &self,
        columns: &'a [Column<T>],
        rows: Vec<T>,
    ) -> Result<Chosen<'a, T>, Failure> {
        let mut rows: Vec<(T, Map<String, Value>)> = rows
            .into_iter()
            .map(|row| match serde_json::to_value(&row) {
                Ok(Value::Object(fields)) => (row, fields),
                _ => (row, Map::new()),
            })
            .collect();
        for condition in self.filter.iter().flat_map(|filter| filter.split_whitespace()) {
            let condition = Condition::read(condition, columns)?;
            rows.retain(|(_, fields)| condition.holds(get(fields, condition.name)));
        }
        for key in self.sort.iter().rev() {
            let (word, down) = match key.strip_prefix('-') {
                Some(word) => (word, true),
                None => (key.as_str(), false),
            };
            let name = find(word, columns)?.name;
            rows.sort_by(|(_, a), (_, b)| {
                let order = compare(get(a, name), get(b, name));
                if down { order.reverse() } else { order }
            });
        }
        let narrowed = !self.columns.is_empty();
        let columns = if narrowed {
            self.columns.iter().map(|word| find(word, columns)).collect::<Result<_, _>>()?
        } else {
            columns.iter().filter(|column| self.wide || column.head.drop != EXTRA).collect()
        };
        Ok(Chosen { rows, columns, wide: self.wide, narrowed })
    }
}

impl<T> Chosen<'_, T> {
    pub(crate) fn rows(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().map(|(row, _)| row)
    }

    /// Formats the table.
    pub(crate) fn text(&self, output: &Output) -> String {
        let heads: Vec<Head> = self.columns.iter().map(|column| column.head).collect();
        let fields = |row: &T| self.columns.iter().map(|column| (column.show)(row, output)).collect();
        let rows: Vec<Vec<Field>> = self.rows().map(fields).collect();
        // If columns are named, all of them are shown.
        let width = if self.wide || self.narrowed { None } else { output.table_width() };
        table::render(&heads, &rows, width, &|tone, text| output.paint(tone, text))
    }

    /// Writes the list as a document in which `field` holds the rows.
    pub(crate) fn document<D: Document>(
        &self,
        output: &Output,
        field: &str,
        body: &D,
    ) -> Result<(), Failure> {
        let mut value =
            serde_json::to_value(document::envelope(body, output.clock.now())).unwrap_or_default();
        let rows = self.rows.iter().map(|(_, fields)| {
            let mut fields = fields.clone();
            if self.narrowed {
                let wanted = |column: &&Column<T>, name: &str| column.name.split('.').next() == Some(name);
                fields.retain(|name, _| self.columns.iter().any(|column| wanted(column, name)));
            }
            Value::Object(fields)
        });
        if let Some(list) = value.get_mut(field) {
            *list = Value::Array(rows.collect());
        }
        output.value(&value)
    }
}

/// The field of a dotted name.
fn get<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut parts = name.split('.');
    let first = fields.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// The last part of a name, without its unit.
fn short(name: &str) -> &str {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.strip_suffix("_s").or_else(|| last.strip_suffix("_bytes")).unwrap_or(last)
}

/// Finds a column by its name, the last part of it, or either without the unit (`up` for `up_s`).
fn find<'a, T>(word: &str, columns: &'a [Column<T>]) -> Result<&'a Column<T>, Failure> {
    let same = |name: &str| {
        let last = name.rsplit('.').next().unwrap_or(name);
        [name, last, short(name)].iter().any(|name| name.eq_ignore_ascii_case(word))
    };
    columns.iter().find(|column| same(column.name)).ok_or_else(|| {
        let names: Vec<&str> = columns.iter().map(|column| short(column.name)).collect();
        let near = adit_diag::nearest(word, names.iter().copied());
        let meant = near.map(|name| format!(": did you mean \"{name}\"?")).unwrap_or_default();
        Failure::usage(format!("there is no column \"{word}\"{meant}"))
            .fix(format!("one of {}", names.join(", ")))
    })
}

/// Orders missing values first, then by number or alphabetically.
fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default())
        }
        _ => plain(a).to_lowercase().cmp(&plain(b).to_lowercase()),
    }
}

/// A field as plain text; a missing one is empty.
fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().map(|item| plain(Some(item))).collect::<Vec<_>>().join(","),
        Some(other) => other.to_string(),
    }
}

/// One condition of a filter.
struct Condition {
    name: &'static str,
    wanted: Wanted,
    value: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Equal,
    Other,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    fn read<T>(text: &str, columns: &[Column<T>]) -> Result<Condition, Failure> {
        const SIGNS: [(&str, Wanted); 6] = [
            ("!=", Wanted::Other),
            ("<=", Wanted::LessOrEqual),
            (">=", Wanted::GreaterOrEqual),
            ("=", Wanted::Equal),
            ("<", Wanted::Less),
            (">", Wanted::Greater),
        ];
        let at = text.find(['!', '<', '>', '=']).unwrap_or(text.len());
        let (word, rest) = text.split_at(at);
        let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
        let Some(&(sign, wanted)) = sign.filter(|_| !word.is_empty()) else {
            return Err(Failure::usage(format!("\"{text}\" is no condition"))
                .fix("write it like user=al*, group!=staff, up>1h, rx>10M"));
        };
        let value = rest.strip_prefix(sign).unwrap_or_default().to_owned();
        Ok(Condition { name: find(word, columns)?.name, wanted, value })
    }

    fn holds(&self, field: Option<&Value>) -> bool {
        let order = match (field.and_then(Value::as_f64), quantity(&self.value)) {
            (Some(number), Some(wanted)) => number.total_cmp(&wanted),
            _ if matches!(self.wanted, Wanted::Equal | Wanted::Other) => {
                // Lists show an empty value as "-".
                let wanted = if self.value == "-" { "" } else { &self.value };
                let fits = glob(&wanted.to_lowercase(), &plain(field).to_lowercase());
                return fits == (self.wanted == Wanted::Equal);
            }
            _ if plain(field).is_empty() => return false,
            _ => plain(field).to_lowercase().cmp(&self.value.to_lowercase()),
        };
        match self.wanted {
            Wanted::Equal => order.is_eq(),
            Wanted::Other => order.is_ne(),
            Wanted::Less => order.is_lt(),
            Wanted::LessOrEqual => order.is_le(),
            Wanted::Greater => order.is_gt(),
            Wanted::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// A number, a duration in seconds (`1h`), or a size in bytes (`10M`).
fn quantity(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse::<f64>() {
        return Some(number);
    }
    if let Ok(span) = when::span(text) {
        return Some(span.as_secs_f64());
    }
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let factor = match unit {
        "k" | "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

/// Whether a text matches a pattern in which `*` matches any text.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else {
            return false;
        };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row {
        user: &'static str,
        group: Option<&'static str>,
        up_s: u64,
        rx_bytes: u64,
    }

    const COLUMNS: [Column<Row>; 4] = [
        Column::left("user", "USER", 0, |row, _| row.user.into()),
        Column::left("group", "GROUP", 1, |row, _| row.group.unwrap_or_default().into()),
        Column::right("up_s", "UP", 2, |row, _| row.up_s.to_string().into()),
        Column::right("rx_bytes", "RX", 3, |row, _| row.rx_bytes.to_string().into()),
    ];

    fn rows() -> Vec<Row> {
        vec![
            Row { user: "alice", group: Some("staff"), up_s: 4000, rx_bytes: 20_000_000 },
            Row { user: "Albert", group: None, up_s: 90, rx_bytes: 5 },
            Row { user: "bob", group: Some("ops"), up_s: 900_000, rx_bytes: 0 },
        ]
    }

    fn choose(columns: &[&str], sort: &[&str], filter: &str) -> Result<String, String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let flags = ListFlags {
            columns: owned(columns),
            sort: owned(sort),
            filter: (!filter.is_empty()).then(|| filter.to_owned()),
            wide: false,
        };
        let chosen = flags.choose(&COLUMNS, rows()).map_err(|failure| failure.message)?;
        Ok(chosen.rows().map(|row| row.user).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn filters() {
        for (filter, users) in [
            ("user=al*", "alice Albert"),
            ("user=*B*", "Albert bob"),
            ("user=*e", "alice"),
            ("group=staff", "alice"),
            ("group!=staff", "Albert bob"),
            ("group=-", "Albert"),
            ("group>a", "alice bob"),
            ("up>1h", "alice bob"),
            ("up_s<=90", "Albert"),
            ("rx>=20M", "alice"),
            ("rx<1k up<1d", "Albert"),
            ("user=al* group=staff up>1h", "alice"),
        ] {
            assert_eq!(choose(&[], &[], filter).as_deref(), Ok(users), "{filter}");
        }
        assert_eq!(
            choose(&[], &[], "usr=x"),
            Err("there is no column \"usr\": did you mean \"user\"?".into())
        );
        assert_eq!(choose(&[], &[], "nonsense"), Err("\"nonsense\" is no condition".into()));
        assert!(choose(&[], &[], "=x").is_err());
    }

    #[test]
    fn sorts() {
        assert_eq!(choose(&[], &["user"], "").as_deref(), Ok("Albert alice bob"));
        assert_eq!(choose(&[], &["-up"], "").as_deref(), Ok("bob alice Albert"));
        assert_eq!(choose(&[], &["group"], "").as_deref(), Ok("Albert bob alice"));
    }

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("*", "", true),
            ("*", "x", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "ac", false),
            ("ab*ba", "aba", false),
            ("**", "x", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
