//! The process in which `farpane share` tries a driver.

use farpane_tests::{Program, beside_others};
use std::time::Duration;

/// As long as `farpane share` waits for it.
const LIMIT: Duration = Duration::from_secs(5);

#[test]
fn the_probe_says_within_the_limit_whether_a_driver_works_and_why_not() {
    let _turn = beside_others();
    for backend in ["nvenc", "vulkan-video"] {
        let exit = Program::run(&["probe-encoder", backend], None, LIMIT);
        let verdict = exit.said.lines().find_map(|line| line.strip_prefix("farpane-probe "));
        let verdict = verdict.unwrap_or_else(|| panic!("no verdict: {exit:?}"));
        println!("{backend}: {verdict}");
        match verdict.split_once(' ') {
            Some(("works", driver)) => assert!(exit.status.success() && !driver.is_empty()),
            Some(("fails", reason)) => assert!(exit.is_error() && reason.len() > 10, "{exit:?}"),
            _ => panic!("{verdict}"),
        }
    }
    let exit = Program::run(&["probe-encoder", "magic"], None, LIMIT);
    assert_eq!(exit.status.code(), Some(2), "{exit:?}");
}

#[test]
fn the_probe_is_not_offered_to_people() {
    let _turn = beside_others();
    let exit = Program::run(&["--help"], None, LIMIT);
    assert!(exit.said.contains("record-trace") && !exit.said.contains("probe"), "{exit:?}");
}
