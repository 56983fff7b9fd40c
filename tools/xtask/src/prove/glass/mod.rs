//! Delay, bytes, CPU and exactness from one display to another, beside other programs, by a bench
//! outside this repository that looks at the displays alone.

mod claims;
mod row;
mod runs;

use super::bench::{Bench, missing};
use super::claim::Claim;
use runs::{Key, Runs};
use std::path::Path;

pub(super) use row::{Row, table};

/// What is played on the sharer's display.
const WORKLOADS: [&str; 5] = ["idle", "typing", "scroll", "drag", "slides"];
/// What is played again over a slow link.
const SLOW_WORKLOADS: [&str; 2] = ["typing", "scroll"];
const SLOW_RATE: &str = "10mbit";
const OURS: &str = "farpane";
/// The program with the lowest delays.
const QUICK: &str = "tigervnc";
/// The same, showing every pixel exactly.
const EXACT: &str = "tigervnc-lossless";

/// Runs the bench in `directory`; its rows go to `rows`. `only` chooses workloads, all if empty.
pub(super) fn measure(
    bench: &Bench,
    directory: Option<&Path>,
    only: &[String],
    rows: &mut Vec<Row>,
) -> anyhow::Result<Vec<Claim>> {
    let chosen = |workload: &&&str| only.is_empty() || only.iter().any(|o| o == *workload);
    let workloads: Vec<_> = WORKLOADS.iter().filter(chosen).copied().collect();
    let slow: Vec<_> = SLOW_WORKLOADS.iter().filter(chosen).copied().collect();
    let Some(directory) = directory else {
        let runs = Runs::without("pass --glass DIR");
        return Ok(claims::judge(&runs, &workloads, &slow));
    };
    let needs = ["Xvfb", "openbox", "ip", "ethtool", "x0tigervncserver", "xtigervncviewer"];
    if let Some(reason) = missing(&needs) {
        return Ok(claims::judge(&Runs::without(&reason), &workloads, &slow));
    }
    let mut runs = Runs::prepare(directory, &bench.farpane)?;
    for workload in &workloads {
        for peer in [OURS, QUICK, EXACT] {
            runs.run(Key::new(peer, workload, None))?;
        }
    }
    for workload in &slow {
        runs.run(Key::new(OURS, workload, Some(SLOW_RATE)))?;
    }
    rows.extend(runs.rows());
    Ok(claims::judge(&runs, &workloads, &slow))
}
