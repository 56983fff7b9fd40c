//! Short runs of the laboratory.

use farpane_netlab::case::{self, Algorithm, Case};
use farpane_netlab::measure;

fn short(name: &str, seconds: u64) -> Case {
    let mut case = case::all().into_iter().find(|case| case.name == name).unwrap();
    case.duration = seconds * 1_000_000_000;
    case
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    for name in ["5.1", "5.7", "DualPI2", "bursts"] {
        let case = short(name, 12);
        let run = |seed| format!("{:?}", measure::run(&case, Algorithm::Scream, seed).unwrap());
        let first = run(1);
        assert!(first == run(1), "{name}");
        assert!(first != run(2), "{name}");
    }
}

#[test]
fn every_algorithm_uses_a_link_and_only_ours_keeps_its_queue_short() {
    let case = short("5.1", 20);
    for algorithm in Algorithm::ALL {
        let outcome = measure::run(&case, algorithm, 1).unwrap();
        let at = format!("{}: {outcome:?}", algorithm.name());
        assert!(outcome.utilisation > 0.3, "{at}");
        assert!(outcome.utilisation <= 1.01, "{at}");
        if algorithm == Algorithm::Scream {
            assert!(outcome.queue_ms()[1] < 80.0, "{at}");
        }
        if algorithm == Algorithm::Cubic {
            assert!(outcome.queue_ms()[1] > 150.0, "{at}");
        }
    }
}
