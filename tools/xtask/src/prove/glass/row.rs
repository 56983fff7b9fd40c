//! One run's figures.

use serde::Serialize;
use std::collections::BTreeMap;

/// What one run measured, by the name of the column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(in crate::prove) struct Row(BTreeMap<String, String>);

impl Row {
    /// A row out of `key=value` words; other words are passed over. `None` without any.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let words = line.split_whitespace().filter_map(|word| word.split_once('='));
        let row: BTreeMap<_, _> = words.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        (!row.is_empty()).then_some(Self(row))
    }

    /// A column's text, `-` when there is no such column.
    pub(super) fn text(&self, column: &str) -> &str {
        self.0.get(column).map_or("-", String::as_str)
    }

    /// A column's figure, when it has one.
    pub(super) fn number(&self, column: &str) -> Option<f64> {
        self.0.get(column)?.parse().ok().filter(|number: &f64| number.is_finite())
    }
}

/// The columns of the table: as the bench names them, and as the table does.
const COLUMNS: [(&str, &str); 14] = [
    ("rate", "rate"),
    ("workload", "workload"),
    ("peer", "peer"),
    ("p50_ms", "p50 ms"),
    ("p95_ms", "p95 ms"),
    ("max_ms", "max ms"),
    ("missed", "missed"),
    ("mb_down", "MB down"),
    ("cpu_server", "sharer s"),
    ("cpu_viewer", "helper s"),
    ("exact_pct", "exact %"),
    ("psnr_db", "PSNR dB"),
    ("frames_shown", "shown"),
    ("frames_drawn", "drawn"),
];

/// The rows as a table in Markdown.
pub(in crate::prove) fn table(rows: &[Row]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let heading = line(COLUMNS.iter().map(|(_, title)| *title).collect());
    let rule = line(COLUMNS.iter().map(|_| "---").collect());
    let rows = rows.iter().map(|row| line(COLUMNS.iter().map(|(c, _)| row.text(c)).collect()));
    heading + &rule + &rows.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_figures_and_knows_which_it_lacks() {
        let row =
            Row::parse("date=2026 peer=farpane p50_ms=1.5 frames_drawn=- missed=nan").unwrap();
        assert_eq!(row.number("p50_ms"), Some(1.5));
        assert_eq!(row.text("peer"), "farpane");
        assert_eq!(["frames_drawn", "missed", "none"].map(|c| row.number(c)), [None; 3]);
        assert_eq!(Row::parse("nothing was measured"), None);
    }

    #[test]
    fn the_table_has_a_dash_where_there_is_no_figure() {
        let text = table(&[Row::parse("rate=none workload=idle peer=farpane p50_ms=1.5").unwrap()]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[2].starts_with("| none | idle | farpane | 1.5 | - |"), "{text}");
    }
}
