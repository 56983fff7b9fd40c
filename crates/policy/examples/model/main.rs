//! Explores what two ends, a broker and a revoker can do to a session over a network that loses,
//! reorders and repeats, and checks in every state what must hold.
//!
//! `cargo run --release -p farpane-policy --example model [TRANSITIONS]`

mod properties;
mod world;

use std::process::ExitCode;
use std::time::Instant;

/// What leads to more than a million distinct states.
const TRANSITIONS: usize = 8_000_000;

fn main() -> ExitCode {
    let transitions = std::env::args().nth(1).and_then(|count| count.parse().ok());
    let start = Instant::now();
    let found = properties::check(transitions.unwrap_or(TRANSITIONS), 2);
    println!(
        "{} distinct states, {} transitions, {} steps deep, {:.1} s",
        found.distinct,
        found.transitions,
        found.depth,
        start.elapsed().as_secs_f64()
    );
    for (name, run) in &found.violations {
        println!("BROKEN: {name}\n{run}");
    }
    found.unreached.iter().for_each(|name| println!("never reached: {name}"));
    println!("{} properties hold, {} do not", found.holding, found.violations.len());
    match found.violations.is_empty() && found.unreached.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
