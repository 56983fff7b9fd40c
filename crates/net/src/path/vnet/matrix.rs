//! Every type of translator at the sharer, with every type at the helper.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::internet::Internet;
use super::session::Session;
use super::theory::meet;
use super::types::{ALL, Translator};
use super::{run, wait_for};
use crate::path::PathKind;

const SHARER: &str = "203.0.113.10";
const HELPER: &str = "203.0.113.20";
/// For a way to be found, with a hundred sessions on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);
/// Packets with which the sharer and the helper must have knocked before it is believed that they
/// are not let in.
const KNOCKS: [usize; 2] = [3, 6];

/// How a session went that is as it must be.
enum Way {
    /// By a direct path, found after this long.
    Direct(Duration),
    /// By the relay.
    Relay,
}

type Outcome = Result<Way, String>;

#[test]
fn sessions_are_direct_wherever_translators_allow_it_and_else_stay_on_the_relay() {
    let outcomes = run(async {
        let mut cells = JoinSet::new();
        for (row, (_, sharer)) in ALL.into_iter().enumerate() {
            for (column, (_, helper)) in ALL.into_iter().enumerate() {
                cells.spawn(async move { (row, column, cell(sharer, helper).await) });
            }
        }
        let mut outcomes: Vec<_> = cells.join_all().await;
        outcomes.sort_by_key(|(row, column, _)| (*row, *column));
        outcomes
    });
    print(&outcomes);
    let failures = outcomes.iter().filter_map(|(row, column, outcome)| {
        let error = outcome.as_ref().err()?;
        Some(format!("sharer {}, helper {}: {error}\n", ALL[*row].0, ALL[*column].0))
    });
    let failures: String = failures.collect();
    assert!(failures.is_empty(), "{failures}");
}

async fn cell(sharer: Translator, helper: Translator) -> Outcome {
    let internet = Arc::new(Internet::new(true).await);
    let (far, near) = (internet.host(SHARER, sharer).await, internet.host(HELPER, helper).await);
    let mut session = Session::begin(&internet, far, near).await;
    if meet(sharer, helper) {
        let start = Instant::now();
        if !session.comes_to(PathKind::Direct, LIMIT).await {
            return Err(format!("no direct path in {LIMIT:?}\n{}", session.told()));
        }
        let took = start.elapsed();
        session.carries_by(PathKind::Direct).await?;
        return Ok(Way::Direct(took));
    }
    let traffic = internet.traffic();
    let knocks = || [(SHARER, HELPER), (HELPER, SHARER)].map(|(a, b)| traffic.packets(a, b));
    if !wait_for(LIMIT, || knocks()[0] >= KNOCKS[0] && knocks()[1] >= KNOCKS[1]).await {
        return Err(format!("no direct path was tried\n{}", session.told()));
    }
    session.carries_by(PathKind::RelayUdp).await?;
    match session.claims_direct() || traffic.direct() > 0 {
        true => Err(format!("a direct path is claimed\n{}", session.told())),
        false => Ok(Way::Relay),
    }
}

fn print(outcomes: &[(usize, usize, Outcome)]) {
    println!("direct after ms, or by the relay; the sharer's translator down, the helper's across");
    print!("{:8}", "");
    ALL.iter().for_each(|(name, _)| print!("{name:>8}"));
    for (row, column, outcome) in outcomes {
        if *column == 0 {
            print!("\n{:8}", ALL[*row].0);
        }
        let text = match outcome {
            Ok(Way::Direct(took)) => took.as_millis().to_string(),
            Ok(Way::Relay) => "relay".to_owned(),
            Err(_) => "FAILED".to_owned(),
        };
        print!("{text:>8}");
    }
    println!();
}
