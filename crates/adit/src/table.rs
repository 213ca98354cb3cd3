//! Text tables that fit the terminal: whole columns are omitted before any text is truncated.

pub(crate) use adit_diag::printable;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::style::Tone;

/// Number of spaces between columns.
const GAP: usize = 2;
/// Columns are never truncated below this width.
const NARROWEST: usize = 8;

/// One column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) title: &'static str,
    /// Right-aligned, for numbers.
    pub(crate) right: bool,
    /// 0 is always shown; of the others, the greatest is omitted first if the table is too wide.
    pub(crate) drop: u8,
}

/// One field of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

impl Field {
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Field {
        Field { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Field {
    fn from(text: T) -> Field {
        Field::new(Tone::Plain, text)
    }
}

/// Formats the table, with a line end after each row. `width` is the available width; `None` for no limit.
pub(crate) fn render(
    heads: &[Head],
    rows: &[Vec<Field>],
    width: Option<usize>,
    paint: &dyn Fn(Tone, &str) -> String,
) -> String {
    let cell = |row: &[Field], column: usize| match row.get(column) {
        Some(field) if !field.text.is_empty() => Field::new(field.tone, printable(&field.text)),
        _ => Field::from("-"),
    };
    let mut widths: Vec<usize> = heads.iter().map(|head| head.title.width()).collect();
    for row in rows {
        for (column, width) in widths.iter_mut().enumerate() {
            *width = (*width).max(cell(row, column).text.width());
        }
    }
    let kept = fit(heads, &mut widths, width);

    let mut text = String::new();
    let mut put = |fields: &dyn Fn(usize) -> Field| {
        let mut line = String::new();
        for (place, &column) in kept.iter().enumerate() {
            let (width, head) = (widths.get(column).copied().unwrap_or_default(), heads.get(column));
            let field = fields(column);
            let word = cut(&field.text, width);
            let blanks = " ".repeat(width.saturating_sub(word.width()));
            let last = place + 1 == kept.len();
            let word = paint(field.tone, &word);
            if head.is_some_and(|head| head.right) {
                line.push_str(&blanks);
                line.push_str(&word);
            } else {
                line.push_str(&word);
                line.push_str(if last { "" } else { &blanks });
            }
            line.push_str(if last { "" } else { "  " });
        }
        text.push_str(line.trim_end());
        text.push('\n');
    };
    put(&|column| Field::new(Tone::Head, heads.get(column).map_or("", |head| head.title)));
    for row in rows {
        put(&|column| cell(row, column));
    }
    text
}

/// Selects the columns that are shown, and their maximum widths.
fn fit(heads: &[Head], widths: &mut [usize], width: Option<usize>) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..heads.len()).collect();
    let Some(width) = width else {
        return kept;
    };
    let total = |kept: &[usize], widths: &[usize]| {
        let used: usize = kept.iter().filter_map(|&column| widths.get(column)).sum();
        used + GAP * kept.len().saturating_sub(1)
    };
    while total(&kept, widths) > width {
        // Columns of one rank are omitted together: received without sent is of little use.
        let rank = |column: &usize| heads.get(*column).map_or(0, |head| head.drop);
        match kept.iter().map(rank).max() {
            Some(greatest) if greatest > 0 => kept.retain(|column| rank(column) < greatest),
            _ => break,
        }
    }
    loop {
        let over = total(&kept, widths).saturating_sub(width);
        let widest =
            kept.iter().copied().max_by_key(|&column| widths.get(column).copied().unwrap_or_default());
        let Some(width) = widest.and_then(|column| widths.get_mut(column)) else { break };
        if over == 0 || *width <= NARROWEST {
            break;
        }
        *width -= 1;
    }
    kept
}

/// Truncates a text to `width` columns, with a mark at the end.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut out, mut used) = (String::new(), 0);
    for c in text.chars() {
        used += c.width().unwrap_or_default();
        if used + 1 > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADS: [Head; 3] = [
        Head { title: "USER", right: false, drop: 0 },
        Head { title: "NOTE", right: false, drop: 2 },
        Head { title: "RX", right: true, drop: 1 },
    ];

    fn table(width: Option<usize>) -> String {
        let row = |user: &str, note: &str, rx: &str| vec![user.into(), note.into(), rx.into()];
        let rows =
            [row("alice", "the old fax", "1.2 GB"), row("日本", "", "7 B"), row("a\u{1b}[2J\n", "x", "0")];
        render(&HEADS, &rows, width, &|_, text| text.to_owned())
    }

    #[test]
    fn columns_line_up() {
        let wanted = "\
USER          NOTE             RX
alice         the old fax  1.2 GB
日本          -               7 B
a\\u{1b}[2J\\n  x                 0
";
        assert_eq!(table(None), wanted);
        assert_eq!(table(Some(33)), wanted);
    }

    #[test]
    fn the_least_important_column_goes_first() {
        assert!(!table(Some(32)).contains("NOTE") && table(Some(32)).contains("RX"));
        assert!(!table(Some(19)).contains("RX"));
    }

    #[test]
    fn what_must_stay_is_cut_at_last() {
        let text = table(Some(10));
        assert!(text.lines().all(|line| line.width() <= 10), "{text}");
        assert!(text.contains("a\\u{1b}[2…"), "{text}");
        assert!(table(Some(1)).lines().all(|line| line.width() <= 8));
    }

    #[test]
    fn no_rows() {
        assert_eq!(render(&HEADS, &[], None, &|_, text| text.to_owned()), "USER  NOTE  RX\n");
    }

    #[test]
    fn colour_takes_no_width() {
        let rows = [vec![Field::new(Tone::Bad, "x"), "y".into(), "1".into()]];
        let text = render(&HEADS, &rows, None, &|tone, text| crate::style::paint(true, tone, text));
        assert_eq!(text.lines().nth(1), Some("\u{1b}[31mx\u{1b}[0m     y      1"));
    }
}
