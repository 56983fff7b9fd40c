//! Tables of outcomes and gates, as text and as a page.

use crate::gate::Gate;
use crate::measure::Outcome;
use std::fmt::Write;

const HEADING: &str = "\
case        algorithm        use  queue p50   p95    max ms   loss   fair  kbit/s of each flow
";

/// The outcomes in aligned columns.
pub fn outcomes(outcomes: &[Outcome]) -> String {
    let mut out = String::from(HEADING);
    let mut last = "";
    for outcome in outcomes {
        if outcome.case != last {
            let _ = writeln!(out, "{}: {}", outcome.case, outcome.title);
            last = outcome.case;
        }
        let _ = writeln!(out, "            {}", row(outcome, "  "));
    }
    out
}

fn row(outcome: &Outcome, between: &str) -> String {
    let [p50, p95, max] = outcome.queue_ms();
    let mut cells = vec![
        format!("{:14}", outcome.algorithm.name()),
        format!("{:5.1}%", outcome.utilisation * 100.0),
        format!("{p50:7.1}"),
        format!("{p95:7.1}"),
        format!("{max:7.1}"),
        format!("{:5.2}%", outcome.loss * 100.0),
        format!("{:5.3}", outcome.fairness),
    ];
    cells.push(rates(outcome));
    cells.join(between)
}

/// Of many flows only the first five are shown.
fn rates(outcome: &Outcome) -> String {
    let shown = outcome.rates.iter().take(5).map(|rate| format!("{:.0}", rate / 1e3));
    let more = outcome.rates.len().saturating_sub(5);
    let more = (more > 0).then(|| format!("and {more} more"));
    shown.chain(more).collect::<Vec<_>>().join(" ")
}

/// The gates in aligned columns.
pub fn gates(gates: &[Gate]) -> String {
    let heading = ["gate", "floor", "goal", "measured", "floor", "goal"].map(str::to_owned);
    let rows: Vec<[String; 6]> = [heading].into_iter().chain(gates.iter().map(cells)).collect();
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn cells(gate: &Gate) -> [String; 6] {
    let [floor, goal, measured] = gate.texts();
    let holds = match (gate.floor, gate.holds()) {
        (None, _) => "-",
        (_, true) => "holds",
        (_, false) => "FAILS",
    };
    let reached = if gate.is_reached() { "reached" } else { "missed" };
    [gate.name.clone(), floor, goal, measured, holds.to_owned(), reached.to_owned()]
}

/// The page `docs/netlab.md`.
pub fn page(
    all: &[Outcome],
    all_gates: &[Gate],
    seed: u64,
    pictures: &[(String, String)],
) -> String {
    let mut page = PAGE.to_owned();
    let _ = write!(page, "\n## Figures\n\nSeed {seed}. {}\n\n", sum(all_gates));
    page += "| gate | floor | goal | measured | floor | goal |\n|---|---|---|---|---|---|\n";
    for gate in all_gates {
        let _ = writeln!(page, "| {} |", cells(gate).join(" | "));
    }
    page += "\n## Pictures\n";
    for (title, file) in pictures {
        let _ = write!(page, "\n![{title}]({file})\n");
    }
    page += "\n## All runs\n\n";
    page += "| case | algorithm | use | queue p50 ms | p95 | max | loss | fairness ";
    page += "| kbit/s of each flow |\n";
    page += "|---|---|---|---|---|---|---|---|---|\n";
    for outcome in all {
        let _ = writeln!(page, "| {} {} | {} |", outcome.case, outcome.title, row(outcome, " | "));
    }
    page
}

fn sum(gates: &[Gate]) -> String {
    let floors = gates.iter().filter(|gate| gate.floor.is_some());
    let holds = floors.clone().filter(|gate| gate.holds()).count();
    let reached = gates.iter().filter(|gate| gate.is_reached()).count();
    format!(
        "{holds} of {} floors hold, {reached} of {} goals are reached.",
        floors.count(),
        gates.len()
    )
}

/// How the page begins.
const PAGE: &str = include_str!("page.md");
