//! The results as one picture (SVG): bars of medians with their spread, one panel for each load.

use std::fmt::Write as _;

use crate::measure::Measure;
use crate::results::{Results, Summary};

const LABELS: f64 = 170.0;
const BAR: f64 = 330.0;
const VALUES: f64 = 110.0;
const ROW: f64 = 18.0;
const HEAD: f64 = 34.0;
const COLUMNS: usize = 2;

/// Draws it.
pub(crate) fn svg(results: &Results) -> String {
    let panels: Vec<(Measure, Vec<&Summary>)> = Measure::ALL
        .into_iter()
        .map(|measure| (measure, results.summary.iter().filter(|row| row.measure == measure).collect()))
        .filter(|(_, rows): &(Measure, Vec<_>)| !rows.is_empty())
        .collect();
    let most = panels.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
    let (width, height) = (LABELS + BAR + VALUES, HEAD + ROW * most as f64 + 14.0);
    let lines = panels.len().div_ceil(COLUMNS);
    let mut out = String::new();
    let _ = writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="20">{}, {} cores, Linux {}</text>"##,
        width * COLUMNS.min(panels.len().max(1)) as f64,
        height * lines as f64 + 30.0,
        escape(&results.conditions.machine.cpu),
        results.conditions.machine.cores,
        escape(&results.conditions.machine.kernel),
    );
    for (index, (measure, rows)) in panels.iter().enumerate() {
        let (x, y) = ((index % COLUMNS) as f64 * width, 30.0 + (index / COLUMNS) as f64 * height);
        panel(&mut out, x, y, *measure, rows);
    }
    out.push_str("</svg>\n");
    out
}

/// The scale ends at the largest value other than the bare wire's, whose bar is cut.
fn panel(out: &mut String, x: f64, y: f64, measure: Measure, rows: &[&Summary]) {
    use crate::peers::Peer;
    let tunnels = rows.iter().filter(|row| row.peer != Peer::Veth).map(|row| row.value.max);
    let largest = tunnels.fold(0.0, f64::max);
    let largest = if largest > 0.0 { largest } else { rows.iter().map(|r| r.value.max).fold(1e-9, f64::max) };
    let place = |value: f64| x + LABELS + (value / largest).clamp(0.0, 1.04) * (BAR - 20.0);
    let title = format!("{} ({})", measure.title(), measure.unit().text());
    let _ = writeln!(
        out,
        r#"<text x="{}" y="{}" font-weight="bold">{}</text>"#,
        x + 10.0,
        y + 20.0,
        escape(&title)
    );
    for (index, row) in rows.iter().enumerate() {
        let top = y + HEAD + index as f64 * ROW;
        let (name, value) = (row.peer.name(), row.value);
        let colour = match row.peer {
            Peer::Veth => "#bbb",
            _ if name.starts_with("adit") => "#2a6f97",
            Peer::Baseline => "#c98b2b",
            _ => "#8a8a8a",
        };
        let middle = top + ROW / 2.0;
        let left = x + LABELS;
        let _ = writeln!(
            out,
            r##"<text x="{:.1}" y="{:.1}" text-anchor="end">{}</text><rect x="{left:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="{colour}"/><path d="M{:.1} {middle:.1}H{:.1}" stroke="#000"/><text x="{:.1}" y="{:.1}">{}</text>"##,
            left - 6.0,
            middle + 4.0,
            escape(&name),
            top + 2.0,
            place(value.median) - left,
            ROW - 4.0,
            place(value.min),
            place(value.max),
            x + LABELS + BAR + 4.0,
            middle + 4.0,
            if value.median < 20.0 { format!("{:.2}", value.median) } else { format!("{:.0}", value.median) },
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("a<b> & c"), "a&lt;b&gt; &amp; c");
    }
}
