//! Small tables for people, and percentiles of delays.

use std::fmt;

/// Rows of text in aligned columns: the first column to the left, the others to the right unless
/// they are of text.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    left: Vec<usize>,
}

/// Blanks between two columns.
const GAP: usize = 2;

impl Table {
    /// A table with these column heads.
    pub(crate) fn new<S: Into<String>>(heads: impl IntoIterator<Item = S>) -> Self {
        Self { rows: vec![heads.into_iter().map(Into::into).collect()], left: vec![0] }
    }

    /// Aligns a column, counted from 0, to the left.
    pub(crate) fn left(mut self, column: usize) -> Self {
        self.left.push(column);
        self
    }

    /// Adds a row; missing cells are empty, surplus ones get columns without a head.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Self {
        self.rows.push(cells.into_iter().map(Into::into).collect());
        self
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| {
            self.rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |cells: &[String]| {
            let mut line = String::new();
            for (c, width) in widths.iter().enumerate() {
                let cell = cells.get(c).map_or("", String::as_str);
                if c > 0 {
                    line += &" ".repeat(GAP);
                }
                line += &match self.left.contains(&c) {
                    true => format!("{cell:<width$}"),
                    false => format!("{cell:>width$}"),
                };
            }
            line
        };
        for (i, row) in self.rows.iter().enumerate() {
            writeln!(f, "{}", line(row).trim_end())?;
            if i == 0 {
                let rule: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
                writeln!(f, "{}", line(&rule))?;
            }
        }
        Ok(())
    }
}

/// What a list of delays comes to, by the nearest rank: every figure is one that was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Percentiles {
    /// How many there were.
    pub(crate) count: usize,
    /// Half are at most this, in microseconds.
    pub(crate) p50_us: u64,
    /// 95 in 100 are at most this, in microseconds.
    pub(crate) p95_us: u64,
    /// The longest, in microseconds.
    pub(crate) max_us: u64,
}

impl Percentiles {
    /// The percentiles of delays in microseconds, in any order; `None` when there are none.
    pub(crate) fn of(mut delays_us: Vec<u64>) -> Option<Self> {
        delays_us.sort_unstable();
        let count = delays_us.len();
        let max_us = *delays_us.last()?;
        let rank = |percent: usize| delays_us[(count * percent).div_ceil(100).max(1) - 1];
        Some(Self { count, p50_us: rank(50), p95_us: rank(95), max_us })
    }
}

/// Microseconds as milliseconds with two decimals, without a unit.
pub(crate) fn ms(us: u64) -> String {
    format!("{}.{:02}", us / 1000, us % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_in_no_blanks() {
        let mut table = Table::new(["delay", "p50 ms", "p95 ms"]);
        table.row(["to glass", "4.20", "11.75"]).row(["µs are one column", "1"]);
        let expected = "\
delay              p50 ms  p95 ms
-----------------  ------  ------
to glass             4.20   11.75
µs are one column       1
";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn columns_of_text_begin_at_their_left() {
        let mut table = Table::new(["check", "ms", "measured"]).left(2);
        table.row(["DNS", "1.20", "an address"]).row(["TLS", "", "x"]);
        let expected = "\
check    ms  measured
-----  ----  ----------
DNS    1.20  an address
TLS          x
";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        assert_eq!(Percentiles::of(vec![]), None);
        let one = Percentiles { count: 1, p50_us: 9, p95_us: 9, max_us: 9 };
        assert_eq!(Percentiles::of(vec![9]), Some(one));
        let many = Percentiles::of((1..=100).rev().collect()).unwrap();
        assert_eq!((many.p50_us, many.p95_us, many.max_us), (50, 95, 100));
        let few = Percentiles::of(vec![30, 10, 20]).unwrap();
        assert_eq!((few.p50_us, few.p95_us), (20, 30));
    }

    #[test]
    fn milliseconds_have_two_decimals() {
        assert_eq!([0, 9, 10, 1_234, 120_050].map(ms), ["0.00", "0.00", "0.01", "1.23", "120.05"]);
    }
}
