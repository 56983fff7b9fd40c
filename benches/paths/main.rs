//! Sharer and helper in networks of namespaces, with coturn between them: how long until the first
//! exact picture, what is seen when a path fails, and what relays cost.
//!
//! `cargo bench -p farpane-benches --bench paths` prints tables, `-- --claims` the claims as JSON
//! too; needs root, and some ten minutes. `-- --runs N` plays each case N times in place of 20.

mod cost;
mod faults;
mod first;
mod world;

use farpane_benches::{claims_wanted, print_claims};

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--runs").skip(1);
    let runs = arguments.next().and_then(|runs| runs.parse().ok()).unwrap_or(20);
    let mut claims = first::table(runs);
    claims.extend(faults::table(runs));
    claims.extend(cost::table());
    cost::memory();
    if claims_wanted() {
        print_claims(&claims);
    }
}
